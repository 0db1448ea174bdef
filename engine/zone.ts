/** Time zones: offsets from UTC and when they change. Reads them from Intl; knows nothing of cron or schedules. */
import { DagctlError } from './errors.ts'

const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute

/** One change of a zone's offset: from `at` (UTC) on, `after` holds. Offsets are milliseconds east of UTC. */
export interface Change {
  readonly at: number
  readonly before: number
  readonly after: number
}

/** A time zone. All instants are epoch milliseconds; a wall time is written as if its clock were UTC. */
export interface Zone {
  readonly name: string
  /** Milliseconds east of UTC at the instant. */
  offsetAt(at: number): number
  /** The first change with `from < at <= to`. */
  firstChange(from: number, to: number): Change | null
  /** The last change with `from < at <= to`. */
  lastChange(from: number, to: number): Change | null
}

/** No zone ever moved its clock by more than a day (Manila 1844, Alaska 1867, Samoa 2011); an hour to spare. */
export const longestShift = day + 60 * minute

/**
 * Offsets are sampled this far apart and bisected where they differ, so two changes closer than this could be missed.
 * The closest pair in the IANA database is 3.98 days apart (Africa/Freetown, 1939).
 */
const sampleStep = 2 * day
const samplesPerBlock = 32
const block = samplesPerBlock * sampleStep

interface Block {
  readonly offset: number
  readonly changes: readonly Change[]
}

class IntlZone implements Zone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  readonly #blocks = new Map<number, Block>()

  constructor(name: string) {
    this.name = name
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  }

  offsetAt(at: number): number {
    const { offset, changes } = this.#block(Math.ceil(at / block) - 1)
    let current = offset
    for (const change of changes) if (change.at <= at) current = change.after
    return current
  }

  firstChange(from: number, to: number): Change | null {
    for (let index = Math.ceil(from / block) - 1; index * block < to; index++) {
      const change = this.#block(index).changes.find(({ at }) => at > from)
      if (change) return change.at <= to ? change : null
    }
    return null
  }

  lastChange(from: number, to: number): Change | null {
    for (let index = Math.ceil(to / block) - 1; (index + 1) * block > from; index--) {
      const change = this.#block(index).changes.findLast(({ at }) => at <= to)
      if (change) return change.at > from ? change : null
    }
    return null
  }

  /** The changes in `(index * block, (index + 1) * block]`. */
  #block(index: number): Block {
    const known = this.#blocks.get(index)
    if (known) return known
    const changes: Change[] = []
    const start = index * block
    const offset = this.#measure(start)
    let before = offset
    for (let sample = 1; sample <= samplesPerBlock; sample++) {
      const to = start + sample * sampleStep
      const after = this.#measure(to)
      if (after !== before) changes.push({ at: this.#bisect(to - sampleStep, to, before), before, after })
      before = after
    }
    const made = { offset, changes }
    this.#blocks.set(index, made)
    return made
  }

  /** The first whole second in `(from, to]` whose offset is not `before`. */
  #bisect(from: number, to: number, before: number): number {
    let low = from / second
    let high = to / second
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.#measure(middle * second) === before) low = middle
      else high = middle
    }
    return high * second
  }

  #measure(at: number): number {
    // '11/23/2026, GMT+01:00', in old times with seconds, or plain 'GMT'.
    const text = this.#format.format(at)
    const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text)
    if (!match) throw new Error(`cannot read the offset of ${this.name} from '${text}'`)
    const [, sign, hours, minutes, seconds] = match
    if (sign === undefined) return 0
    const size = (Number(hours) * 60 + Number(minutes)) * minute + Number(seconds ?? 0) * second
    return sign === '-' ? -size : size
  }
}

const utc: Zone = { name: 'UTC', offsetAt: () => 0, firstChange: () => null, lastChange: () => null }
const zones = new Map<string, Zone>()

/**
 * The zone with this IANA name (in any case); the same object each time, because it remembers what it measured.
 * Throws E151 for a name that this machine does not know, and for bare offsets such as `+02:00`.
 */
export function findZone(name: string): Zone {
  const known = zones.get(name)
  if (known) return known
  const resolved = resolve(name)
  const zone = resolved === 'UTC' ? utc : new IntlZone(resolved)
  zones.set(name, zone)
  return zone
}

function resolve(name: string): string {
  try {
    if (/^[A-Za-z]/.test(name))
      return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
  }
  throw new DagctlError('E151', `unknown time zone \`${name}\``, {
    kind: 'invalid',
    hint: 'use a name of the IANA database, such as Europe/Berlin or UTC',
  })
}

/**
 * The first instant that a wall clock shows this time. Where the clock jumped over it, it is shifted forward by the
 * jump's length (02:30 becomes 03:30); where the clock shows it twice, the first of the two.
 */
export function wallToInstant(zone: Zone, wall: number): number {
  // Any change that could matter lies within a day of the wall time read as UTC.
  const early = zone.offsetAt(wall - longestShift)
  const change = zone.firstChange(wall - longestShift, wall + longestShift)
  if (!change || wall - early < change.at) return wall - early
  const late = wall - change.after
  return late >= change.at ? late : wall - early
}
