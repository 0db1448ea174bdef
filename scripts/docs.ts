/** The pages of docs/ that are made from the code: operators and states. `generated.ts` writes and checks them. */
import type { JsonSchema } from '../engine/json.ts'
import { type RunEvent, runTransitions, type TaskEvent, taskTransitions } from '../engine/state.ts'
import { builtin } from '../operators/catalogue.ts'
import { describe, type OperatorInfo } from '../plugins/api.ts'

/** A page: its path in the repository, and its text. */
export interface Page {
  readonly path: string
  readonly text: string
}

/** Every generated page. */
export async function pages(): Promise<readonly Page[]> {
  return [
    { path: 'docs/operators.md', text: await operatorsPage() },
    { path: 'docs/states.md', text: statesPage() },
  ]
}

async function operatorsPage(): Promise<string> {
  const loaded = await Promise.all(Object.values(builtin).map(async (load) => describe(await load())))
  const stages = Map.groupBy(loaded, ({ stage }) => stage)
  const parts = ['# Operators', '', generated('the operators themselves'), '']
  for (const [stage, operators] of stages) {
    parts.push(`## ${stage}`, '')
    for (const operator of operators.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
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

function propertyTable(title: string, schema: JsonSchema): string[] {
  const properties = Object.entries((schema.properties ?? {}) as { [name: string]: JsonSchema })
  if (properties.length === 0)
    return schema.additionalProperties === true ? [`${title}: any object.`, ''] : []
  const required = new Set((schema.required ?? []) as string[])
  const rows = properties.map(([name, property]) => {
    const fallback =
      property.default === undefined ? '' : ` Default: \`${JSON.stringify(property.default)}\`.`
    const need = title === 'Input' && required.has(name) ? ' (required)' : ''
    return `| \`${name}\`${need} | ${cell(typeOf(property))} | ${cell(`${property.description ?? ''}${fallback}`)} |`
  })
  return [`| ${title} | Type | |`, '|---|---|---|', ...rows, '']
}

function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum))
    return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')
  const choices = (schema.oneOf ?? schema.anyOf) as JsonSchema[] | undefined
  if (choices !== undefined) return [...new Set(choices.map(typeOf))].join(' or ')
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as JsonSchema)}`
  return [schema.type ?? 'any'].flat().join(' or ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim()
}

function statesPage(): string {
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
