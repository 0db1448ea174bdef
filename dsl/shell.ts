/** Quoting of values for /bin/sh. Pure. */

/** The value as one word of a POSIX shell (XCU 2.2.2: nothing is special inside single quotes but the single quote). */
export function shellQuote(value: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}
