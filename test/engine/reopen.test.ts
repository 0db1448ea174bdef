/** Runs that have ended and are taken up again: by two people at once, by two engines at once, with what they cost. */
import t from 'tap'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { Wish } from '../../engine/store/store.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf, tries } from '../support/pipelines.ts'
import { type Between, storeBetween } from '../support/store-between.ts'
import { testEngine } from '../support/test-engine.ts'

const failure = { type: 'failed', kind: 'network', message: 'broken' } as const
const hour = 3_600_000
const retry = (...nodes: number[]): Wish => ({
  kind: 'retry',
  nodes: nodes.length === 0 ? null : nodes,
  fromCheckpoint: null,
})

t.test('of two people who take a run up at once both get what they asked for', async (t) => {
  for (let steps = 0; steps < 40; steps++) {
    const it = await testEngine()
    const pipeline = pipelineOf({ a: {}, b: {} })
    const run = await it.run(pipeline)
    await it.end('a', failure)
    await it.end('b', failure)
    const first = it.engine.reopen(run, retry(0), 'ann')
    for (let i = 0; i < steps; i++) await Promise.resolve()
    const second = it.engine.reopen(run, retry(1), 'bob')
    await it.pass()
    t.equal(await first, 'reopened')
    t.equal(await second, 'owned', 'and does not wait for the end of the run')
    t.strictSame(await it.states(run, pipeline), { a: 'running', b: 'running' }, `${steps} steps apart`)
    await it.end('a')
    await it.end('b')
    t.equal(await it.state(run), 'succeeded')
  }
})

t.test('of two engines that take a run up at once one has it, and the other says so', async (t) => {
  const store = openSqlite({ path: ':memory:' })
  const clock = new VirtualClock()
  const ours = await testEngine({ store, clock, othersGone: false })
  const between: Between = {}
  const theirs = await testEngine({ store: storeBetween(store, clock, between), clock, othersGone: false })
  const pipeline = pipelineOf({ a: {}, b: {} })
  const run = await ours.run(pipeline)
  await ours.end('a', failure)
  await ours.end('b', failure)
  let asked = false
  between.before = async (method, [batch]) => {
    if (method !== 'commit' || asked || !JSON.stringify(batch).includes('takes')) return
    asked = true
    // Between their decision and their commit.
    await ours.reopen(run, retry(0))
  }
  const said = theirs.engine.reopen(run, retry(1), 'bob')
  await theirs.pass(60_000)
  t.ok(asked)
  t.equal(await said, 'alive')
  t.hasStrict(await store.run(run), { state: 'running', owner: ours.engine.id })
  t.hasStrict(await ours.states(run, pipeline), { a: 'running', b: 'failed' })
  await ours.end('a')
  t.equal(await ours.state(run), 'failed')
  t.equal(await theirs.reopen(run, retry(1), 'bob'), 'reopened')
  t.hasStrict(await store.run(run), { state: 'running', owner: theirs.engine.id })
})

t.test('what the last attempt of a cancelled run cost is not forgotten when it is tried again', async (t) => {
  const lease = { holds: 99 * hour, renewed: 99 * hour }
  const resources = { pools: {}, rates: { cpu: 1, gpu: 0, pools: {} } }
  const it = await testEngine({ lease, resources })
  const pipeline = pipelineOf(
    { a: { runtime: 'process' } },
    { budget: { usd: 99, gpuHours: null, onExceed: 'hold' } },
  )
  const run = await it.run(pipeline)
  await it.pass(10 * hour)
  await it.wish(run, { kind: 'cancel' })
  const again = it.engine.reopen(run, retry(), 'ann')
  await it.pass()
  await it.end('a', failure)
  t.equal(await again, 'reopened')
  await it.pass(5 * hour)
  await it.end('a')
  t.hasStrict(await it.store.run(run), { state: 'succeeded', spentUsd: 15 })
})

t.test('an engine that takes over counts what an attempt costs from its own claim', async (t) => {
  const lease = { holds: 99 * hour, renewed: 99 * hour }
  const resources = { pools: {}, rates: { cpu: 1, gpu: 0, pools: {} } }
  const it = await testEngine({ lease, resources })
  const run = await it.run(pipelineOf({ a: { runtime: 'process' } }))
  await it.pass(5 * hour)
  await it.end('a', { type: 'released', kind: 'node_lost', message: 'gone' })
  await it.pass(hour)
  await it.engine.stop()
  const next = await testEngine({ store: it.store, clock: it.clock, lease, resources })
  await next.engine.adopt(run)
  await next.pass(hour)
  await next.end('a')
  const spent = (await it.store.run(run))?.spentUsd ?? 0
  t.ok(spent > 6.9 && spent <= 7, `5 h, and an hour on each engine: ${spent}`)
})

t.test('a group that was skipped for what was above it runs when that is tried again', async (t) => {
  const it = await testEngine({
    evaluator: { test: (_, scope) => scope.task('a')?.state === 'succeeded' },
  })
  const pipeline = pipelineOf({
    a: {},
    b: { needs: ['a'], trigger: 'all_done', when: 'tasks.a.state == "succeeded"' },
    g: { isGroup: true, uses: '', needs: ['b'] },
    'g.x': { group: 2 },
    after: { needs: ['g'] },
  })
  const run = await it.run(pipeline)
  await it.end('a', failure)
  t.hasStrict(await it.states(run, pipeline), { b: 'skipped', g: 'skipped', 'g.x': 'skipped' })
  await it.reopen(run, retry())
  await it.end('a')
  await it.end('b')
  t.hasStrict(await it.states(run, pipeline), { g: 'running', 'g.x': 'running', after: 'waiting' })
})

t.test('a checkpoint that was chosen holds also for the attempt after one that never started', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ train: { runtime: 'process', retry: tries(2) } })
  const run = await it.run(pipeline)
  for (let i = 0; i < 2; i++) await it.end('train', failure)
  t.equal(it.held('train').attempt.restore, undefined)
  await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: 500 })
  t.strictSame(it.held('train').attempt.restore, { step: 500, since: 3 })
  await it.end('train', { type: 'released', kind: 'node_lost', message: 'never started' })
  await it.pass(60_000)
  t.equal(it.held('train').attempt.task.attempt, 4)
  t.strictSame(it.held('train').attempt.restore, { step: 500, since: 3 })
})

t.test('a queued run of which nothing is open is cancelled all the same', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: 1, tasks: null } })
  const failed = await it.run(pipeline)
  await it.end('a', failure)
  const running = await it.run(pipeline)
  await it.reopen(failed, { kind: 'mark', nodes: [0], as: 'succeeded', reason: 'checked' })
  t.equal(await it.state(failed), 'queued')
  await it.wish(failed, { kind: 'cancel' })
  t.equal(await it.state(failed), 'cancelled')
  t.equal(await it.state(running), 'running')
})
