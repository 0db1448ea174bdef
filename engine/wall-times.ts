/**
 * The wall times that a cron expression names, forwards and backwards. Calendar arithmetic only: knows no zone.
 * A wall time is milliseconds since 1970 as if its clock were UTC; all are whole seconds.
 */
import type { Cron } from './cron.ts'

const day = 86_400_000

/** The calendar that RFC 3339 can write. */
const firstWall = -62_135_596_800_000
const lastWall = 253_402_300_799_000

/** After this many months the calendar repeats, so a day that did not come by then never comes. */
const calendarCycle = 400 * 12

/** The wall times of one expression. */
export class WallTimes {
  readonly #cron: Cron
  readonly #months: ReadonlySet<number>
  #times: Uint32Array | undefined
  #cached = { year: 0, month: -1, mask: 0 }

  constructor(cron: Cron) {
    this.#cron = cron
    this.#months = new Set(cron.months)
  }

  /** The first at or after `wall`, or null when there is none in the calendar. */
  next(wall: number): number | null {
    const from = Math.max(wall, firstWall)
    const start = Math.floor(from / day)
    const times = this.#timesOfDay()
    const today = this.#nextDay(start)
    if (today === null) return null
    const index = today === start ? lowerBound(times, (from - start * day) / 1000) : 0
    const found = index < times.length ? { on: today, index } : { on: this.#nextDay(start + 1), index: 0 }
    return found.on === null ? null : found.on * day + (times[found.index] as number) * 1000
  }

  /** The last at or before `wall`, or null when there is none in the calendar. */
  previous(wall: number): number | null {
    const from = Math.min(wall, lastWall)
    const start = Math.floor(from / day)
    const times = this.#timesOfDay()
    const today = this.#previousDay(start)
    if (today === null) return null
    const after = today === start ? lowerBound(times, (from - start * day) / 1000 + 1) : times.length
    const found =
      after > 0
        ? { on: today, index: after - 1 }
        : { on: this.#previousDay(start - 1), index: times.length - 1 }
    return found.on === null ? null : found.on * day + (times[found.index] as number) * 1000
  }

  /** All with `from <= wall < to`, ascending. */
  *between(from: number, to: number): Generator<number> {
    for (let wall = this.next(from); wall !== null && wall < to; wall = this.next(wall + 1000)) yield wall
  }

  /** Seconds since midnight, ascending; made when first asked, because an expression with seconds can have 86,400. */
  #timesOfDay(): Uint32Array {
    if (this.#times) return this.#times
    const { hours, minutes, seconds } = this.#cron
    const times = new Uint32Array(hours.length * minutes.length * seconds.length)
    let index = 0
    for (const hour of hours) {
      for (const minute of minutes)
        for (const second of seconds) times[index++] = hour * 3600 + minute * 60 + second
    }
    this.#times = times
    return times
  }

  #nextDay(start: number): number | null {
    const date = new Date(start * day)
    let [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
    let mask = this.#daysOf(year, month) & -(1 << date.getUTCDate())
    for (let tried = 0; tried <= calendarCycle && year <= 9999; tried++) {
      if (mask !== 0) return dayNumber(year, month) + lowestBit(mask) - 1
      month = (month + 1) % 12
      if (month === 0) year += 1
      mask = this.#daysOf(year, month)
    }
    return null
  }

  #previousDay(start: number): number | null {
    const date = new Date(start * day)
    let [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
    let mask = this.#daysOf(year, month) & bitsTo(date.getUTCDate())
    for (let tried = 0; tried <= calendarCycle && year >= 1; tried++) {
      if (mask !== 0) return dayNumber(year, month) + highestBit(mask) - 1
      month = (month + 11) % 12
      if (month === 11) year -= 1
      mask = this.#daysOf(year, month)
    }
    return null
  }

  /** The matching days of a month (0 to 11) as bits: bit d is day d. */
  #daysOf(year: number, month: number): number {
    if (this.#cached.year !== year || this.#cached.month !== month) {
      this.#cached = { year, month, mask: this.#months.has(month + 1) ? dayMask(this.#cron, year, month) : 0 }
    }
    return this.#cached.mask
  }
}

function dayMask({ monthDays, weekDays }: Cron, year: number, month: number): number {
  const first = dayNumber(year, month)
  const length = dayNumber(month === 11 ? year + 1 : year, (month + 1) % 12) - first
  const all = bitsTo(length)
  if (monthDays === null && weekDays === null) return all
  let mask = 0
  if (monthDays?.last) mask |= 1 << length
  for (const date of monthDays?.days ?? []) mask |= 1 << date
  // Day 0 was a Thursday.
  const firstWeekDay = (((first + 4) % 7) + 7) % 7
  for (const { day: weekDay, which } of weekDays ?? []) {
    const earliest = 1 + ((weekDay - firstWeekDay + 7) % 7)
    for (let date = earliest, nth = 1; date <= length; date += 7, nth++) {
      if (which === 'every' || which === nth || (which === 'last' && date + 7 > length)) mask |= 1 << date
    }
  }
  return mask & all
}

/** Days from 1970-01-01 to the first of a month (0 to 11) of the proleptic Gregorian calendar. */
function dayNumber(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1) / day
}

/** Bits 1 to `last`, which is at most 31. */
function bitsTo(last: number): number {
  return (last === 31 ? -1 : (1 << (last + 1)) - 1) & ~1
}

function lowestBit(mask: number): number {
  return 31 - Math.clz32(mask & -mask)
}

function highestBit(mask: number): number {
  return 31 - Math.clz32(mask)
}

/** The index of the first element that is at least `wanted`. */
function lowerBound(sorted: Uint32Array, wanted: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
