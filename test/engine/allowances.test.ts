/** What a run as a whole is allowed: deadline, budget, hours; and what wakes and holds back its tasks. */
import t from 'tap'
import type { Report } from '../../engine/report.ts'
import type { Resources } from '../../engine/resources.ts'
import { pipelineOf, type Sketch, tries } from '../support/pipelines.ts'
import { testEngine as engineOf, type TestEngineOptions } from '../support/test-engine.ts'

const hour = 3_600_000
/** Hours pass in these tests, in which nobody needs to know that the engine lives. */
const lease = { holds: 99 * hour, renewed: 99 * hour }
const testEngine = (options: TestEngineOptions = {}) => engineOf({ lease, ...options })
const failure = { type: 'failed', kind: 'network', message: 'unreachable' } as const
const working: Sketch = { runtime: 'process' }

t.test('a run over its deadline is told of once, or fails with all that is active', async (t) => {
  const told: Report[] = []
  const it = await testEngine({ report: (report) => void told.push(report) })
  const tasks = { a: { retry: tries(9) }, b: { needs: ['a'] }, c: {} } as const
  const alert = pipelineOf(tasks, { deadline: { after: hour, do: 'alert' } })
  const run = await it.run(alert)
  await it.pass(3 * hour)
  t.match(await it.store.run(run), { state: 'running', overdue: true })
  t.match(told.filter((one) => one.type === 'run' && one.event === 'overdue').length, 1)
  const fail = pipelineOf(tasks, { deadline: { after: hour, do: 'fail' } })
  const other = await it.run(fail)
  await it.end('c', { type: 'sleep', until: it.clock.time + 9 * hour, state: null })
  await it.pass(hour)
  t.hasStrict(await it.states(other, fail), { a: 'failed', b: 'cancelled', c: 'failed' })
  t.match((await it.row(other, fail, 'a')).failure, { kind: 'deadline', message: /within 3600 s/ })
  t.strictSame(it.held('a').stops, ['cancel'])
  t.equal(await it.state(other), 'failed')
})

t.test(
  'a deadline counts from when the run was due, also on the next engine, and while it is queued',
  async (t) => {
    const it = await testEngine()
    const pipeline = pipelineOf(
      { a: {} },
      { deadline: { after: hour, do: 'fail' }, concurrency: { runs: 1, tasks: null } },
    )
    const first = await it.run(pipeline, { dueAt: it.clock.time + hour })
    const queued = await it.run(pipeline, { dueAt: it.clock.time - hour / 2 })
    await it.engine.stop()
    const next = await testEngine({ store: it.store, clock: it.clock })
    for (const id of [first, queued]) await next.engine.adopt(id)
    await next.pass(hour / 2)
    t.strictSame([await next.state(first), await next.state(queued)], ['running', 'failed'])
    await next.pass(1.5 * hour)
    t.equal(await next.state(first), 'failed')
  },
)

const resources: Resources = {
  pools: { gpu: { slots: 8, gpus: 1 } },
  rates: { cpu: 0.5, gpu: 2, pools: { gpu: 1 } },
}

t.test('what attempts cost is kept, and a run over its budget waits for a person', async (t) => {
  const it = await testEngine({ resources })
  const pipeline = pipelineOf(
    { a: { ...working, pool: 'gpu', slots: 2 }, b: { ...working, needs: ['a'] } },
    { budget: { usd: 13, gpuHours: null, onExceed: 'hold' } },
  )
  const run = await it.run(pipeline)
  await it.pass(2 * hour)
  await it.end('a')
  // Two hours of one core, two GPUs and two slots of the pool: 2 x (0.5 + 2 x 2 + 2 x 1).
  t.match(await it.store.run(run), {
    spentUsd: 13,
    spentGpuSeconds: 4 * 3600,
    state: 'paused',
    pausedFor: 'budget',
  })
  t.match(await it.states(run, pipeline), { b: 'ready' })
  await it.wish(run, { kind: 'resume' })
  t.match(await it.states(run, pipeline), { b: 'running' })
  await it.end('b')
  t.equal(await it.state(run), 'succeeded')
})

t.test('what still runs counts; over the budget a run fails, or is only told of', async (t) => {
  const told: Report[] = []
  const it = await testEngine({ resources, report: (report) => void told.push(report) })
  const tasks = {
    long: { ...working, pool: 'gpu' },
    first: working,
    second: { ...working, needs: ['first'] },
  }
  const fail = pipelineOf(tasks, { budget: { usd: null, gpuHours: 1, onExceed: 'fail' } })
  const run = await it.run(fail)
  await it.pass(hour)
  await it.end('first')
  t.hasStrict(await it.states(run, fail), { long: 'failed', second: 'cancelled' })
  t.match((await it.row(run, fail, 'long')).failure, { kind: 'budget', message: /1.00 of 1 GPU hours/ })
  t.equal(await it.state(run), 'failed')
  it.held('long').end(failure)
  await it.pass()
  await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ann')
  await it.pass()
  t.match(await it.states(run, fail), { long: 'running', second: 'running' }, 'a person lets it spend more')
  await it.wish(run, { kind: 'cancel' })
  const warn = pipelineOf(tasks, { budget: { usd: null, gpuHours: 1, onExceed: 'warn' } })
  const other = await it.run(warn)
  await it.pass(hour)
  await it.end('first')
  t.match(await it.states(other, warn), { second: 'running' })
  t.equal(told.filter((one) => one.type === 'run' && one.event === 'over_budget').length, 2)
})

t.test('tasks of a scheduled run start in its hours only; what slept may wake at any time', async (t) => {
  const it = await testEngine()
  const window = { from: 22 * 60, to: 6 * 60 }
  const schedule = {
    cron: ['0 0 * * *'],
    every: null,
    timezone: 'Europe/Berlin',
    start: null,
    end: null,
    window,
  }
  const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } }, { schedule })
  // The test's clock begins at midnight UTC, which is 1 a.m. there.
  const run = await it.run(pipeline, { trigger: 'schedule' })
  await it.end('a', { type: 'sleep', until: it.clock.time + 8 * hour, state: null })
  await it.pass(8 * hour)
  await it.end('a')
  t.match(await it.states(run, pipeline), { b: 'ready' })
  const manual = await it.run(pipeline)
  t.match(await it.states(manual, pipeline), { a: 'running' })
  await it.pass(12 * hour)
  t.match(await it.states(run, pipeline), { b: 'ready' })
  await it.pass(hour)
  t.match(await it.states(run, pipeline), { b: 'running' })
})

t.test('an endpoint that keeps failing is left alone for a while, then asked by one', async (t) => {
  const it = await testEngine()
  const ask: Sketch = { with: { url: 'http://api:80/x' }, endpoints: ['/url'], retry: tries(9) }
  const pipeline = pipelineOf({ a: ask, b: ask, other: { ...ask, with: { url: 'http://else/' } } })
  const run = await it.run(pipeline)
  for (let i = 0; i < 5; i++) await it.end('a', failure)
  t.match(await it.states(run, pipeline), { a: 'ready', b: 'running', other: 'running' })
  const [event] = (await it.store.events(run)).filter(({ event }) => event === 'breaker')
  t.match(event?.detail, { endpoint: 'http://api', until: it.clock.time + 30_000 })
  await it.end('b', failure)
  await it.pass(60_000)
  t.match(await it.states(run, pipeline), { a: 'running', b: 'ready' }, 'one probe')
  await it.end('a', failure)
  t.match(await it.states(run, pipeline), { a: 'ready', b: 'ready' })
  await it.pass(60_000)
  const { a, b } = await it.states(run, pipeline)
  t.strictSame([a, b].toSorted(), ['ready', 'running'], 'again one probe')
  const [probe, waiting] = a === 'running' ? (['a', 'b'] as const) : (['b', 'a'] as const)
  await it.end(probe)
  t.match(await it.states(run, pipeline), { [probe]: 'succeeded', [waiting]: 'running' })
})

t.test('a sleeping task wakes by a change of a file, an update of a dataset, the end of a run', async (t) => {
  const watched = new Map<string, () => void>()
  const watch = (path: string, changed: () => void) => {
    watched.set(path, changed)
    return () => void watched.delete(path)
  }
  const it = await testEngine({ watch })
  const pipeline = pipelineOf({ a: {}, b: {}, c: {} })
  const run = await it.run(pipeline)
  const made = pipelineOf({ make: { produces: ['s3://lake/docs'] } })
  const other = await it.run(made)
  const asleep = { type: 'sleep', until: null, state: null } as const
  await it.end('a', { ...asleep, on: { paths: ['/inbox'] } })
  await it.end('b', { ...asleep, on: { datasets: ['s3://lake/docs'] } })
  await it.end('c', { ...asleep, on: { runs: [other] } })
  await it.pass(hour)
  t.match(await it.states(run, pipeline), { a: 'sleeping', b: 'sleeping', c: 'sleeping' })
  watched.get('/inbox')?.()
  await it.pass()
  t.match(await it.states(run, pipeline), { a: 'running', b: 'sleeping' })
  t.equal(watched.size, 0, 'nobody watches any more')
  await it.end('make')
  t.match(await it.states(run, pipeline), { b: 'running', c: 'running' })
  t.match(await it.store.datasets(), [{ uri: 's3://lake/docs', run: other, task: 'make' }])
})

t.test('what happened elsewhere wakes too, at the next look', async (t) => {
  const it = await engineOf()
  const pipeline = pipelineOf({ a: {}, b: {} })
  const run = await it.run(pipeline)
  const elsewhere = await testEngine({ store: it.store, clock: it.clock, othersGone: false })
  const other = await elsewhere.run(pipelineOf({ x: {} }))
  const asleep = { type: 'sleep', until: null, state: null } as const
  await it.end('a', { ...asleep, on: { datasets: ['d'] } })
  await it.end('b', { ...asleep, on: { runs: [other] } })
  await it.store.updateDataset('d', it.clock.time)
  await elsewhere.end('x')
  await it.pass(3000)
  await it.pass()
  t.match(await it.states(run, pipeline), { a: 'running', b: 'running' })
})
