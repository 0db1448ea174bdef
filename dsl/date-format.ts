/** The patterns of the `date` helper: letters of Unicode's date field symbols (UTS 35), in English. Pure. */
import { didYouMean, quote } from './words.ts'

/** A wall time as its parts. */
export interface WallTime {
  /** Epoch milliseconds of the wall time, as if its clock were UTC. */
  readonly wall: number
  /** Milliseconds that the zone is ahead of UTC. */
  readonly offset: number
  readonly timezone: string
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const pad = (value: number, length: number) => String(value).padStart(length, '0')
const on = (time: WallTime) => new Date(time.wall)
const hour12 = (time: WallTime) => on(time).getUTCHours() % 12 || 12

const fields: { readonly [field: string]: (time: WallTime) => string } = {
  yyyy: (time) => pad(on(time).getUTCFullYear(), 4),
  yy: (time) => pad(on(time).getUTCFullYear() % 100, 2),
  MMMM: (time) => months[on(time).getUTCMonth()] ?? '',
  MMM: (time) => (months[on(time).getUTCMonth()] ?? '').slice(0, 3),
  MM: (time) => pad(on(time).getUTCMonth() + 1, 2),
  M: (time) => String(on(time).getUTCMonth() + 1),
  dd: (time) => pad(on(time).getUTCDate(), 2),
  d: (time) => String(on(time).getUTCDate()),
  DDD: (time) => pad(dayOfYear(time), 3),
  D: (time) => String(dayOfYear(time)),
  EEEE: (time) => days[on(time).getUTCDay()] ?? '',
  EEE: (time) => (days[on(time).getUTCDay()] ?? '').slice(0, 3),
  e: (time) => String(on(time).getUTCDay() || 7),
  YYYY: (time) => pad(isoWeek(time).year, 4),
  ww: (time) => pad(isoWeek(time).week, 2),
  w: (time) => String(isoWeek(time).week),
  Q: (time) => String(Math.floor(on(time).getUTCMonth() / 3) + 1),
  HH: (time) => pad(on(time).getUTCHours(), 2),
  H: (time) => String(on(time).getUTCHours()),
  hh: (time) => pad(hour12(time), 2),
  h: (time) => String(hour12(time)),
  a: (time) => (on(time).getUTCHours() < 12 ? 'AM' : 'PM'),
  mm: (time) => pad(on(time).getUTCMinutes(), 2),
  m: (time) => String(on(time).getUTCMinutes()),
  ss: (time) => pad(on(time).getUTCSeconds(), 2),
  s: (time) => String(on(time).getUTCSeconds()),
  SSS: (time) => pad(on(time).getUTCMilliseconds(), 3),
  XXX: (time) => (time.offset === 0 ? 'Z' : offsetText(time.offset)),
  xxx: (time) => offsetText(time.offset),
  VV: (time) => time.timezone,
}

const token = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g

/** What is wrong with a pattern, or null. */
export function formatFault(
  pattern: string,
): { readonly message: string; readonly hint: string | null } | null {
  for (const [part, , letter] of pattern.matchAll(token)) {
    if (part === "'")
      return { message: `the date pattern ${quote(pattern)} has a quote that is not closed`, hint: null }
    if (letter === undefined || Object.hasOwn(fields, part)) continue
    const hint = didYouMean(part, Object.keys(fields), "text stands in quotes: yyyy'T'HH")
    return { message: `the date pattern ${quote(pattern)} has an unknown field ${quote(part)}`, hint }
  }
  return null
}

/** The wall time in the pattern, which must be one without a fault. */
export function formatDate(time: WallTime, pattern: string): string {
  return [...pattern.matchAll(token)]
    .map(([part, quoted, letter]) => {
      if (quoted !== undefined) return quoted === '' ? "'" : quoted.replaceAll("''", "'")
      return letter === undefined ? part : (fields[part]?.(time) ?? part)
    })
    .join('')
}

const dayLength = 86_400_000

function dayOfYear(time: WallTime): number {
  const date = on(time)
  const start = new Date(0)
  start.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return Math.floor((date.getTime() - start.getTime()) / dayLength) + 1
}

/** ISO 8601: week 1 is the one with the year's first Thursday. */
function isoWeek(time: WallTime): { year: number; week: number } {
  const date = on(time)
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * dayLength)
  const year = thursday.getUTCFullYear()
  const start = new Date(0)
  start.setUTCFullYear(year, 0, 1)
  return { year, week: Math.floor((thursday.getTime() - start.getTime()) / dayLength / 7) + 1 }
}

function offsetText(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000)
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}`
}
