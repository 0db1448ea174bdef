/**
 * Whether a value matches a JSON Schema of plain keywords, without ajv: loading ajv and compiling a schema takes longer than
 * all else that the check of a small file does. Says yes only where ajv would; what it does not know, ajv is asked. Knows no words.
 */
import type { JsonSchema } from '../engine/json.ts'

const annotations = ['title', 'description', 'default', 'examples', 'deprecated', '$comment', 'format']
const plain = new Set([
  ...['type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items', 'oneOf', 'anyOf'],
  ...[
    'minimum',
    'maximum',
    'exclusiveMinimum',
    'exclusiveMaximum',
    'minLength',
    'maxLength',
    'pattern',
    'minItems',
    'maxItems',
  ],
  ...annotations.filter((keyword) => keyword !== 'format'),
])

const known = new WeakMap<object, boolean>()

/** Whether the schema has only keywords that are read here. */
export function isPlain(schema: unknown): boolean {
  if (typeof schema === 'boolean') return true
  if (typeof schema !== 'object' || schema === null) return false
  const answer = known.get(schema)
  if (answer !== undefined) return answer
  const result = Object.entries(schema).every(
    ([keyword, value]) => keyword.startsWith('x-') || isPlainKeyword(keyword, value),
  )
  known.set(schema, result)
  return result
}

function isPlainKeyword(keyword: string, value: unknown): boolean {
  if (!plain.has(keyword)) return false
  if (keyword === 'items' || keyword === 'additionalProperties') return isPlain(value)
  if (keyword === 'oneOf' || keyword === 'anyOf') return Array.isArray(value) && value.every(isPlain)
  if (keyword === 'properties') return Object.values(value as object).every(isPlain)
  if (keyword === 'enum') return (value as readonly unknown[]).every((item) => Object(item) !== item)
  if (keyword === 'pattern') return patternOf(value) !== null
  return keyword !== 'const' || Object(value) !== value
}

/** Whether the value matches for certain; false also means: ask ajv. */
export function certainlyMatches(schema: JsonSchema, value: unknown): boolean {
  return isPlain(schema) && matches(schema, value)
}

function matches(schema: JsonSchema | boolean, value: unknown): boolean {
  if (typeof schema === 'boolean') return schema
  // Whether the value is a schema only ajv can say.
  if (schema['x-schema'] === true) return false
  if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(type, value))) return false
  if (Array.isArray(schema.enum) && !schema.enum.includes(value)) return false
  if ('const' in schema && schema.const !== value) return false
  const branches = (keyword: 'oneOf' | 'anyOf') =>
    (schema[keyword] as readonly JsonSchema[]).filter((branch) => matches(branch, value)).length
  if (schema.oneOf !== undefined && branches('oneOf') !== 1) return false
  if (schema.anyOf !== undefined && branches('anyOf') === 0) return false
  if (typeof value === 'string')
    return (
      isWithin([...value].length, schema.minLength, schema.maxLength) &&
      (schema.pattern === undefined || patternOf(schema.pattern)?.test(value) === true)
    )
  if (typeof value === 'number') return isNumberWithin(value, schema)
  if (Array.isArray(value))
    return (
      isWithin(value.length, schema.minItems, schema.maxItems) &&
      value.every((item) => matches(rest(schema.items), item))
    )
  return (
    typeof value !== 'object' ||
    value === null ||
    isObjectOf(schema, value as { readonly [key: string]: unknown })
  )
}

const patterns = new Map<unknown, RegExp | null>()

/** The pattern as ajv reads it; null where it is none. */
function patternOf(pattern: unknown): RegExp | null {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    try {
      compiled = new RegExp(String(pattern), 'u')
    } catch {
      compiled = null
    }
    patterns.set(pattern, compiled)
  }
  return compiled
}

function isOfType(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}

function isWithin(size: number, least: unknown, most: unknown): boolean {
  return (typeof least !== 'number' || size >= least) && (typeof most !== 'number' || size <= most)
}

function isNumberWithin(
  value: number,
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema,
): boolean {
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) return false
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum) return false
  return isWithin(value, minimum, maximum)
}

function isObjectOf(schema: JsonSchema, value: { readonly [key: string]: unknown }): boolean {
  const required = (schema.required ?? []) as readonly string[]
  const properties = (schema.properties ?? {}) as { readonly [key: string]: JsonSchema }
  const others = rest(schema.additionalProperties)
  return (
    required.every((key) => Object.hasOwn(value, key)) &&
    Object.entries(value).every(([key, item]) =>
      matches(Object.hasOwn(properties, key) ? (properties[key] as JsonSchema) : others, item),
    )
  )
}

/** The schema of what no keyword names: anything, where it is absent. */
function rest(schema: unknown): JsonSchema | boolean {
  return schema === undefined ? true : (schema as JsonSchema | boolean)
}
