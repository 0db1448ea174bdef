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
 * The candidate that `name` was probably meant to be: equal but for case, else within an edit distance (Levenshtein, two
 * swapped letters counted as one edit) of about a third of its length and at most 3. Of several equally near the one that
 * shares more of its beginning and end; undefined where none is near.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  const limit = Math.min(3, Math.floor((name.length + 1) / 3))
  let best: string | undefined
  let bestScore = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit) continue
    const score = distanceOf(wanted, candidate.toLowerCase())
    if (Math.ceil(score) <= limit && score < bestScore) [best, bestScore] = [candidate, score]
  }
  return best
}

/** Edits, less a part below 1 for what is equal at both ends. */
function distanceOf(wanted: string, candidate: string): number {
  if (wanted === candidate) return -1
  const edits = distance(wanted, candidate)
  const swapped = edits === 2 && [...wanted].sort().join('') === [...candidate].sort().join('')
  const shorter = Math.min(wanted.length, candidate.length)
  let same = 0
  while (same < shorter && wanted[same] === candidate[same]) same += 1
  let tail = 0
  while (tail < shorter - same && wanted.at(-1 - tail) === candidate.at(-1 - tail)) tail += 1
  return (swapped ? 1 : edits) - (same + tail) / (candidate.length + wanted.length + 1)
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
