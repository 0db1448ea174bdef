/**
 * The frame of operators that turn records into records: each gives one function from a record to a verdict, the frame
 * does the rest (kept, rejected and review files, counts, gates, checkpoints, placing). Knows no operator.
 */
import { join } from 'node:path'
import {
  type Json,
  type JsonObject,
  OperatorFailure,
  parseSize,
  type TaskContext,
} from '../../plugins/api.ts'
import { Aside, writeDataset } from './records-aside.ts'
import { makeManifest, manifestName, printManifest } from './records-manifest.ts'
import { outputFolder, place, writeSynced } from './records-place.ts'
import { type Batch, openSource, type Source } from './records-read.ts'
import type { CountsOutputs, DatasetOutputs, RecordsInput, RecordsOutputs, Shard } from './records-schema.ts'
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
      const written = await sink.finish()
      const counts = await sink.aside.finish(target)
      await sink.aside.checkGates(task, options)
      await place(folder, target)
      return results(target, names, written, counts)
    },
  })
}

/** Writes kept records into the shards of their parts, the others aside. */
class VerdictSink implements Sink {
  readonly aside: Aside
  readonly #pass: RecordsPass
  readonly #parts: readonly { readonly folder: string; readonly writer: ShardWriter }[]
  readonly #folder: string

  constructor(folder: string, parts: readonly string[], pass: RecordsPass) {
    this.#pass = pass
    this.#folder = folder
    const shardBytes = parseSize(pass.options.shardSize)
    this.#parts = parts.map((name) => ({
      folder: name,
      writer: new ShardWriter({ folder: join(folder, name), shardBytes }),
    }))
    this.aside = new Aside(folder, shardBytes)
  }

  take({ file, entries }: Batch): void {
    for (const entry of entries) {
      const record = this.aside.admit(file, entry)
      if (record === null) continue
      const index = this.aside.recordsIn - 1
      const verdict = this.#judge(record, { index, file: file.name, line: entry.number })
      if (verdict.type !== 'keep') this.aside.put(verdict.type, verdict.reason, verdict.detail, file, entry)
      else
        this.#writer(verdict.part).append(
          verdict.record === null ? entry.line : JSON.stringify(verdict.record),
        )
    }
  }

  async flush(): Promise<void> {
    for (const { writer } of this.#parts) await writer.flush()
    await this.aside.flush()
  }

  async save(): Promise<Json> {
    const parts: WriterState[] = []
    for (const { writer } of this.#parts) parts.push(await writer.save())
    const aside = await this.aside.save()
    return JSON.parse(JSON.stringify({ parts, aside, memory: this.#pass.memory?.save() ?? null }))
  }

  async restore(from: string, state: Json): Promise<void> {
    const { parts, aside, memory } = state as unknown as { parts: WriterState[]; aside: Json; memory: Json }
    for (const [i, { folder, writer }] of this.#parts.entries()) {
      await writer.restore(join(from, folder), parts[i] as WriterState)
    }
    await this.aside.restore(from, aside)
    this.#pass.memory?.restore(memory)
  }

  async abandon(): Promise<void> {
    for (const { writer } of this.#parts) await writer.abandon()
    await this.aside.abandon()
  }

  /** Closes the shards and writes the manifests; a part has one even when it is empty. */
  async finish(): Promise<readonly (readonly Shard[])[]> {
    const written: (readonly Shard[])[] = []
    for (const { folder, writer } of this.#parts) {
      const shards = await writer.finish()
      written.push(shards)
      await writeDataset(join(this.#folder, folder), shards)
    }
    const names = this.#parts.map(({ folder }) => folder)
    if (!names.includes('')) {
      const manifest = { version: 1, format: 'parts', parts: names, shards: [] }
      await writeSynced(join(this.#folder, manifestName), printManifest(manifest))
    }
    return written
  }

  #judge(record: JsonObject, at: RecordPlace): Verdict {
    try {
      return this.#pass.transform(record, at)
    } catch (error) {
      if (error instanceof OperatorFailure) throw error
      const message = `${at.file}, line ${at.line}: ${(error as Error).message}`
      throw new OperatorFailure('user', message, { cause: error })
    }
  }

  #writer(part: number): ShardWriter {
    const found = this.#parts[part]
    if (!found) throw new Error(`a verdict names part ${part}; there are ${this.#parts.length}`)
    return found.writer
  }
}

function results(
  uri: string,
  parts: readonly string[],
  written: readonly (readonly Shard[])[],
  counts: CountsOutputs,
): RecordsResult {
  const datasets = parts.map((name, i) =>
    datasetOutputs(name === '' ? uri : `${uri}/${name}`, written[i] ?? []),
  )
  const total = (key: 'records' | 'bytes') => datasets.reduce((sum, dataset) => sum + dataset[key], 0)
  const outputs: RecordsOutputs = {
    dataset: uri,
    records: total('records'),
    bytes: total('bytes'),
    shards: datasets.flatMap(({ shards }) => shards),
    ...counts,
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
