import fc from 'fast-check'
import t from 'tap'
import { timetableOf } from '../../engine/timetable.ts'
import { findZone } from '../../engine/zone.ts'

const minute = 60_000
const day = 1440 * minute

/** One minute on the wall's clock, and the instants that show it: none, one or two. */
interface WallMinute {
  readonly wall: number
  readonly minute: number
  readonly hour: number
  readonly date: number
  readonly shown: readonly number[]
  /** Where none shows it: the instant that it is shifted to, by the offset before the gap. */
  readonly shifted: number
}

/** The days around a change of the offset, as Intl shows them. */
interface Window {
  readonly zone: string
  readonly from: number
  readonly to: number
  readonly walls: readonly WallMinute[]
}

function readWindow(zone: string, around: number): Window {
  const from = Math.floor((around - 2 * day) / minute) * minute
  const to = from + 4 * day
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const instants = new Map<number, number[]>()
  for (let at = from; at < to; at += minute) {
    const parts = format.format(at).match(/\d+/g)?.map(Number)
    const [month, date, year, hour, minutes] = parts as [number, number, number, number, number]
    const wall = Date.UTC(year, month - 1, date, hour, minutes)
    instants.set(wall, [...(instants.get(wall) ?? []), at])
  }
  return { zone, from, to, walls: listWalls(instants) }
}

function listWalls(instants: ReadonlyMap<number, readonly number[]>): WallMinute[] {
  const [first, last] = [Math.min(...instants.keys()), Math.max(...instants.keys())]
  const walls: WallMinute[] = []
  let offset = 0
  for (let wall = first; wall <= last; wall += minute) {
    const shown = instants.get(wall) ?? []
    offset = shown.length === 0 ? offset : wall - (shown.at(-1) as number)
    const date = new Date(wall)
    const clock = { minute: date.getUTCMinutes(), hour: date.getUTCHours(), date: date.getUTCDate() }
    walls.push({ wall, ...clock, shown, shifted: wall - offset })
  }
  return walls
}

interface Expression {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly everyHour: boolean
  readonly dates: readonly number[]
  readonly text: string
}

/** DSL.md's rule, word by word, over every wall minute of the window. */
function oracle({ walls }: Window, { minutes, hours, dates, everyHour }: Expression): number[] {
  const fired = new Set<number>()
  const [inMinutes, inHours, inDates] = [new Set(minutes), new Set(hours), new Set(dates)]
  for (const { minute, hour, date, shown, shifted } of walls) {
    if (!inMinutes.has(minute) || !inHours.has(hour) || !inDates.has(date)) continue
    if (shown.length === 0) fired.add(shifted)
    else for (const at of everyHour ? shown : shown.slice(0, 1)) fired.add(at)
  }
  return [...fired].sort((a, b) => a - b)
}

const list = (min: number, max: number) =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 6 })
const all = (min: number, max: number, step = 1) =>
  Array.from({ length: Math.floor((max - min) / step) + 1 }, (_, index) => min + index * step)

const minutes = fc.oneof(
  list(0, 59).map((values) => ({ values, text: values.join(',') })),
  fc.constantFrom(10, 15, 30).map((step) => ({ values: all(0, 59, step), text: `*/${step}` })),
)
const hours = fc.oneof(
  list(0, 23).map((values) => ({ values, text: values.join(','), every: false })),
  list(0, 4).map((values) => ({ values, text: values.join(','), every: false })),
  fc
    .integer({ min: 1, max: 12 })
    .map((step) => ({ values: all(0, 23, step), text: `*/${step}`, every: true })),
  fc.constant({ values: all(0, 23), text: '*', every: true }),
  fc.constant({ values: all(0, 23), text: '0-23', every: false }),
)
const dates = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ values: all(1, 31), text: '*' }) },
  list(1, 31).map((values) => ({ values, text: values.join(',') })),
)
const expressions = fc.tuple(minutes, hours, dates).map(
  ([minute, hour, date]): Expression => ({
    minutes: minute.values,
    hours: hour.values,
    everyHour: hour.every,
    dates: date.values,
    text: `${minute.text} ${hour.text} ${date.text} * *`,
  }),
)

// Gaps and folds of an hour, half an hour, two hours, twenty minutes and a day; at midnight and across it; both halves
// of the globe; changes without daylight saving; a short summer time. Each is a day within two of the change.
const changes: readonly (readonly [string, string])[] = [
  ['Europe/Berlin', '2026-03-29'],
  ['Europe/Berlin', '2026-10-25'],
  ['Europe/Berlin', '1947-05-11'],
  ['Europe/London', '1968-02-18'],
  ['Europe/Dublin', '2025-10-26'],
  ['America/New_York', '2024-03-10'],
  ['America/New_York', '2024-11-03'],
  ['America/St_Johns', '1988-04-03'],
  ['America/St_Johns', '2006-10-29'],
  ['America/Sao_Paulo', '2018-11-04'],
  ['America/Sao_Paulo', '2019-02-16'],
  ['America/Havana', '2024-11-03'],
  ['America/Santiago', '2023-09-03'],
  ['America/Caracas', '2007-12-09'],
  ['Asia/Beirut', '2024-03-31'],
  ['Asia/Beirut', '2022-10-30'],
  ['Asia/Gaza', '2024-04-20'],
  ['Asia/Kathmandu', '1986-01-01'],
  ['Asia/Kolkata', '1942-09-01'],
  ['Asia/Pyongyang', '2015-08-15'],
  ['Asia/Pyongyang', '2018-05-05'],
  ['Africa/Casablanca', '2024-03-10'],
  ['Africa/Cairo', '2010-09-09'],
  ['Australia/Lord_Howe', '2026-10-04'],
  ['Australia/Lord_Howe', '2026-04-05'],
  ['Australia/Adelaide', '2026-04-05'],
  ['Antarctica/Troll', '2026-03-29'],
  ['Antarctica/Troll', '2026-10-25'],
  ['Pacific/Apia', '2011-12-30'],
  ['Pacific/Kwajalein', '1993-08-21'],
  ['Pacific/Chatham', '2025-09-28'],
  ['Pacific/Chatham', '2026-04-05'],
]

t.test('around every kind of change, the instants are those of the rule applied minute by minute', (t) => {
  for (const [zone, date] of changes) {
    const window = readWindow(zone, Date.parse(date))
    const [from, to] = [window.from + day / 2, window.to - day / 2]
    t.ok(findZone(zone).firstChange(window.from, window.to), `${zone} changes its offset near ${date}`)
    const check = fc.property(expressions, (expression) => {
      const timetable = timetableOf({
        cron: [expression.text],
        every: null,
        timezone: zone,
        start: null,
        end: null,
      })
      const expected = oracle(window, expression).filter((at) => at >= from && at < to)
      const forwards: number[] = []
      for (let at = timetable.next(from - 1); at !== null && at < to; at = timetable.next(at))
        forwards.push(at)
      const backwards: number[] = []
      for (let at = timetable.previous(to - 1); at !== null && at >= from; at = timetable.previous(at - 1))
        backwards.unshift(at)
      return (
        JSON.stringify(forwards) === JSON.stringify(expected) &&
        JSON.stringify(backwards) === JSON.stringify(expected)
      )
    })
    t.doesNotThrow(() => fc.assert(check, { numRuns: 80 }), `${zone} ${date}`)
  }
  t.end()
})

t.test('from any moment, the next and the previous instant agree with the whole list', (t) => {
  const window = readWindow('Europe/Berlin', Date.parse('2026-10-25'))
  const check = fc.property(expressions, fc.integer({ min: 0, max: day }), (expression, offset) => {
    const at = window.from + 1.5 * day + offset
    const expected = oracle(window, expression)
    const timetable = timetableOf({
      cron: [expression.text],
      every: null,
      timezone: window.zone,
      start: null,
      end: null,
    })
    const next = expected.find((instant) => instant > at)
    const previous = expected.findLast((instant) => instant <= at)
    const inside = (instant: number | null) =>
      instant !== null && instant > window.from && instant < window.to ? instant : undefined
    return (
      inside(timetable.next(at)) === next && (previous === undefined || timetable.previous(at) === previous)
    )
  })
  t.doesNotThrow(() => fc.assert(check, { numRuns: 500 }))
  t.end()
})

t.test('no zone of this machine has changes that our sampling would miss', (t) => {
  // Samples a sixth as far apart find nothing new; years with the closest pairs known.
  for (const [zone, year] of [
    ['America/Boa_Vista', 2000],
    ['Europe/Vienna', 1945],
  ] as const) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    const offset = (at: number) => format.format(at).split('GMT')[1]
    const [from, to] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)]
    let finer = 0
    for (let at = from; at < to; at += day / 3) if (offset(at) !== offset(at + day / 3)) finer++
    let ours = 0
    for (
      let change = findZone(zone).firstChange(from, to);
      change;
      change = findZone(zone).firstChange(change.at, to)
    )
      ours++
    t.ok(ours >= 2 && ours === finer, `${zone} ${year}: ${ours} changes`)
  }
  t.end()
})
