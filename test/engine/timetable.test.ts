import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { toInstant } from '../../engine/clock.ts'
import type { Schedule } from '../../engine/pipeline.ts'
import { parseCron, type Timetable, timetableOf } from '../../engine/timetable.ts'

const cases = new URL('../../../shared/cases/cron/', import.meta.url)
const absent = !existsSync(cases) && process.env.DAGCTL_TEST_REQUIRE !== 'all' && 'shared cases are absent'

function schedule(cron: string | string[], timezone = 'UTC', more: Partial<Schedule> = {}): Schedule {
  return { cron: [cron].flat(), every: null, timezone, start: null, end: null, ...more }
}

function take(timetable: Timetable, after: number, count: number): string[] {
  const instants: string[] = []
  for (let at = timetable.next(after); at !== null && instants.length < count; at = timetable.next(at)) {
    instants.push(toInstant(at).replace('.000Z', 'Z'))
  }
  return instants
}

function takeBack(timetable: Timetable, before: number, count: number): string[] {
  const instants: string[] = []
  for (
    let at = timetable.previous(before - 1);
    at !== null && instants.length < count;
    at = timetable.previous(at - 1)
  ) {
    instants.unshift(toInstant(at).replace('.000Z', 'Z'))
  }
  return instants
}

interface Vector {
  readonly name?: string
  readonly policy?: string
  readonly expr: string
  readonly tz: string
  readonly from: string
  readonly next: string[]
}

function read(name: string): Vector[] {
  return JSON.parse(readFileSync(new URL(name, cases), 'utf8')).vectors
}

t.test('three cron libraries and we agree on every vector, forwards and backwards', { skip: absent }, (t) => {
  const vectors = read('next.json')
  t.ok(vectors.length >= 275)
  for (const { expr, tz, from, next } of vectors) {
    const timetable = timetableOf(schedule(expr, tz))
    t.strictSame(take(timetable, Date.parse(from), next.length), next, `${expr} ${tz} ${from}`)
    const last = Date.parse(next.at(-1) ?? '')
    t.strictSame(takeBack(timetable, last + 1, next.length), next, `${expr} ${tz} back from ${from}`)
  }
  t.end()
})

// What DSL.md decides: a time in the gap is shifted (unskip); in the repeated hour `*` and `*/n` hours fire at both
// passes (fall-both), any other hour at the first, so that no fixed-hour row named fall-both or fall-late holds.
const rule: { readonly [name: string]: boolean } = {
  'daily leap unskip': true,
  'hourly leap unskip': true,
  'quarter-hourly leap unskip': true,
  'hourly leap skip': true, // the same instants as unskip: the shifted one falls on the next hour's
  'hourly fall fire twice': true,
  'LHI daily leap unskip': true,
  'LHI half-hourly fall twice': true,
  'daily leap skip': false,
  'quarter-hourly leap skip': false,
  'hourly fall fire early': false,
  'hourly fall fire late': false,
  'LHI daily leap skip': false,
  'LHI daily fall twice': false,
}

t.test('the named daylight-saving policies hold exactly where our rule says so', { skip: absent }, (t) => {
  for (const { name = '', expr, tz, from, next } of read('dst-policies.json')) {
    // These expressions have a seventh field, the year, which we do not have; it is always `*`.
    const timetable = timetableOf(schedule(expr.replace(/ \*$/, ''), tz))
    const ours = take(timetable, Date.parse(from), next.length)
    t.equal(JSON.stringify(ours) === JSON.stringify(next), rule[name], `${name}: ${ours.join(' ')}`)
  }
  t.end()
})

t.test('an instant in the gap is shifted forward by the length of the gap', (t) => {
  const berlin = timetableOf(schedule('30 2 * * *', 'Europe/Berlin'))
  t.strictSame(take(berlin, Date.parse('2026-03-28T00:00:00Z'), 3), [
    '2026-03-28T01:30:00Z',
    '2026-03-29T01:30:00Z', // 03:30 in summer time
    '2026-03-30T00:30:00Z',
  ])
  const lordHowe = timetableOf(schedule('10 2 * * *', 'Australia/Lord_Howe'))
  t.strictSame(take(lordHowe, Date.parse('2026-10-03T00:00:00Z'), 1), ['2026-10-03T15:40:00Z']) // 02:40, half an hour on
  const saoPaulo = timetableOf(schedule('0 0 * * *', 'America/Sao_Paulo'))
  t.strictSame(take(saoPaulo, Date.parse('2018-11-03T12:00:00Z'), 1), ['2018-11-04T03:00:00Z']) // no midnight: 01:00
  t.end()
})

t.test('equal instants fire once', (t) => {
  const both = timetableOf(schedule('0 2,3 * * *', 'Europe/Berlin'))
  t.strictSame(take(both, Date.parse('2026-03-29T00:00:00Z'), 2), [
    '2026-03-29T01:00:00Z',
    '2026-03-30T00:00:00Z',
  ])
  const list = timetableOf(schedule(['0 6 * * *', '0 */6 * * *']))
  t.strictSame(take(list, Date.parse('2026-01-01T01:00:00Z'), 2), [
    '2026-01-01T06:00:00Z',
    '2026-01-01T12:00:00Z',
  ])
  t.end()
})

t.test('a day that a zone skipped fires on the day after, and not twice', (t) => {
  const apia = timetableOf(schedule('0 12 * * *', 'Pacific/Apia'))
  t.strictSame(take(apia, Date.parse('2011-12-29T00:00:00Z'), 3), [
    '2011-12-29T22:00:00Z',
    '2011-12-30T22:00:00Z', // the 31st; there was no 30th
    '2011-12-31T22:00:00Z',
  ])
  t.strictSame(
    take(timetableOf(schedule('0 12 30 12 *', 'Pacific/Apia')), Date.parse('2011-12-01T00:00:00Z'), 1),
    ['2011-12-30T22:00:00Z'],
  )
  t.end()
})

t.test('in the repeated hour `*` and `*/n` hours fire at both passes, any other hour at the first', (t) => {
  const from = Date.parse('2026-10-24T23:45:00Z')
  const to = Date.parse('2026-10-25T02:00:00Z')
  const fired = (expression: string) =>
    take(timetableOf(schedule(expression, 'Europe/Berlin')), from, 20).filter(
      (instant) => Date.parse(instant) <= to,
    )
  t.strictSame(fired('30 * * * *'), ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'])
  t.strictSame(fired('30 */2 * * *'), ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'])
  t.strictSame(fired('30 2 * * *'), ['2026-10-25T00:30:00Z'])
  t.strictSame(fired('30 0-23 * * *'), ['2026-10-25T00:30:00Z'])
  t.end()
})

t.test('a list of expressions fires whenever one of them does', (t) => {
  const timetable = timetableOf(schedule(['0 9 * * 1-5', '0 12 * * 6']))
  t.strictSame(take(timetable, Date.parse('2026-11-19T12:00:00Z'), 3), [
    '2026-11-20T09:00:00Z',
    '2026-11-21T12:00:00Z',
    '2026-11-23T09:00:00Z',
  ])
  t.equal(toInstant(timetable.previous(Date.parse('2026-11-22T00:00:00Z')) ?? 0), '2026-11-21T12:00:00.000Z')
  t.end()
})

t.test('start and end bound the instants, both inclusive', (t) => {
  const [start, end] = [Date.parse('2026-01-01T00:00:00Z'), Date.parse('2026-01-03T00:00:00Z')]
  const timetable = timetableOf(schedule('@daily', 'UTC', { start, end }))
  t.strictSame(take(timetable, Date.parse('2020-01-01T00:00:00Z'), 9), [
    '2026-01-01T00:00:00Z',
    '2026-01-02T00:00:00Z',
    '2026-01-03T00:00:00Z',
  ])
  t.equal(timetable.previous(start - 1), null)
  t.equal(timetable.previous(end + 10 * 86_400_000), end)
  t.end()
})

t.test('every counts from the start, else from the epoch', (t) => {
  const start = Date.parse('2026-01-01T00:05:00Z')
  const from = Date.parse('2026-01-01T00:20:00Z')
  const every = { cron: [], every: 900_000 }
  t.strictSame(take(timetableOf(schedule([], 'UTC', { ...every, start })), from, 2), [
    '2026-01-01T00:35:00Z',
    '2026-01-01T00:50:00Z',
  ])
  t.strictSame(take(timetableOf(schedule([], 'UTC', every)), from, 1), ['2026-01-01T00:30:00Z'])
  t.equal(timetableOf(schedule([], 'UTC', { ...every, start })).previous(start - 1), null)
  t.end()
})

t.test('an expression that never fires has no instant', (t) => {
  const never = timetableOf(schedule('0 0 31 2,4,6 *', 'Europe/Berlin'))
  t.equal(never.next(0), null)
  t.equal(never.previous(0), null)
  t.end()
})

t.test('the calendar ends with the year 9999', (t) => {
  const yearly = timetableOf(schedule('0 0 1 1 *'))
  t.equal(yearly.next(Date.parse('9999-01-01T00:00:00Z')), null)
  t.equal(yearly.previous(Date.parse('0001-01-01T00:00:00Z') - 1), null)
  t.end()
})

t.test('times before the zones have whole minutes from UTC are right to the second', (t) => {
  t.strictSame(
    take(timetableOf(schedule('0 0 1 1 *', 'Europe/Berlin')), Date.parse('1789-06-01T00:00:00Z'), 1),
    [
      '1789-12-31T23:06:32Z', // local mean time, 53 minutes 28 seconds ahead
    ],
  )
  t.end()
})

t.test('a schedule in a zone is checked when it is read', (t) => {
  t.equal(parseCron('@daily', 'europe/berlin').expression, '@daily')
  t.throws(() => parseCron('0 0 * * *', 'Europe/Berln'), {
    code: 'E151',
    message: 'unknown time zone `Europe/Berln`',
  })
  t.throws(() => parseCron('0 0 * * *', '+02:00'), { code: 'E151' })
  t.throws(() => parseCron('0 0 * * *', ''), { code: 'E151' })
  t.end()
})
