/** Engines that take runs over from others: what they find, what the others let go of. */
import t from 'tap'
import { DagctlError } from '../../engine/errors.ts'
import type { Outcome } from '../../engine/outcome.ts'
import type { Report } from '../../engine/report.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { slowEngine, watch } from '../support/slow-engine.ts'
import type { Between } from '../support/store-between.ts'
import { testEngine } from '../support/test-engine.ts'

const crashed: Outcome = { type: 'failed', kind: 'crash', message: 'SIGTERM' }

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
