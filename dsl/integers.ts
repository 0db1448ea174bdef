/** Numbers for CEL: bigint where a schema says integer, else a double. Pure. */
import type { Json, JsonObject } from '../engine/json.ts'
import { keysOf } from '../engine/pointer.ts'

/**
 * The value at `parts` of the scope, with whole numbers at the places that `pointers` name turned into bigint, CEL's int.
 * @param pointers JSON pointers into the scope; `*` stands for any item or key
 */
export function withIntegers(value: Json, parts: readonly string[], pointers: readonly string[]): unknown {
  const inside = pointers
    .map(keysOf)
    .filter((keys) => keys.length >= parts.length && parts.every((part, index) => part === keys[index]))
  return inside.length === 0
    ? value
    : convert(
        value,
        inside.map((keys) => keys.slice(parts.length)),
      )
}

function convert(value: Json, places: readonly (readonly string[])[]): unknown {
  if (typeof value === 'number')
    return places.some(({ length }) => length === 0) && Number.isInteger(value) ? BigInt(value) : value
  if (typeof value !== 'object' || value === null) return value
  const below = (key: string) =>
    places.filter(([first]) => first === '*' || first === key).map((keys) => keys.slice(1))
  if (Array.isArray(value))
    return (value as readonly Json[]).map((item, index) => convert(item, below(String(index))))
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, item]) => [key, convert(item, below(key))]),
  )
}
