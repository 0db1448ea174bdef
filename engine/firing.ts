/** Makes the runs that schedules ask for, by the overlap rule; once each, whichever engine is first. Knows no time. */
import type { Clock } from './clock.ts'
import { bug } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { Interval, Pipeline } from './pipeline.ts'
import type { Entry } from './schedule-entry.ts'
import type { RunRecord } from './store/records.ts'
import type { NewRun, Store } from './store/store.ts'
import { type Due, datasetOrigin, originOf, roomForMissed, type Update } from './triggers.ts'

/** What schedules ask of the engine of their process. */
export interface EngineSide {
  readonly id: string
  create(run: Omit<NewRun, 'id'>): Promise<RunRecord>
  /** Cancels a run of any engine. */
  cancel(run: RunRecord): Promise<void> | void
}

/** What schedules tell whoever looks on. Instants are epoch milliseconds. */
export type ScheduleReport = { readonly pipeline: string; readonly at: number } & (
  | {
      readonly type: 'fired'
      readonly run: string
      readonly interval: Interval
      readonly missed: boolean
      /** The dataset whose update made it due. */
      readonly dataset: string | null
    }
  /** No run was made: the run before is active. */
  | { readonly type: 'skipped'; readonly interval: Interval; readonly active: string }
  /** The run before was cancelled to make room. */
  | { readonly type: 'cancelled'; readonly run: string; readonly interval: Interval }
  /** What was missed up to this instant has no runs. */
  | { readonly type: 'dropped'; readonly from: number; readonly through: number }
)

interface Parts {
  readonly store: Store
  readonly engine: EngineSide
  readonly clock: Clock
  readonly paramsOf: (pipeline: Pipeline) => Promise<JsonObject> | JsonObject
  readonly report: (report: ScheduleReport) => void
}

/** A run that is to be made. */
interface Wanted {
  readonly interval: Interval
  readonly trigger: 'schedule' | 'dataset'
  readonly origin: string
  readonly missed: boolean
  readonly dataset: string | null
  /** The last update that the run covers. */
  readonly through?: number
}

/** Makes scheduled runs and moves cursors. */
export class Firing {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Sees to an interval that is due. Gives the runs whose end it has to wait for; none when it was seen to. */
  async fire(entry: Entry, { interval, missed }: Due): Promise<readonly string[]> {
    const { overlap = 'queue', catchup = 'none' } = entry.schedule
    const origin = originOf(entry.name, interval)
    const wanted = { interval, trigger: 'schedule', origin, missed, dataset: null } as const
    if (missed && catchup === 'all') {
      const active = await this.#active(entry.name)
      if (active.length >= roomForMissed(overlap, entry.together)) return active.map(({ id }) => id)
      await this.#make(entry, wanted)
    } else if (overlap === 'queue') await this.#make(entry, wanted)
    else if (!(await this.#isMade(origin))) {
      const before = (await this.#active(entry.name)).filter((run) => run.interval.end < interval.end)
      await this.#overlapping(entry, wanted, before)
    }
    await this.#moveCursor(entry, interval.end)
    return []
  }

  /**
   * The same for a run that datasets ask for; while one is active, `queue` waits and covers all updates until then. The
   * cursor moves with the run, in one transaction: an update is either covered by it or still to come.
   */
  async fireByDatasets(entry: Entry, update: Update, through: number): Promise<readonly string[]> {
    const { overlap = 'queue' } = entry.schedule
    const origin = datasetOrigin(entry.name, update.seq)
    const interval = { start: update.at, end: update.at }
    const wanted = {
      interval,
      trigger: 'dataset',
      origin,
      missed: false,
      dataset: update.uri,
      through,
    } as const
    // Whoever made it has moved the cursor; but not before that was one transaction.
    if (await this.#isMade(origin)) {
      await this.#parts.store.moveCursors(entry.name, { datasetCursor: update.seq })
      return []
    }
    const before = await this.#active(entry.name)
    if (overlap === 'queue' && before.length >= entry.together) return before.map(({ id }) => id)
    if (overlap === 'queue') await this.#make(entry, wanted)
    else if (!(await this.#overlapping(entry, wanted, before)))
      await this.#parts.store.moveCursors(entry.name, { datasetCursor: through })
    return []
  }

  /** Instants up to this one have no runs. */
  async drop(entry: Entry, through: number): Promise<void> {
    const { cursor: from } = entry.course
    await this.#moveCursor(entry, through)
    if (from !== null) this.#report({ type: 'dropped', pipeline: entry.name, at: this.#now(), from, through })
  }

  /** Makes the run, or not, as `overlap` says; gives whether it did. */
  async #overlapping(entry: Entry, wanted: Wanted, before: readonly RunRecord[]): Promise<boolean> {
    const { interval } = wanted
    const [active] = before
    if (active !== undefined && entry.schedule.overlap === 'skip') {
      this.#report({ type: 'skipped', pipeline: entry.name, at: this.#now(), interval, active: active.id })
      return false
    }
    for (const run of before) {
      await this.#parts.engine.cancel(run)
      this.#report({ type: 'cancelled', pipeline: entry.name, at: this.#now(), run: run.id, interval })
    }
    await this.#make(entry, wanted)
    return true
  }

  async #make(entry: Entry, { missed, dataset, through, ...made }: Wanted): Promise<void> {
    const { store, engine, paramsOf } = this.#parts
    const pipeline = await store.pipeline(entry.version)
    if (pipeline === null) throw bug(`version ${entry.version} of ${entry.name} is not in the store`)
    const at = this.#now()
    const record = await engine.create({
      ...made,
      pipeline,
      folder: entry.folder,
      params: await paramsOf(pipeline),
      backfill: null,
      omit: [],
      ...(through !== undefined && { datasetCursor: through }),
      ...(made.trigger === 'dataset' || missed ? {} : { dueAt: made.interval.end }),
    })
    // Else another engine made it, or this one before it could move the cursor.
    if (record.owner !== engine.id || record.createdAt < at) return
    const { interval } = made
    const { id: run } = record
    this.#report({ type: 'fired', pipeline: entry.name, at, run, interval, missed, dataset })
  }

  /** Runs of the schedule that have not ended, by whatever engine. */
  async #active(pipeline: string): Promise<readonly RunRecord[]> {
    const runs = await this.#parts.store.runs({ pipeline, active: true })
    return runs.filter(({ trigger }) => trigger === 'schedule' || trigger === 'dataset')
  }

  async #isMade(origin: string): Promise<boolean> {
    return (await this.#parts.store.runs({ origin, limit: 1 })).length > 0
  }

  async #moveCursor(entry: Entry, cursor: number): Promise<void> {
    await this.#parts.store.moveCursors(entry.name, { cursor })
    entry.course = { ...entry.course, cursor }
  }

  #report(report: ScheduleReport): void {
    this.#parts.report(report)
  }

  #now(): number {
    return this.#parts.clock.now()
  }
}
