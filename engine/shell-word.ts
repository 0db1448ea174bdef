/** A word as a shell takes it, for the commands that messages tell to type. Pure. */

/** What cannot be typed, nor shown to a terminal: control characters, and what breaks or turns lines. */
const untypable = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** The word as it is where the shell leaves it alone, else in quotes; control characters as `$'\n'` has them. */
export function shellWord(word: string): string {
  if (/^[\w.-]+$/.test(word)) return word
  if (word.search(untypable) === -1) return `'${word.replaceAll("'", "'\\''")}'`
  const escaped = word
    .replaceAll(/['\\]/g, '\\$&')
    .replaceAll(untypable, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `$'${escaped}'`
}
