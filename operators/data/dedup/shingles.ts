/** A text as the set of its shingles, each a 32-bit hash of some words in a row. Knows nothing of similarity. */

/**
 * Words for shingles: letters, marks and digits in lower case (after NFKC, see {@link shinglesOf}); a character of a script
 * without spaces is a word. Punctuation does not count, so that it hides no copy.
 */
const word =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]|[\p{L}\p{M}\p{N}]/u
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** What a character is: 0 none of a word, 1 part of a word, 2 a word by itself. For code points below 65,536, found once each. */
const kinds = new Uint8Array(65_536).fill(255)

function kindOf(code: number): number {
  if (code >= 65_536) return classify(code)
  const known = kinds[code] as number
  if (known !== 255) return known
  const kind = classify(code)
  kinds[code] = kind
  return kind
}

function classify(code: number): number {
  const character = String.fromCodePoint(code)
  if (!word.test(character)) return 0
  return unspaced.test(character) ? 2 : 1
}

/** FNV-1a's start and prime for 32 bits (Fowler, Noll, Vo; RFC 9923). */
const fnvStart = 0x811c9dc5
const fnvPrime = 0x01000193

/** The last step of MurmurHash3 for 32 bits (Appleby): each bit of the input moves each bit of the result. */
export function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Hashes of the words of a text, in order. */
export function wordHashes(text: string): Int32Array {
  const normal = text.normalize('NFKC').toLowerCase()
  const hashes = new Int32Array(normal.length)
  let count = 0
  let hash = fnvStart
  let inside = false
  for (let i = 0; i < normal.length; i++) {
    const code = normal.codePointAt(i) as number
    const kind = kindOf(code)
    if (inside && kind !== 1) {
      hashes[count++] = mix(hash)
      hash = fnvStart
      inside = false
    }
    if (kind !== 0) {
      hash = Math.imul(hash ^ code, fnvPrime)
      inside = true
    }
    if (code >= 65_536) i++
  }
  if (inside) hashes[count++] = mix(hash)
  return hashes.subarray(0, count)
}

/**
 * The different shingles of `size` words in a row, as 32-bit hashes in ascending order (signed). A text with fewer words is one
 * shingle; without words it has none. Two different shingles of one text collide with a chance of 2^-32.
 */
export function shinglesOf(text: string, size: number): Int32Array {
  const words = wordHashes(text)
  if (words.length === 0) return words
  const length = Math.min(size, words.length)
  const count = words.length - length + 1
  const hashes = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    let hash = length
    for (let k = i; k < i + length; k++)
      hash = Math.imul(hash ^ (words[k] as number), 0x9e3779b1) ^ (hash >>> 15)
    hashes[i] = mix(hash)
  }
  hashes.sort()
  let different = 1
  for (let i = 1; i < count; i++) {
    if (hashes[i] !== hashes[i - 1]) hashes[different++] = hashes[i] as number
  }
  return hashes.subarray(0, different)
}

/** Shared shingles over all shingles of two sorted sets; 1 for two empty ones. */
export function jaccard(a: Int32Array, b: Int32Array): number {
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const left = a[i] as number
    const right = b[j] as number
    if (left === right) shared++
    if (left <= right) i++
    if (right <= left) j++
  }
  const all = a.length + b.length - shared
  return all === 0 ? 1 : shared / all
}
