import t from 'tap'
import { toInstant } from '../../engine/clock.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import { scheduled, scheduleWorld } from '../support/schedule-world.ts'

const minute = 60_000
const hour = 60 * minute
const began = Date.UTC(2026, 0, 1)

const ends = (runs: readonly RunRecord[]) => runs.map(({ interval }) => toInstant(interval.end).slice(11, 16))
const starts = (runs: readonly RunRecord[]) =>
  runs.map(({ interval }) => toInstant(interval.start).slice(11, 16))
const hourly = (more: object = {}, pipeline: Partial<Pipeline> = {}) =>
  scheduled('p', { cron: ['0 * * * *'], ...more }, pipeline)

/** Serves a pipeline until 03:30, is gone until 07:30 (three and a half hours), serves it again until 08:30. */
async function interrupted(pipeline: Pipeline, again = pipeline) {
  const first = await scheduleWorld({ heartbeat: minute })
  await first.enter(pipeline)
  await first.passUntil(began + 3.5 * hour)
  first.die()
  first.clock.time = began + 7.5 * hour
  const { store, clock } = first
  const second = await scheduleWorld({ heartbeat: minute, store, clock })
  await second.enter(again)
  await second.passUntil(began + 8.5 * hour)
  return second
}

t.test('a run is made at the end of each interval, and once', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(hourly())
  await world.passUntil(began + 3.5 * hour)
  const runs = await world.runs('p')
  t.strictSame(ends(runs), ['01:00', '02:00', '03:00'])
  t.strictSame(starts(runs), ['00:00', '01:00', '02:00'])
  for (const { trigger, origin, dueAt, createdAt, interval } of runs)
    t.match(
      { trigger, origin, dueAt, createdAt },
      {
        trigger: 'schedule',
        origin: `schedule:p:${toInstant(interval.end)}`,
        dueAt: interval.end,
        createdAt: interval.end,
      },
    )
})

t.test('what was missed is dropped, its newest run, or each, as `catchup` says', async (t) => {
  t.strictSame(ends(await (await interrupted(hourly())).runs('p')), ['01:00', '02:00', '03:00', '08:00'])
  const latest = await interrupted(hourly({ catchup: 'latest' }))
  t.strictSame(ends(await latest.runs('p')), ['00:00', '01:00', '02:00', '03:00', '07:00', '08:00'])
  const all = await interrupted(hourly({ catchup: 'all' }))
  t.strictSame(ends(await all.runs('p')), [
    '01:00',
    '02:00',
    '03:00',
    '04:00',
    '05:00',
    '06:00',
    '07:00',
    '08:00',
  ])
})

t.test('what is dropped is told, and stays dropped when `catchup` changes later', async (t) => {
  const world = await interrupted(hourly())
  t.match(world.told, [
    { type: 'dropped', from: began + 3 * hour, through: began + 7 * hour },
    { type: 'fired' },
  ])
  await world.enter(hourly({ catchup: 'all' }))
  await world.passUntil(began + 9.5 * hour)
  t.strictSame(ends(await world.runs('p')), ['01:00', '02:00', '03:00', '08:00', '09:00'])
})

t.test(
  'the deadline of a run that was missed counts from its creation, of others from when they were due',
  async (t) => {
    const world = await interrupted(hourly({ catchup: 'all' }))
    const late = (await world.runs('p')).map(({ dueAt, interval }) => (dueAt - interval.end) / hour)
    t.strictSame(late.slice(0, 3), [0, 0, 0])
    t.ok(
      late.slice(3, 7).every((hours, index) => hours >= 3.5 - index && hours < 3.6 - index),
      late.join(),
    )
    t.equal(late[7], 0)
  },
)

t.test('before a pipeline was first seen, `all` begins at its start, `latest` with the newest', async (t) => {
  const seen = async (more: object) => {
    const world = await scheduleWorld({ heartbeat: minute })
    world.clock.time = began + 5.5 * hour
    await world.enter(hourly(more))
    await world.pass(hour)
    return ends(await world.runs('p'))
  }
  const start = began + 2 * hour
  t.strictSame(await seen({ catchup: 'all', start }), ['03:00', '04:00', '05:00', '06:00'])
  t.strictSame(await seen({ catchup: 'all' }), ['06:00'], 'without a start: from when it was first seen')
  t.strictSame(await seen({ catchup: 'latest', start }), ['05:00', '06:00'])
  t.strictSame(await seen({ catchup: 'none', start }), ['06:00'])
})

t.test('a schedule runs from its start to its end', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(hourly({ start: began + 2 * hour, end: began + 4 * hour }))
  await world.passUntil(began + 8 * hour)
  t.strictSame(ends(await world.runs('p')), ['03:00', '04:00'])
})

t.test('`every` counts from the start, else from the epoch', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(scheduled('p', { every: 90 * minute, start: began + 10 * minute }))
  await world.enter(scheduled('q', { every: 90 * minute }))
  await world.passUntil(began + 5 * hour)
  t.strictSame(ends(await world.runs('p')), ['01:40', '03:10', '04:40'])
  t.strictSame(ends(await world.runs('q')), ['01:30', '03:00', '04:30'])
})

t.test('a repeated hour fires once, or twice where the hour is `*`; a skipped one is shifted', async (t) => {
  const around = async (cron: string, from: number) => {
    const world = await scheduleWorld({ heartbeat: minute })
    world.clock.time = from
    await world.enter(scheduled('p', { cron: [cron], timezone: 'Europe/Berlin' }))
    await world.pass(4 * hour)
    return ends(await world.runs('p'))
  }
  const [spring, autumn] = [Date.UTC(2026, 2, 29, 0, 10), Date.UTC(2026, 9, 24, 23, 10)]
  t.strictSame(await around('30 2 * * *', spring), ['01:30'], '03:30 in summer time')
  t.strictSame(await around('30 2 * * *', autumn), ['00:30'], 'the first 02:30')
  t.strictSame(await around('30 * * * *', autumn), ['23:30', '00:30', '01:30', '02:30'])
})

t.test('`overlap: queue` makes the run, which waits for the one before', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute, held: true })
  await world.enter(hourly())
  await world.passUntil(began + 2.5 * hour)
  const [first, second] = await world.runs('p')
  t.strictSame([first?.state, second?.state], ['running', 'queued'])
  world.end(first?.id as string)
  await world.pass(minute)
  t.strictSame(
    (await world.runs('p')).map(({ state }) => state),
    ['succeeded', 'running'],
  )
})

t.test('`overlap: skip` makes no run while one is active', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute, held: true })
  await world.enter(hourly({ overlap: 'skip' }))
  await world.passUntil(began + 2.5 * hour)
  const [first] = await world.runs('p')
  world.end(first?.id as string)
  await world.passUntil(began + 3.5 * hour)
  t.strictSame(ends(await world.runs('p')), ['01:00', '03:00'])
  t.match(
    world.told.find(({ type }) => type === 'skipped'),
    { pipeline: 'p', active: first?.id, interval: { end: began + 2 * hour } },
  )
})

t.test('`overlap: cancel` cancels the run before', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute, held: true })
  await world.enter(hourly({ overlap: 'cancel' }))
  await world.passUntil(began + 2.5 * hour)
  const runs = await world.runs('p')
  t.strictSame(
    runs.map(({ state }) => state),
    ['cancelled', 'running'],
  )
  t.strictSame(
    world.told.map(({ type }) => type),
    ['fired', 'cancelled', 'fired'],
  )
})

t.test('missed runs are made a few at a time, the rest as they end, whatever `overlap` says', async (t) => {
  for (const [overlap, atOnce] of [
    ['queue', 9],
    ['skip', 1],
    ['cancel', 1],
  ] as const) {
    const world = await scheduleWorld({ heartbeat: minute, held: true })
    world.clock.time = began + 20.5 * hour
    await world.enter(hourly({ catchup: 'all', start: began, overlap }))
    await world.pass(minute)
    const made = await world.runs('p')
    t.equal(made.length, atOnce, overlap)
    const [oldest] = made
    t.equal(oldest?.interval.end, began + hour, 'oldest first')
    world.end(oldest?.id as string)
    await world.pass(1000)
    t.equal((await world.runs('p')).length, atOnce + 1, `${overlap}: the next at the end of one`)
  }
})

t.test('a clock that is set back fires nothing twice', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(hourly())
  await world.passUntil(began + 3.5 * hour)
  world.clock.offset = -2 * hour
  await world.pass(4 * hour)
  t.strictSame(ends(await world.runs('p')), ['01:00', '02:00', '03:00', '04:00', '05:00'])
  t.equal(new Set((await world.runs('p')).map(({ origin }) => origin)).size, 5)
})

t.test('what a clock that is set forward passes by was missed', async (t) => {
  for (const [catchup, wanted] of [
    ['none', ['01:00', '06:00']],
    ['latest', ['00:00', '01:00', '05:00', '06:00']],
    ['all', ['01:00', '02:00', '03:00', '04:00', '05:00', '06:00']],
  ] as const) {
    const world = await scheduleWorld({ heartbeat: minute })
    await world.enter(hourly({ catchup }))
    await world.passUntil(began + 1.5 * hour)
    world.clock.offset = 4 * hour
    await world.pass(hour)
    t.strictSame(ends(await world.runs('p')), wanted, catchup)
  }
})

t.test('a few seconds in which nothing happens are no miss', async (t) => {
  const world = await scheduleWorld({ heartbeat: 3000 })
  await world.enter(scheduled('p', { every: 10_000 }))
  await world.pass(25_000)
  world.clock.offset = 30_000
  await world.pass(10_000)
  t.equal((await world.runs('p')).length, 6)
})

t.test('two engines on one store fire each interval once', async (t) => {
  const one = await scheduleWorld({ heartbeat: minute })
  const two = await scheduleWorld({ heartbeat: minute, store: one.store, clock: one.clock })
  for (const overlap of ['queue', 'skip', 'cancel'] as const) {
    const pipeline = scheduled(overlap, { cron: ['0 * * * *'], overlap })
    await one.enter(pipeline)
    await two.enter(pipeline)
  }
  await one.passUntil(began + 5.5 * hour)
  await two.schedules.idle()
  for (const name of ['queue', 'skip', 'cancel']) {
    const runs = await one.runs(name)
    t.strictSame(ends(runs), ['01:00', '02:00', '03:00', '04:00', '05:00'], name)
    t.ok(
      runs.every(({ state }) => state === 'succeeded'),
      name,
    )
  }
  t.equal(one.told.length + two.told.length, 15, 'and tell of each once')
})

t.test('a new version is for new runs; one that runs ends on its own', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute, held: true })
  const [before, after] = [hourly(), hourly({}, { description: 'new' })]
  await world.enter(before)
  await world.passUntil(began + 1.5 * hour)
  await world.enter(after)
  await world.passUntil(began + 2.5 * hour)
  t.strictSame(
    (await world.runs('p')).map(({ version }) => version),
    [before.version, after.version],
  )
})

t.test('a changed schedule holds from now on', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(hourly())
  await world.passUntil(began + 2.5 * hour)
  await world.enter(hourly({ cron: ['*/20 * * * *'] }))
  await world.passUntil(began + 3.1 * hour)
  t.strictSame(ends(await world.runs('p')), ['01:00', '02:00', '02:40', '03:00'])
})

t.test('a pipeline that is gone fires no more', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(hourly())
  await world.passUntil(began + 1.5 * hour)
  await world.schedules.leave('p')
  await world.passUntil(began + 4.5 * hour)
  t.strictSame(ends(await world.runs('p')), ['01:00'])
})

t.test('after a stop nothing is fired', async (t) => {
  const world = await scheduleWorld({ heartbeat: minute })
  await world.enter(hourly())
  await world.schedules.stop()
  await world.passUntil(began + 3 * hour)
  t.strictSame(await world.runs('p'), [])
})
