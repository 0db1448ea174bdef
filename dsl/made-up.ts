/** A value that a JSON Schema describes: small, and the same each time. For stand-ins of operators in tests of pipelines. Pure. */
import type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
import { dereference, typeNames } from './types.ts'

/** Strings for patterns and formats; the first that fits is taken. */
const candidates: readonly string[] = [
  '2026-01-01T00:00:00.000Z',
  '2026-01-01',
  'https://example.org/',
  'file:///made-up',
  'someone@example.org',
  '0'.repeat(64),
  '0',
  'a',
  '1s',
  '1B',
]
const byFormat: { readonly [format: string]: string } = {
  'date-time': '2026-01-01T00:00:00.000Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  uri: 'https://example.org/',
  email: 'someone@example.org',
  uuid: '00000000-0000-4000-8000-000000000000',
}
/** Enough for any schema that ends; a recursive one is cut off here. */
const deepest = 12

/**
 * A value of the schema: every property it names, numbers as small as they may be, lists as short, strings that say where
 * they come from (`name.property`). Where nothing fits a pattern it is a value that the schema refuses: check it.
 */
export function madeUp(schema: JsonSchema, name: string, root: JsonSchema = schema, depth = 0): Json {
  const type = dereference(schema, root)
  if (type === null || depth > deepest) return null
  if (type.const !== undefined) return type.const as Json
  if (Array.isArray(type.enum)) return type.enum[0] as Json
  const [branch] = [type.oneOf, type.anyOf].flat().filter((one) => typeof one === 'object' && one !== null)
  if (branch !== undefined && type.type === undefined)
    return madeUp(branch as JsonSchema, name, root, depth + 1)
  const names = [...(typeNames(type, root) ?? [])].filter((one) => one !== 'null')
  switch (names[0]) {
    case 'object':
      return object(type, name, root, depth)
    case 'array':
      return list(type, name, root, depth)
    case 'string':
      return string(type, name)
    case 'integer':
    case 'number':
      return number(type)
    case 'boolean':
      return false
    default:
      return null
  }
}

function object(schema: JsonSchema, name: string, root: JsonSchema, depth: number): JsonObject {
  const properties = (schema.properties ?? {}) as { readonly [key: string]: JsonSchema }
  return Object.fromEntries(
    Object.entries(properties).map(([key, child]) => [key, madeUp(child, `${name}.${key}`, root, depth + 1)]),
  )
}

function list(schema: JsonSchema, name: string, root: JsonSchema, depth: number): readonly Json[] {
  const length = typeof schema.minItems === 'number' ? schema.minItems : 0
  return Array.from({ length }, (_, index) =>
    madeUp((schema.items ?? {}) as JsonSchema, `${name}.${index}`, root, depth + 1),
  )
}

function string({ pattern, format, minLength = 0, maxLength }: JsonSchema, name: string): string {
  const known = typeof format === 'string' ? byFormat[format] : undefined
  if (known !== undefined) return known
  const fits = (text: string) =>
    text.length >= Number(minLength) &&
    (maxLength === undefined || text.length <= Number(maxLength)) &&
    (typeof pattern !== 'string' || new RegExp(pattern, 'u').test(text))
  return [name, name.padEnd(Number(minLength), '.'), ...candidates].find(fits) ?? name
}

function number({
  type,
  minimum,
  exclusiveMinimum,
  maximum,
  exclusiveMaximum,
  multipleOf,
}: JsonSchema): number {
  const step = typeof multipleOf === 'number' ? multipleOf : [type].flat().includes('number') ? 0.5 : 1
  if (typeof exclusiveMinimum === 'number') return (Math.floor(exclusiveMinimum / step) + 1) * step
  if (typeof minimum === 'number') return Math.ceil(minimum / step) * step
  if (typeof exclusiveMaximum === 'number' && exclusiveMaximum <= 0)
    return (Math.ceil(exclusiveMaximum / step) - 1) * step
  return typeof maximum === 'number' && maximum < 0 ? Math.floor(maximum / step) * step : 0
}
