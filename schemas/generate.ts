/** Writes what is generated from the schemas: TypeScript types, and the schema for editors. Run: `node schemas/generate.ts`. */
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { compile } from 'json-schema-to-typescript'
import type { JsonSchema } from '../engine/json.ts'
import type { OperatorInfo } from '../engine/pipeline.ts'
import pipelineSchema from './pipeline.schema.json' with { type: 'json' }

type Schema = Parameters<typeof compile>[0]

/** The text of pipeline.generated.ts. */
export async function pipelineTypes(): Promise<string> {
  return compile(structuredClone(pipelineSchema) as Schema, 'PipelineFile', {
    additionalProperties: true,
    bannerComment:
      '/** The pipeline file, as TypeScript sees it. Generated from pipeline.schema.json by generate.ts: do not edit. */',
    style: { semi: false, singleQuote: true, printWidth: 110 },
    unreachableDefinitions: false,
    unknownAny: true,
  })
}

/**
 * The text of pipeline.editor.schema.json: the pipeline's schema, with what each operator's `with` may hold. Draft 7, since
 * editors know no later one well. `# yaml-language-server: $schema=…/pipeline.editor.schema.json`
 */
export function editorSchema(operators: readonly OperatorInfo[]): string {
  const schema = forEditors(pipelineSchema) as { [key: string]: unknown }
  const { $defs } = schema as { $defs: { task: { [key: string]: unknown } } }
  const task = $defs.task as { properties: { uses: { [key: string]: unknown } }; allOf?: unknown }
  task.properties.uses.anyOf = [{ enum: operators.map(({ name }) => name) }, { type: 'string' }]
  task.allOf = operators.map(withOf)
  const text = {
    ...schema,
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'https://dagctl.dev/schemas/pipeline-1.editor.json',
  }
  return formatted(JSON.stringify(text))
}

/** JSON as `npm run check` wants it. */
function formatted(json: string): string {
  const biome = fileURLToPath(new URL('../node_modules/.bin/biome', import.meta.url))
  return execFileSync(biome, ['format', '--stdin-file-path=schemas/any.json'], {
    input: json,
    encoding: 'utf8',
  })
}

/** What `with` is where the task uses this operator. */
function withOf({ name, version, summary, input }: OperatorInfo): unknown {
  const required = Array.isArray(input.required) && input.required.length > 0 ? { required: ['with'] } : {}
  return {
    if: { properties: { uses: { enum: [name, `${name}@${version}`] } }, required: ['uses'] },
    // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
    then: {
      ...required,
      properties: { uses: { description: summary }, with: forEditors(templated(input, true)) },
    },
  }
}

const template = { type: 'string', pattern: '\\{\\{' }

/** The schema with a `{{ }}` allowed at every place inside; at the root a mapping must stand. */
function templated(schema: unknown, root = false): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema
  const copy: { [key: string]: unknown } = { ...schema }
  for (const key of ['items', 'additionalProperties', 'contains', 'not'])
    if (key in copy) copy[key] = templated(copy[key])
  for (const key of ['properties', 'patternProperties']) {
    const inside = copy[key] as JsonSchema | undefined
    if (inside)
      copy[key] = Object.fromEntries(Object.entries(inside).map(([name, child]) => [name, templated(child)]))
  }
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    if (Array.isArray(copy[key])) copy[key] = copy[key].map((child: unknown) => templated(child, true))
  }
  if (root || isFreeText(copy)) return copy
  const { title, description, default: preset, ...rest } = copy
  const shown = Object.fromEntries(
    Object.entries({ title, description, default: preset }).filter(([, value]) => value !== undefined),
  )
  return { ...shown, anyOf: [rest, template] }
}

/** Whether any string will do, so that a template does too. */
function isFreeText(schema: JsonSchema): boolean {
  const restricting = [
    'enum',
    'const',
    'pattern',
    'format',
    'maxLength',
    'anyOf',
    'oneOf',
    'allOf',
    'not',
    '$ref',
  ]
  if (restricting.some((keyword) => keyword in schema)) return false
  return schema.type === undefined || [schema.type].flat().includes('string')
}

/** Without our own keywords, which editors would only wonder at. */
function forEditors(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(forEditors)
  if (typeof schema !== 'object' || schema === null) return schema
  const kept = Object.entries(schema).filter(([key]) => !key.startsWith('x-'))
  return Object.fromEntries(kept.map(([key, value]) => [key, forEditors(value)]))
}

if (import.meta.main) {
  const [{ builtin }, { describe }] = await Promise.all([
    import('../operators/catalogue.ts'),
    import('../plugins/api.ts'),
  ])
  const operators = await Promise.all(Object.values(builtin).map(async (load) => describe(await load())))
  await writeFile(new URL('pipeline.generated.ts', import.meta.url), await pipelineTypes())
  await writeFile(new URL('pipeline.editor.schema.json', import.meta.url), editorSchema(operators))
}
