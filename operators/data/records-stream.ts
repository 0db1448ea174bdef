/**
 * The loop of every data operator: reads batches, hands them to a sink, reports progress, saves checkpoints, goes on
 * from the newest one, leaves promptly when asked to. Knows nothing of verdicts or of what the sink writes.
 */
import { createHash } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Json, OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import { type Batch, type Position, type Source, start } from './records-read.ts'

/** What becomes of the records. Its files lie in the folder that it was made with. */
export interface Sink {
  /** Takes a batch into memory. */
  take(batch: Batch): void | Promise<void>
  /** Writes what is complete, so that memory stays flat. */
  flush(): Promise<void>
  /** Brings everything to the disk; what `restore` needs to go on. */
  save(): Promise<Json>
  /** Absolute paths of files that the checkpoint takes a copy of, after `save`; for what is neither output nor small. */
  readonly files?: readonly string[]
  /**
   * Takes over from a sink whose files lie in `folder`; copies of its `files` lie in `checkpoint`.
   * Throws where they are not what `state` says.
   */
  restore(folder: string, state: Json, checkpoint: string): Promise<void>
  /** Lets go of open files. Never throws. */
  abandon(): Promise<void>
}

/** A pass over records: `S` takes them, `R` is what comes of it. */
export interface Pass<S extends Sink, R> {
  readonly source: Source
  /** Whatever decides the result beside the records: the options and, where it changes results, the operator's version. */
  readonly identity: Json
  /** Records between two checkpoints, at least. */
  readonly checkpointEvery: number
  readonly maxLine?: number
  /** Makes a sink that writes below `folder` (absolute, empty). */
  open(folder: string): S
  /** After the last record: completes the files and moves the folder to its place. */
  finish(sink: S, folder: string): Promise<R>
}

/** What a checkpoint of a pass holds. */
interface Saved {
  readonly identity: string
  readonly folder: string
  readonly position: Position
  readonly records: number
  readonly sink: Json
}

/** Saving may take this share of the time (OPERATORS.md, checkpoints). */
const savingShare = 0.05
/** Milliseconds between two reports of progress. */
const progressEvery = 500

/**
 * Streams all records of a source through a sink. After a crash or a stop the next attempt goes on at the newest
 * checkpoint, and the sink's files come out the same, byte for byte.
 * Throws an OperatorFailure (`crash`) when the task is asked to stop, with a checkpoint saved.
 */
export async function streamRecords<S extends Sink, R>(task: TaskContext, pass: Pass<S, R>): Promise<R> {
  const loop = new Loop(task, pass)
  try {
    await loop.begin()
    await loop.run()
    return await loop.end()
  } catch (error) {
    await loop.leave()
    throw error
  }
}

class Loop<S extends Sink, R> {
  readonly folder: string
  sink: S
  records = 0
  readonly #task: TaskContext
  readonly #pass: Pass<S, R>
  readonly #identity: string
  #position: Position = start
  /** The folder of the attempt that was taken over, until this one has a checkpoint of its own. */
  #former: string | null = null
  #saved = false
  #savedAt = { records: 0, time: 0, cost: 0 }
  #reported = 0

  constructor(task: TaskContext, pass: Pass<S, R>) {
    this.#task = task
    this.#pass = pass
    this.folder = join(task.artifacts, '.partial')
    this.sink = pass.open(this.folder)
    const files = pass.source.files.map(({ name, size }) => [name, size])
    this.#identity = createHash('sha256')
      .update(JSON.stringify([pass.identity, files]))
      .digest('hex')
  }

  async begin(): Promise<void> {
    const checkpoint = await this.#task.checkpoint.load()
    const saved = checkpoint?.state as Saved | null | undefined
    this.#savedAt.time = this.#task.clock.now()
    if (!checkpoint || !saved) return this.#empty()
    if (saved.identity !== this.#identity) {
      this.#task.log.warn(
        'the input or the options changed since the last checkpoint; starting again from the beginning',
      )
      return this.#empty()
    }
    await this.#resume(saved, checkpoint.folder)
  }

  async #resume(saved: Saved, checkpoint: string): Promise<void> {
    let from = saved.folder
    try {
      if (from === this.folder) {
        from = join(this.#task.artifacts, '.former')
        await rm(from, { recursive: true, force: true })
        await rename(saved.folder, from)
      }
      await this.#empty()
      await this.sink.restore(from, saved.sink, checkpoint)
    } catch (error) {
      const why = (error as Error).message
      this.#task.log.warn(`the checkpoint cannot be used; starting again from the beginning: ${why}`)
      await this.sink.abandon()
      this.sink = this.#pass.open(this.folder)
      return this.#empty()
    }
    this.#position = saved.position
    this.records = saved.records
    this.#savedAt.records = saved.records
    this.#former = from
    this.#task.log.info(`going on after ${saved.records} records, where the last checkpoint stands`)
  }

  async run(): Promise<void> {
    const { source, checkpointEvery, maxLine } = this.#pass
    const total = totalOf(source)
    const options = {
      from: this.#position,
      batch: Math.min(256, checkpointEvery),
      ...(maxLine ? { maxLine } : {}),
    }
    this.#stopIfAsked()
    for await (const batch of source.read(options)) {
      await this.sink.take(batch)
      await this.sink.flush()
      this.#position = batch.next
      this.records += batch.entries.length
      this.#report(total)
      if (this.#task.signal.aborted || this.#due()) await this.#save()
      this.#stopIfAsked()
    }
    this.#task.progress(this.records, this.records, 'records')
  }

  async end(): Promise<R> {
    const result = await this.#pass.finish(this.sink, this.folder)
    if (this.#former) await rm(this.#former, { recursive: true, force: true })
    return result
  }

  /** After a failure: what no checkpoint needs is removed. */
  async leave(): Promise<void> {
    await this.sink.abandon()
    if (!this.#saved) await rm(this.folder, { recursive: true, force: true })
  }

  #stopIfAsked(): void {
    if (!this.#task.signal.aborted) return
    throw new OperatorFailure(
      'crash',
      `asked to stop after ${this.records} records; a next attempt goes on from there`,
    )
  }

  #due(): boolean {
    if (this.records - this.#savedAt.records < this.#pass.checkpointEvery) return false
    return this.#task.clock.now() - this.#savedAt.time >= this.#savedAt.cost / savingShare
  }

  async #save(): Promise<void> {
    const began = this.#task.clock.now()
    const sink = await this.sink.save()
    const state = {
      identity: this.#identity,
      folder: this.folder,
      position: { ...this.#position },
      records: this.records,
      sink,
    }
    await this.#task.checkpoint.save(this.records, state, this.sink.files ?? [])
    this.#saved = true
    if (this.#former) await rm(this.#former, { recursive: true, force: true })
    this.#former = null
    const time = this.#task.clock.now()
    this.#savedAt = { records: this.records, time, cost: time - began }
  }

  #report(total: number | null): void {
    const now = this.#task.clock.now()
    if (now - this.#reported < progressEvery) return
    this.#reported = now
    this.#task.progress(this.records, total, 'records')
  }

  async #empty(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
    await mkdir(this.folder, { recursive: true })
  }
}

/** Records in all, where every file is a shard whose manifest says so. */
function totalOf(source: Source): number | null {
  let total = 0
  for (const { records } of source.files) {
    if (records === null) return null
    total += records
  }
  return total
}
