/** Where two JSON values differ, by path. Pure. */
import type { Json, JsonObject } from '../engine/json.ts'
import { pointerPart } from '../engine/pointer.ts'

/** One place in which two values differ; a side that has nothing there lacks its field. */
export interface Difference {
  /** JSON pointer (RFC 6901); empty is the whole value. */
  readonly path: string
  readonly a?: Json
  readonly b?: Json
}

/**
 * The smallest values that differ, in the order of the keys of `a` and then of `b`. Lists are compared place by place.
 * Nested deeper than `depth`, values that differ are told whole.
 */
export function differences(a: Json | undefined, b: Json | undefined, path = '', depth = 64): Difference[] {
  if (a === b) return []
  if (depth > 0 && isNested(a) && isNested(b) && Array.isArray(a) === Array.isArray(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    return [...keys].flatMap((key) =>
      differences(own(a, key), own(b, key), `${path}/${pointerPart(key)}`, depth - 1),
    )
  }
  if (isNested(a) && isNested(b) && JSON.stringify(a) === JSON.stringify(b)) return []
  return [{ path, ...(a !== undefined && { a }), ...(b !== undefined && { b }) }]
}

function isNested(value: Json | undefined): value is JsonObject | readonly Json[] {
  return typeof value === 'object' && value !== null
}

function own(value: JsonObject | readonly Json[], key: string): Json | undefined {
  return Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined
}
