/** Which records go, and for which record each: what the first pass of `Dedup` finds and the second carries out. */
import type { Clusters } from './clusters.ts'
import type { Rows } from './rows.ts'
import { column, none } from './sketches.ts'

/** Where the record that stays for another stands. */
export interface Kept {
  readonly record: number
  readonly file: number
  readonly line: number
  /** True where the texts are the same (after normalization), false where they are similar. */
  readonly exact: boolean
}

/** Numbers per removed record: its own, the kept one's, its file and line, 1 where exact. */
const width = 5

/** A list of removed records in ascending order. */
export class Plan {
  readonly #rows: Int32Array

  constructor(rows: Int32Array) {
    this.#rows = rows
  }

  /** From each cluster the record that comes first in the input stays. */
  static of(records: Rows, texts: Rows, clusters: Clusters): Plan {
    const rows: number[] = []
    for (let record = 0; record < records.count; record++) {
      const text = records.get(record, 0)
      if (text === none) continue
      const first = clusters.first(text)
      const kept = texts.get(first, column.record)
      if (kept === record) continue
      rows.push(
        record,
        kept,
        texts.get(first, column.file),
        texts.get(first, column.line),
        first === text ? 1 : 0,
      )
    }
    return new Plan(Int32Array.from(rows))
  }

  static parse(bytes: Uint8Array): Plan {
    return new Plan(new Int32Array(bytes.slice().buffer))
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#rows.buffer, this.#rows.byteOffset, this.#rows.byteLength)
  }

  get removed(): number {
    return this.#rows.length / width
  }

  /** How many records stay for at least one other. */
  get clusters(): number {
    const kept = new Set<number>()
    for (let at = 1; at < this.#rows.length; at += width) kept.add(this.#rows[at] as number)
    return kept.size
  }

  /** The record that stays for this one, or null where it stays itself. */
  keptFor(record: number): Kept | null {
    let low = 0
    let high = this.removed - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const at = middle * width
      const found = this.#rows[at] as number
      if (found === record) {
        const [, kept, file, line, exact] = this.#rows.subarray(at, at + width) as unknown as number[]
        return { record: kept as number, file: file as number, line: line as number, exact: exact === 1 }
      }
      if (found < record) low = middle + 1
      else high = middle - 1
    }
    return null
  }
}
