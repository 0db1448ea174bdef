/** What a mark or a retry must not set off: starts before their time, ends of what still runs, ends that hide a failure. */
import t from 'tap'
import { each, pipelineOf } from '../support/pipelines.ts'
import { backfillRecord } from '../support/stored-records.ts'
import { testEngine } from '../support/test-engine.ts'

const failure = { type: 'failed', kind: 'user', message: 'broken' } as const
const byHand = (nodes: readonly number[]) =>
  ({ kind: 'mark', nodes, as: 'succeeded', reason: 'by hand' }) as const

t.test('a failed task that is marked leaves what runs beside it in its group running', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ g: { isGroup: true, uses: '' }, 'g.a': { group: 0 }, 'g.b': { group: 0 } })
  const run = await it.run(pipeline)
  await it.end('g.a', failure)
  await it.wish(run, byHand([1]))
  t.match(await it.states(run, pipeline), { g: 'running', 'g.a': 'succeeded', 'g.b': 'running' })
  await it.end('g.b')
  t.equal(await it.state(run), 'succeeded')
})

t.test('a failed instance that is marked leaves the other instances running', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ m: { foreach: each(['x', 'y']) } })
  const run = await it.run(pipeline)
  await it.end('m[0]', failure)
  await it.wish(run, byHand([(await it.row(run, pipeline, 'm[0]')).node]))
  t.match(await it.states(run, pipeline), { m: 'running', 'm[0]': 'succeeded', 'm[1]': 'running' })
  await it.end('m[1]')
  t.equal(await it.state(run), 'succeeded')
})

t.test('what waits for all of its needs still does, when one that failed is marked', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {}, b: {}, end: { needs: ['a', 'b'], trigger: 'all_done' } })
  const run = await it.run(pipeline)
  await it.end('a', failure)
  await it.wish(run, byHand([0]))
  t.match(await it.states(run, pipeline), { a: 'succeeded', b: 'running', end: 'waiting' })
})

t.test('a group of which one failed task is marked and another is not has still failed', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ g: { isGroup: true, uses: '' }, 'g.a': { group: 0 }, 'g.b': { group: 0 } })
  const run = await it.run(pipeline)
  await it.end('g.a', failure)
  await it.end('g.b', failure)
  await it.reopen(run, byHand([1]), 'ann')
  await it.pass()
  t.hasStrict(await it.states(run, pipeline), { g: 'failed', 'g.a': 'succeeded', 'g.b': 'failed' })
  t.equal(await it.state(run), 'failed')
})

t.test('nothing is marked in a run that succeeded', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {}, b: { when: 'false' } })
  const run = await it.run(pipeline)
  await it.end('a')
  await it.reopen(run, byHand([1]), 'ann')
  await it.pass()
  t.match(await it.states(run, pipeline), { b: 'skipped' })
  t.equal(await it.state(run), 'succeeded')
  await it.engine.finished(run)
})

t.test('a mark starts nothing of a run that is still queued', async (t) => {
  const it = await testEngine()
  const one = { concurrency: { runs: 1, tasks: null } }
  const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } }, one)
  const first = await it.run(pipeline)
  const queued = await it.run(pipeline)
  await it.wish(queued, byHand([0]))
  t.equal(await it.state(queued), 'queued')
  t.match((await it.row(queued, pipeline, 'b')).attempt, 0)
  await it.wish(first, { kind: 'cancel' })
  await it.end('a', failure)
  t.match(await it.states(queued, pipeline), { a: 'succeeded', b: 'running' })
})

t.test('a queued run that is paused and resumed starts once', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: 2, tasks: null } })
  const running = [await it.run(pipeline), await it.run(pipeline)]
  const queued = await it.run(pipeline)
  await it.wish(queued, { kind: 'pause' })
  await it.wish(queued, { kind: 'resume' })
  for (const run of running) it.heldOf(run, await it.row(run, pipeline, 'a')).end(failure)
  await it.pass()
  t.equal(await it.state(queued), 'running')
  await it.end('a')
  t.equal(await it.state(queued), 'succeeded')
})

t.test('a task of a mapped group ends as its copies did after the retry of one of them', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({
    g: { isGroup: true, uses: '', foreach: each(['x']) },
    'g.a': { group: 0 },
  })
  const run = await it.run(pipeline)
  await it.end('g.a', failure)
  const copy = await it.row(run, pipeline, 'g[0].a')
  await it.reopen(run, { kind: 'retry', nodes: [copy.node], fromCheckpoint: null }, 'ann')
  await it.pass()
  t.match(await it.states(run, pipeline), { 'g.a': 'running', 'g[0].a': 'running' })
  await it.end('g.a')
  t.match(await it.states(run, pipeline), { g: 'succeeded', 'g.a': 'succeeded', 'g[0].a': 'succeeded' })
  t.equal(await it.state(run), 'succeeded')
})

t.test('a run that is tried again, paused and resumed while it is queued waits for its turn', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: 1, tasks: null } })
  const run = await it.run(pipeline)
  await it.end('a', failure)
  const second = await it.run(pipeline)
  await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ann')
  await it.wish(run, { kind: 'pause' })
  const third = await it.run(pipeline)
  await it.end('a')
  t.equal(await it.state(third), 'running', 'paused, it stands in nobody’s way')
  await it.wish(run, { kind: 'resume' })
  t.match(await it.store.run(run), { state: 'queued', endedAt: null })
  await it.end('a')
  t.match(await it.states(run, pipeline), { a: 'running' })
  await it.end('a')
  t.equal(await it.state(run), 'succeeded')
  t.equal(await it.state(second), 'succeeded')
})

t.test('a run that is tried again and paused at once has not ended', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ a: {} }))
  await it.end('a', failure)
  await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ann')
  it.engine.wish(run, { kind: 'pause' }, 'ann')
  await it.pass()
  t.match(await it.store.run(run), { state: 'paused', endedAt: null })
})

t.test('runs of a backfill that are tried again keep to its `max-active`', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const runs: string[] = []
  for (const end of [1, 2]) {
    const more = { trigger: 'backfill', backfill: 'b', interval: { start: 0, end } } as const
    runs.push(await it.run(pipeline, more))
    await it.end('a', failure)
  }
  await it.store.createBackfill(backfillRecord({ version: pipeline.version, mode: 'all' }), pipeline)
  for (const run of runs) await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ann')
  await it.pass()
  t.strictSame(await Promise.all(runs.map((run) => it.state(run))), ['running', 'queued'])
})

t.test('a run that is tried again after its deadline goes on', async (t) => {
  const hour = 3_600_000
  const it = await testEngine({ lease: { holds: 9 * hour, renewed: 9 * hour } })
  const pipeline = pipelineOf({ a: {} }, { deadline: { after: hour, do: 'fail' } })
  const run = await it.run(pipeline)
  await it.end('a', failure)
  await it.pass(2 * hour)
  await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ann')
  await it.pass()
  t.match(await it.states(run, pipeline), { a: 'running' })
  t.match(await it.store.run(run), { state: 'running', overdue: true })
})

t.test(
  'what stands in a group that is given is skipped, where its queued run is cancelled too',
  async (t) => {
    const it = await testEngine()
    const pipeline = pipelineOf(
      { g: { isGroup: true, uses: '' }, 'g.a': { group: 0 }, b: {} },
      { concurrency: { runs: 1, tasks: null } },
    )
    await it.run(pipeline)
    const run = await it.run(pipeline, { given: [{ node: 0, run: 'earlier', outputs: {} }] })
    await it.wish(run, { kind: 'cancel' })
    t.match(await it.states(run, pipeline), { g: 'succeeded', 'g.a': 'skipped', b: 'cancelled' })
  },
)
