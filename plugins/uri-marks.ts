/** Where an operator's schema says `x-uri`, in a value of that schema. Pure; reads no data. */
import { isJsonObject, type Json, type JsonObject, type JsonSchema } from '../engine/json.ts'

/** Which way the data goes. */
export type Mark = 'input' | 'output'

/** A URI, the property that it is, and the object in which that stands. */
export interface Marked {
  readonly uri: string
  readonly name: string
  readonly beside: JsonObject
}

/**
 * A copy of the value in which whatever names data under the mark is replaced by what `map` makes of its URI. Under a
 * mark stand strings, objects with a `dataset` (the outputs of a task that made one), and lists of these.
 */
export function mapMarked(
  schema: JsonSchema,
  value: Json,
  mark: Mark,
  map: (uri: string) => Promise<Json>,
): Promise<Json> {
  return mapUnder(branches(schema), value, mark, map)
}

/** Every URI under the mark. */
export function markedStrings(schema: JsonSchema, value: Json, mark: Mark): readonly Marked[] {
  const found: Marked[] = []
  const look = (schemas: readonly JsonSchema[], inner: Json, name: string, beside: JsonObject) => {
    if (typeof inner === 'string' && isMarked(schemas, inner, mark)) found.push({ uri: inner, name, beside })
    if (Array.isArray(inner)) for (const item of inner) look(under(schemas, 'items'), item, name, beside)
    else if (isJsonObject(inner))
      for (const [key, item] of Object.entries(inner)) look(propertyOf(schemas, key), item, key, inner)
  }
  look(branches(schema), value, '', {})
  return found
}

async function mapUnder(
  schemas: readonly JsonSchema[],
  value: Json,
  mark: Mark,
  map: (uri: string) => Promise<Json>,
): Promise<Json> {
  if (isMarked(schemas, value, mark)) return mapUris(value, map)
  if (Array.isArray(value))
    return Promise.all(value.map((item: Json) => mapUnder(under(schemas, 'items'), item, mark, map)))
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(
    async ([name, item]): Promise<[string, Json]> => [
      name,
      await mapUnder(propertyOf(schemas, name), item, mark, map),
    ],
  )
  return Object.fromEntries(await Promise.all(entries))
}

async function mapUris(value: Json, map: (uri: string) => Promise<Json>): Promise<Json> {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return Promise.all(value.map((item: Json) => mapUris(item, map)))
  return isJsonObject(value) && typeof value.dataset === 'string' ? map(value.dataset) : value
}

function isMarked(schemas: readonly JsonSchema[], value: Json, mark: Mark): boolean {
  return schemas.some((schema) => schema['x-uri'] === mark && fits(schema.type, value))
}

/** Whether a schema's `type` lets the value be. */
function fits(type: unknown, value: Json): boolean {
  if (type === undefined) return true
  const own = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  return Array.isArray(type) ? type.includes(own) : type === own
}

/** A schema with all its alternatives. */
function branches(schema: unknown): readonly JsonSchema[] {
  if (!isJsonObject(schema)) return []
  const inner = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => {
    const list = schema[keyword]
    return Array.isArray(list) ? list.flatMap(branches) : []
  })
  return [schema, ...inner]
}

function under(schemas: readonly JsonSchema[], keyword: string): readonly JsonSchema[] {
  return schemas.flatMap((schema) => branches(schema[keyword]))
}

function propertyOf(schemas: readonly JsonSchema[], name: string): readonly JsonSchema[] {
  return schemas.flatMap(({ properties, additionalProperties }) =>
    branches(
      isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties,
    ),
  )
}
