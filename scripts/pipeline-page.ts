/**
 * docs/pipeline.md: every key of the pipeline file, from its JSON Schema, the table of what is not supported yet, and the
 * examples in docs/examples.
 */
import { readFileSync } from 'node:fs'
import { helpers } from '../dsl/template.ts'
import { notYet } from '../dsl/unsupported.ts'
import type { JsonSchema } from '../engine/json.ts'
import { lintSection } from './lint-section.ts'
import { pipelineExamples } from './pipeline-examples.ts'
import { propertyTable } from './property-table.ts'
import { useSection } from './use-section.ts'

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
    ...section('`recover`, per kind of failure', of('recovery'), [], definitions),
    ...names,
    '## Key by key',
    '',
    'Each example is a whole file; they lie in [docs/examples](examples).',
    '',
    ...pipelineExamples().flatMap(({ title, prose, yaml }) => [
      `### ${title}`,
      '',
      prose,
      '',
      '```yaml',
      yaml,
      '```',
      '',
    ]),
    ...useSection(),
    ...lintSection,
  ]
  return `${parts.join('\n').trimEnd()}\n`
}

/** What DSL.md says of names, and where each has a value. */
const names = [
  '## Names in templates and expressions',
  '',
  '`{{ }}` (paths, literals, helpers) stands in strings of `with`, `run`, `env`, `foreach`, `key`, `recover`, `produces` and',
  '`cache.files`; CEL stands in `when` and `gate`.',
  '',
  '| Name | What | Where |',
  '|---|---|---|',
  '| `params.NAME` | a parameter of the run | everywhere |',
  '| `run.…` | `id`, `pipeline`, `logicalTime`, `interval.start`, `interval.end`, `trigger` | everywhere |',
  '| `tasks.X.outputs`, `tasks.X.state` | another task, which this one then needs | everywhere |',
  '| `tasks.X.byKey.KEY` | the outputs of one instance of a mapped task | everywhere |',
  '| `env.NAME` | a variable of the engine that `env` of dagctl.yaml allows | everywhere |',
  '| `item`, `index` | the item of an instance, and its number from 0 | tasks with `foreach`, but for `foreach` itself |',
  '| `inputs.NAME` | what the group was given that the task stands in | files that others use, which see no `params`, `run`, `env` |',
  "| `with.NAME` | the task's input as it was resolved | `env`, `gate`, `produces`, and `set` of `recover` |",
  "| `outputs`, `baseline` | the task's outputs, and those of the last succeeded run | `gate` |",
  '',
  `The helpers are ${Object.entries(helpers)
    .map(([name, { usage }]) => `\`${name}\` (\`${usage}\`)`)
    .join(', ')}.`,
  '',
]

/** A heading, and a table of the properties below it; those that come `later` are marked. */
export function section(
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
