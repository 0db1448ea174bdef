/** What comes while a turn's transaction is on its way, and what other engines do meanwhile. */
import t from 'tap'
import { DagctlError } from '../../engine/errors.ts'
import type { Outcome } from '../../engine/outcome.ts'
import type { Report } from '../../engine/report.ts'
import type { Batch } from '../../engine/store/batch.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf, tries } from '../support/pipelines.ts'
import { type Between, storeBetween } from '../support/store-between.ts'
import { type TestEngineOptions, testEngine } from '../support/test-engine.ts'

const vanished: Outcome = { type: 'released', kind: 'node_lost', message: 'vanished' }
const crashed: Outcome = { type: 'failed', kind: 'crash', message: 'SIGTERM' }

/** An engine whose store the test stands before. */
async function slowEngine(between: Between, options: TestEngineOptions = {}) {
  const { store = openSqlite({ path: ':memory:' }), clock = new VirtualClock() } = options
  const it = await testEngine({ ...options, clock, store: storeBetween(store, clock, between) })
  return { ...it, store }
}

/** Whether a promise has settled, as the time goes on. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const seen = { settled: false }
  promise.then(
    () => {
      seen.settled = true
    },
    () => {},
  )
  return seen
}

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

t.test('a timeout strikes a sleeping task also after another engine adopted it', async (t) => {
  const first = await testEngine()
  const run = await first.run(pipelineOf({ sensor: { timeout: 10_000 } }))
  await first.end('sensor', { type: 'sleep', until: first.clock.time + 3_600_000, state: null })
  const next = await testEngine({ store: first.store, clock: first.clock })
  await next.engine.adopt(run)
  await next.pass(10_000)
  await next.pass()
  t.match((await next.store.tasks(run))[0], { state: 'failed', failure: { kind: 'timeout' } })
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

t.test('a batch that cannot be written ends the engine, and the next one loses nothing', async (t) => {
  const between: Between = {}
  const first = await slowEngine(between)
  const pipeline = pipelineOf({ a: { runtime: 'process' }, b: { needs: ['a'] } })
  const run = await first.run(pipeline)
  const full = new DagctlError('E501', 'the disk is full', { kind: 'infrastructure' })
  between.before = (method) => {
    if (method === 'commit') throw full
  }
  const failing = t.rejects(first.engine.failing, full)
  const finished = t.rejects(first.engine.finished(run), full)
  await first.end('a', { rows: 1 })
  await Promise.all([failing, finished])
  await first.engine.stop()
  t.strictSame(first.started(), ['a'], 'nothing was started after')
  const next = await testEngine({ store: first.store, clock: first.clock })
  t.equal(await next.engine.adopt(run), 'adopted')
  await next.pass()
  await next.end('a', { rows: 1 })
  await next.end('b')
  t.match(await next.engine.finished(run), { state: 'succeeded' })
})

t.test('a queued run that another engine took over is let go of', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: 1, tasks: null } })
  await it.run(pipeline)
  const queued = await it.run(pipeline)
  const seen = watch(it.engine.finished(queued))
  await it.store.takeOver(queued, (await it.store.run(queued)) as RunRecord, 'other')
  await it.pass(3000)
  await it.pass()
  t.equal(seen.settled, true)
})

t.test('after a lapse of its lease an engine lets go of what others took over', async (t) => {
  const it = await testEngine()
  const [kept, lost] = [await it.run(pipelineOf({ a: {} })), await it.run(pipelineOf({ b: {} }))]
  const seen = { kept: watch(it.engine.finished(kept)), lost: watch(it.engine.finished(lost)) }
  await it.store.takeOver(lost, (await it.store.run(lost)) as RunRecord, 'other')
  it.clock.time += 15_000
  await it.pass()
  await it.pass()
  t.strictSame([seen.kept.settled, seen.lost.settled], [false, true])
  t.strictSame(it.held('b').stops, ['shutdown'], 'nobody else finds what runs inside this engine')
  t.strictSame(it.held('a').stops, [])
})

t.test('nothing is told of a run that another engine owns by now', async (t) => {
  const reports: Report[] = []
  const it = await testEngine({ report: (report) => reports.push(report) })
  const run = await it.run(pipelineOf({ a: {} }))
  await it.store.takeOver(run, (await it.store.run(run)) as RunRecord, 'other')
  reports.length = 0
  await it.end('a')
  t.strictSame(reports, [])
})

t.test('a run that ends at the moment of its takeover is known to have ended', async (t) => {
  const first = await testEngine()
  const run = await first.run(pipelineOf({ a: {} }))
  const between: Between = {
    before: async (method) => {
      if (method === 'takeOver') await first.end('a')
    },
  }
  const next = await slowEngine(between, { store: first.store, clock: first.clock })
  t.equal(await next.engine.adopt(run), 'adopted')
  const seen = watch(next.engine.finished(run))
  await next.pass(10)
  t.equal(seen.settled, true)
})

t.test('the slot of a cancelled run whose engine died is freed by whoever comes next', async (t) => {
  const first = await testEngine()
  const pipeline = pipelineOf({ a: { runtime: 'process' } }, { concurrency: { runs: null, tasks: 1 } })
  const cancelled = await first.run(pipeline)
  first.engine.cancel(cancelled)
  await first.pass()
  t.match((await first.store.tasks(cancelled))[0], { state: 'cancelled', holding: true })
  const next = await testEngine({ store: first.store, clock: first.clock })
  await next.pass()
  t.strictSame(next.held('a').stops, ['cancel'])
  const run = await next.run(pipeline)
  t.strictSame(await next.states(run, pipeline), { a: 'ready' })
  await next.end('a', crashed)
  t.strictSame(await next.states(run, pipeline), { a: 'running' })
})

t.test('an engine does not take a run over from itself while it is taking it over', async (t) => {
  const first = await testEngine()
  const run = await first.run(pipelineOf({ a: {} }))
  const adoptions: string[] = []
  const between: Between = {
    before: async (method) => {
      if (method === 'pipeline') adoptions.push(await next.engine.adopt(run))
    },
  }
  const next = await slowEngine(between, { store: first.store, clock: first.clock })
  t.equal(await next.engine.adopt(run), 'adopted')
  t.strictSame(adoptions, ['alive'])
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

t.test('who adopts a run hears at once what was asked of it', async (t) => {
  const first = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const run = await first.run(pipeline)
  await first.store.request(run, { kind: 'cancel' }, 'ann', first.clock.time)
  const next = await testEngine({ store: first.store, clock: first.clock })
  await next.engine.adopt(run)
  await next.pass()
  await next.pass()
  t.strictSame(await next.states(run, pipeline), { a: 'cancelled' })
})

t.test('who adopts the queued runs of a backfill keeps to its `max-active`', async (t) => {
  const first = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const entered = { pipeline: 'test', version: 'v', from: 0, to: 9, mode: 'missing', reverse: false } as const
  const rest = { params: {}, folder: '/', includeDeploy: false, state: 'running', createdAt: 0 } as const
  const record = { ...entered, ...rest, id: 'b', maxActive: 1 }
  await first.store.createBackfill(record, pipeline)
  const wanted = { pipeline, folder: '/', params: {}, trigger: 'backfill', backfill: 'b', omit: [] } as const
  const ids: string[] = []
  for (const start of [1, 2, 3])
    ids.push(
      (await first.store.createRun({ ...wanted, id: `r${start}`, interval: { start, end: 9 } }, 'dead', 0))
        .id,
    )
  for (const id of ids) await first.engine.adopt(id)
  await first.pass()
  const states = await Promise.all(ids.map(async (id) => (await first.store.run(id))?.state))
  t.strictSame(states, ['running', 'queued', 'queued'])
})

t.test('a shutdown counts in no limit of releases, and the task goes on at once', async (t) => {
  let it = await testEngine()
  const run = await it.run(pipelineOf({ a: {} }))
  for (let i = 0; i < 25; i++) {
    const drained = it.engine.drain()
    await it.pass()
    await it.end('a', crashed)
    await drained
    t.match((await it.store.tasks(run))[0], { state: 'ready', releases: 0, wakeAt: null, tries: 1 })
    await it.engine.stop()
    it = await testEngine({ store: it.store, clock: it.clock })
    await it.engine.adopt(run)
    await it.pass()
  }
  t.equal(it.held('a').attempt.task.attempt, 26)
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
  await it.run(pipelineOf({ flaky: { retry } }))
  await it.end('flaky', crashed)
  it.clock.offset = -3_600_000
  await it.pass(5000)
  await it.pass()
  t.equal(it.held('flaky').attempt.task.attempt, 2)
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

t.test('an attempt that a retry has made obsolete is asked to leave by the next engine too', async (t) => {
  const first = await testEngine()
  const pipeline = pipelineOf({ a: {}, b: {} })
  const run = await first.run(pipeline)
  await first.wish(run, { kind: 'mark', nodes: [0], as: 'failed', reason: 'stuck' })
  await first.wish(run, { kind: 'retry', nodes: [0], fromCheckpoint: null })
  t.match(await first.row(run, pipeline, 'a'), { state: 'ready', holding: true })
  await first.engine.stop()
  const next = await testEngine({ store: first.store, clock: first.clock })
  await next.engine.adopt(run)
  await next.pass()
  t.strictSame(next.held('a').stops, ['cancel'])
  await next.end('a', crashed)
  t.match(await next.row(run, pipeline, 'a'), { state: 'running', attempt: 2 })
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
