/** When a schedule is due: its instants, forwards and backwards. Pure; knows nothing of runs, intervals or the time now. */
import { type Cron, parseExpression } from './cron.ts'
import type { Schedule } from './pipeline.ts'
import { WallTimes } from './wall-times.ts'
import { type Change, findZone, longestShift, type Zone } from './zone.ts'

/** Instants in ascending order, epoch milliseconds; null where there is none. */
export interface Timetable {
  /** The first instant strictly after. */
  next(after: number): number | null
  /** The last instant at or before. */
  previous(atOrBefore: number): number | null
}

/**
 * Checks a cron expression and its zone, and returns the expression parsed.
 * Throws E150 (expression: the field, the value, what is allowed) or E151 (zone), both of kind `invalid`.
 */
export function parseCron(expression: string, timezone: string): Cron {
  findZone(timezone)
  return parseExpression(expression)
}

/** The boundaries between intervals: the schedule's instants from its `start` to its `end`, both inclusive. */
export function timetableOf(schedule: Schedule): Timetable {
  return bounded(unboundedTimetableOf(schedule), schedule.start, schedule.end)
}

/** The same instants, also before the schedule's start and after its end. */
export function unboundedTimetableOf(schedule: Schedule): Timetable {
  if (schedule.every !== null) return everyTimetable(schedule.every, schedule.start ?? 0)
  const zone = findZone(schedule.timezone)
  return union(schedule.cron.map((expression) => new CronTimetable(parseExpression(expression), zone)))
}

function everyTimetable(every: number, origin: number): Timetable {
  return {
    next: (after) => origin + (Math.floor((after - origin) / every) + 1) * every,
    previous: (at) => origin + Math.floor((at - origin) / every) * every,
  }
}

function union(parts: readonly Timetable[]): Timetable {
  const [only] = parts
  if (only && parts.length === 1) return only
  const given = (instants: (number | null)[]) => instants.filter((instant) => instant !== null)
  return {
    next(after) {
      const all = given(parts.map((part) => part.next(after)))
      return all.length === 0 ? null : Math.min(...all)
    },
    previous(at) {
      const all = given(parts.map((part) => part.previous(at)))
      return all.length === 0 ? null : Math.max(...all)
    },
  }
}

function bounded(inner: Timetable, start: number | null, end: number | null): Timetable {
  const [low, high] = [start ?? Number.NEGATIVE_INFINITY, end ?? Number.POSITIVE_INFINITY]
  return {
    next(after) {
      const found = inner.next(start === null ? after : Math.max(after, start - 1))
      return found !== null && found <= high ? found : null
    },
    previous(at) {
      const found = inner.previous(end === null ? at : Math.min(at, end))
      return found !== null && found >= low ? found : null
    },
  }
}

/**
 * One cron expression in one zone. Daylight saving (DSL.md, "Time"): a wall time that the clock jumps over is shifted
 * forward by the jump's length; of a wall time that the clock shows twice only the first counts, unless the hour field
 * is `*` or `*` with a step; equal instants fire once.
 *
 * So only the `|shift|` after a change of the offset is irregular; there the instants are listed, elsewhere they are
 * the wall times less the offset.
 */
class CronTimetable implements Timetable {
  readonly #walls: WallTimes
  readonly #everyHour: boolean
  readonly #zone: Zone
  #listed: { readonly at: number; readonly instants: readonly number[] } = { at: Number.NaN, instants: [] }

  constructor(cron: Cron, zone: Zone) {
    this.#walls = new WallTimes(cron)
    this.#everyHour = cron.everyHour
    this.#zone = zone
  }

  next(after: number): number | null {
    let from = Math.floor(after / 1000) * 1000 + 1000
    let change = this.#zone.lastChange(from - longestShift, from)
    for (;;) {
      if (change && from < settled(change)) {
        const earliest = from
        const found = this.#irregular(change).find((instant) => instant >= earliest)
        if (found !== undefined) return found
        from = settled(change)
      }
      const offset = this.#zone.offsetAt(from)
      const wall = this.#walls.next(from + offset)
      if (wall === null) return null
      change = this.#zone.firstChange(from, wall - offset)
      if (change === null) return wall - offset
      from = change.at
    }
  }

  previous(atOrBefore: number): number | null {
    let to = Math.floor(atOrBefore / 1000) * 1000
    for (;;) {
      const offset = this.#zone.offsetAt(to)
      const wall = this.#walls.previous(to + offset)
      const found = wall === null ? null : wall - offset
      const change = this.#zone.lastChange((found ?? to) - longestShift, to)
      if (change === null || (found !== null && found >= settled(change))) return found
      if (to < settled(change)) {
        const latest = to
        const listed = this.#irregular(change).findLast((instant) => instant <= latest)
        if (listed !== undefined) return listed
        to = change.at - 1000
      } else {
        to = settled(change) - 1000
      }
    }
  }

  /** The instants in `[change.at, settled(change))`, ascending; those of the last change asked for are kept. */
  #irregular(change: Change): readonly number[] {
    if (this.#listed.at !== change.at) this.#listed = { at: change.at, instants: this.#list(change) }
    return this.#listed.instants
  }

  #list({ at, before, after }: Change): number[] {
    if (after < before) {
      return this.#everyHour
        ? [...this.#walls.between(at + after, at + before)].map((wall) => wall - after)
        : []
    }
    const jumpedOver = [...this.#walls.between(at + before, at + after)].map((wall) => wall - before)
    const shown = [...this.#walls.between(at + after, at + after + (after - before))].map(
      (wall) => wall - after,
    )
    return [...new Set([...jumpedOver, ...shown])].sort((a, b) => a - b)
  }
}

/** From when on wall times are regular again. */
function settled({ at, before, after }: Change): number {
  return at + Math.abs(after - before)
}
