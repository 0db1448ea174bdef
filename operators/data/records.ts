/**
 * The frame of operators that turn records into records: each gives one function from a record to a verdict, the frame
 * does the rest (kept, rejected and review files, counts, gates, checkpoints, placing). Knows no operator.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Json,
  type JsonObject,
  OperatorFailure,
  parseSize,
  type TaskContext,
} from '../../plugins/api.ts'
import type { Entry } from './records-lines.ts'
import { makeManifest, manifestName, printManifest } from './records-manifest.ts'
import { outputFolder, place, syncFolder, writeSynced } from './records-place.ts'
import { type Batch, openSource, placeOf, type Source } from './records-read.ts'
import type { DatasetOutputs, RecordsInput, RecordsOutputs, Shard } from './records-schema.ts'
import { type Sink, streamRecords } from './records-stream.ts'
import { ShardWriter, type WriterState } from './records-write.ts'

export type { Entry } from './records-lines.ts'
export { type Batch, openSource, readRecords, type Source, type SourceFile } from './records-read.ts'
export * from './records-schema.ts'

/** What is to become of a record. */
export type Verdict =
  /** `record` null: as it stands, byte for byte. `part`: which of the pass's parts takes it. */
  | { readonly type: 'keep'; readonly record: JsonObject | null; readonly part: number }
  | { readonly type: 'reject' | 'review'; readonly reason: string; readonly detail: string | null }

/** Keeps the record as it stands in the file. */
export const keep: Verdict = { type: 'keep', record: null, part: 0 }

/** Keeps this record in its place. */
export function change(record: JsonObject): Verdict {
  return { type: 'keep', record, part: 0 }
}

/** Keeps the record in one of several parts, by index into the pass's `parts`. */
export function keepIn(part: number, record: JsonObject | null = null): Verdict {
  return { type: 'keep', record, part }
}

/** Quarantines the record. `reason` is one of few names, which are counted (`too_short`); `detail` is for people and holds no personal data. */
export function reject(reason: string, detail: string | null = null): Verdict {
  return { type: 'reject', reason, detail }
}

/** Sets the record aside for a person to look at; it is neither kept nor rejected. */
export function review(reason: string, detail: string | null = null): Verdict {
  return { type: 'review', reason, detail }
}

/** Where a record stands, for transforms. */
export interface RecordPlace {
  /** Number of the record among all that were read, malformed ones included, from 0. */
  readonly index: number
  /** Its file, as provenance names it, and its line there, from 1. */
  readonly file: string
  readonly line: number
}

/** A pass from records to records. */
export interface RecordsPass {
  /** The operator's whole input: its shared options are read from it, and a checkpoint is only used with the same one. */
  readonly options: RecordsInput
  /** Pure: the same record has the same verdict. */
  transform(record: JsonObject, at: RecordPlace): Verdict
  /** Where the records come from; default: `options.input`. */
  readonly source?: Source
  /** Names of the datasets that are written, each in a folder of its own; default: one, the output folder itself. */
  readonly parts?: readonly string[]
  /** What the transform counts or remembers across records; saved with checkpoints. */
  readonly memory?: { save(): Json; restore(state: Json): void }
}

/** What a pass gives back: outputs, and per part (in the order of `parts`) its dataset. */
export interface RecordsResult {
  readonly outputs: RecordsOutputs
  readonly parts: readonly DatasetOutputs[]
}

/**
 * Runs a pass and puts its result in place. Throws an OperatorFailure: `gate_failed` where a rate is over its limit
 * (the rejected records stay readable at the path that the message names), `invalid_input`, `data_corruption`, `crash`.
 */
export async function runRecords(task: TaskContext, pass: RecordsPass): Promise<RecordsResult> {
  const { options } = pass
  const source = pass.source ?? (await openSource(task, options.input))
  const target = await outputFolder(
    task,
    options.output,
    source.files.map(({ uri }) => uri),
  )
  const names = pass.parts ?? ['']
  return streamRecords(task, {
    source,
    identity: JSON.parse(JSON.stringify({ ...options, input: null })),
    checkpointEvery: options.checkpointEvery,
    maxLine: parseSize(options.maxLine),
    open: (at) => new VerdictSink(at, names, pass),
    finish: async (sink, folder) => {
      const written = await complete(sink, folder, names)
      await checkGates(task, sink.counts, options, folder)
      await place(folder, target)
      return results(task.objects.resolve(target), names, written, sink.counts)
    },
  })
}

/** What a sink counts. */
interface Counts {
  readonly in: number
  readonly malformed: number
  readonly rejected: number
  readonly reviewed: number
  readonly reasons: { readonly [reason: string]: number }
}

/** Folders of what is not kept, in the output folder. */
const asideFolders = { reject: 'rejected', review: 'review' } as const

/** Reasons that are counted by name; any beyond are counted as `other`, so that outputs stay small. */
const maxReasons = 100

class VerdictSink implements Sink {
  counts = { in: 0, malformed: 0, rejected: 0, reviewed: 0, reasons: {} as { [reason: string]: number } }
  /** The parts, then rejected, then review. */
  readonly writers: readonly ShardWriter[]
  readonly #pass: RecordsPass
  readonly #folders: readonly string[]

  constructor(folder: string, parts: readonly string[], pass: RecordsPass) {
    this.#pass = pass
    this.#folders = [...parts, asideFolders.reject, asideFolders.review]
    const shardBytes = parseSize(pass.options.shardSize)
    this.writers = this.#folders.map((name) => new ShardWriter({ folder: join(folder, name), shardBytes }))
  }

  take({ file, entries }: Batch): void {
    for (const entry of entries) {
      const index = this.counts.in++
      if (entry.record === null) {
        this.counts.malformed += 1
        this.#aside('reject', entry.problem ?? 'malformed_json', entry.detail, file, entry)
        continue
      }
      const verdict = this.#judge(entry.record, { index, file: file.name, line: entry.number })
      if (verdict.type !== 'keep') this.#aside(verdict.type, verdict.reason, verdict.detail, file, entry)
      else
        this.#writer(verdict.part).append(
          verdict.record === null ? entry.line : JSON.stringify(verdict.record),
        )
    }
  }

  async flush(): Promise<void> {
    for (const writer of this.writers) await writer.flush()
  }

  async save(): Promise<Json> {
    const states: WriterState[] = []
    for (const writer of this.writers) states.push(await writer.save())
    return JSON.parse(
      JSON.stringify({ counts: this.counts, states, memory: this.#pass.memory?.save() ?? null }),
    )
  }

  async restore(folder: string, state: Json): Promise<void> {
    const { counts, states, memory } = state as unknown as {
      counts: VerdictSink['counts']
      states: WriterState[]
      memory: Json
    }
    for (const [i, writer] of this.writers.entries()) {
      await writer.restore(join(folder, this.#folders[i] as string), states[i] as WriterState)
    }
    this.counts = structuredClone(counts)
    this.#pass.memory?.restore(memory)
  }

  async abandon(): Promise<void> {
    for (const writer of this.writers) await writer.abandon()
  }

  #judge(record: JsonObject, at: RecordPlace): Verdict {
    try {
      return this.#pass.transform(record, at)
    } catch (error) {
      if (error instanceof OperatorFailure) throw error
      throw new OperatorFailure('user', `${at.file}, line ${at.line}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  #aside(
    type: 'reject' | 'review',
    reason: string,
    detail: string | null,
    file: Batch['file'],
    entry: Entry,
  ): void {
    this.counts[type === 'reject' ? 'rejected' : 'reviewed'] += 1
    const { reasons } = this.counts
    const counted =
      Object.hasOwn(reasons, reason) || Object.keys(reasons).length < maxReasons ? reason : 'other'
    reasons[counted] = (reasons[counted] ?? 0) + 1
    const source = placeOf(file, entry)
    const why = { reason, ...(detail === null ? {} : { detail }), source }
    this.#writer(type === 'reject' ? -2 : -1).append(JSON.stringify({ ...why, ...original(entry) }))
  }

  #writer(index: number): ShardWriter {
    return this.writers.at(index) as ShardWriter
  }
}

/** The record as it was read: the object, or where it is none its text, or its bytes where they are no text. */
function original(entry: Entry): JsonObject {
  if (entry.record !== null) return { record: entry.record }
  return entry.problem === 'bad_utf8'
    ? { base64: entry.line.toString('base64') }
    : { text: entry.line.toString() }
}

/** Closes the shards and writes the manifests; a part has one even when empty, the others only with records. */
async function complete(
  sink: VerdictSink,
  folder: string,
  parts: readonly string[],
): Promise<readonly (readonly Shard[])[]> {
  const written: (readonly Shard[])[] = []
  const names = [...parts, asideFolders.reject, asideFolders.review]
  for (const [i, writer] of sink.writers.entries()) {
    const shards = await writer.finish()
    written.push(shards)
    if (i >= parts.length && shards.length === 0) continue
    const at = join(folder, names[i] as string)
    await mkdir(at, { recursive: true })
    await writeSynced(join(at, manifestName), printManifest(makeManifest('jsonl', shards)))
    await syncFolder(at)
  }
  if (!parts.includes('')) {
    const { in: recordsIn, ...counts } = sink.counts
    await writeSynced(
      join(folder, manifestName),
      printManifest({ version: 1, format: 'parts', parts, recordsIn, ...counts, shards: [] }),
    )
  }
  return written
}

/** Throws `gate_failed` where a rate is over its limit; the quarantine is kept where the message says. */
async function checkGates(
  task: TaskContext,
  counts: Counts,
  options: RecordsInput,
  folder: string,
): Promise<void> {
  const readable = counts.in - counts.malformed
  const refused = counts.rejected - counts.malformed
  const problems = [
    over('malformed', counts.malformed, counts.in, options.maxMalformed, 'maxMalformed'),
    over('rejected', refused, readable, options.maxRejected, 'maxRejected'),
  ].filter((problem) => problem !== null)
  if (problems.length === 0) return
  const quarantine = join(task.artifacts, 'rejected')
  await rm(quarantine, { recursive: true, force: true })
  await rename(join(folder, asideFolders.reject), quarantine)
  await rm(folder, { recursive: true, force: true })
  const reasons = Object.entries(counts.reasons).map(([reason, n]) => `${reason} ${n}`)
  throw new OperatorFailure(
    'gate_failed',
    `${problems.join('; ')} (${reasons.join(', ')}); see ${quarantine}`,
  )
}

function over(what: string, bad: number, all: number, limit: number, option: string): string | null {
  if (bad === 0 || bad / all <= limit) return null
  return `${bad} of ${all} records ${what} (${percent(bad / all)}), over \`${option}\` ${percent(limit)}`
}

function percent(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))} %`
}

function results(
  uri: string,
  parts: readonly string[],
  written: readonly (readonly Shard[])[],
  counts: Counts,
): RecordsResult {
  const datasets = parts.map((name, i) =>
    datasetOutputs(name === '' ? uri : `${uri}/${name}`, written[i] ?? []),
  )
  const [rejected = [], reviewed = []] = written.slice(parts.length)
  const { in: recordsIn, ...rest } = counts
  const total = (key: 'records' | 'bytes') => datasets.reduce((sum, dataset) => sum + dataset[key], 0)
  const outputs: RecordsOutputs = {
    dataset: uri,
    records: total('records'),
    bytes: total('bytes'),
    shards: datasets.flatMap(({ shards }) => shards),
    recordsIn,
    ...rest,
    quarantine: rejected.length > 0 ? `${uri}/${asideFolders.reject}` : null,
    review: reviewed.length > 0 ? `${uri}/${asideFolders.review}` : null,
  }
  return { outputs, parts: datasets }
}

/** A dataset as outputs name it. */
export function datasetOutputs(uri: string, shards: readonly Shard[]): DatasetOutputs {
  const { records, bytes } = makeManifest('jsonl', shards)
  return {
    dataset: uri,
    records,
    bytes,
    shards: shards.map((shard) => ({ ...shard, uri: `${uri}/${shard.name}` })),
  }
}
