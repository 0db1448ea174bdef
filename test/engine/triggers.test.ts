import t from 'tap'
import type { Schedule } from '../../engine/pipeline.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { Store } from '../../engine/store/store.ts'
import { dueBy, nothingPending, type Pending, type Update, withUpdates } from '../../engine/triggers.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { scheduled, scheduleWorld } from '../support/schedule-world.ts'
import { type Between, storeBetween } from '../support/store-between.ts'

const minute = 60_000
const began = Date.UTC(2026, 0, 1)
const fed = (mode: 'all' | 'any', more: Partial<Schedule> = {}) =>
  ({
    cron: [],
    every: null,
    timezone: 'UTC',
    start: null,
    end: null,
    datasets: { mode, uris: ['x', 'y'] },
    ...more,
  }) as const
/** `x y x`: updates 1, 2, 3, a minute apart. */
const updates = (uris: string): Update[] =>
  uris.split(' ').map((uri, index) => ({ seq: index + 1, uri, at: began + (index + 1) * minute }))
const due = (schedule: Schedule, pending: Pending) => dueBy(schedule, pending)?.seq ?? null

t.test('a run is due when all datasets, or any, were updated since the cursor', (t) => {
  for (const [mode, uris, cursor, seq] of [
    ['any', 'x', 0, 1],
    ['any', 'z x y', 0, 2],
    ['any', 'x', 1, null],
    ['all', 'x', 0, null],
    ['all', 'x x x', 0, null],
    ['all', 'x x y', 0, 3],
    ['all', 'y z x y x', 0, 3],
    ['all', 'x y x', 1, 3],
    ['all', 'x y x', 2, null],
  ] as const) {
    const pending = withUpdates(fed(mode), nothingPending(cursor), updates(uris))
    t.equal(due(fed(mode), pending), seq, `${mode} of ${uris} after ${cursor}`)
  }
  t.end()
})

t.test('which update makes a run due does not depend on when it is looked at', (t) => {
  const all = updates('x x y x z y')
  for (const mode of ['all', 'any'] as const) {
    const whole = due(fed(mode), withUpdates(fed(mode), nothingPending(0), all))
    for (let cut = 0; cut <= all.length; cut++) {
      const first = withUpdates(fed(mode), nothingPending(0), all.slice(0, cut))
      const then = withUpdates(fed(mode), first, all)
      t.equal(due(fed(mode), then), whole)
      t.ok([null, whole].includes(due(fed(mode), first)))
    }
  }
  t.end()
})

t.test('updates before the start and after the end of the schedule make no run', (t) => {
  const bounded = fed('any', { start: began + 2 * minute, end: began + 3 * minute })
  t.equal(due(bounded, withUpdates(bounded, nothingPending(0), updates('x x x x'))), 2)
  t.equal(due(bounded, withUpdates(bounded, nothingPending(3), updates('x x x x'))), null)
  t.end()
})

const consumer = (mode: 'all' | 'any', more: object = {}) =>
  scheduled('consumer', { datasets: { mode, uris: ['x', 'y'] }, ...more })

t.test('an update of any process makes a run, whose interval is that instant', async (t) => {
  const world = await scheduleWorld()
  await world.store.updateDataset('x', began)
  await world.enter(consumer('any'))
  await world.pass(10_000)
  t.strictSame(await world.runs('consumer'), [], 'not by what was before it was seen')
  await world.store.updateDataset('y', began + 10_000)
  await world.pass(10_000)
  t.match(await world.runs('consumer'), [
    { trigger: 'dataset', interval: { start: began + 10_000, end: began + 10_000 } },
  ])
  t.match(world.told, [{ type: 'fired', dataset: 'y' }])
})

t.test('`all` waits for the last of them, again and again', async (t) => {
  const world = await scheduleWorld()
  await world.enter(consumer('all'))
  const counts: number[] = []
  for (const uri of ['x', 'x', 'y', 'y', 'x']) {
    await world.store.updateDataset(uri, world.clock.time)
    await world.pass(4000)
    counts.push((await world.runs('consumer')).length)
  }
  t.strictSame(counts, [0, 0, 1, 1, 2])
})

t.test('while a run is active, `queue` waits and then covers all updates since by one run', async (t) => {
  const world = await scheduleWorld({ held: true })
  await world.enter(consumer('any'))
  for (const uri of ['x', 'y', 'x']) {
    await world.store.updateDataset(uri, world.clock.time)
    await world.pass(4000)
  }
  const [first, ...more] = await world.runs('consumer')
  t.strictSame(more, [])
  world.end(first?.id as string)
  await world.pass(100)
  const [, second] = await world.runs('consumer')
  world.end(second?.id as string)
  await world.pass(10_000)
  t.equal((await world.runs('consumer')).length, 2)
})

t.test('`skip` forgets updates while a run is active, `cancel` cancels it', async (t) => {
  for (const [overlap, states] of [
    ['skip', ['running']],
    ['cancel', ['cancelled', 'running']],
  ] as const) {
    const world = await scheduleWorld({ held: true })
    await world.enter(consumer('any', { overlap }))
    for (const uri of ['x', 'y']) {
      await world.store.updateDataset(uri, world.clock.time)
      await world.pass(4000)
    }
    t.strictSame(
      (await world.runs('consumer')).map(({ state }) => state),
      states,
      overlap,
    )
  }
})

t.test('updates while nobody looked make one run, and two engines make it once', async (t) => {
  const one = await scheduleWorld()
  await one.enter(consumer('all'))
  one.die()
  for (const uri of ['x', 'y', 'x', 'y']) await one.store.updateDataset(uri, began)
  const { store, clock } = one
  const worlds = [await scheduleWorld({ store, clock }), await scheduleWorld({ store, clock })]
  for (const world of worlds) await world.enter(consumer('all'))
  await worlds[0]?.pass(10_000)
  t.equal((await one.runs('consumer')).length, 1)
  for (const uri of ['y', 'x', 'x', 'y']) {
    await store.updateDataset(uri, clock.time)
    await worlds[0]?.pass(3500)
  }
  t.equal((await one.runs('consumer')).length, 3)
})

const origins = async (store: Store) =>
  (await store.runs({ pipeline: 'consumer' })).map(({ origin }) => origin).toReversed()

/** A consumer of any dataset, and what befalls its world's store. */
async function watchedWorld() {
  const clock = new VirtualClock()
  const store = openSqlite({ path: ':memory:' })
  const between: Between = {}
  const world = await scheduleWorld({ store: storeBetween(store, clock, between), clock })
  await world.enter(consumer('any'))
  return { clock, store, between, world }
}

t.test('an update that comes while the run for the one before is made has a run of its own', async (t) => {
  const { clock, store, between, world } = await watchedWorld()
  let slow = false
  between.before = async (method) => {
    if (method !== 'createRun' || slow) return
    slow = true
    // What the run covers is decided. The store is slow, so that the second is looked at before it is made.
    await store.updateDataset('x', clock.time)
    await new Promise<void>((resolve) => clock.face().soonAfter(9000, resolve))
  }
  await store.updateDataset('x', clock.time)
  await world.pass(10 * minute)
  t.ok(slow)
  t.strictSame(await origins(store), ['datasets:consumer:1', 'datasets:consumer:2'])
})

t.test(
  'an update after a crash has a run of its own, whatever the run for the one before came to',
  async (t) => {
    const { clock, store, between, world } = await watchedWorld()
    let made = false
    between.before = (method) => {
      // The process is gone as soon as the run is made.
      if (made) world.die()
      made ||= method === 'createRun'
    }
    await store.updateDataset('x', clock.time)
    const until = clock.time + minute
    clock.face().soonAfter(minute, () => {})
    while (clock.nextAt() <= until) await clock.step()
    t.strictSame(await origins(store), ['datasets:consumer:1'])
    await store.updateDataset('x', clock.time)
    const next = await scheduleWorld({ store, clock })
    await next.enter(consumer('any'))
    for (const { id } of await store.runs({ pipeline: 'consumer', active: true })) await next.engine.adopt(id)
    await next.pass(10 * minute)
    t.strictSame(await origins(store), ['datasets:consumer:1', 'datasets:consumer:2'])
  },
)

t.test('a run that an older version made before it moved the cursor holds nothing up', async (t) => {
  const { clock, store, world } = await watchedWorld()
  const { seq, uri, at } = { seq: 1, uri: 'x', at: clock.time }
  const pipeline = consumer('any')
  const made = { id: 'old', pipeline, folder: '/', params: {}, backfill: null, omit: [] }
  const origin = `datasets:consumer:${seq}`
  await store.createRun({ ...made, trigger: 'dataset', interval: { start: at, end: at }, origin }, 'gone', at)
  await store.takeOver('old', { owner: 'gone', fence: 1 }, world.engine.id)
  await store.updateDataset(uri, at)
  await world.pass(minute)
  t.equal((await store.scheduledPipelines('consumer'))[0]?.datasetCursor, seq)
  t.strictSame(await origins(store), [origin])
})
