/** A sample of records for a person to look at: drawn evenly, the same for the same seed, never too large. */
import { createHash } from 'node:crypto'
import type { Json, TaskContext } from '../../plugins/api.ts'
import { type DatasetInput, readRecords } from './records.ts'

/** Bytes of JSON that a sample may have: it is kept with the sleeping task, and shown on a page. */
export const sampleBytes = 60 * 1024

/** Longest text in a record that is shown when the record is cut, in characters; halved until it fits. */
const longestText = 4096

/**
 * Draws `size` of the records (all where there are fewer), in their order. Each record has a number made of the seed and
 * its position; those with the smallest are drawn. One pass, and memory for the sample only.
 */
export async function sampleOf(
  task: TaskContext,
  input: DatasetInput,
  size: number,
  seed: number,
): Promise<{ readonly records: number; readonly sample: readonly Json[] }> {
  let drawn: { readonly rank: number; readonly index: number; readonly line: string }[] = []
  let records = 0
  for await (const { entries } of readRecords(task, input)) {
    task.signal.throwIfAborted()
    for (const { line } of entries) {
      drawn.push({ rank: rankOf(seed, records), index: records, line: line.toString() })
      records += 1
    }
    if (drawn.length > size * 2) drawn = smallest(drawn, size)
    task.progress(records, null, 'records')
  }
  const sample = smallest(drawn, size).sort((a, b) => a.index - b.index)
  const most = Math.floor(sampleBytes / Math.max(1, sample.length))
  return { records, sample: sample.map(({ line }) => fitted(line, most)) }
}

function smallest<Drawn extends { readonly rank: number }>(drawn: readonly Drawn[], size: number): Drawn[] {
  return drawn.toSorted((a, b) => a.rank - b.rank).slice(0, size)
}

/** 48 bits that look random; enough to draw by. */
function rankOf(seed: number, index: number): number {
  return createHash('sha256').update(`${seed}:${index}`).digest().readUIntBE(0, 6)
}

/** The record as JSON; where it has more than `most` bytes with its texts cut, and as a cut text if that is not enough. */
function fitted(line: string, most: number): Json {
  let record: Json
  try {
    record = JSON.parse(line) as Json
  } catch {
    // A line that is no JSON is shown as it stands: that is what the person is to see.
    return cut(line, Math.floor(most / 8))
  }
  if (Buffer.byteLength(JSON.stringify(record)) <= most) return record
  for (let longest = longestText; longest >= 16; longest /= 2) {
    const shorter = shortened(record, longest)
    if (Buffer.byteLength(JSON.stringify(shorter)) <= most) return shorter
  }
  return cut(JSON.stringify(record), Math.floor(most / 8))
}

function shortened(value: Json, longest: number): Json {
  if (typeof value === 'string') return cut(value, longest)
  if (Array.isArray(value)) return value.map((item: Json) => shortened(item, longest))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shortened(item, longest)]))
}

function cut(text: string, longest: number): string {
  return text.length <= longest
    ? text
    : `${text.slice(0, longest)}… (${text.length - longest} more characters)`
}
