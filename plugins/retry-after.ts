/** The `Retry-After` header of HTTP (RFC 9110, 10.2.3). Pure. */

/** Milliseconds from `now` that the header asks for: seconds or an HTTP date. null where it is absent or neither. */
export function retryAfterOf(header: string | undefined, now: number): number | null {
  const text = header?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  // Date.parse would also take other words for a date.
  if (!/^[A-Za-z]{3,9},? .*\d\d:\d\d:\d\d/.test(text)) return null
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
