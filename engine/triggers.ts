/** What makes scheduled runs: which interval is due, which missed ones wait, when datasets are complete. Pure. */
import { toInstant } from './clock.ts'
import { nextInterval } from './interval.ts'
import type { Interval, Overlap, Schedule } from './pipeline.ts'
import type { Timetable } from './timetable.ts'

/** How far the schedule of one pipeline has come. Instants are epoch milliseconds. */
export interface Course {
  readonly firstSeenAt: number
  /** Every instant up to this one was scheduled or dropped; null before the first look. */
  readonly cursor: number | null
  /** Since when its schedule has been looked after without a break. */
  readonly since: number
}

/** An interval that is to have a run. */
export interface Due {
  readonly interval: Interval
  /** It fell due while nobody scheduled it: its deadline counts from when its run is made. */
  readonly missed: boolean
}

/** The interval that the next scheduled run covers, due at its end, which may lie ahead; null when the schedule is over. */
export function nextDue(schedule: Schedule, timetable: Timetable, course: Course): Due | null {
  const { firstSeenAt, cursor, since } = course
  const { catchup = 'none', start } = schedule
  const interval = nextInterval(timetable, { catchup, cursor, earliest: start ?? firstSeenAt, since })
  return interval && { interval, missed: interval.end <= since }
}

/** Runs that are made before there is room for them, where many intervals were missed. */
const ahead = 8

/**
 * How many scheduled runs may be active before another is made for a missed interval. Missed intervals wait for each
 * other whatever `overlap` says: it is about runs that come in their time, and would undo `catchup: all`.
 * @param together scheduled runs of the pipeline that may run at once
 */
export function roomForMissed(overlap: Overlap, together: number): number {
  return overlap === 'queue' ? together + ahead : 1
}

/** What a run of an interval is made for, once, by whichever engine. */
export function originOf(pipeline: string, { end }: Interval): string {
  return `schedule:${pipeline}:${toInstant(end)}`
}

/** What a run of datasets is made for, once. @param seq the update that made it due */
export function datasetOrigin(pipeline: string, seq: number): string {
  return `datasets:${pipeline}:${seq}`
}

/** An update of a dataset, as far as schedules care. */
export interface Update {
  readonly seq: number
  readonly uri: string
  readonly at: number
}

/** The updates of its datasets that a pipeline has made no run of yet: the first of each. */
export interface Pending {
  readonly first: ReadonlyMap<string, Update>
  /** The newest update that was looked at. */
  readonly through: number
}

/** Nothing pending. */
export function nothingPending(cursor: number): Pending {
  return { first: new Map(), through: cursor }
}

/** Takes in updates, oldest first; those of other datasets, and those outside the schedule's start and end, pass by. */
export function withUpdates(
  { datasets, start, end }: Schedule,
  pending: Pending,
  updates: readonly Update[],
): Pending {
  const first = new Map(pending.first)
  let { through } = pending
  for (const update of updates) {
    if (update.seq <= through) continue
    through = update.seq
    const { uri, at } = update
    const meant = datasets?.uris.includes(uri) === true && at >= (start ?? at) && at <= (end ?? at)
    if (meant && !first.has(uri)) first.set(uri, update)
  }
  return { first, through }
}

/**
 * The update by which a run is due, or null. It follows from the updates since the cursor alone, not from when they are
 * looked at, so that engines that look at different times name the same one.
 */
export function dueBy({ datasets }: Schedule, { first }: Pending): Update | null {
  if (datasets === undefined || first.size === 0) return null
  const updates = [...first.values()]
  if (datasets.mode === 'any') return updates.reduce((a, b) => (b.seq < a.seq ? b : a))
  if (new Set(datasets.uris).size > first.size) return null
  return updates.reduce((a, b) => (b.seq > a.seq ? b : a))
}
