/**
 * A stream of bytes as lines of JSON: each line a record or a problem, with its number and where it ends.
 * Knows nothing of files, datasets or what becomes of a record. Holds at most one line and one chunk in memory.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import type { JsonObject } from '../../plugins/api.ts'

/** Why a line is not a record. */
export type Problem = 'malformed_json' | 'not_an_object' | 'bad_utf8' | 'line_too_long'

/** One record as it was read. `record` is null where it cannot be read, `problem` says why. */
export interface Entry {
  readonly record: JsonObject | null
  readonly problem: Problem | null
  /** What is wrong, for people; only with a problem. */
  readonly detail: string
  /** The line without its end, as it stands in the file; of a line that is too long its first 1,024 bytes. */
  readonly line: Uint8Array
  /** From 1. */
  readonly number: number
  /** Where the next line begins: bytes from the start of the (decoded) stream. */
  readonly end: number
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
    const before = this.#length
    this.#length += part.length
    if (this.#length <= this.#maxLine) this.#held.push(part)
    else if (before <= this.#maxLine) {
      // The line has just become too long: only its head is of use from here on.
      this.#held = [Buffer.concat([...this.#held, part.subarray(0, headBytes)]).subarray(0, headBytes)]
    }
  }

  /** The unfinished line is complete; `ending` bytes of line end follow it. */
  #finish(entries: Entry[], ending: number): void {
    const length = this.#length
    const line = this.#held.length === 1 ? (this.#held[0] as Uint8Array) : Buffer.concat(this.#held)
    this.#held = []
    this.#length = 0
    this.#number += 1
    this.#offset += length + ending
    if (length > this.#maxLine) {
      const detail = `a line of ${length} bytes; the limit is ${this.#maxLine}`
      entries.push(problem('line_too_long', detail, line, this.#number, this.#offset))
    } else this.#add(line, isUtf8(line), isAscii(line), entries)
  }

  /** Parses a run of whole lines, each with its end. */
  #parse(block: Buffer, entries: Entry[]): void {
    const utf8 = isUtf8(block)
    const ascii = utf8 && isAscii(block)
    for (let start = 0; start < block.length; ) {
      const end = block.indexOf(newline, start)
      this.#number += 1
      this.#offset += end + 1 - start
      const line = block.subarray(start, end)
      if (line.length > this.#maxLine) {
        const detail = `a line of ${line.length} bytes; the limit is ${this.#maxLine}`
        entries.push(
          problem('line_too_long', detail, line.subarray(0, headBytes), this.#number, this.#offset),
        )
      } else this.#add(line, utf8 || isUtf8(line), ascii, entries)
      start = end + 1
    }
  }

  #add(whole: Uint8Array, utf8: boolean, ascii: boolean, entries: Entry[]): void {
    const line = whole.at(-1) === 13 ? whole.subarray(0, -1) : whole
    if (line.length === 0 || isBlank(line)) return
    entries.push(
      utf8 ? parseLine(line, ascii, this.#number, this.#offset) : badUtf8(line, this.#number, this.#offset),
    )
  }
}

function isBlank(line: Uint8Array): boolean {
  for (const byte of line) if (byte !== 32 && byte !== 9 && byte !== 13) return false
  return true
}

function parseLine(line: Uint8Array, ascii: boolean, number: number, end: number): Entry {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
  try {
    // Latin-1 is the faster decoder, and the same as UTF-8 where every byte is ASCII.
    const record: unknown = JSON.parse(bytes.toString(ascii ? 'latin1' : 'utf8'))
    if (typeof record === 'object' && record !== null && !Array.isArray(record)) {
      return { record: record as JsonObject, problem: null, detail: '', line, number, end }
    }
    return problem('not_an_object', `a record is a JSON object, this is ${kindOf(record)}`, line, number, end)
  } catch (error) {
    return problem('malformed_json', (error as Error).message, line, number, end)
  }
}

function badUtf8(line: Uint8Array, number: number, end: number): Entry {
  return problem(
    'bad_utf8',
    'the line is not valid UTF-8; convert the file, or say which encoding it has',
    line,
    number,
    end,
  )
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function problem(name: Problem, detail: string, line: Uint8Array, number: number, end: number): Entry {
  return { record: null, problem: name, detail, line, number, end }
}
