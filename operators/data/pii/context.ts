/** Words around a match that tell what a number is. Knows no type's own words. */

/** How far a word may stand from the match, in UTF-16 units. A sentence's clause in front, a few words behind. */
const before = 60
const after = 30

/**
 * A test for any of `words` (letters and blanks; a trailing `*` matches the rest of a word) near a match.
 * Words of the Latin alphabet match whole words only, without case.
 */
export function contextOf(words: readonly string[]): RegExp {
  const alternatives = words.map((word) => {
    const open = word.endsWith('*')
    const plain = (open ? word.slice(0, -1) : word)
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/ /g, '[\\s_-]{1,2}')
    const latin = /^[\p{Script=Latin}\d]/u.test(word)
    return `${latin ? '(?<![\\p{L}\\d])' : ''}${plain}${open || !latin ? '' : '(?![\\p{L}\\d])'}`
  })
  return new RegExp(alternatives.join('|'), 'iu')
}

/** Whether a word of `context` stands close to the match, on either side and outside of it. */
export function near(text: string, start: number, end: number, context: RegExp): boolean {
  return (
    context.test(text.slice(Math.max(0, start - before), start)) || context.test(text.slice(end, end + after))
  )
}

/** Whether a word of `context` stands close in front of the match. */
export function nearBefore(text: string, start: number, context: RegExp): boolean {
  return context.test(text.slice(Math.max(0, start - before), start))
}

/** Whether the character code is an ASCII letter or digit. NaN (outside of a text) is none. */
export function isWordCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
}

/** Whether the character code is an ASCII digit. */
export function isDigitCode(code: number): boolean {
  return code >= 48 && code <= 57
}
