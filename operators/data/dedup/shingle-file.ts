/** Reads sets of shingles back from the file of the first pass. Knows nothing of similarity. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { Rows } from './rows.ts'
import { column } from './sketches.ts'

/** Sets held at once; those of one bucket are asked for again and again. */
const held = 64

/** The sets of shingles by text, a few of them in memory. */
export class ShingleFile {
  readonly #texts: Rows
  readonly #file: number
  readonly #sets = new Map<number, Int32Array>()

  /** Throws system errors where the file cannot be opened. */
  constructor(path: string, texts: Rows) {
    this.#texts = texts
    this.#file = openSync(path, 'r')
  }

  /** The set of a text, in ascending order. Throws where the file ends before it. */
  set(text: number): Int32Array {
    const known = this.#sets.get(text)
    if (known !== undefined) return known
    const size = this.#texts.get(text, column.size)
    const begin = this.#texts.get(text, column.beginHigh) * 2 ** 30 + this.#texts.get(text, column.beginLow)
    const set = new Int32Array(size)
    const bytes = new Uint8Array(set.buffer)
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(this.#file, bytes, at, bytes.length - at, begin * 4 + at)
      if (read === 0) throw new Error(`the shingles of text ${text} are cut off`)
      at += read
    }
    if (this.#sets.size >= held) this.#sets.delete(this.#sets.keys().next().value as number)
    this.#sets.set(text, set)
    return set
  }

  close(): void {
    closeSync(this.#file)
  }
}
