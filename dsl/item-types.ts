/** The types that `foreach` makes: of an item, from lists as they are written or from a schema, and of instances. Pure. */
import type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
import { pointerPart } from '../engine/pointer.ts'
import type { Typed } from './template-types.ts'
import { dereference, type Type, type TypeName, typeNames } from './types.ts'

/** So many different values are kept as an item's `enum`, against which comparisons are checked. */
const valueLimit = 50
const depthLimit = 8

/** The type with its references followed, so that it stands for itself; unknown where they go deeper than 8 levels. */
export function standalone(type: Type, root: Type, depth = 0): Type {
  const schema = dereference(type, root)
  if (schema === null || depth > depthLimit) return null
  const inside = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (standalone(value as JsonSchema, root, depth + 1) ?? {})
      : value
  const { $defs: _, ...copy } = schema as { [key: string]: unknown }
  for (const key of ['items', 'additionalProperties']) if (key in copy) copy[key] = inside(copy[key])
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems'])
    if (Array.isArray(copy[key])) copy[key] = copy[key].map(inside)
  if (copy.properties !== undefined)
    copy.properties = Object.fromEntries(
      Object.entries(copy.properties as JsonSchema).map(([key, value]) => [key, inside(value)]),
    )
  return copy
}

/** What an instance of a mapped task gives, or null where it did not succeed. */
function instanceOf(outputs: Type): Type {
  const schema = standalone(outputs, outputs)
  return schema && { ...schema, type: ['object', 'null'] }
}

/** What a mapped task gives. */
export interface OfInstances {
  /** `tasks.X.outputs`: a list of its instances' outputs in the order of items. */
  readonly outputs: JsonSchema
  /** `tasks.X.byKey`: the same by key. */
  readonly byKey: JsonSchema
}

const known = new WeakMap<JsonSchema, OfInstances>()

/** The types of what a task with these outputs gives when it is mapped. */
export function ofInstances(outputs: Type): OfInstances {
  const made = outputs && known.get(outputs)
  if (made) return made
  const instance = instanceOf(outputs) ?? {}
  const result = {
    outputs: { type: 'array', items: instance },
    byKey: { type: 'object', additionalProperties: instance },
  }
  if (outputs) known.set(outputs, result)
  return result
}

/** The type of the items of a list; unknown where the type says nothing of them. */
export function itemsOf({ type, root }: Typed): Type {
  const { items } = dereference(type, root) ?? {}
  return typeof items === 'object' && items !== null ? standalone(items as JsonSchema, root) : null
}

/**
 * The type of a value as it is written.
 * @param templates what its templated strings give, by JSON pointer
 */
export function typeOfWritten(
  value: Json,
  templates: ReadonlyMap<string, { readonly whole: boolean; readonly typed: Typed }>,
  pointer = '',
): Type {
  const templated = templates.get(pointer)
  if (templated)
    return templated.whole ? standalone(templated.typed.type, templated.typed.root) : { type: 'string' }
  const below = (item: Json, key: string | number) =>
    typeOfWritten(item, templates, `${pointer}/${pointerPart(key)}`)
  if (Array.isArray(value)) return { type: 'array', items: unionOf(value.map(below)) ?? {} }
  if (typeof value === 'object' && value !== null)
    return closed(Object.entries(value as JsonObject).map(([key, item]) => [key, below(item, key)]))
  return { type: [...(typeNames({ const: value }) ?? [])], enum: [value] }
}

/** An object that has these keys and no others. */
export function closed(properties: readonly (readonly [string, Type])[]): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties.map(([key, type]) => [key, type ?? {}])),
  }
}

/** The type of a value that has one of these types: of objects all keys, as not every item need have each. */
function unionOf(types: readonly Type[]): Type {
  const typed = types.filter((type): type is JsonSchema => type !== null)
  const names = typed.map((type) => typeNames(type))
  if (types.length === 0 || typed.length < types.length || names.includes(null)) return null
  if (typed.length === 1) return typed[0] ?? null
  const all = new Set(names.flatMap((set) => [...(set as ReadonlySet<TypeName>)]))
  if (all.has('number')) all.delete('integer')
  return {
    type: [...all],
    ...(all.has('object') ? propertiesOf(typed.filter((_, index) => names[index]?.has('object'))) : {}),
    ...(all.has('array')
      ? { items: unionOf(typed.filter((_, index) => names[index]?.has('array')).map(itemsAs)) ?? {} }
      : {}),
    ...valuesOf(typed),
  }
}

function itemsAs({ items }: JsonSchema): Type {
  return typeof items === 'object' && items !== null ? (items as JsonSchema) : null
}

/** The keys of all of them, where each says all of its keys. */
function propertiesOf(objects: readonly JsonSchema[]): JsonSchema {
  if (!objects.every(({ additionalProperties }) => additionalProperties === false)) return {}
  const types = new Map<string, Type[]>()
  for (const { properties = {} } of objects)
    for (const [key, type] of Object.entries(properties as { readonly [key: string]: JsonSchema })) {
      const known = types.get(key)
      if (known) known.push(type)
      else types.set(key, [type])
    }
  const { properties } = closed([...types].map(([key, of]) => [key, unionOf(of)]))
  return { additionalProperties: false, properties }
}

/** The values, where each type has some, all are scalars, and they are few. */
function valuesOf(types: readonly JsonSchema[]): { enum?: readonly Json[] } {
  const values = new Set<Json>()
  for (const type of types) {
    if (!Array.isArray(type.enum)) return {}
    for (const value of type.enum as readonly Json[]) {
      if (typeof value === 'object' && value !== null) return {}
      if (values.add(value).size > valueLimit) return {}
    }
  }
  return { enum: [...values] }
}
