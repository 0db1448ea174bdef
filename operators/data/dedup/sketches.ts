/**
 * The first pass of `Dedup`, the map stage: what must be known of each text to find its duplicates, in memory and on disk.
 * Knows nothing of bands or clusters. Memory per different text: 48 bytes, 4 per permutation, and about 30 for the table of
 * fingerprints; per record 4 bytes; nothing grows with the length of the texts.
 */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Json, JsonObject } from '../../../plugins/api.ts'
import type { Batch } from '../records.ts'
import type { Sink } from '../records-stream.ts'
import { ShardWriter, type WriterState } from '../records-write.ts'
import { FingerprintTable, fingerprint, fingerprintWords } from './fingerprints.ts'
import { MinHash } from './minhash.ts'
import { Rows } from './rows.ts'
import { mix, shinglesOf } from './shingles.ts'

/** What stands in a row of {@link Sketches.texts}, by column; the signature follows. */
export const column = {
  fingerprint: 0,
  /** Number of the first record that has the text. */
  record: 4,
  /** Its file's number in the source, and its line there. */
  file: 5,
  line: 6,
  /** How many different shingles it has; 0 where it has no words. */
  size: 7,
  /** Where its shingles begin in the shingle file: the low 30 bits and the rest of their number. */
  beginLow: 8,
  beginHigh: 9,
  /** A 64-bit hash of the set of shingles. */
  setHash: 10,
  signature: 12,
} as const

/** The number of no text. */
export const none = -1

/** What is kept of each record. */
export interface SketchOptions {
  /** Null for exact duplicates only: no signatures, no shingles. */
  readonly near: { readonly permutations: number; readonly shingleSize: number } | null
  text(record: JsonObject): string | null
}

const folders = ['texts', 'records', 'shingles'] as const

/** Takes records and keeps their sketches. */
export class Sketches implements Sink {
  /** One row for each different text, in order of first appearance. */
  readonly texts: Rows
  /** For each record the number of its text, or `none`. */
  readonly records = new Rows(1)
  readonly #options: SketchOptions
  readonly #minHash: MinHash | null
  readonly #table = new FingerprintTable()
  readonly #folder: string
  readonly #writers: readonly ShardWriter[]
  /** Shingles in the shingle file so far. */
  #shingles = 0

  constructor(folder: string, options: SketchOptions) {
    this.#folder = folder
    this.#options = options
    this.#minHash = options.near === null ? null : new MinHash(options.near.permutations)
    this.texts = new Rows(column.signature + (options.near?.permutations ?? 0))
    this.#writers = folders.map(
      (name) =>
        new ShardWriter({
          folder: join(folder, name),
          shardBytes: Number.POSITIVE_INFINITY,
          extension: '.bin',
        }),
    )
  }

  /** The file of all shingles, once `flush`ed; null where there is none. */
  get shingleFile(): string | null {
    return this.#shingles > 0 ? join(this.#folder, 'shingles', 'part-00000.bin') : null
  }

  take({ entries, next }: Batch): void {
    for (const { record, number } of entries) {
      const text = record === null ? null : this.#options.text(record)
      const index = text === null ? none : this.#place(text, next.file, number)
      const row = this.records.add()
      row[0] = index
      this.#append('records', row)
    }
  }

  async flush(): Promise<void> {
    for (const writer of this.#writers) await writer.flush()
  }

  async save(): Promise<Json> {
    const states: WriterState[] = []
    for (const writer of this.#writers) states.push(await writer.save())
    return JSON.parse(JSON.stringify(states))
  }

  /** Ends writing: all is on the disk. */
  async finish(): Promise<void> {
    for (const writer of this.#writers) await writer.finish()
  }

  async restore(folder: string, state: Json): Promise<void> {
    const states = state as unknown as readonly WriterState[]
    for (const [i, name] of folders.entries()) {
      await (this.#writers[i] as ShardWriter).restore(join(folder, name), states[i] as WriterState)
    }
    for (const name of ['texts', 'records'] as const) await this.#load(name)
    for (let i = 0; i < this.texts.count; i++) {
      const row = this.texts.row(i)
      this.#table.place(new Uint32Array(row.buffer, row.byteOffset, fingerprintWords))
      this.#shingles += row[column.size] as number
    }
  }

  async abandon(): Promise<void> {
    for (const writer of this.#writers) await writer.abandon()
  }

  #place(text: string, file: number, line: number): number {
    const print = fingerprint(text)
    const index = this.#table.place(print)
    if (index < this.texts.count) return index
    const row = this.texts.add()
    row.set(print, column.fingerprint)
    row[column.record] = this.records.count
    row[column.file] = file
    row[column.line] = line
    const { near } = this.#options
    if (near !== null) this.#sign(shinglesOf(text, near.shingleSize), row)
    this.#append('texts', row)
    return index
  }

  #sign(shingles: Int32Array, row: Int32Array): void {
    row[column.size] = shingles.length
    row[column.beginLow] = this.#shingles % 2 ** 30
    row[column.beginHigh] = Math.floor(this.#shingles / 2 ** 30)
    let [a, b] = [shingles.length, 0]
    for (const shingle of shingles) {
      a = mix(a ^ shingle)
      b = (Math.imul(b, 31) + shingle) | 0
    }
    row[column.setHash] = a
    row[column.setHash + 1] = b
    this.#minHash?.sign(shingles, row.subarray(column.signature))
    this.#shingles += shingles.length
    if (shingles.length > 0) this.#append('shingles', shingles)
  }

  #append(name: (typeof folders)[number], values: Int32Array): void {
    const writer = this.#writers[folders.indexOf(name)] as ShardWriter
    writer.append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), false)
  }

  /** Reads back the table that `restore` just put in its place. */
  async #load(name: 'texts' | 'records'): Promise<void> {
    const rows = this[name]
    const bytes = rows.width * 4
    const writer = this.#writers[folders.indexOf(name)] as ShardWriter
    if (writer.records === 0) return
    let held = Buffer.alloc(0)
    for await (const chunk of createReadStream(join(this.#folder, name, 'part-00000.bin'))) {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      let at = 0
      for (; at + bytes <= held.length; at += bytes) {
        const row = rows.add()
        new Uint8Array(row.buffer, row.byteOffset, bytes).set(held.subarray(at, at + bytes))
      }
      held = held.subarray(at)
    }
  }
}
