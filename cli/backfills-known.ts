/** Backfills that the store knows: as they were ordered, how they stand, their rows for people and programs. */
import { intervalKey } from '../engine/backfill-plan.ts'
import { bug, DagctlError } from '../engine/errors.ts'
import { runStates } from '../engine/state.ts'
import type { BackfillRecord, Store } from '../engine/store/store.ts'
import { type BackfillOrder, isUnfinished, planOf, type Standing } from './backfill.ts'
import { scheduleOf } from './commands/next.ts'
import { instantOf } from './print.ts'

/** The backfill of this id. Throws E230. */
export async function knownBackfill(store: Store, id: string): Promise<BackfillRecord> {
  const [record] = await store.backfills({ id })
  if (record !== undefined) return record
  throw new DagctlError('E230', `there is no backfill ${id}`, {
    kind: 'usage',
    hint: 'see `dagctl backfills list`',
  })
}

/** What was ordered when it began: the same pipeline, in the version that it had then. */
export async function orderOfBackfill(store: Store, record: BackfillRecord): Promise<BackfillOrder> {
  const pipeline = await store.pipeline(record.version)
  if (pipeline === null) throw bug(`version ${record.version} of backfill ${record.id} is not in the store`)
  const { folder, from, to, mode, maxActive, reverse, params, includeDeploy } = record
  const schedule = scheduleOf(pipeline)
  return { pipeline, folder, schedule, from, to, mode, maxActive, reverse, params, includeDeploy }
}

/** Its intervals as they stand: while it is unfinished those to come too, afterwards those that it ran. */
export async function standingOfBackfill(
  store: Store,
  record: BackfillRecord,
  now: number,
): Promise<Standing> {
  if (isUnfinished(record)) {
    const plan = await planOf(store, await orderOfBackfill(store, record), now)
    return { ...plan, state: record.state }
  }
  const runs = await store.runs({ backfill: record.id })
  const rows = new Map(
    runs.map(({ id, interval, state }) => [
      intervalKey(interval),
      { interval, action: 'run', reason: 'this backfill ran it', run: id, state } as const,
    ]),
  )
  const direction = record.reverse ? -1 : 1
  const sorted = [...rows.values()].sort((a, b) => direction * (a.interval.start - b.interval.start))
  return {
    id: record.id,
    rows: sorted,
    tasks: 0,
    state: record.state,
    own: new Set(runs.map(({ id }) => id)),
  }
}

/** Runs by their state, and those that are still to be made. */
export type Counts = { readonly [state in (typeof runStates)[number] | 'toRun']: number }

/** How many runs of a backfill are in each state. */
export function countsOf({ rows, own }: Standing): Counts {
  const states = rows.flatMap(({ run, state }) => (run !== null && own.has(run) ? [state] : []))
  const counts = runStates.map((state) => [state, states.filter((one) => one === state).length])
  const toRun = rows.filter(({ action, run }) => action === 'run' && (run === null || !own.has(run))).length
  return { ...Object.fromEntries(counts), toRun }
}

/** A row of `backfills` in JSON. */
export function backfillRow(record: BackfillRecord, standing: Standing): object {
  const { id, pipeline, from, to, mode, state, maxActive, createdAt } = record
  return {
    id,
    pipeline,
    from: instantOf(from),
    to: instantOf(to),
    mode,
    state,
    maxActive,
    createdAt: instantOf(createdAt),
    counts: countsOf(standing),
  }
}
