/** The probe of a circuit breaker: one attempt, and never nobody for ever. */
import t from 'tap'
import { pipelineOf, type Sketch, tries } from '../support/pipelines.ts'
import { testEngine as engineOf, type TestEngineOptions } from '../support/test-engine.ts'

/** Half a minute passes in these tests, in which nobody needs to know that the engine lives. */
const lease = { holds: 3_600_000, renewed: 3_600_000 }
const testEngine = (options: TestEngineOptions = {}) => engineOf({ lease, ...options })
const network = { type: 'failed', kind: 'network', message: 'unreachable' } as const
const asks = (url: string): Sketch => ({ with: { url }, endpoints: ['/url'], retry: tries(99) })

/** Fails a task until its endpoint's breaker is open. */
async function open(it: Awaited<ReturnType<typeof engineOf>>, task: string): Promise<void> {
  for (let i = 0; i < 5; i++) await it.end(task, network)
}

t.test('a task that asks one endpoint twice is its own probe', async (t) => {
  const it = await testEngine()
  const twice: Sketch = {
    ...asks('http://api/x'),
    with: { url: 'http://api/x', back: 'http://api/y' },
    endpoints: ['/url', '/back'],
  }
  const pipeline = pipelineOf({ a: twice })
  const run = await it.run(pipeline)
  for (let i = 0; i < 3; i++) await it.end('a', network)
  await it.pass(60_000)
  t.match(await it.states(run, pipeline), { a: 'running' })
})

/** A pipeline whose runs together run one task at a time. */
function alone(tasks: { readonly [id: string]: Sketch }) {
  return pipelineOf(tasks, { name: 'alone', concurrency: { runs: null, tasks: 1 } })
}

t.test('a probe that has no room under a limit starts when there is', async (t) => {
  const it = await testEngine()
  const pipeline = alone({ a: asks('http://api') })
  const run = await it.run(pipeline)
  await open(it, 'a')
  await it.run(alone({ hog: {} }))
  await it.pass(60_000)
  t.match(await it.states(run, pipeline), { a: 'ready' })
  await it.end('hog')
  t.match(await it.states(run, pipeline), { a: 'running' })
})

t.test('another task probes where the one that was to has no room', async (t) => {
  const it = await testEngine()
  await it.run(alone({ a: asks('http://api') }))
  await open(it, 'a')
  await it.run(alone({ hog: {} }))
  await it.pass(60_000)
  const free = pipelineOf({ b: asks('http://api') })
  const run = await it.run(free)
  t.match(await it.states(run, free), { b: 'running' })
})

t.test('a task that waits for one endpoint does not keep another from being probed', async (t) => {
  const it = await testEngine()
  const both: Sketch = {
    ...asks('http://one'),
    with: { url: 'http://one', other: 'http://two' },
    endpoints: ['/url', '/other'],
  }
  const pipeline = pipelineOf({ one: asks('http://one') })
  const second = pipelineOf({ two: asks('http://two') })
  const third = pipelineOf({ both })
  const run = await it.run(pipeline)
  await open(it, 'one')
  await it.wish(run, { kind: 'cancel' })
  await it.pass(29_000)
  await it.run(second)
  await open(it, 'two')
  await it.pass(2000)
  const waiting = await it.run(third)
  t.match(await it.states(waiting, third), { both: 'ready' }, 'the second endpoint holds it back')
  const probe = await it.run(pipeline)
  t.match(await it.states(probe, pipeline), { one: 'running' })
})

t.test('a probe of a run that another engine took over is followed by another one', async (t) => {
  const it = await engineOf()
  const pipeline = pipelineOf({ a: asks('http://api') })
  const other = pipelineOf({ b: asks('http://api') })
  const run = await it.run(pipeline)
  await open(it, 'a')
  await it.pass(60_000)
  const waiting = await it.run(other)
  t.match(
    [await it.states(run, pipeline), await it.states(waiting, other)],
    [{ a: 'running' }, { b: 'ready' }],
  )
  const record = await it.store.run(run)
  await it.store.takeOver(run, { owner: record?.owner ?? null, fence: record?.fence ?? 0 }, 'another')
  await it.pass(10_000)
  t.match(await it.states(waiting, other), { b: 'running' })
})

t.test('a probe that is cancelled tells nothing of its endpoint', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: asks('http://api') })
  const other = pipelineOf({ b: asks('http://api'), c: asks('http://api') })
  const run = await it.run(pipeline)
  await open(it, 'a')
  await it.pass(60_000)
  const waiting = await it.run(other)
  await it.wish(run, { kind: 'cancel' })
  await it.end('a', { type: 'failed', kind: 'crash', message: 'SIGTERM' })
  t.match(await it.states(waiting, other), { b: 'running', c: 'ready' }, 'the next probe, alone')
})
