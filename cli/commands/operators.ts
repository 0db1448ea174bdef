/** `dagctl operators [NAME]`: the catalogue, or one operator with its schemas and an example. */
import { closest } from 'fastest-levenshtein'
import { DagctlError, exits } from '../../engine/errors.ts'
import type { OperatorInfo } from '../../engine/pipeline.ts'
import { allOperators } from '../catalogue.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { paintFor, table } from '../print.ts'

/** Declares `dagctl operators`. */
export const operators: Declare = (command, context) => {
  command
    .argument('[name]', 'an operator: its schemas, and an example')
    .addHelpText('after', examples('operators', 'operators PIIMasker', 'operators --json'))
    .action(action(context, show, undefined, 'ignored'))
}

async function show({ terminal, settings }: Call, name?: string): Promise<number> {
  const all = await allOperators()
  const shown = name === undefined ? all : [pick(all, name)]
  if (settings.json) printJson(terminal, { operators: shown.map(rowOf) })
  else if (name !== undefined) terminal.out.write(describe(shown[0] as OperatorInfo))
  else {
    const paint = paintFor(terminal.out, terminal.env)
    const rows = all.map(({ name, stage, summary }) => [paint.bold(name), stage, summary])
    terminal.out.write(`${await table(['operator', 'stage', 'what it does'], rows)}\n`)
  }
  return exits.ok
}

/** An operator as JSON shows it. */
function rowOf({ name, version, stage, summary, input, output, runtimes, effects }: OperatorInfo): object {
  return { name, version, stage, summary, input, output, runtimes, effects }
}

function pick(all: readonly OperatorInfo[], name: string): OperatorInfo {
  const found = all.find(
    (operator) => operator.name === name || `${operator.name}@${operator.version}` === name,
  )
  if (found !== undefined) return found
  throw new DagctlError('E210', `there is no operator ${name}`, {
    kind: 'usage',
    hint: `did you mean ${closest(
      name,
      all.map((operator) => operator.name),
    )}? \`dagctl operators\` lists all`,
  })
}

function describe({
  name,
  version,
  stage,
  summary,
  input,
  output,
  runtimes,
  effects,
  example,
}: OperatorInfo): string {
  const indented = (text: string) => text.trimEnd().replaceAll(/^/gm, '  ')
  return [
    `${name}@${version}: ${summary}`,
    `stage ${stage}, runs ${runtimes.join(' or ')}, effects ${effects}`,
    '',
    `example:\n${indented(example)}`,
    '',
    `with (JSON Schema):\n${indented(JSON.stringify(input, null, 2))}`,
    '',
    `outputs (JSON Schema):\n${indented(JSON.stringify(output, null, 2))}`,
    '',
  ].join('\n')
}
