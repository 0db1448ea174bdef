/** JSON Schemas read as types: what a path inside has, what may flow where. Pure; knows nothing of tasks. */
import type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
import { valueAt } from '../engine/pointer.ts'
import { either } from './words.ts'

/** A schema, or null where nothing is known of the value. */
export type Type = JsonSchema | null

/** The types of JSON Schema; `integer` is a part of `number`. */
export type TypeName = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null'

/** What stands at a key of a value: its type, or why there can be nothing. */
export type Step =
  | { readonly type: Type }
  | { readonly fault: 'unknown'; readonly known: readonly string[] }
  | { readonly fault: 'scalar' | 'list' }

/** What `key` is in a value of this type. Lists take indices from 0, objects their properties. */
export function step(type: Type, key: string, root: Type = type): Step {
  const schema = dereference(type, root)
  if (schema === null) return { type: null }
  const names = typeNames(schema, root)
  if (names === null) return { type: null }
  const [object, list] = [names.has('object'), names.has('array')]
  if (list && !object) return stepIntoList(schema, key)
  if (!object) return { fault: 'scalar' }
  return list || schema.anyOf !== undefined || schema.oneOf !== undefined
    ? { type: null }
    : stepIntoObject(schema, key)
}

function stepIntoList(schema: JsonSchema, key: string): Step {
  if (!/^\d+$/.test(key)) return { fault: 'list' }
  const first = schema.prefixItems as readonly JsonSchema[] | undefined
  return { type: first?.[Number(key)] ?? asSchema(schema.items) }
}

function stepIntoObject(schema: JsonSchema, key: string): Step {
  const properties = (schema.properties ?? {}) as { readonly [name: string]: unknown }
  if (Object.hasOwn(properties, key)) return { type: asSchema(properties[key]) }
  const rest = schema.additionalProperties
  if (schema.patternProperties !== undefined || schema.allOf !== undefined) return { type: null }
  if (rest === false) return { fault: 'unknown', known: Object.keys(properties) }
  return { type: asSchema(rest) }
}

function asSchema(value: unknown): Type {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : null
}

/** Follows a local `$ref`; null where it leads nowhere. */
export function dereference(type: Type, root: Type): Type {
  let schema = type
  for (let hops = 0; schema !== null && typeof schema.$ref === 'string'; hops += 1) {
    const reference: string = schema.$ref
    if (hops > 20 || root === null || !reference.startsWith('#')) return null
    schema = asSchema(valueAt(root as JsonObject, reference.slice(1)))
  }
  return schema
}

/** The types that a value may have; null where the schema does not tell. */
export function typeNames(type: Type, root: Type = type): ReadonlySet<TypeName> | null {
  const schema = dereference(type, root)
  if (schema === null) return null
  if (schema.type !== undefined) return new Set([schema.type].flat() as TypeName[])
  if (schema.const !== undefined) return new Set([nameOf(schema.const)])
  if (Array.isArray(schema.enum)) return new Set(schema.enum.map(nameOf))
  const branches = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined
  if (branches) return union(branches.map((branch) => typeNames(asSchema(branch), root)))
  if (schema.properties !== undefined) return new Set(['object'])
  if (schema.items !== undefined) return new Set(['array'])
  return null
}

function union(sets: readonly (ReadonlySet<TypeName> | null)[]): ReadonlySet<TypeName> | null {
  const all = new Set<TypeName>()
  for (const set of sets) {
    if (set === null) return null
    for (const name of set) all.add(name)
  }
  return all
}

function nameOf(value: unknown): TypeName {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value as TypeName
}

/** The type of a literal. */
export function typeOfValue(value: Json): JsonSchema {
  return { type: nameOf(value), const: value }
}

/** Whether a value of type `from` may stand where `to` is expected; `number` is not good enough for `integer`. */
export function fits(
  from: Type,
  to: Type,
  roots: { readonly from: Type; readonly to: Type } = { from, to },
): boolean {
  const [source, target] = [typeNames(from, roots.from), typeNames(to, roots.to)]
  if (source === null || target === null) return true
  const overlap = [...source].filter(
    (name) => target.has(name) || (name === 'integer' && target.has('number')),
  )
  if (overlap.length === 0) return false
  if (overlap.length > 1 || overlap[0] !== 'array') return true
  return fits(
    asSchema(dereference(from, roots.from)?.items),
    asSchema(dereference(to, roots.to)?.items),
    roots,
  )
}

/** A value that `from` may have and `to`'s list of values lacks; undefined where there is none, or either has no list. */
export function straying(from: Type, to: Type): Json | undefined {
  const [values, allowed] = [valuesOf(from), valuesOf(to)]
  if (values === null || allowed === null) return undefined
  const texts = new Set(allowed.map((value) => JSON.stringify(value)))
  return values.find((value) => !texts.has(JSON.stringify(value)))
}

function valuesOf(type: Type): readonly Json[] | null {
  if (type === null) return null
  if (type.const !== undefined) return [type.const as Json]
  return Array.isArray(type.enum) ? (type.enum as Json[]) : null
}

const depthLimit = 8

/** Where integers stand in a value of this type: keys from the value itself, `*` for any item or key. */
export function integersIn(type: Type, root: Type = type, depth = 0): readonly (readonly string[])[] {
  const schema = dereference(type, root)
  const names = typeNames(schema, root)
  if (schema === null || names === null || depth > depthLimit) return []
  if (names.has('integer') && !names.has('number')) return [[]]
  const inside = (key: string, child: unknown) =>
    integersIn(asSchema(child), root, depth + 1).map((path) => [key, ...path])
  const properties = Object.entries((schema.properties ?? {}) as JsonSchema)
  return [
    ...(names.has('array') ? inside('*', schema.items) : []),
    ...(names.has('object') ? properties.flatMap(([key, child]) => inside(key, child)) : []),
    ...(names.has('object') && properties.length === 0 ? inside('*', schema.additionalProperties) : []),
  ]
}

/** The CEL type of a value: integers are `int`, other numbers `double`; `dyn` where it may be several or is unknown. */
export function celType(type: Type, root: Type = type): string {
  const schema = dereference(type, root)
  const names = typeNames(schema, root)
  if (schema === null || names === null || names.size !== 1) return 'dyn'
  switch ([...names][0]) {
    case 'string':
      return 'string'
    case 'integer':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'array':
      return `list<${celType(asSchema(schema.items), root)}>`
    case 'object':
      return `map<string, ${schema.properties === undefined ? celType(asSchema(schema.additionalProperties), root) : 'dyn'}>`
    default:
      return 'dyn'
  }
}

const article = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** A type in words: `a string or a list of integers`. */
export function typeInWords(type: Type, root: Type = type): string {
  const names = typeNames(type, root)
  const items = asSchema(dereference(type, root)?.items)
  const inside = items && names?.size === 1 && names.has('array') ? typeNames(items, root) : null
  return inside ? `a list of ${[...inside].map((name) => plural[name]).join(' and ')}` : words(names)
}

const plural = {
  string: 'strings',
  integer: 'integers',
  number: 'numbers',
  boolean: 'booleans',
  array: 'lists',
  object: 'objects',
  null: 'nulls',
}

function words(names: ReadonlySet<TypeName> | null): string {
  return names === null ? 'anything' : either([...names].map((name) => article[name]))
}
