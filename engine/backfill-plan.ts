/** What a backfill does with each interval, given the runs that exist. Pure; knows no store and starts nothing. */
import { toInstant } from './clock.ts'
import type { Interval } from './pipeline.ts'
import { isEnded, type RunState } from './state.ts'

/**
 * Which intervals are run. missing: those without a succeeded, failed or active run. failed: those too whose newest
 * finished run failed. all: every one without an active run.
 */
export type Reprocess = 'missing' | 'failed' | 'all'

/** A run of the pipeline, of any version and trigger, as far as the plan cares. */
export interface ExistingRun {
  readonly id: string
  readonly state: RunState
  readonly interval: Interval
  /** Epoch milliseconds; of the runs of one interval the newest counts. */
  readonly createdAt: number
}

/** One interval of a backfill. `run` and `state` are the run that decided, or null when there is none. */
export interface PlannedInterval {
  readonly interval: Interval
  readonly action: 'run' | 'skip'
  readonly reason: string
  readonly run: string | null
  readonly state: RunState | null
}

/** A row of `intervals` in the JSON of `dagctl backfill`; times are RFC 3339. */
export interface BackfillRow {
  readonly start: string
  readonly end: string
  readonly action: 'run' | 'skip'
  readonly reason: string
  readonly run: string | null
  readonly state: RunState | null
}

/** What to plan: the intervals, oldest first, and the runs that exist for any of them, in any order. */
export interface BackfillQuestion {
  readonly intervals: Iterable<Interval>
  readonly runs: Iterable<ExistingRun>
  readonly reprocess: Reprocess
  /** Newest interval first. */
  readonly reverse?: boolean
}

/**
 * Decides for each interval, in the order in which they would run. A cancelled run counts as none. Takes time
 * proportional to intervals and runs.
 */
export function planBackfill({
  intervals,
  runs,
  reprocess,
  reverse = false,
}: BackfillQuestion): PlannedInterval[] {
  const deciding = new Map<string, ExistingRun>()
  for (const run of runs) {
    const known = deciding.get(keyOf(run.interval))
    if (!known || outweighs(run, known)) deciding.set(keyOf(run.interval), run)
  }
  const planned = Array.from(intervals, (interval) =>
    decide(interval, deciding.get(keyOf(interval)), reprocess),
  )
  return reverse ? planned.reverse() : planned
}

/** The row of an interval as `dagctl backfill --json` prints it. */
export function toBackfillRow({ interval, action, reason, run, state }: PlannedInterval): BackfillRow {
  return { start: toInstant(interval.start), end: toInstant(interval.end), action, reason, run, state }
}

function decide(interval: Interval, run: ExistingRun | undefined, reprocess: Reprocess): PlannedInterval {
  if (!run) return { interval, action: 'run', reason: 'no run yet', run: null, state: null }
  const known = { interval, run: run.id, state: run.state }
  if (run.state === 'cancelled') return { ...known, action: 'run', reason: 'its only runs were cancelled' }
  if (!isEnded(run.state)) return { ...known, action: 'skip', reason: `a run is ${run.state}` }
  if (reprocess === 'all')
    return { ...known, action: 'run', reason: `its run ${run.state}; --reprocess all runs it again` }
  if (run.state === 'succeeded') return { ...known, action: 'skip', reason: 'already succeeded' }
  if (reprocess === 'failed') return { ...known, action: 'run', reason: 'its run failed' }
  return { ...known, action: 'skip', reason: 'its run failed; --reprocess failed runs it again' }
}

/** Whether `run` decides rather than `other`: active before finished before cancelled, then the newer one. */
function outweighs(run: ExistingRun, other: ExistingRun): boolean {
  const difference = weight(run.state) - weight(other.state)
  return difference === 0 ? run.createdAt >= other.createdAt : difference > 0
}

function weight(state: RunState): number {
  if (!isEnded(state)) return 2
  return state === 'cancelled' ? 0 : 1
}

function keyOf({ start, end }: Interval): string {
  return `${start}/${end}`
}
