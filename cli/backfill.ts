/** What a backfill is to do, given what the store knows of it and of other runs. Starts nothing. */

import {
  type BackfillRow,
  decidingRuns,
  intervalKey,
  type Makings,
  type PlannedInterval,
  planBackfill,
  type Reprocess,
  toBackfillRow,
} from '../engine/backfill-plan.ts'
import { DagctlError } from '../engine/errors.ts'
import { intervalsIn } from '../engine/interval.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Interval, Pipeline, Schedule } from '../engine/pipeline.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { BackfillRecord, Store } from '../engine/store/store.ts'
import { timetableOf } from '../engine/timetable.ts'
import { deployTasks } from './backfill-omitted.ts'
import { grouped } from './print.ts'
import { wrongOption } from './settings.ts'

/** Intervals of one backfill; what asks for more is a slip of the keyboard. */
const mostIntervals = 1_000_000

/** A backfill as a person asks for it. Instants are epoch milliseconds. */
export interface BackfillOrder {
  readonly pipeline: Pipeline
  /** Absolute: the pipeline file's. */
  readonly folder: string
  readonly schedule: Schedule
  readonly from: number
  readonly to: number
  readonly mode: Reprocess
  readonly maxActive: number
  readonly reverse: boolean
  readonly params: JsonObject
  /** Whether tasks that deploy run too; every run leaves them out otherwise. */
  readonly includeDeploy: boolean
}

/** How a backfill stands: its intervals in the order in which they run. */
export interface Standing {
  /** null while there is none: nothing was to be run, or it was only planned. */
  readonly id: string | null
  readonly rows: readonly PlannedInterval[]
  /** Tasks of all runs together that had not ended when it was planned. */
  readonly tasks: number
  /** null where nothing runs. */
  readonly state: BackfillRecord['state'] | null
  /** Runs that were made for this backfill. */
  readonly own: ReadonlySet<string>
}

/** Whether a backfill may still make runs. */
export function isUnfinished({ state }: Pick<BackfillRecord, 'state'>): boolean {
  return state === 'running' || state === 'paused'
}

/** The unfinished backfill that asks for the same. Throws E231 where the pipeline has changed since it began. */
export async function unfinishedOf(store: Store, order: BackfillOrder): Promise<BackfillRecord | null> {
  const { name, version } = order.pipeline
  const same = (await store.backfills({ pipeline: name })).find(
    (one) => isUnfinished(one) && isSame(one, order),
  )
  if (same === undefined) return null
  if (same.version !== version) {
    throw new DagctlError(
      'E231',
      `backfill ${same.id} of ${name} is ${same.state}, of another version of it`,
      {
        kind: 'usage',
        hint: `finish it as it began with \`dagctl backfills resume ${same.id}\`, or first \`dagctl backfills cancel ${same.id}\``,
      },
    )
  }
  return same
}

/** The unfinished backfill that the same command began, as it stands; else a new plan. */
export async function planOf(store: Store, order: BackfillOrder, now: number): Promise<Standing> {
  const unfinished = await unfinishedOf(store, order)
  // What it covers was settled when it began.
  const intervals = intervalsOf(order, unfinished?.createdAt ?? now)
  const runs = await store.runs({ pipeline: order.pipeline.name })
  const own = new Map<string, RunRecord>()
  for (const run of runs)
    if (unfinished !== null && run.backfill === unfinished.id) own.set(intervalKey(run.interval), run)
  const others = runs.filter(({ backfill }) => backfill === null || backfill !== unfinished?.id)
  const rows = (await planned(store, order, { intervals, runs: others })).map((row) => {
    const run = own.get(intervalKey(row.interval))
    return run === undefined ? row : ownRow(run)
  })
  const omitted = order.includeDeploy ? 0 : deployTasks(order.pipeline).length
  const ours = idsOf(own)
  const toEnd = rows.filter((row) => isToEnd(row, ours)).length
  return {
    id: unfinished?.id ?? null,
    rows,
    tasks: toEnd * (order.pipeline.tasks.length - omitted),
    state: unfinished?.state ?? (toEnd > 0 ? 'running' : null),
    own: ours,
  }
}

/** Whether an interval is still to be run, or to be run to its end. @param own the runs of this backfill */
export function isToEnd({ action, run, state }: PlannedInterval, own: ReadonlySet<string>): boolean {
  const hasEnded = run !== null && own.has(run) && state !== null && isEnded(state)
  return action === 'run' && !hasEnded
}

/** How the backfill stands by what its runs came to. */
export async function standingOf(store: Store, before: Standing): Promise<Standing> {
  const own = new Map<string, RunRecord>()
  for (const run of before.id === null ? [] : await store.runs({ backfill: before.id }))
    own.set(intervalKey(run.interval), run)
  const rows = before.rows.map((row) => {
    const run = own.get(intervalKey(row.interval))
    return run === undefined ? row : { ...row, run: run.id, state: run.state }
  })
  const ours = idsOf(own)
  return { ...before, rows, own: ours, state: before.id === null ? null : stateOf(rows, ours) }
}

function idsOf(runs: ReadonlyMap<string, RunRecord>): ReadonlySet<string> {
  return new Set([...runs.values()].map(({ id }) => id))
}

/** The JSON of `dagctl backfill`. */
export function documentOf({ id, rows, tasks }: Standing): {
  readonly id: string | null
  readonly intervals: readonly BackfillRow[]
  readonly tasks: number
} {
  return { id, intervals: rows.map(toBackfillRow), tasks }
}

function intervalsOf({ schedule, from, to }: BackfillOrder, now: number): Interval[] {
  const intervals = [...intervalsIn(timetableOf(schedule), { from, to, now }).take(mostIntervals + 1)]
  if (intervals.length > mostIntervals)
    throw wrongOption(`the range holds more than ${grouped(mostIntervals)} intervals`, 'choose a shorter one')
  return intervals
}

async function planned(
  store: Store,
  order: BackfillOrder,
  given: { readonly intervals: readonly Interval[]; readonly runs: readonly RunRecord[] },
): Promise<readonly PlannedInterval[]> {
  const question = { ...given, reprocess: order.mode, reverse: order.reverse }
  if (order.mode !== 'stale') return planBackfill(question)
  const deciding = decidingRuns(given.runs)
  const finished = given.intervals.flatMap((interval) => {
    const run = deciding.get(intervalKey(interval))
    return run?.state === 'succeeded' || run?.state === 'failed' ? [run] : []
  })
  const { changedData } = await import('./backfill-sources.ts')
  const changed = await changedData(store, order, finished)
  return planBackfill({ ...question, current: currentMakings(order), changed })
}

/** What a run would be made of now. */
function currentMakings({ pipeline, params }: BackfillOrder): Makings {
  return { version: pipeline.version, params, provenance: null }
}

/** Whether an unfinished backfill is what the order asks for. How many run at once may change between two commands. */
function isSame(one: BackfillRecord, order: BackfillOrder): boolean {
  const { from, to, mode, reverse, params, includeDeploy } = order
  return (
    one.from === from &&
    one.to === to &&
    one.mode === mode &&
    one.reverse === reverse &&
    one.includeDeploy === includeDeploy &&
    JSON.stringify(one.params) === JSON.stringify(params)
  )
}

function ownRow({ id, interval, state }: RunRecord): PlannedInterval {
  const reason = isEnded(state) ? 'this backfill ran it' : 'this backfill began it'
  return { interval, action: 'run', reason, run: id, state }
}

/** Failed where a run failed, else cancelled where one was; running while one has not ended, or is still to be made. */
function stateOf(rows: readonly PlannedInterval[], own: ReadonlySet<string>): BackfillRecord['state'] {
  if (rows.some((row) => isToEnd(row, own))) return 'running'
  const states = rows.filter(({ action }) => action === 'run').map(({ state }) => state)
  if (states.includes('failed')) return 'failed'
  return states.includes('cancelled') ? 'cancelled' : 'succeeded'
}
