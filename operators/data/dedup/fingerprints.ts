/** 128-bit fingerprints of texts, and a table that finds equal ones. Knows nothing of records. */
import { hash } from 'node:crypto'

/** 32-bit words of a fingerprint. */
export const fingerprintWords = 4

/**
 * What counts as the same text: equal after Unicode NFKC, lower case, and with each run of white space as one space and none
 * at the ends. Punctuation and accents count.
 */
export function normalize(text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC').replace(/\s+/gu, ' ').trim()
}

/** The first 128 bits of the SHA-256 of the normalized text. */
export function fingerprint(text: string): Uint32Array {
  const digest = hash('sha256', normalize(text), 'buffer')
  const words = new Uint32Array(fingerprintWords)
  for (let i = 0; i < fingerprintWords; i++) words[i] = digest.readUInt32LE(i * 4)
  return words
}

/** A growing list of fingerprints in which equal ones are found. Open addressing; about 24 to 32 bytes per fingerprint. */
export class FingerprintTable {
  #words = new Uint32Array(1024 * fingerprintWords)
  /** Index of the fingerprint plus one; 0 is an empty slot. Twice as many slots as there is room for, at least. */
  #slots = new Int32Array(2048)
  #size = 0

  /** The index of the first equal fingerprint where there is one; else appends it, and gives back its new index. */
  place(words: Uint32Array): number {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow()
    const slot = this.#find(words, 0)
    const held = this.#slots[slot] as number
    if (held > 0) return held - 1
    this.#words.set(words, this.#size * fingerprintWords)
    this.#slots[slot] = ++this.#size
    return this.#size - 1
  }

  get size(): number {
    return this.#size
  }

  /** The slot of an equal fingerprint, or the empty one where it belongs. */
  #find(words: Uint32Array, from: number): number {
    const mask = this.#slots.length - 1
    let slot = (words[from] as number) & mask
    for (; ; slot = (slot + 1) & mask) {
      const held = this.#slots[slot] as number
      if (held === 0 || this.#equal((held - 1) * fingerprintWords, words, from)) return slot
    }
  }

  #equal(at: number, words: Uint32Array, from: number): boolean {
    for (let i = 0; i < fingerprintWords; i++) if (this.#words[at + i] !== words[from + i]) return false
    return true
  }

  #grow(): void {
    const words = new Uint32Array(this.#words.length * 2)
    words.set(this.#words)
    this.#words = words
    this.#slots = new Int32Array(this.#slots.length * 2)
    for (let i = 0; i < this.#size; i++) this.#slots[this.#find(words, i * fingerprintWords)] = i + 1
  }
}
