/**
 * Numbers the n-grams of a word sequence: the same number for the same n-gram. Knows nothing of thresholds.
 *
 * An n-gram is numbered by the pair (number of its first n-1 words, number of its last word), so that no strings are
 * built and nothing collides: work is proportional to the words, whatever n is.
 */

/** A hash table of pairs of 32-bit integers, kept and emptied between texts. */
class PairTable {
  #mask = 0
  #first = new Int32Array(0)
  #second = new Int32Array(0)
  /** The number of the pair in a slot, plus one; 0 is an empty slot. */
  #slots = new Int32Array(0)
  #count = 0

  /** Empties the table, with room for `pairs` different pairs. */
  reset(pairs: number): void {
    let size = 64
    while (size < pairs * 2) size *= 2
    if (size > this.#slots.length) {
      this.#first = new Int32Array(size)
      this.#second = new Int32Array(size)
      this.#slots = new Int32Array(size)
    } else this.#slots.fill(0, 0, size)
    this.#mask = size - 1
    this.#count = 0
  }

  /** The number of a pair: a new one, counted from 0, where it is seen for the first time. */
  number(first: number, second: number): number {
    let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
    let slot = (hash ^ (hash >>> 13)) & this.#mask
    for (;;) {
      const held = this.#slots[slot] as number
      if (held === 0) break
      if (this.#first[slot] === first && this.#second[slot] === second) return held - 1
      slot = (slot + 1) & this.#mask
    }
    this.#first[slot] = first
    this.#second[slot] = second
    this.#slots[slot] = ++this.#count
    return this.#count - 1
  }
}

const pairs = new PairTable()

/** The n-grams of a text, one size after the other. */
export class Grams {
  readonly #words: Int32Array
  /** Numbers of the n-grams of the present size, by the position of their first word. */
  #numbers: Int32Array
  #size = 1
  /** Characters in all words before a position. */
  readonly #offsets: Int32Array

  constructor(words: readonly string[]) {
    const known = new Map<string, number>()
    this.#words = new Int32Array(words.length)
    this.#offsets = new Int32Array(words.length + 1)
    for (let index = 0; index < words.length; index++) {
      const word = words[index] as string
      const number = known.get(word) ?? known.size
      if (number === known.size) known.set(word, number)
      this.#words[index] = number
      this.#offsets[index + 1] = (this.#offsets[index] as number) + word.length
    }
    this.#numbers = this.#words.slice()
  }

  /** Goes on to the n-grams of `size` words, which must not be smaller than the last. */
  grow(size: number): void {
    for (; this.#size < size; this.#size++) {
      const count = Math.max(0, this.#words.length - this.#size)
      pairs.reset(count)
      for (let index = 0; index < count; index++) {
        this.#numbers[index] = pairs.number(
          this.#numbers[index] as number,
          this.#words[index + this.#size] as number,
        )
      }
    }
  }

  /** Characters that the most frequent n-gram covers, counted with one space between words; of equals, the first in the text. */
  topCharacters(): number {
    const count = this.#count()
    const seen = new Int32Array(count)
    let most = 0
    for (let index = 0; index < count; index++) {
      const times = ++(seen[this.#numbers[index] as number] as number)
      if (times > most) most = times
    }
    for (let index = 0; index < count; index++) {
      if (seen[this.#numbers[index] as number] === most)
        return most * (this.#characters(index) + this.#size - 1)
    }
    return 0
  }

  /** Characters in n-grams that stood in the text before; none is counted twice: the search goes on behind a repeated n-gram. */
  repeatedCharacters(): number {
    const count = this.#count()
    const seen = new Uint8Array(count)
    let repeated = 0
    for (let index = 0; index < count; ) {
      const number = this.#numbers[index] as number
      if (seen[number] === 1) {
        repeated += this.#characters(index)
        index += this.#size
      } else {
        seen[number] = 1
        index++
      }
    }
    return repeated
  }

  #count(): number {
    return Math.max(0, this.#words.length - this.#size + 1)
  }

  #characters(index: number): number {
    return (this.#offsets[index + this.#size] as number) - (this.#offsets[index] as number)
  }
}
