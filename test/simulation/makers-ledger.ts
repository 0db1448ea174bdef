/**
 * A store that is looked at while it is written: what must hold of runs as schedules, datasets and backfills make them, and
 * of the limits that they start under. Changes nothing of what passes through.
 */
import { intervalsFrom } from '../../engine/interval.ts'
import type { Interval } from '../../engine/pipeline.ts'
import { isEnded, type RunState } from '../../engine/state.ts'
import type { Batch, CommitResult } from '../../engine/store/batch.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { BackfillRecord, NewRun, ScheduledPipeline, Store } from '../../engine/store/store.ts'
import { timetableOf } from '../../engine/timetable.ts'
import { originOf } from '../../engine/triggers.ts'
import { beginning, type Scenario } from './makers-scenario.ts'
import { poolSize } from './random-pipeline.ts'

/** What the ledger is told of the world. */
export interface Surroundings {
  readonly scenario: Scenario
  /** Grows with each step of the world: within one step several writes may be under way. */
  step(): number
  /** Milliseconds of the world. */
  time(): number
  check(holds: boolean, message: string): void
}

/** Milliseconds by which a write may be late: slow stores answer within them. */
const latest = 16_000
/** Milliseconds within which the run of a dead or stalled engine is cancelled too. */
const cancelledWithin = 40_000

/** A run as it was made. */
interface Made {
  readonly run: NewRun
  /** The newest update of any dataset then. */
  readonly newest: number
  endedAt: number | null
}

/** Intervals of a schedule that end after `after`, until `through`. */
export function intervalsOf({ timed }: Scenario, after: number | null, through: number): readonly Interval[] {
  const from = timed.schedule.start ?? beginning
  const found: Interval[] = []
  for (const interval of intervalsFrom(timetableOf(timed.schedule), from)) {
    if (interval.end > through) break
    if (interval.end > (after ?? Number.NEGATIVE_INFINITY)) found.push(interval)
  }
  return found
}

/** What was written, and whether it may be. */
export class Ledger {
  readonly #store: Store
  readonly #around: Surroundings
  /** Every run, by its id. */
  readonly made = new Map<string, Made>()
  readonly ids: string[] = []
  /** Intervals that `overlap: skip` left out, by their ends, and when it last left an update out. */
  readonly skipped = new Set<number>()
  #passedOver = Number.NEGATIVE_INFINITY
  /** Since which step a backfill is paused, is cancelled, and has no run any more that could start. */
  readonly #paused = new Map<string, number>()
  readonly #cancelled = new Map<string, number>()
  readonly #over = new Map<string, number>()
  readonly seen = { pauses: 0, covered: 0, starts: 0, left: 0 }

  constructor(store: Store, around: Surroundings) {
    this.#store = store
    this.#around = around
  }

  /** The store as it is looked at. */
  watched(): Store {
    const own: Partial<Store> = {
      createRun: (run, engine, at) => this.#create(run, engine, at),
      moveCursors: (name, to) => this.#move(name, to),
      commit: (batch) => this.#commit(batch),
      moveBackfill: (id, from, state) => this.#moveBackfill(id, from, state),
    }
    return new Proxy(this.#store, {
      get: (store, name: keyof Store) => own[name] ?? store[name].bind(store),
    })
  }

  /** `overlap: skip` left an interval, or an update, out while this run was active. */
  leftOut(pipeline: string, { end }: Interval, active: string): void {
    const run = this.made.get(active)
    const step = this.#around.step()
    this.#check(
      run !== undefined && (run.endedAt === null || run.endedAt >= step),
      `${pipeline} was left out at ${end} while ${active} was not active`,
    )
    this.seen.left++
    if (pipeline === 'timed') this.skipped.add(end)
    else this.#passedOver = this.#around.time()
  }

  /** Somebody cancelled the backfill at `since`, and was told that it is done: its runs were not waited out. */
  async cancelled(id: string, since: number): Promise<void> {
    if (!this.#over.has(id)) this.#over.set(id, this.#around.step())
    if (this.#around.scenario.jumps) return
    for (const { id: run, state, endedAt } of await this.#store.runs({ backfill: id })) {
      const inTime = state === 'cancelled' || (endedAt ?? Number.POSITIVE_INFINITY) < since + cancelledWithin
      this.#check(inTime, `${run} ${state} at ${endedAt}, cancelled since ${since}`)
    }
  }

  async #create(run: NewRun, engine: string, at: number): Promise<RunRecord> {
    const { name } = run.pipeline
    const [newest, before] = await Promise.all([this.#store.newestDatasetUpdate(), this.#scheduled(name)])
    const record = await this.#store.createRun(run, engine, at)
    if (record.id !== run.id) return record
    for (const { run: other } of this.made.values()) {
      this.#check(other.origin === undefined || other.origin !== run.origin, `${run.origin} was made twice`)
      const twice =
        run.backfill !== null && other.backfill === run.backfill && other.interval.end === run.interval.end
      this.#check(!twice, `backfill ${run.backfill} made the run of ${run.interval.end} twice`)
    }
    this.#notSince(this.#cancelled, run.backfill, 'was made, of a cancelled backfill')
    this.made.set(run.id, { run, newest, endedAt: null })
    this.ids.push(run.id)
    const through = run.datasetCursor ?? newest
    this.#check(through <= newest, 'a run covers updates that were not there')
    if (run.trigger === 'dataset') await this.#checkDatasetRun(before, through)
    await this.#checkCursors(before)
    return record
  }

  /** A run of datasets was due by what came since the run before. */
  async #checkDatasetRun(before: ScheduledPipeline, through: number): Promise<void> {
    const { mode = 'any', uris = [] } = this.#around.scenario.fed.schedule.datasets ?? {}
    const updates = await this.#store.datasetUpdates(before.datasetCursor)
    const since = new Set(updates.filter(({ seq }) => seq <= through).map(({ uri }) => uri))
    const due = mode === 'any' ? since.size > 0 : uris.every((uri) => since.has(uri))
    // What `skip` passed over meanwhile, another engine may still have made a run of.
    const exact = this.#around.scenario.fed.schedule.overlap !== 'skip'
    this.#check(due || !exact, `a run was made of updates after ${before.datasetCursor}, which are not all`)
  }

  async #move(name: string, to: Parameters<Store['moveCursors']>[1]): Promise<void> {
    const before = await this.#scheduled(name)
    await this.#store.moveCursors(name, to)
    await this.#checkCursors(before)
  }

  /** What the cursors passed has runs, and they never go back. */
  async #checkCursors(before: ScheduledPipeline): Promise<void> {
    const { name } = before
    const after = await this.#scheduled(name)
    const ahead = (after.cursor ?? beginning) >= (before.cursor ?? beginning - 1e9)
    this.#check(ahead && after.datasetCursor >= before.datasetCursor, `a cursor of ${name} went back`)
    const { timed, fed } = this.#around.scenario
    if (name === 'timed' && timed.schedule.catchup === 'all' && after.cursor !== null)
      for (const interval of intervalsOf(this.#around.scenario, before.cursor, after.cursor))
        this.#check(this.#isSeenTo(interval), `the cursor passed ${interval.end}, which has no run`)
    if (name !== 'fed' || after.datasetCursor === before.datasetCursor) return
    const skips = fed.schedule.overlap === 'skip' && this.#passedOver >= this.#around.time() - latest
    const newest = Math.max(0, ...[...this.made.values()].filter(isOfDatasets).map((one) => one.newest))
    const passed = await this.#store.datasetUpdates(before.datasetCursor)
    for (const { seq } of passed.filter((one) => one.seq <= after.datasetCursor)) {
      this.seen.covered++
      this.#check(skips || newest >= seq, `the cursor passed update ${seq}, which no run covers`)
    }
  }

  /** Whether an interval has its run, or was rightly left out. */
  #isSeenTo(interval: Interval): boolean {
    return this.skipped.has(interval.end) || this.hasRun(interval)
  }

  /** Whether the scheduled run of an interval was made. */
  hasRun(interval: Interval): boolean {
    const origin = originOf('timed', interval)
    return [...this.made.values()].some(({ run }) => run.origin === origin)
  }

  async #commit(batch: Batch): Promise<CommitResult> {
    const result = await this.#store.commit(batch)
    for (const { run, state } of batch.runs) {
      const known = this.made.get(run)
      if (state === undefined || known === undefined || result.lost.includes(run)) continue
      known.endedAt = isEnded(state.to) ? this.#around.step() : null
    }
    for (const id of result.started) {
      const backfill = this.made.get(id)?.run.backfill ?? null
      this.#notSince(this.#paused, backfill, `of a paused backfill started: ${id}`)
      this.#notSince(this.#over, backfill, `of a cancelled backfill started: ${id}`)
    }
    if (result.started.length > 0) await this.#checkRuns(result.started)
    if (batch.claims.length > 0) await this.#checkSlots()
    return result
  }

  /** Limits of runs, over all engines. */
  async #checkRuns(started: readonly string[]): Promise<void> {
    this.seen.starts += started.length
    const running = (await this.#store.runs({ active: true })).filter(hasStarted)
    for (const { name, concurrency, schedule } of [this.#around.scenario.timed, this.#around.scenario.fed]) {
      const live = running.filter((run) => run.pipeline === name && run.backfill === null)
      const most = concurrency.runs ?? Number.POSITIVE_INFINITY
      this.#check(live.length <= most, `${live.length} runs of ${name} run, of ${most}`)
      const inTime = live.filter(({ trigger }) => trigger === 'schedule')
      const queued = schedule.overlap !== 'queue' || inTime.length <= (concurrency.runs ?? 1)
      this.#check(queued, `${inTime.length} scheduled runs of ${name} run at once`)
    }
    const backfills = new Set(started.map((id) => this.made.get(id)?.run.backfill ?? null))
    for (const id of backfills) {
      if (id === null) continue
      const [record] = await this.#store.backfills({ id })
      const its = running.filter(({ backfill }) => backfill === id).length
      const { maxActive } = record as BackfillRecord
      this.#check(its <= maxActive, `${its} runs of backfill ${id} run, of ${maxActive}`)
    }
  }

  /** The pool, and the share of it that backfills may take. */
  async #checkSlots(): Promise<void> {
    const held = (await this.#store.held()).filter(({ pool }) => pool === 'gpu')
    const filling = held.filter(({ backfill }) => backfill !== null).map(({ slots }) => slots)
    const sum = (slots: readonly number[]) => slots.reduce((total, one) => total + one, 0)
    const used = sum(held.map(({ slots }) => slots))
    this.#check(used <= poolSize, `${used} of ${poolSize} slots of the pool are held`)
    const share = Math.max(Math.ceil(poolSize / 2), ...filling)
    this.#check(sum(filling) <= share, `backfills hold ${sum(filling)} slots of the pool, of ${share}`)
  }

  async #moveBackfill(
    id: string,
    from: readonly BackfillRecord['state'][],
    state: BackfillRecord['state'],
  ): Promise<boolean> {
    const moved = await this.#store.moveBackfill(id, from, state)
    if (!moved) return false
    if (state !== 'paused') this.#paused.delete(id)
    else {
      this.#paused.set(id, this.#around.step())
      this.seen.pauses++
    }
    if (state === 'cancelled') this.#cancelled.set(id, this.#around.step())
    if (state === 'succeeded' || state === 'failed') await this.checkBackfill(id, state)
    return true
  }

  /** An ended backfill has one run for each of its intervals, and their states are its own. */
  async checkBackfill(id: string, state: BackfillRecord['state']): Promise<void> {
    const states = (await this.#store.runs({ backfill: id })).map((run): RunState => run.state)
    const { intervals } = this.#around.scenario
    this.#check(states.every(isEnded), `backfill ${id} is ${state}, and some of its runs have not ended`)
    if (state === 'cancelled') return
    this.#check(states.length === intervals, `backfill ${id} made ${states.length} runs of ${intervals}`)
    const told = states.includes('failed') ? 'failed' : 'succeeded'
    this.#check(state === told, `backfill ${id} is ${state}, its runs ${states.join()}`)
  }

  #notSince(steps: ReadonlyMap<string, number>, backfill: string | null, what: string): void {
    const since = backfill === null ? undefined : steps.get(backfill)
    // Within the step itself it may have been asked before.
    this.#check(since === undefined || since >= this.#around.step(), `a run ${what}`)
  }

  async #scheduled(name: string): Promise<ScheduledPipeline> {
    return (await this.#store.scheduledPipelines(name))[0] as ScheduledPipeline
  }

  #check(holds: boolean, message: string): void {
    this.#around.check(holds, message)
  }
}

function isOfDatasets({ run }: Made): boolean {
  return run.trigger === 'dataset'
}

/** Whether a run counts in limits. */
function hasStarted({ state, startedAt }: RunRecord): boolean {
  return state === 'running' || (state === 'paused' && startedAt !== null)
}
