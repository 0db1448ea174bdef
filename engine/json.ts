/** JSON values and schemas as TypeScript sees them, and how objects are joined. */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json }

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/** Whether a value is an object: neither a list nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `given` over `base`: objects are joined key by key, all else is taken as it is given. */
export function joined(given: JsonObject, base: JsonObject): JsonObject {
  const result: { [key: string]: Json } = { ...base }
  for (const [key, value] of Object.entries(given)) {
    const before = result[key]
    result[key] = isJsonObject(value) && isJsonObject(before) ? joined(value, before) : value
  }
  return result
}
