/**
 * Looks after schedules: one alarm for all pipelines, one look at the datasets for all. When a run is due, making it is
 * firing.ts. Knows nothing of files; compiled pipelines stay in the store until they are fired.
 */
import { Alarm } from './alarm.ts'
import type { Clock, Timer } from './clock.ts'
import { DatasetWatch } from './dataset-watch.ts'
import { type EngineSide, Firing, type ScheduleReport } from './firing.ts'
import { hasTimes } from './interval.ts'
import type { JsonObject } from './json.ts'
import type { Pipeline } from './pipeline.ts'
import type { Report } from './report.ts'
import { changed, type Entry, newEntry } from './schedule-entry.ts'
import { isEnded } from './state.ts'
import type { ScheduledPipeline, Store } from './store/store.ts'
import { nextDue } from './triggers.ts'

/** Milliseconds between two looks at the clock and at what other processes did. */
const heartbeat = 3000
/** Heartbeats that may be left out, by a slow disk or a busy machine, before what fell due meanwhile counts as missed. */
const patience = 20

/** What schedules work with; everything from outside comes in here. */
export interface ScheduleParts {
  readonly store: Store
  readonly engine: EngineSide
  readonly clock: Clock
  /** The parameters of a scheduled run. */
  readonly paramsOf: (pipeline: Pipeline) => Promise<JsonObject> | JsonObject
  /** Told after it is durable. */
  readonly report: (report: ScheduleReport) => void
  /** The store failed, or we have a bug: nothing goes on. */
  readonly fatal: (error: unknown) => void
  /** Instead of the usual 3 s, milliseconds. */
  readonly heartbeat?: number
}

/** The schedules of the pipelines that are entered. */
export class Schedules {
  readonly #parts: ScheduleParts
  readonly #alarm: Alarm
  readonly #firing: Firing
  readonly #datasets: DatasetWatch
  readonly #entries = new Map<string, Entry>()
  readonly #waiting = new Map<string, Set<Entry>>()
  readonly #heartbeat: number
  #beat: Timer | null = null
  /** When the clock was last looked at, and since when that went without a break. */
  #lookedAt: number
  #since: number
  #stopped = false

  constructor(parts: ScheduleParts) {
    this.#parts = parts
    this.#heartbeat = parts.heartbeat ?? heartbeat
    this.#alarm = new Alarm(parts.clock)
    this.#firing = new Firing(parts)
    this.#datasets = new DatasetWatch(parts.store, (entry) => this.#queue(entry, () => this.#look(entry)))
    this.#lookedAt = parts.clock.now()
    this.#since = this.#lookedAt
  }

  /** Begins to look. */
  start(): void {
    const { clock } = this.#parts
    this.#time()
    this.#beat = clock.at(clock.now() + this.#heartbeat, () => this.#onBeat())
  }

  /** Fires nothing any more; resolves when what was begun is done. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#beat?.cancel()
    this.#alarm.clear()
    await Promise.all([...this.#entries.values()].map(({ work }) => work))
  }

  /** How many pipelines have a schedule. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Takes up a pipeline as the store has it, or its new version: runs from now on are made of it. What its old version
   * had due by now is still made of that.
   */
  async enter(pipeline: Pipeline, stored: ScheduledPipeline): Promise<void> {
    const { schedule } = pipeline
    if (schedule === null) return this.leave(pipeline.name)
    const known = this.#entries.get(pipeline.name)
    if (known === undefined) {
      const entry = newEntry(pipeline, schedule, stored, this.#time())
      this.#entries.set(entry.name, entry)
      await this.#datasets.enter(entry, stored.datasetCursor)
      await this.#queue(entry, () => this.#look(entry))
      return
    }
    await this.#queue(known, async () => {
      await this.#look(known)
      if (!changed(known, pipeline, schedule, stored)) return
      // Instants of the new timetable before now were nobody's.
      known.course = { ...known.course, since: this.#time() }
      await this.#datasets.enter(known, stored.datasetCursor)
      await this.#look(known)
    })
  }

  /** Lets go of a pipeline; its runs go on. */
  async leave(name: string): Promise<void> {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    entry.gone = true
    entry.timer?.cancel()
    this.#datasets.leave(entry)
    this.#waitFor(entry, [])
    await entry.work
  }

  /** Hears what the engine of this process reports: the ends of runs, and tasks that may have updated datasets. */
  hear(report: Report): void {
    if (report.type === 'task' && report.event === 'succeed' && this.#datasets.size > 0)
      this.#lookAtDatasets()
    if (report.type !== 'run' || !isEnded(report.state)) return
    for (const entry of this.#waiting.get(report.run) ?? []) this.#queue(entry, () => this.#look(entry))
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#datasets.looked
    await Promise.all([...this.#entries.values()].map(({ work }) => work))
  }

  #onBeat(): void {
    if (this.#stopped) return
    const { clock } = this.#parts
    this.#time()
    this.#alarm.look()
    for (const entry of new Set([...this.#waiting.values()].flatMap((some) => [...some])))
      this.#queue(entry, () => this.#look(entry))
    this.#lookAtDatasets()
    this.#beat = clock.at(clock.now() + this.#heartbeat, () => this.#onBeat())
  }

  /** The time. Where the clock went on for long without a look, what fell due meanwhile was missed. */
  #time(): number {
    const now = this.#parts.clock.now()
    if (now - this.#lookedAt > patience * this.#heartbeat) this.#since = now
    this.#lookedAt = now
    return now
  }

  /** Does what is due for a pipeline, and waits for what comes next. */
  async #look(entry: Entry): Promise<void> {
    entry.timer?.cancel()
    entry.timer = null
    this.#waitFor(entry, [])
    if (!hasTimes(entry.schedule)) return this.#lookAtUpdates(entry)
    while (!this.#stopped && !entry.gone) {
      const now = this.#time()
      const since = Math.max(entry.course.since, this.#since)
      const due = nextDue(entry.schedule, entry.timetable, { ...entry.course, since })
      if (due === null) return
      const { start, end } = due.interval
      if (start <= now && start > (entry.course.cursor ?? Number.NEGATIVE_INFINITY))
        await this.#firing.drop(entry, start)
      if (end > now) {
        entry.timer = this.#alarm.at(end, () => this.#queue(entry, () => this.#look(entry)))
        return
      }
      const holders = await this.#firing.fire(entry, due)
      if (holders.length > 0) return this.#waitFor(entry, holders)
    }
  }

  async #lookAtUpdates(entry: Entry): Promise<void> {
    while (!this.#stopped && !entry.gone) {
      const due = await this.#datasets.due(entry)
      if (due === null) return
      const holders = await this.#firing.fireByDatasets(entry, due.update, due.through)
      if (holders.length > 0) return this.#waitFor(entry, holders)
    }
  }

  #lookAtDatasets(): void {
    if (this.#stopped || this.#datasets.size === 0) return
    this.#datasets.look().catch((error) => this.#fail(error))
  }

  #waitFor(entry: Entry, runs: readonly string[]): void {
    for (const run of entry.waitsFor) {
      const entries = this.#waiting.get(run)
      entries?.delete(entry)
      if (entries?.size === 0) this.#waiting.delete(run)
    }
    entry.waitsFor = new Set(runs)
    for (const run of runs) this.#waiting.set(run, (this.#waiting.get(run) ?? new Set()).add(entry))
  }

  #queue(entry: Entry, work: () => Promise<void>): Promise<void> {
    entry.work = entry.work.then(async () => {
      if (this.#stopped || entry.gone) return
      try {
        await work()
      } catch (error) {
        this.#fail(error)
      }
    })
    return entry.work
  }

  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#beat?.cancel()
    this.#alarm.clear()
    this.#parts.fatal(error)
  }
}
