/** docs/pipeline.md: every key of the pipeline file, from its JSON Schema and the table of what is not supported yet. */
import { readFileSync } from 'node:fs'
import { notYet } from '../dsl/unsupported.ts'
import type { JsonSchema } from '../engine/json.ts'
import { propertyTable } from './property-table.ts'

type Properties = { readonly [name: string]: JsonSchema }

/** The page's text. */
export function pipelinePage(): string {
  const schema = JSON.parse(readFileSync(new URL('../schemas/pipeline.schema.json', import.meta.url), 'utf8'))
  const definitions = schema.$defs as Properties
  const of = (name: string) => (definitions[name]?.properties ?? {}) as Properties
  const parts = [
    '# The pipeline file',
    '',
    'Generated from schemas/pipeline.schema.json by `npm run generate`; do not edit. One YAML file is one pipeline; unknown',
    'keys are errors. Keys marked *not yet* belong to the format and are refused where they stand, until they work.',
    '',
    ...section('Keys of the file', schema.properties, notYet.top, definitions),
    ...section('`schedule`', of('schedule'), [], definitions),
    ...section('Keys of a task', of('task'), notYet.task, definitions),
    ...section('`retry`', of('retry'), [], definitions),
  ]
  return `${parts.join('\n').trimEnd()}\n`
}

function section(
  title: string,
  properties: Properties,
  later: readonly string[],
  definitions: Properties,
): string[] {
  const resolved = Object.entries(properties).map(([name, property]): [string, JsonSchema] => {
    const named = definitions[String(property.$ref ?? '').replace('#/$defs/', '')]
    const whole: JsonSchema = { ...named, ...property }
    const mark = later.includes(name) ? '*not yet* ' : ''
    return [name, { ...whole, description: `${mark}${whole.description ?? ''}` }]
  })
  return [`## ${title}`, '', ...propertyTable('Key', { properties: Object.fromEntries(resolved) })]
}
