/** What comes while a turn's transaction is on its way, and what clocks and limits do meanwhile. */
import t from 'tap'
import type { Outcome } from '../../engine/outcome.ts'
import type { Batch } from '../../engine/store/batch.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf, tries } from '../support/pipelines.ts'
import { slowEngine, watch } from '../support/slow-engine.ts'
import type { Between } from '../support/store-between.ts'
import { testEngine } from '../support/test-engine.ts'

const vanished: Outcome = { type: 'released', kind: 'node_lost', message: 'vanished' }
const crashed: Outcome = { type: 'failed', kind: 'crash', message: 'SIGTERM' }

t.test('a timeout while the claim is committed stops the attempt, and none runs beside it', async (t) => {
  const between: Between = {}
  const it = await slowEngine(between)
  const run = await it.run(pipelineOf({ a: { timeout: 10_000, retry: tries(2) } }))
  await it.end('a', vanished)
  await it.pass(8900)
  await it.end('a', vanished)
  between.delay = 200
  await it.pass(1500)
  t.strictSame(it.held('a').stops, ['timeout'])
  t.match((await it.store.tasks(run))[0], { state: 'running', holding: true, attempt: 3 })
})

t.test('a timeout while the outcome is committed as a sleep ends the sleep', async (t) => {
  const between: Between = {}
  const it = await slowEngine(between)
  const run = await it.run(pipelineOf({ a: { timeout: 10_000 } }))
  await it.pass(9900)
  between.delay = 200
  await it.end('a', { type: 'sleep', until: it.clock.time + 3_600_000, state: null })
  await it.pass(1000)
  t.match((await it.store.tasks(run))[0], { state: 'failed', failure: { kind: 'timeout' } })
})

t.test('the end of a sleep that a timeout cut short does not end the delay of the retry', async (t) => {
  const it = await testEngine()
  const retry = { ...tries(2), onSleep: true, delay: 60_000, maxDelay: 60_000 }
  const run = await it.run(pipelineOf({ sensor: { timeout: 1000, retry } }))
  await it.end('sensor', { type: 'sleep', until: it.clock.time + 5000, state: null })
  await it.pass(10_000)
  t.match((await it.store.tasks(run))[0], { state: 'retrying', attempt: 1 })
  await it.pass(51_000)
  t.match((await it.store.tasks(run))[0], { state: 'running', attempt: 2 })
})

t.test('an attempt whose claim is committed while the engine drains is asked to leave', async (t) => {
  const between: Between = { delay: 100 }
  const it = await slowEngine(between)
  const run = await it.run(pipelineOf({ a: {} }))
  await it.pass(150)
  const drained = watch(it.engine.drain())
  await it.pass(500)
  t.strictSame(it.held('a').stops, ['shutdown'])
  await it.end('a', crashed)
  await it.pass(500)
  t.equal(drained.settled, true)
  t.match((await it.store.tasks(run))[0], { state: 'ready' })
})

t.test('what is cancelled while its claim is committed is stopped, and ends cancelled', async (t) => {
  const between: Between = { delay: 100 }
  const it = await slowEngine(between)
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  await it.pass(150)
  it.engine.cancel(run)
  await it.pass(500)
  t.strictSame(it.held('a').stops, ['cancel'])
  t.strictSame(await it.states(run, pipeline), { a: 'cancelled' })
  await it.end('a', crashed)
  await it.pass(500)
  t.match(await it.engine.finished(run), { state: 'cancelled' })
})

t.test('a cancel ends tasks in every open state at once', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf(
    {
      retrying: { retry: { ...tries(2), delay: 60_000, maxDelay: 60_000 } },
      sleeping: {},
      running: {},
      ready: {},
      waiting: { needs: ['running'] },
    },
    { concurrency: { runs: null, tasks: 1 } },
  )
  const run = await it.run(pipeline)
  await it.end('retrying', crashed)
  await it.end('sleeping', { type: 'sleep', until: it.clock.time + 60_000, state: null })
  for (const [id, state] of Object.entries(await it.states(run, pipeline))) t.equal(state, id)
  it.engine.cancel(run)
  await it.pass()
  t.strictSame(new Set(Object.values(await it.states(run, pipeline))), new Set(['cancelled']))
  t.match(await it.store.run(run), { state: 'cancelled' })
  await it.pass(120_000)
  t.strictSame(it.started(), ['retrying', 'sleeping', 'running'])
})

t.test('what is left out of a run ends all that cannot be without it', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({
    extract: {},
    load: { needs: ['extract'] },
    pack: { needs: ['load'] },
    notify: { needs: ['pack'], trigger: 'all_done' },
  })
  const wanted = { pipeline, folder: '/', params: {}, trigger: 'manual', backfill: null } as const
  const { id } = await it.engine.create({ ...wanted, interval: { start: 0, end: 0 }, omit: [0] })
  await it.pass()
  t.strictSame(await it.states(id, pipeline), {
    extract: 'skipped',
    load: 'skipped',
    pack: 'skipped',
    notify: 'running',
  })
})

t.test('one turn asks for no more slots than the limit has', async (t) => {
  let most = 0
  const between: Between = {
    before: (method, [batch]) => {
      if (method !== 'commit') return
      const claims = (batch as Batch).claims
      most = Math.max(most, claims.length)
    },
  }
  const it = await slowEngine(between)
  const ids = Array.from({ length: 50 }, (_, i) => `t${i}`)
  const sketches = Object.fromEntries(ids.map((id) => [id, {}]))
  const run = await it.run(pipelineOf(sketches, { concurrency: { runs: null, tasks: 3 } }))
  for (const id of ids) await it.end(id)
  t.equal((await it.store.run(run))?.state, 'succeeded')
  t.equal(most, 3)
})

t.test('caches are looked at a few at a time, and what was looked at first starts first', async (t) => {
  let now = 0
  let most = 0
  const clock = new VirtualClock()
  const key = async () => {
    most = Math.max(most, ++now)
    await new Promise<void>((resolve) => clock.face().soonAfter(10, resolve))
    now--
    return `key ${Math.floor(clock.time)}`
  }
  const it = await testEngine({ clock, slots: 1000, fingerprint: { key, intact: async () => true } })
  const ids = Array.from({ length: 200 }, (_, i) => `t${i}`)
  const cached = { cache: { ttl: null, files: [] } }
  const run = await it.run(pipelineOf(Object.fromEntries(ids.map((id) => [id, cached]))))
  await it.pass(15)
  t.ok(most <= 32, `${most} at a time`)
  t.ok(it.started().length > 0, 'the first ones run while others are looked at')
  await it.pass(1000)
  for (const id of ids) await it.end(id)
  t.equal((await it.store.run(run))?.state, 'succeeded')
})

t.test('a clock that is set back prolongs no delay', async (t) => {
  const it = await testEngine()
  const retry = { ...tries(2), delay: 5000, maxDelay: 5000 }
  const longer = { ...retry, delay: 8000, maxDelay: 8000 }
  await it.run(pipelineOf({ flaky: { retry }, slower: { retry: longer }, sensor: {}, later: { retry } }))
  await it.end('flaky', crashed)
  await it.end('slower', crashed)
  await it.end('sensor', { type: 'sleep', until: it.clock.time + 10_000, state: null })
  const attempt = (task: string) => it.held(task).attempt.task.attempt
  it.clock.offset = -3_600_000
  await it.pass(4000)
  await it.end('later', crashed)
  await it.pass(1000)
  await it.pass()
  t.equal(attempt('flaky'), 2)
  await it.pass(3000)
  await it.pass()
  t.equal(attempt('slower'), 2, 'not only the first of them')
  t.equal(attempt('later'), 1, 'nor is one that came since cut short')
  await it.pass(2000)
  await it.pass()
  t.equal(attempt('sensor'), 2)
  t.equal(attempt('later'), 2)
})

t.test('a clock that was set back and is corrected wakes what is due by then', async (t) => {
  const it = await testEngine()
  it.clock.offset = -3_600_000
  await it.run(pipelineOf({ sensor: {} }))
  await it.end('sensor', { type: 'sleep', until: it.clock.time + 60_000, state: null })
  await it.pass(360_000)
  t.equal(it.held('sensor').attempt.task.attempt, 1)
  it.clock.offset = 0
  await it.pass(3000)
  await it.pass()
  t.equal(it.held('sensor').attempt.task.attempt, 2)
})

t.test('a clock that is set forward ends no try before its time', async (t) => {
  const it = await testEngine()
  await it.run(pipelineOf({ a: { timeout: 10_000 } }))
  const { stops } = it.held('a')
  it.clock.offset = 3_600_000
  await it.pass(9_900)
  t.strictSame(stops, [])
  await it.pass(200)
  t.strictSame(stops, ['timeout'])
})

t.test('a clock that is set forward wakes what is due by then', async (t) => {
  const it = await testEngine()
  await it.run(pipelineOf({ sensor: {} }))
  await it.end('sensor', { type: 'sleep', until: it.clock.time + 7_200_000, state: null })
  it.clock.offset = 7_200_000
  await it.pass(3000)
  await it.pass()
  t.equal(it.held('sensor').attempt.task.attempt, 2)
})

t.test('a timeout that comes with a mark and a retry does not end the new try', async (t) => {
  const between: Between = {}
  const it = await slowEngine(between)
  const pipeline = pipelineOf({ a: { timeout: 10_000 }, b: {} })
  const run = await it.run(pipeline)
  await it.end('a', { type: 'sleep', until: it.clock.time + 3_600_000, state: null })
  await it.pass(9900)
  between.delay = 200
  it.held('b').end({ type: 'succeeded', outputs: {} })
  await it.pass()
  it.engine.wish(run, { kind: 'mark', nodes: [0], as: 'failed', reason: 'stuck' }, 'ann')
  it.engine.wish(run, { kind: 'retry', nodes: [0], fromCheckpoint: null }, 'ann')
  await it.pass(1000)
  t.match(await it.row(run, pipeline, 'a'), { state: 'running', attempt: 2 })
})

t.test('an engine that drains waits for the baseline of what has succeeded', async (t) => {
  const between: Between = {}
  const it = await slowEngine(between)
  const pipeline = pipelineOf({ a: { gate: ['baseline == null'] }, b: {} })
  const run = await it.run(pipeline)
  between.before = (method) =>
    method === 'baseline'
      ? new Promise<void>((resolve) => it.clock.face().soonAfter(500, resolve))
      : undefined
  const drained = watch(it.engine.drain())
  await it.end('a')
  await it.end('b')
  await it.pass(100)
  t.equal(drained.settled, false)
  await it.pass(1000)
  t.equal(drained.settled, true)
  t.match(await it.row(run, pipeline, 'a'), {
    holding: false,
    state: 'failed',
    failure: { kind: 'gate_failed' },
  })
})
