/** Who starts first, and who makes room: pools, priorities, aging, preemption, backfills beside live runs. */
import t from 'tap'
import { agingPeriod } from '../../engine/lanes.ts'
import { victims } from '../../engine/preemption.ts'
import type { Resources } from '../../engine/resources.ts'
import { each, pipelineOf, type Sketch } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const resources: Resources = {
  pools: { gpu: { slots: 4, gpus: 1 } },
  rates: { cpu: 0, gpu: 0, pools: {} },
}
const gpu: Sketch = { pool: 'gpu', runtime: 'process' }
const left = { type: 'failed', kind: 'crash', message: 'SIGTERM' } as const

const backfill = { trigger: 'backfill', backfill: 'b' } as const

t.test('slots of a pool are never more than there are, over all runs', async (t) => {
  const it = await testEngine({ resources })
  const pipeline = pipelineOf({ a: { ...gpu, slots: 3 }, b: { ...gpu, slots: 2 }, c: gpu })
  const run = await it.run(pipeline)
  t.match(await it.states(run, pipeline), { a: 'running', b: 'ready', c: 'ready' }, 'c does not pass b')
  await it.end('a')
  t.match(await it.states(run, pipeline), { b: 'running', c: 'running' })
  const other = await it.run(pipeline)
  t.match(await it.states(other, pipeline), { a: 'ready' })
})

t.test('what takes more slots than there are says so', async (t) => {
  const it = await testEngine({ resources })
  const pipeline = pipelineOf({ a: { ...gpu, slots: 5 } })
  const run = await it.run(pipeline)
  t.match((await it.row(run, pipeline, 'a')).failure, {
    kind: 'invalid_input',
    message: 'it takes 5 slots of the pool gpu, which has 4',
  })
})

t.test(
  'a higher priority starts first; among equals the older; a long wait weighs as a priority',
  async (t) => {
    const it = await testEngine({ slots: 1 })
    await it.run(pipelineOf({ busy: {} }))
    await it.run(pipelineOf({ old: {} }))
    await it.pass(2 * agingPeriod)
    await it.run(pipelineOf({ urgent: { priority: 1 }, young: {}, vital: { priority: 50 } }))
    for (const id of ['busy', 'vital', 'old', 'urgent']) await it.end(id)
    t.strictSame(it.started(), ['busy', 'vital', 'old', 'urgent', 'young'])
  },
)

t.test('a backfill starts after all that is live, and takes half of a pool at most', async (t) => {
  const it = await testEngine({ resources, slots: 9 })
  const pipeline = pipelineOf({ fill: { ...gpu, priority: 99, foreach: each([0, 1, 2, 3, 4]) } })
  const run = await it.run(pipeline, backfill)
  t.strictSame(it.started(), ['fill[0]', 'fill[1]'])
  const live = pipelineOf({ live: { ...gpu, slots: 2 } })
  const other = await it.run(live)
  t.match(await it.states(other, live), { live: 'running' })
  const last = await it.run(pipelineOf({ late: { ...gpu, slots: 1 } }))
  await it.end('fill[0]')
  t.match(await it.store.run(last), { state: 'running' })
  t.strictSame(
    it.started(),
    ['fill[0]', 'fill[1]', 'live', 'late'],
    'the live task is first when a slot is free',
  )
  await it.end('late')
  t.equal((await it.row(run, pipeline, 'fill[2]')).state, 'running')
})

t.test(
  'a task of higher priority takes the slots of a preemptible one, which goes on later in the same try',
  async (t) => {
    const it = await testEngine({ resources })
    const pipeline = pipelineOf({ low: { ...gpu, slots: 4, preemptible: true } })
    const run = await it.run(pipeline)
    const high = pipelineOf({ high: { ...gpu, priority: 1 } })
    const other = await it.run(high)
    t.strictSame(it.held('low').stops, ['preempt'])
    t.match(await it.states(other, high), { high: 'ready' }, 'the slot is free when it is')
    await it.end('low', left)
    t.match(await it.states(other, high), { high: 'running' })
    t.match(await it.row(run, pipeline, 'low'), { state: 'ready', tries: 1, releases: 0, preemptions: 1 })
    await it.end('high')
    t.match(await it.row(run, pipeline, 'low'), { state: 'running', tries: 1, attempt: 2 })
  },
)

t.test('nobody is preempted for a slot that a task which waits longer would get', async (t) => {
  const one = { pools: { gpu: { slots: 1, gpus: 0 } }, rates: resources.rates }
  const it = await testEngine({ resources: one })
  const pool = { pool: 'gpu', slots: 1 }
  const running = pipelineOf({ mid: { ...pool, priority: 10, preemptible: true } }, { name: 'm' })
  const run = await it.run(running)
  const old = pipelineOf({ old: { ...pool, priority: 0 } }, { name: 'o' })
  const waits = await it.run(old)
  await it.pass(60 * 60_000)
  await it.run(pipelineOf({ high: { ...pool, priority: 50 } }, { name: 'h' }))
  await it.pass(10_000)
  t.strictSame(it.held('mid').stops, [])
  await it.end('mid')
  t.equal(await it.state(run), 'succeeded')
  t.hasStrict(await it.states(waits, old), { old: 'running' })
})

t.test('a task that was preempted five times is left alone', async (t) => {
  const it = await testEngine({ resources })
  const pipeline = pipelineOf({ low: { ...gpu, slots: 4, preemptible: true } })
  await it.run(pipeline)
  for (let i = 0; i < 5; i++) {
    await it.run(pipelineOf({ high: { ...gpu, priority: 1 } }))
    await it.end('low', left)
    await it.end('high')
  }
  await it.run(pipelineOf({ high: { ...gpu, priority: 1 } }))
  t.strictSame(it.held('low').stops, [])
})

t.test(
  'of the tasks below, the lowest go, the youngest first, no more than needed, and none for nothing',
  async (t) => {
    const holder = (name: string, priority: number, startedAt: number, more = {}) => ({
      name,
      priority,
      startedAt,
      slots: 1,
      backfill: false,
      preemptible: true,
      ...more,
    })
    const holders = [
      holder('fixed', 0, 1, { preemptible: false }),
      holder('old', 1, 1),
      holder('young', 1, 2),
      holder('higher', 2, 1),
      holder('filling', 9, 1, { backfill: true }),
      holder('equal', 3, 1),
    ]
    const chosen = (slots: number, free: number) =>
      victims({ backfill: false, priority: 3, slots }, free, holders).map(({ name }) => name)
    t.strictSame(chosen(1, 1), [])
    t.strictSame(chosen(1, 0), ['filling'])
    t.strictSame(chosen(3, 0), ['filling', 'young', 'old'])
    t.strictSame(chosen(5, 1), ['filling', 'young', 'old', 'higher'])
    t.strictSame(chosen(6, 1), [], 'even all of them are not enough')
    t.strictSame(victims({ backfill: true, priority: 9, slots: 1 }, 0, [holder('live', 0, 1)]), [])
  },
)

t.test('a task of a backfill that needs more than half of a pool runs alone among backfills', async (t) => {
  const it = await testEngine({ resources })
  const small = pipelineOf({ small: gpu })
  const first = await it.run(small, backfill)
  const large = pipelineOf({ large: { ...gpu, slots: 3 } })
  const run = await it.run(large, { ...backfill, interval: { start: 0, end: 1 } })
  t.match(await it.states(run, large), { large: 'ready' }, 'while others of a backfill hold slots')
  await it.end('small')
  t.match(await it.states(run, large), { large: 'running' })
  t.equal(await it.state(first), 'succeeded')
})
