/** What a backfill is to do, given what the store knows of it and of other runs. Starts nothing. */

import { type PlannedInterval, planBackfill, type Reprocess, toBackfillRow } from '../engine/backfill-plan.ts'
import { toInstant } from '../engine/clock.ts'
import { intervalsIn } from '../engine/interval.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Interval, Pipeline, Schedule } from '../engine/pipeline.ts'
import { isEnded } from '../engine/state.ts'
import type { BackfillRecord, RunRecord, Store } from '../engine/store/store.ts'
import { timetableOf } from '../engine/timetable.ts'
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
  /** Indices of tasks that every run leaves out. */
  readonly omit: readonly number[]
}

/** How a backfill stands: its intervals in the order in which they run. */
export interface Standing {
  /** null while there is none: nothing was to be run, or it was only planned. */
  readonly id: string | null
  readonly rows: readonly PlannedInterval[]
  /** Tasks of all runs together. */
  readonly tasks: number
  /** null where nothing runs. */
  readonly state: BackfillRecord['state'] | null
  /** Runs that an earlier command made for this backfill. */
  readonly own: ReadonlySet<string>
}

/** The unfinished backfill that the same command began, else a new plan. */
export async function planOf(store: Store, order: BackfillOrder, now: number): Promise<Standing> {
  const { pipeline, schedule, from, to, mode, reverse } = order
  const unfinished = (await store.backfills({ pipeline: pipeline.name })).find(
    (one) => one.state === 'running' && isSame(one, order),
  )
  const intervals = [...intervalsIn(timetableOf(schedule), { from, to, now }).take(mostIntervals + 1)]
  if (intervals.length > mostIntervals)
    throw wrongOption(`the range holds more than ${grouped(mostIntervals)} intervals`, 'choose a shorter one')
  const runs = await store.runs({ pipeline: pipeline.name })
  const own = new Map<string, RunRecord>()
  for (const run of runs)
    if (unfinished !== undefined && run.backfill === unfinished.id) own.set(keyOf(run.interval), run)
  const others = runs.filter(({ backfill }) => backfill === null || backfill !== unfinished?.id)
  const planned = planBackfill({ intervals, runs: others, reprocess: mode, reverse })
  const rows = planned.map((row) => {
    const run = own.get(keyOf(row.interval))
    return run === undefined ? row : ownRow(run)
  })
  const wanted = rows.filter(({ action }) => action === 'run')
  return {
    id: unfinished?.id ?? null,
    rows,
    tasks: wanted.length * (pipeline.tasks.length - order.omit.length),
    state: wanted.length > 0 ? 'running' : null,
    own: new Set([...own.values()].map(({ id }) => id)),
  }
}

/** How the backfill stands by what its runs came to. */
export async function standingOf(store: Store, before: Standing): Promise<Standing> {
  const own = new Map<string, RunRecord>()
  for (const run of before.id === null ? [] : await store.runs({ backfill: before.id }))
    own.set(keyOf(run.interval), run)
  const rows = before.rows.map((row) => {
    const run = own.get(keyOf(row.interval))
    return run === undefined ? row : { ...row, run: run.id, state: run.state }
  })
  return { ...before, rows, state: before.id === null ? null : stateOf(rows) }
}

/** The JSON of `dagctl backfill`. */
export function documentOf({ id, rows, tasks }: Standing): object {
  return { id, intervals: rows.map(toBackfillRow), tasks }
}

/** Whether an unfinished backfill is what the order asks for. How many run at once may change between two commands. */
function isSame(one: BackfillRecord, order: BackfillOrder): boolean {
  const { from, to, mode, reverse, params } = order
  return (
    one.from === from &&
    one.to === to &&
    one.mode === mode &&
    one.reverse === reverse &&
    JSON.stringify(one.params) === JSON.stringify(params)
  )
}

function ownRow({ id, interval, state }: RunRecord): PlannedInterval {
  const reason = isEnded(state) ? 'this backfill ran it' : 'this backfill began it'
  return { interval, action: 'run', reason, run: id, state }
}

/** Failed where a run failed, else cancelled where one was; running while one has not ended, or is still to be made. */
function stateOf(rows: readonly PlannedInterval[]): BackfillRecord['state'] {
  const states = rows.filter(({ action }) => action === 'run').map(({ state }) => state)
  if (states.some((state) => state === null || !isEnded(state))) return 'running'
  if (states.includes('failed')) return 'failed'
  return states.includes('cancelled') ? 'cancelled' : 'succeeded'
}

/** An interval as a key. */
export function keyOf({ start, end }: Interval): string {
  return `${toInstant(start)}/${toInstant(end)}`
}
