/**
 * What is not kept: the rejected records and those for a person, each with its reason, counted; and the gates on them.
 * Knows nothing of what becomes of the kept ones.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Json, type JsonObject, OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import type { Entry } from './records-lines.ts'
import { makeManifest, manifestName, printManifest } from './records-manifest.ts'
import { syncFolder, writeSynced } from './records-place.ts'
import { placeOf, type SourceFile } from './records-read.ts'
import type { CountsOutputs, RecordsInput, Shard } from './records-schema.ts'
import { ShardWriter, type WriterState } from './records-write.ts'

/** Folders of what is not kept, in the output folder. */
const folders = { reject: 'rejected', review: 'review' } as const

/** Reasons that are counted by name; any beyond are counted as `other`, so that outputs stay small. */
const maxReasons = 100

interface Counts {
  recordsIn: number
  malformed: number
  rejected: number
  reviewed: number
  readonly reasons: { [reason: string]: number }
}

/** Writes what is not kept, and counts everything. */
export class Aside {
  #counts: Counts = { recordsIn: 0, malformed: 0, rejected: 0, reviewed: 0, reasons: {} }
  readonly #folder: string
  readonly #writers: { readonly reject: ShardWriter; readonly review: ShardWriter }

  /** @param folder absolute; the output folder in the making */
  constructor(folder: string, shardBytes: number) {
    this.#folder = folder
    const writer = (name: string) => new ShardWriter({ folder: join(folder, name), shardBytes })
    this.#writers = { reject: writer(folders.reject), review: writer(folders.review) }
  }

  /** Records read so far. */
  get recordsIn(): number {
    return this.#counts.recordsIn
  }

  /** Counts a record that was read, and rejects it where it is malformed: then null. */
  admit(file: SourceFile, entry: Entry): JsonObject | null {
    this.#counts.recordsIn += 1
    if (entry.record !== null) return entry.record
    this.#counts.malformed += 1
    this.put('reject', entry.problem ?? 'malformed_json', entry.detail, file, entry)
    return null
  }

  /** Sets a record aside. */
  put(
    type: 'reject' | 'review',
    reason: string,
    detail: string | null,
    file: SourceFile,
    entry: Entry,
  ): void {
    const { reasons } = this.#counts
    this.#counts[type === 'reject' ? 'rejected' : 'reviewed'] += 1
    const counted =
      Object.hasOwn(reasons, reason) || Object.keys(reasons).length < maxReasons ? reason : 'other'
    reasons[counted] = (reasons[counted] ?? 0) + 1
    const why = { reason, ...(detail === null ? {} : { detail }), source: placeOf(file, entry) }
    this.#writers[type].append(JSON.stringify({ ...why, ...original(entry) }))
  }

  async flush(): Promise<void> {
    await this.#writers.reject.flush()
    await this.#writers.review.flush()
  }

  async save(): Promise<Json> {
    const [reject, review] = [await this.#writers.reject.save(), await this.#writers.review.save()]
    return JSON.parse(JSON.stringify({ counts: this.#counts, reject, review }))
  }

  async restore(folder: string, state: Json): Promise<void> {
    const saved = state as unknown as { counts: Counts; reject: WriterState; review: WriterState }
    await this.#writers.reject.restore(join(folder, folders.reject), saved.reject)
    await this.#writers.review.restore(join(folder, folders.review), saved.review)
    this.#counts = structuredClone(saved.counts)
  }

  async abandon(): Promise<void> {
    await this.#writers.reject.abandon()
    await this.#writers.review.abandon()
  }

  /** Closes the files, each as a dataset of its own where it has records. `uri` is where the output folder will be. */
  async finish(uri: string): Promise<CountsOutputs> {
    const close = async (type: 'reject' | 'review') => {
      const shards = await this.#writers[type].finish()
      if (shards.length === 0) return null
      await writeDataset(join(this.#folder, folders[type]), shards)
      return `${uri}/${folders[type]}`
    }
    return { ...this.#counts, quarantine: await close('reject'), review: await close('review') }
  }

  /** After `finish`. Throws `gate_failed` where a rate is over its limit; the quarantine is kept where the message says. */
  async checkGates(task: TaskContext, { maxMalformed, maxRejected }: Gates): Promise<void> {
    const { recordsIn, malformed, rejected, reasons } = this.#counts
    const problems = [
      over('malformed', malformed, recordsIn, maxMalformed, 'maxMalformed'),
      over('rejected', rejected - malformed, recordsIn - malformed, maxRejected, 'maxRejected'),
    ].filter((problem) => problem !== null)
    if (problems.length === 0) return
    const quarantine = join(task.artifacts, folders.reject)
    await rm(quarantine, { recursive: true, force: true })
    await rename(join(this.#folder, folders.reject), quarantine)
    await rm(this.#folder, { recursive: true, force: true })
    const why = Object.entries(reasons).map(([reason, n]) => `${reason} ${n}`)
    throw new OperatorFailure('gate_failed', `${problems.join('; ')} (${why.join(', ')}); see ${quarantine}`)
  }
}

type Gates = Pick<RecordsInput, 'maxMalformed' | 'maxRejected'>

/** Writes the manifest of a folder of JSON lines, which makes it a dataset. */
export async function writeDataset(folder: string, shards: readonly Shard[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeSynced(join(folder, manifestName), printManifest(makeManifest('jsonl', shards)))
  await syncFolder(folder)
}

/** The record as it was read: the object, or where it is none its text, or its bytes where they are no text. */
function original(entry: Entry): JsonObject {
  if (entry.record !== null) return { record: entry.record }
  return entry.problem === 'bad_utf8'
    ? { base64: entry.line.toString('base64') }
    : { text: entry.line.toString() }
}

function over(what: string, bad: number, all: number, limit: number, option: string): string | null {
  if (bad === 0 || bad / all <= limit) return null
  return `${bad} of ${all} records ${what} (${percent(bad / all)}), over \`${option}\` ${percent(limit)}`
}

function percent(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))} %`
}
