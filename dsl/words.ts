/** How names and values are put into sentences: quoted, shortened, enumerated, guessed. Knows nothing of pipelines. */
import { distance } from 'fastest-levenshtein'

const shownLength = 80

// Control characters, line separators and marks that turn the direction of text could forge what a terminal shows.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Text that is safe to print on one line of a terminal. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same text in as many columns: what is unsafe is shown as `·`, tabs stay. */
export function masked(text: string): string {
  return text.replace(unsafe, (character) => (character === '\t' ? character : '·'))
}

/** A name or value in backquotes, shortened to 80 characters. */
export function quote(text: string): string {
  const characters = text.length > shownLength ? `${text.slice(0, shownLength - 1)}…` : text
  return `\`${printable(characters)}\``
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[], conjunction = 'or'): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`
}

/** What a JSON value is, with its article: `a string`, `null`. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number'
  return `a ${typeof value}`
}

/**
 * The candidate that `name` was probably meant to be: equal but for case, else within an edit distance (Levenshtein) of
 * about a third of its length and at most 3. Among equals the first; undefined where none is near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  const limit = Math.min(3, Math.floor((name.length + 1) / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue
    const lower = candidate.toLowerCase()
    const edits = lower === wanted ? 0 : distance(lower, wanted)
    if (edits < bestDistance) [best, bestDistance] = [candidate, edits]
  }
  return best
}

/** `did you mean …?`, else `fallback`. */
export function didYouMean(
  name: string,
  candidates: Iterable<string>,
  fallback: string | null = null,
): string | null {
  const found = nearest(name, candidates)
  return found === undefined ? fallback : `did you mean ${quote(found)}?`
}
