/** What a backfill does with each interval, given the runs that exist. Pure; knows no store and starts nothing. */
import { isDeepStrictEqual } from 'node:util'
import { toInstant } from './clock.ts'
import { bug } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { Interval } from './pipeline.ts'
import { isEnded, type RunState } from './state.ts'

/**
 * Which intervals are run. missing: those without a succeeded, failed or active run. failed: those too whose newest
 * finished run failed. stale: those too whose newest finished run was made of something else than a run would be now.
 * all: every one without an active run.
 */
export const reprocessModes = ['missing', 'failed', 'stale', 'all'] as const
/** Which intervals of the range a backfill runs. */
export type Reprocess = (typeof reprocessModes)[number]

/** What a run is made of. */
export interface Makings {
  readonly version: string
  readonly params: JsonObject
  /** Digests of operators and the like; null where they are not known, and then they are not compared. */
  readonly provenance: JsonObject | null
}

/** A run of the pipeline, of any version and trigger, as far as the plan cares. */
export interface ExistingRun extends Makings {
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
  /** For `stale`: what a run would be made of now. */
  readonly current?: Makings
  /** For `stale`: what of the data that a run read changed since it began, by the run's id. */
  readonly changed?: ReadonlyMap<string, string>
}

/**
 * Decides for each interval, in the order in which they would run. A cancelled run counts as none. Takes time
 * proportional to intervals and runs.
 */
export function planBackfill(question: BackfillQuestion): PlannedInterval[] {
  const deciding = decidingRuns(question.runs)
  const planned = Array.from(question.intervals, (interval) =>
    decide(interval, deciding.get(intervalKey(interval)), question),
  )
  return question.reverse === true ? planned.reverse() : planned
}

/** The run of each interval that decides what becomes of it, by `intervalKey`. */
export function decidingRuns<Run extends Pick<ExistingRun, 'state' | 'interval' | 'createdAt'>>(
  runs: Iterable<Run>,
): Map<string, Run> {
  const deciding = new Map<string, Run>()
  for (const run of runs) {
    const known = deciding.get(intervalKey(run.interval))
    if (!known || outweighs(run, known)) deciding.set(intervalKey(run.interval), run)
  }
  return deciding
}

/** An interval as a key. */
export function intervalKey({ start, end }: Interval): string {
  return `${start}/${end}`
}

/** The row of an interval as `dagctl backfill --json` prints it. */
export function toBackfillRow({ interval, action, reason, run, state }: PlannedInterval): BackfillRow {
  return { start: toInstant(interval.start), end: toInstant(interval.end), action, reason, run, state }
}

function decide(
  interval: Interval,
  run: ExistingRun | undefined,
  question: BackfillQuestion,
): PlannedInterval {
  if (!run) return { interval, action: 'run', reason: 'no run yet', run: null, state: null }
  const known = { interval, run: run.id, state: run.state }
  if (run.state === 'cancelled') return { ...known, action: 'run', reason: 'its only runs were cancelled' }
  if (!isEnded(run.state)) return { ...known, action: 'skip', reason: `a run is ${run.state}` }
  const { reprocess } = question
  if (reprocess === 'all')
    return { ...known, action: 'run', reason: `its run ${run.state}; --reprocess all runs it again` }
  const stale = reprocess === 'stale' ? staleness(run, question) : null
  if (stale !== null) return { ...known, action: 'run', reason: stale }
  if (run.state === 'succeeded') {
    const reason =
      reprocess === 'stale' ? 'already succeeded, of the same version and inputs' : 'already succeeded'
    return { ...known, action: 'skip', reason }
  }
  if (reprocess === 'failed') return { ...known, action: 'run', reason: 'its run failed' }
  return { ...known, action: 'skip', reason: 'its run failed; --reprocess failed runs it again' }
}

/** Why a finished run is not what a run would be now; null where it is, as far as is known. */
function staleness(run: ExistingRun, { current, changed }: BackfillQuestion): string | null {
  if (current === undefined) throw bug('a plan of what is stale needs to know what a run would be made of')
  if (run.version !== current.version) return 'its run was of another version of the pipeline'
  const names = new Set([...Object.keys(run.params), ...Object.keys(current.params)])
  for (const name of names)
    if (!isDeepStrictEqual(run.params[name], current.params[name])) return `its run had another \`${name}\``
  const { operators: before } = run.provenance ?? {}
  const { operators: now } = current.provenance ?? {}
  if (before !== undefined && now !== undefined && !isDeepStrictEqual(before, now))
    return 'its run used other operators'
  const data = changed?.get(run.id)
  return data === undefined ? null : `${data} changed since its run began`
}

/** Whether `run` decides rather than `other`: active before finished before cancelled, then the newer one. */
function outweighs(
  run: Pick<ExistingRun, 'state' | 'createdAt'>,
  other: Pick<ExistingRun, 'state' | 'createdAt'>,
): boolean {
  const difference = weight(run.state) - weight(other.state)
  return difference === 0 ? run.createdAt >= other.createdAt : difference > 0
}

function weight(state: RunState): number {
  if (!isEnded(state)) return 2
  return state === 'cancelled' ? 0 : 1
}
