/**
 * A stream of bytes as lines of JSON: each line a record or a problem, with its number and where it ends.
 * Knows nothing of files, datasets or what becomes of a record. Holds at most one line and one chunk in memory.
 */
import { isUtf8 } from 'node:buffer'
import type { JsonObject } from '../../plugins/api.ts'

/** Why a line, a document or (`unreadable`) the rest of a file is not a record. */
export type Problem =
  | 'malformed_json'
  | 'not_an_object'
  | 'bad_utf8'
  | 'line_too_long'
  | 'document_too_long'
  | 'ragged_row'
  | 'unreadable'

/** One record as it was read. */
export class Entry {
  /** Null where the line cannot be read as one; `problem` says why. */
  readonly record: JsonObject | null
  readonly problem: Problem | null
  /** What is wrong, for people; only with a problem. */
  readonly detail: string
  /** The line or document in its file, from 1. */
  readonly number: number
  /** Where the next line begins: bytes from the start of the (decoded) stream. */
  readonly end: number
  readonly #block: Buffer
  readonly #from: number
  readonly #to: number

  /** The line stands in `block` from `from` to `to`. */
  constructor(block: Buffer, from: number, to: number, what: Omit<Entry, 'line'>) {
    this.#block = block
    this.#from = from
    this.#to = to
    this.record = what.record
    this.problem = what.problem
    this.detail = what.detail
    this.number = what.number
    this.end = what.end
  }

  /** The line without its end, as it stands in the file; of a line that is too long its first 1,024 bytes. */
  get line(): Buffer {
    return this.#block.subarray(this.#from, this.#to)
  }
}

/** Some records of one file, and where it goes on after them: bytes and lines (of a document: records) that are read. */
export interface Read {
  readonly entries: readonly Entry[]
  readonly offset: number
  readonly line: number
}

/** Limits of the reader. */
export interface LineOptions {
  /** Bytes; a longer line is a problem. */
  readonly maxLine: number
  /** Entries per batch at most. */
  readonly batch: number
  /** Where the stream begins: bytes and lines before it. */
  readonly from: { readonly offset: number; readonly line: number }
}

const newline = 10
/** How much of a line that is too long is kept as evidence, bytes. */
const headBytes = 1024

/** Splits a stream into batches of lines. Blank lines are left out, but counted; a last line needs no end. */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  options: LineOptions,
): AsyncGenerator<readonly Entry[], void, void> {
  const splitter = new Splitter(options)
  for await (const chunk of stream) yield* batches(splitter.push(chunk), options.batch)
  yield* batches(splitter.end(), options.batch)
}

function* batches(entries: readonly Entry[], size: number): Generator<readonly Entry[], void, void> {
  if (entries.length <= size) {
    if (entries.length > 0) yield entries
    return
  }
  for (let i = 0; i < entries.length; i += size) yield entries.slice(i, i + size)
}

/** Keeps the unfinished line between chunks, without copying it again for each. */
class Splitter {
  readonly #maxLine: number
  #held: Uint8Array[] = []
  /** Length of the unfinished line so far, also when no longer held. */
  #length = 0
  #offset: number
  #number: number

  constructor({ maxLine, from }: LineOptions) {
    this.#maxLine = maxLine
    this.#offset = from.offset
    this.#number = from.line
  }

  push(chunk: Uint8Array): readonly Entry[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    const last = bytes.lastIndexOf(newline)
    if (last < 0) {
      this.#hold(bytes)
      return []
    }
    const entries: Entry[] = []
    let start = 0
    if (this.#length > 0) {
      start = bytes.indexOf(newline) + 1
      this.#hold(bytes.subarray(0, start - 1))
      this.#finish(entries, 1)
    }
    if (start <= last) this.#parse(bytes.subarray(start, last + 1), entries)
    if (last + 1 < bytes.length) this.#hold(bytes.subarray(last + 1))
    return entries
  }

  end(): readonly Entry[] {
    const entries: Entry[] = []
    if (this.#length > 0) this.#finish(entries, 0)
    return entries
  }

  #hold(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length <= this.#maxLine) {
      this.#held.push(part)
      return
    }
    // Too long: only its head is of use from here on, the same one however the stream is cut into chunks.
    const head = Buffer.concat([...this.#held, part.subarray(0, headBytes)])
    if (this.#held.length > 1 || head.length > (this.#held[0]?.length ?? 0))
      this.#held = [head.subarray(0, headBytes)]
  }

  /** The unfinished line is complete; `ending` bytes of line end follow it. */
  #finish(entries: Entry[], ending: number): void {
    const length = this.#length
    const line = Buffer.concat(this.#held)
    this.#held = []
    this.#length = 0
    this.#offset += length + ending
    if (length > this.#maxLine) this.#tooLong(line, 0, length, entries)
    else this.#add(line, 0, length, isUtf8(line), entries)
  }

  /** Parses a run of whole lines, each with its end. */
  #parse(block: Buffer, entries: Entry[]): void {
    const utf8 = isUtf8(block)
    for (let start = 0; start < block.length; ) {
      const end = block.indexOf(newline, start)
      this.#offset += end + 1 - start
      if (end - start > this.#maxLine) this.#tooLong(block, start, end - start, entries)
      else this.#add(block, start, end, utf8 || isUtf8(block.subarray(start, end)), entries)
      start = end + 1
    }
  }

  #add(block: Buffer, from: number, end: number, utf8: boolean, entries: Entry[]): void {
    this.#number += 1
    const to = block[end - 1] === 13 && end > from ? end - 1 : end
    if (isBlank(block, from, to)) return
    const found = utf8 ? parse(block.toString('utf8', from, to)) : badUtf8
    entries.push(new Entry(block, from, to, { ...found, number: this.#number, end: this.#offset }))
  }

  #tooLong(block: Buffer, from: number, length: number, entries: Entry[]): void {
    this.#number += 1
    const detail = `a line of ${length} bytes; the limit is ${this.#maxLine}`
    const what = {
      record: null,
      problem: 'line_too_long',
      detail,
      number: this.#number,
      end: this.#offset,
    } as const
    entries.push(new Entry(block, from, Math.min(from + length, from + headBytes, block.length), what))
  }
}

/** What a text turned out to be. */
export type Found = Pick<Entry, 'record' | 'problem' | 'detail'>

/** What bytes are that are no UTF-8. */
export const badUtf8: Found = {
  record: null,
  problem: 'bad_utf8',
  detail: 'it is not valid UTF-8; convert the file to UTF-8',
}

function isBlank(block: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) {
    const byte = block[i]
    if (byte !== 32 && byte !== 9 && byte !== 13) return false
  }
  return true
}

/** A line of text as a record. */
function parse(text: string): Found {
  try {
    return recordOf(JSON.parse(text))
  } catch (error) {
    return { record: null, problem: 'malformed_json', detail: (error as Error).message }
  }
}

/** A JSON value as a record, which only objects are. */
export function recordOf(value: unknown): Found {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { record: value as JsonObject, problem: null, detail: '' }
  }
  return {
    record: null,
    problem: 'not_an_object',
    detail: `a record is a JSON object, this is ${kindOf(value)}`,
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
