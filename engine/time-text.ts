/** Times and intervals as people write them on the command line and in files. Pure; knows the zone, not the time now. */
import { DagctlError } from './errors.ts'
import type { Interval } from './pipeline.ts'
import { findZone, wallToInstant } from './zone.ts'

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:([Zz])|([+-])(\d\d):(\d\d))?)?$/

/**
 * Reads RFC 3339 (`2026-01-31T02:00:00Z`), or without an offset `2026-01-31`, `2026-01-31T02:00` and
 * `2026-01-31T02:00:00` as wall time in the zone. A wall time that the clock jumps over is shifted forward, one that it
 * shows twice means the first. Returns epoch milliseconds; fractions beyond them are cut off.
 * Throws E152 (usage) for anything else, also for days that the calendar lacks, and E151 for an unknown zone.
 */
export function parseTime(text: string, timezone: string): number {
  const match = pattern.exec(text.trim())
  if (!match) throw unreadable(text, 'not a time')
  const [
    ,
    year,
    month,
    date,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    zulu,
    sign,
    offHour,
    offMinute,
  ] = match
  const wall = wallOf([year, month, date, hour, minute, second].map(Number), text)
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'))
  if (zulu !== undefined) return wall + milliseconds
  if (sign === undefined) return wallToInstant(findZone(timezone), wall) + milliseconds
  if (Number(offHour) > 23 || Number(offMinute) > 59)
    throw unreadable(text, `no offset \`${sign}${offHour}:${offMinute}\``)
  const offset = (Number(offHour) * 60 + Number(offMinute)) * 60_000
  return (sign === '-' ? wall + offset : wall - offset) + milliseconds
}

/** Reads `START/END`, each as `parseTime` does; the start is not after the end. Throws E152 (usage). */
export function parseInterval(text: string, timezone: string): Interval {
  const parts = text.split('/')
  if (parts.length !== 2) {
    throw new DagctlError('E152', `cannot read the interval \`${text}\``, {
      kind: 'usage',
      hint: 'write START/END, such as 2026-01-01/2026-01-02',
    })
  }
  const [start, end] = parts.map((part) => parseTime(part, timezone)) as [number, number]
  if (start > end) {
    throw new DagctlError('E152', `the interval \`${text}\` ends before it starts`, {
      kind: 'usage',
      hint: 'swap the two times',
    })
  }
  return { start, end }
}

function wallOf(parts: readonly number[], text: string): number {
  const [year, month, date, hour, minute, second] = parts as [number, number, number, number, number, number]
  if (month < 1 || month > 12) throw unreadable(text, `no month ${month}`)
  const start = new Date(0)
  start.setUTCFullYear(year, month - 1, date)
  if (date < 1 || start.getUTCMonth() !== month - 1) throw unreadable(text, `no day ${date} in that month`)
  if (hour > 23) throw unreadable(text, `no hour ${hour}; midnight is 00:00 of the day`)
  if (minute > 59 || second > 59) throw unreadable(text, 'minutes and seconds go to 59')
  return start.getTime() + ((hour * 60 + minute) * 60 + second) * 1000
}

function unreadable(text: string, why: string): DagctlError {
  return new DagctlError('E152', `cannot read the time \`${text}\`: ${why}`, {
    kind: 'usage',
    hint: "write 2026-01-31, 2026-01-31T02:00 (the pipeline's zone) or 2026-01-31T02:00:00Z",
  })
}
