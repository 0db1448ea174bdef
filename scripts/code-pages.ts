/** The pages of docs/ that are made from the code itself: the operators and the states. */

import type { OperatorInfo } from '../engine/pipeline.ts'
import { type RunEvent, runTransitions, type TaskEvent, taskTransitions } from '../engine/state.ts'
import { propertyTable } from './property-table.ts'

/** docs/operators.md. */
export function operatorsPage(operators: readonly OperatorInfo[]): string {
  const stages = Map.groupBy(operators, ({ stage }) => stage)
  const parts = ['# Operators', '', generated('the operators themselves'), '']
  for (const [stage, members] of stages) {
    parts.push(`## ${stage}`, '')
    for (const operator of members.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
      parts.push(...operatorPart(operator))
  }
  return `${parts.join('\n').trimEnd()}\n`
}

function operatorPart(operator: OperatorInfo): string[] {
  const traits = [`runs ${operator.runtimes.join(' or ')}`, `effects: ${operator.effects}`]
  if (operator.sensor) traits.push('a sensor')
  return [
    `### ${operator.name}`,
    '',
    `${operator.summary} (${traits.join('; ')})`,
    '',
    '```yaml',
    operator.example.trim(),
    '```',
    '',
    ...propertyTable('Input', operator.input),
    ...propertyTable('Outputs', operator.output),
  ]
}

/** docs/states.md. */
export function statesPage(): string {
  const table = (transitions: {
    readonly [event: string]: { readonly from: readonly string[]; readonly to: string }
  }) => [
    '| Event | From | To |',
    '|---|---|---|',
    ...Object.entries(transitions).map(
      ([event, { from, to }]) => `| \`${event}\` | ${from.join(', ')} | ${to} |`,
    ),
    '',
  ]
  return `${[
    '# States',
    '',
    generated('engine/state.ts'),
    '',
    '`sleeping` holds no slot. Nothing leads out of `succeeded`, `failed`, `upstream_failed`, `skipped` and `cancelled`.',
    '',
    '## Of a task',
    '',
    ...table(taskTransitions satisfies { [event in TaskEvent]: unknown }),
    '## Of a run',
    '',
    ...table(runTransitions satisfies { [event in RunEvent]: unknown }),
  ]
    .join('\n')
    .trimEnd()}\n`
}

function generated(from: string): string {
  return `Generated from ${from} by \`npm run generate\`; do not edit.`
}
