/**
 * Finds texts that share a long run of words with an evaluation set. Knows nothing of records or splits.
 *
 * The rule is that of GPT-3 (Brown et al. 2020, arXiv:2005.14165, appendix C): 13 words in a row, in lower case and without
 * punctuation; an evaluation text shorter than that counts as one run when it has at least 8 words.
 */
import { isWord, tokensOf } from './text/words.ts'

/** Evaluation texts with fewer words are too common to say anything (ibid.). */
export const fewestWords = 8

/** The runs of words of all evaluation texts. Memory grows with them, not with the texts that are checked. */
export class EvaluationRuns {
  readonly #length: number
  /** Hashes of runs, by how many words a run has: `length`, or the whole of a shorter text. */
  readonly #runs = new Map<number, Set<number>>()
  /** Texts added, and how many of them were too short to be looked for. */
  texts = 0
  tooShort = 0

  /** @param length words in a run, at least {@link fewestWords} */
  constructor(length: number) {
    this.#length = length
  }

  add(text: string): void {
    const words = wordHashes(text)
    this.texts += 1
    if (words.length < fewestWords) {
      this.tooShort += 1
      return
    }
    const length = Math.min(words.length, this.#length)
    const runs = this.#runs.get(length) ?? new Set()
    this.#runs.set(length, runs)
    eachRun(words, length, (run) => {
      runs.add(run)
      return false
    })
  }

  /** The first word (from 0) of a run that the text shares with an evaluation text, or -1. */
  find(text: string): number {
    if (this.#runs.size === 0) return -1
    const words = wordHashes(text)
    let first = -1
    for (const [length, runs] of this.#runs) {
      const at = eachRun(words, length, (run) => runs.has(run))
      if (at >= 0 && (first < 0 || at < first)) first = at
    }
    return first
  }
}

/** Two hashes per word, so that a run's hash has 53 bits: with a billion runs on both sides few collide by chance. */
interface Hashes {
  readonly length: number
  readonly a: Int32Array
  readonly b: Int32Array
}

function wordHashes(text: string): Hashes {
  const words = tokensOf(text.toLowerCase()).filter(isWord)
  const a = new Int32Array(words.length)
  const b = new Int32Array(words.length)
  for (const [i, word] of words.entries()) {
    // FNV-1a over UTF-16 units, and the same with another start and Knuth's multiplier.
    let x = 0x811c9dc5
    let y = 0x2545f491
    for (let at = 0; at < word.length; at += 1) {
      const unit = word.charCodeAt(at)
      x = Math.imul(x ^ unit, 0x01000193)
      y = Math.imul(y ^ unit, 0x9e3779b1)
      y ^= y >>> 15
    }
    a[i] = x
    b[i] = y
  }
  return { length: words.length, a, b }
}

/** Calls `found` with the hash of each run of `length` words until it says true; the run's first word, or -1. Rabin-Karp: O(words). */
function eachRun(words: Hashes, length: number, found: (run: number) => boolean): number {
  const { a, b } = words
  if (words.length < length) return -1
  const [baseA, baseB] = [0x5bd1e995, 0x27d4eb2f]
  let [outA, outB, x, y] = [1, 1, 0, 0]
  for (let i = 1; i < length; i += 1) {
    outA = Math.imul(outA, baseA)
    outB = Math.imul(outB, baseB)
  }
  for (let i = 0; i < words.length; i += 1) {
    if (i >= length) {
      x = (x - Math.imul(a[i - length] as number, outA)) | 0
      y = (y - Math.imul(b[i - length] as number, outB)) | 0
    }
    x = (Math.imul(x, baseA) + (a[i] as number)) | 0
    y = (Math.imul(y, baseB) + (b[i] as number)) | 0
    if (i >= length - 1 && found((x >>> 0) * 2 ** 21 + (y >>> 11))) return i - length + 1
  }
  return -1
}
