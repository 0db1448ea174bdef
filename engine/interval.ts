/**
 * The intervals of a schedule: which one a run covers, which are in a range, which comes next. Pure; the time now is an
 * argument. Knows nothing of stores and runs.
 */
import type { Catchup, Interval, Schedule } from './pipeline.ts'
import { type Timetable, timetableOf, unboundedTimetableOf } from './timetable.ts'

/** Whether runs are due at instants; else they are when datasets were updated, and have no intervals. */
export function hasTimes({ cron, every }: Schedule): boolean {
  return cron.length > 0 || every !== null
}

/** The interval that ends at this instant of the timetable, or null when none does. */
export function intervalEndingAt(timetable: Timetable, end: number): Interval | null {
  if (timetable.previous(end) !== end) return null
  const start = timetable.previous(end - 1)
  return start === null ? null : { start, end }
}

/** The last interval that ended at or before `at`, or null when none did. */
function lastEndedInterval(timetable: Timetable, at: number): Interval | null {
  const end = timetable.previous(at)
  return end === null ? null : intervalEndingAt(timetable, end)
}

/**
 * The interval of a manual run at `at`. Without a schedule, or with one of datasets, start = end = `at`. A run always has
 * an interval: before the first interval has ended it is the one that would have, had the schedule no start; a cron that
 * never fires gives start = end.
 */
export function manualInterval(schedule: Schedule | null, at: number): Interval {
  if (schedule === null || !hasTimes(schedule)) return { start: at, end: at }
  return (
    lastEndedInterval(timetableOf(schedule), at) ??
    lastEndedInterval(unboundedTimetableOf(schedule), at) ?? { start: at, end: at }
  )
}

/** The interval in which an instant lies, had the schedule no start and no end; null where there is none. */
export function intervalAround(schedule: Schedule | null, at: number): Interval | null {
  if (schedule === null || !hasTimes(schedule)) return null
  const timetable = unboundedTimetableOf(schedule)
  const start = timetable.previous(at)
  const end = timetable.next(at)
  return start === null || end === null ? null : { start, end }
}

/** Intervals one after the other, from the one that begins at the first instant at or after `from`. Endless without an end of the schedule. */
export function* intervalsFrom(timetable: Timetable, from: number): Generator<Interval> {
  let start = timetable.next(from - 1)
  while (start !== null) {
    const end = timetable.next(start)
    if (end === null) return
    yield { start, end }
    start = end
  }
}

/** What a backfill covers: intervals with `from <= start < to` that have ended by `now`, oldest first, made as they are asked for. */
export function* intervalsIn(
  timetable: Timetable,
  { from, to, now }: { readonly from: number; readonly to: number; readonly now: number },
): Generator<Interval> {
  for (const interval of intervalsFrom(timetable, from)) {
    if (interval.start >= to || interval.end > now) return
    yield interval
  }
}

/** The next intervals to fall due: those that end after `after` (exclusive), soonest first. */
export function* intervalsDueAfter(timetable: Timetable, after: number): Generator<Interval> {
  const start = timetable.previous(after)
  yield* intervalsFrom(timetable, start ?? after)
}

/** What `nextInterval` needs to know besides the timetable. Instants are epoch milliseconds. */
export interface Progress {
  readonly catchup: Catchup
  /** Every instant up to this one was scheduled or dropped, by any version of the pipeline; null before the first. */
  readonly cursor: number | null
  /** `schedule.start`, else when the pipeline was first seen: how far back `all` goes while there is no cursor. */
  readonly earliest: number
  /** Since when an engine has been scheduling without a break; what fell due by then was missed. */
  readonly since: number
}

/**
 * The interval that the next scheduled run covers, or null when the schedule is over. It is due at its end, which may
 * lie ahead; ask again with its end as the cursor once its run is made.
 *
 * After a change of the schedule it begins at the last instant of the new timetable at or before the cursor, so it may
 * overlap what the old version covered last (as in Airflow's CronDataIntervalTimetable).
 */
export function nextInterval(timetable: Timetable, progress: Progress): Interval | null {
  const { cursor } = progress
  const resumed = cursor === null ? null : alignedStart(timetable, cursor)
  const start = later(resumed, firstWanted(timetable, progress))
  if (start === null) return null
  const end = timetable.next(start)
  return end === null ? null : { start, end }
}

/** Where the interval begins in which the instant lies; before the first instant that one. */
function alignedStart(timetable: Timetable, at: number): number | null {
  return timetable.previous(at) ?? timetable.next(at)
}

/** Where the catch-up rule alone would begin. */
function firstWanted(timetable: Timetable, { catchup, cursor, earliest, since }: Progress): number | null {
  switch (catchup) {
    case 'none':
      return alignedStart(timetable, since)
    case 'latest':
      return lastEndedInterval(timetable, since)?.start ?? alignedStart(timetable, since)
    case 'all':
      return cursor === null ? alignedStart(timetable, earliest) : null
  }
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}
