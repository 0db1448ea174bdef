/**
 * Files that are read whole: JSON (one document, or an array of records) and text. Knows nothing of lines, or of where
 * the records go.
 */
import { isUtf8 } from 'node:buffer'
import type { TaskContext } from '../../plugins/api.ts'
import { openDecoded } from './records-decode.ts'
import { badUtf8, Entry, type Found, type Problem, type Read, recordOf } from './records-lines.ts'

/** How a whole file becomes records. */
export interface DocumentOptions {
  readonly format: 'json' | 'text'
  /** Bytes; a larger file is a problem, and not held in memory. */
  readonly maxLine: number
  /** Entries per batch at most. */
  readonly batch: number
  /** How many records of the file are already read. */
  readonly from: number
}

/** How much of a document that is too long is kept as evidence, bytes. */
const headBytes = 1024

/** The records of one file, in batches. `number` and `end` of an entry count records. */
export async function* readDocument(
  task: TaskContext,
  uri: string,
  options: DocumentOptions,
): AsyncGenerator<Read> {
  const { bytes, whole } = await readUpTo(task, uri, options.maxLine)
  const entries = whole ? entriesOf(bytes, options.format) : [tooLong(bytes, options.maxLine)]
  for (let at = options.from; at < entries.length; at += options.batch) {
    const some = entries.slice(at, at + options.batch)
    yield { entries: some, offset: at + some.length, line: at + some.length }
  }
}

/** Something that is no record, as an entry whose original is `bytes`. */
export function problemEntry(problem: Problem, detail: string, bytes: Buffer, number: number): Entry {
  return new Entry(bytes, 0, bytes.length, { record: null, problem, detail, number, end: number })
}

async function readUpTo(
  task: TaskContext,
  uri: string,
  limit: number,
): Promise<{ bytes: Buffer; whole: boolean }> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of openDecoded(task, uri)) {
    chunks.push(chunk)
    length += chunk.length
    if (length > limit) return { bytes: Buffer.concat(chunks).subarray(0, headBytes), whole: false }
  }
  return { bytes: Buffer.concat(chunks), whole: true }
}

function tooLong(head: Buffer, limit: number): Entry {
  const detail = `the file is over the limit of ${limit} bytes for a document; raise \`maxLine\`, or split it into lines (jsonl)`
  return problemEntry('document_too_long', detail, head, 1)
}

function entriesOf(bytes: Buffer, format: 'json' | 'text'): readonly Entry[] {
  if (!isUtf8(bytes)) return [entry(badUtf8, bytes, 1)]
  const text = bytes.toString()
  if (format === 'text') return [entry(recordOf({ text }), bytes, 1)]
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) return [entry(recordOf(value), bytes, 1)]
    return value.map((item, i) => {
      const found = recordOf(item)
      return entry(found, found.record ? Buffer.alloc(0) : Buffer.from(JSON.stringify(item)), i + 1)
    })
  } catch (error) {
    return [problemEntry('malformed_json', (error as Error).message, bytes, 1)]
  }
}

function entry(found: Found, bytes: Buffer, number: number): Entry {
  return new Entry(bytes, 0, bytes.length, { ...found, number, end: number })
}
