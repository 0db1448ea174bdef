/** Says what in a value JSON cannot carry. Knows nothing of schemas. */

/**
 * null where the value survives JSON unchanged, else what does not and where (`outputs/rate is NaN`).
 * @param path how the value itself is called
 */
export function jsonFault(value: unknown, path: string, above: readonly object[] = []): string | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : `${path} is ${value}, which JSON does not have`
    case 'object':
      return value === null ? null : objectFault(value, path, above)
    default:
      return `${path} is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}, which JSON does not have`
  }
}

function objectFault(value: object, path: string, above: readonly object[]): string | null {
  if (above.includes(value)) return `${path} holds itself`
  if (!Array.isArray(value)) {
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) {
      return `${path} is a ${prototype.constructor?.name ?? 'class instance'}, not a plain object`
    }
  }
  const inside = [...above, value]
  for (const [name, inner] of Object.entries(value)) {
    const fault = jsonFault(inner, `${path}/${name}`, inside)
    if (fault !== null) return fault
  }
  return null
}
