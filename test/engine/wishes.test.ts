/** What people do to runs: pause, resume, retry, mark, answer. */
import t from 'tap'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf, tries } from '../support/pipelines.ts'
import { type Between, storeBetween } from '../support/store-between.ts'
import { testEngine } from '../support/test-engine.ts'

const failure = { type: 'failed', kind: 'user', message: 'broken' } as const
const retryAll = { kind: 'retry', nodes: null, fromCheckpoint: null } as const

t.test('a paused run starts nothing, lets go on what runs, and goes on when it is resumed', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } })
  const run = await it.run(pipeline)
  await it.wish(run, { kind: 'pause' })
  t.match(await it.store.run(run), { state: 'paused', pausedFor: 'person' })
  await it.end('a')
  t.match(await it.states(run, pipeline), { a: 'succeeded', b: 'ready' })
  const next = await testEngine({ store: it.store, clock: it.clock })
  await it.engine.stop()
  await next.engine.adopt(run)
  await next.pass(60_000)
  t.match(await next.states(run, pipeline), { b: 'ready' }, 'also on another engine')
  await next.wish(run, { kind: 'resume' })
  t.match(await next.store.run(run), { state: 'running', pausedFor: null })
  await next.end('b')
  t.equal(await next.state(run), 'succeeded')
})

t.test('a run that was paused before it started waits for its limits again', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: 1, tasks: null } })
  const first = await it.run(pipeline)
  const second = await it.run(pipeline)
  await it.wish(second, { kind: 'pause' })
  const third = await it.run(pipeline)
  await it.end('a')
  t.match(
    [await it.state(first), await it.state(third)],
    ['succeeded', 'running'],
    'it stands in nobody’s way',
  )
  await it.wish(second, { kind: 'resume' })
  t.equal(await it.state(second), 'queued')
  await it.end('a')
  t.equal(await it.state(second), 'running')
})

t.test('a paused run whose last task ends is over; one that is cancelled is cancelled', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  await it.wish(run, { kind: 'pause' })
  await it.end('a')
  t.equal(await it.state(run), 'succeeded')
  const other = await it.run(pipeline)
  await it.wish(other, { kind: 'pause' })
  await it.wish(other, { kind: 'cancel' })
  t.equal(await it.state(other), 'cancelled')
})

t.test(
  'a retry takes back what did not succeed and what was skipped below it, and counts anew',
  async (t) => {
    const it = await testEngine()
    const pipeline = pipelineOf({
      a: { retry: tries(2) },
      b: { needs: ['a'] },
      c: { needs: ['a'], trigger: 'all_failed' },
      clean: { needs: ['b'], trigger: 'all_skipped' },
      free: {},
      left: { when: 'false' },
    })
    const run = await it.run(pipeline)
    await it.end('free')
    await it.end('a', failure)
    await it.end('a', failure)
    await it.end('c')
    const before = await it.states(run, pipeline)
    t.hasStrict(before, {
      a: 'failed',
      b: 'upstream_failed',
      c: 'succeeded',
      clean: 'skipped',
      left: 'skipped',
    })
    t.equal(await it.reopen(run, retryAll, 'ann'), 'reopened')
    await it.pass()
    t.match(await it.states(run, pipeline), {
      a: 'running',
      b: 'waiting',
      c: 'succeeded',
      clean: 'waiting',
      free: 'succeeded',
      left: 'skipped',
    })
    t.match(await it.row(run, pipeline, 'a'), { attempt: 3, tries: 1 })
    await it.end('a')
    await it.end('b')
    t.equal(await it.state(run), 'succeeded')
    const events = await it.store.events(run)
    t.match(
      events.find(({ event, node }) => event === 'retry' && node === null),
      { detail: { by: 'ann' } },
    )
  },
)

t.test('a retry of a cancelled run waits until what it left running has left', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  await it.wish(run, { kind: 'cancel' })
  const next = await testEngine({ store: it.store, clock: it.clock, othersGone: false })
  t.equal(await next.reopen(run, retryAll, 'ann'), 'alive', 'its engine still sees to the end of an attempt')
  await it.end('a', failure)
  t.equal(await next.reopen(run, retryAll, 'ann'), 'reopened')
  await next.pass()
  t.match(await next.row(run, pipeline, 'a'), { state: 'running', attempt: 2 })
})

t.test('nothing is retried where all succeeded: the run stays as it ended', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  await it.end('a')
  await it.reopen(run, retryAll, 'ann')
  await it.pass()
  t.equal(await it.state(run), 'succeeded')
  t.strictSame((await it.row(run, pipeline, 'a')).attempt, 1)
  await it.engine.finished(run)
})

t.test('a task that is marked ends as the person says, and its attempt leaves', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] }, x: {}, y: { needs: ['x'] } })
  const run = await it.run(pipeline)
  await it.wish(run, { kind: 'mark', nodes: [0], as: 'succeeded', reason: 'done by hand' })
  t.strictSame(it.held('a').stops, ['cancel'])
  t.match(await it.states(run, pipeline), { a: 'succeeded', b: 'running' })
  await it.wish(run, { kind: 'mark', nodes: [2], as: 'failed', reason: 'wrong data' })
  t.hasStrict(await it.states(run, pipeline), { x: 'failed', y: 'upstream_failed' })
  t.match((await it.row(run, pipeline, 'x')).failure, {
    kind: 'user',
    message: 'marked as failed by ann: wrong data',
  })
  const marks = (await it.store.events(run)).filter(({ event }) => event.startsWith('mark'))
  t.match(
    marks.map(({ detail }) => detail),
    [
      { by: 'ann', reason: 'done by hand' },
      { by: 'ann', reason: 'wrong data' },
    ],
  )
})

t.test(
  'a failed task that is marked succeeded lets what stands below it go on, in a run that has ended',
  async (t) => {
    const it = await testEngine()
    const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } })
    const run = await it.run(pipeline)
    await it.end('a', failure)
    t.equal(await it.state(run), 'failed')
    await it.reopen(run, { kind: 'mark', nodes: [0], as: 'succeeded', reason: 'checked' }, 'ann')
    await it.pass()
    t.match(await it.states(run, pipeline), { a: 'succeeded', b: 'running' })
    await it.end('b')
    t.equal(await it.state(run), 'succeeded')
  },
)

t.test(
  'an answer reaches the task that asks, with who gave it, also where it came before the question',
  async (t) => {
    const it = await testEngine()
    const pipeline = pipelineOf({ ask: {} })
    const run = await it.run(pipeline)
    const answer = { kind: 'answer', node: 0, attempt: 1, decision: 'approve', values: { n: 1 } } as const
    await it.store.request(run, answer, 'bob', it.clock.time)
    await it.pass(3000)
    t.equal((await it.store.requests(it.engine.id)).length, 1, 'nothing was asked yet')
    const person = { kind: 'approval', message: 'go?', form: {} } as const
    await it.end('ask', { type: 'sleep', until: null, state: { since: 1 }, on: { person } })
    await it.pass(3000)
    t.match(it.held('ask').attempt, {
      state: { since: 1, answer: { decision: 'approve', values: { n: 1 }, by: 'bob' } },
      task: { attempt: 2 },
    })
    t.strictSame(await it.store.requests(it.engine.id), [])
    await it.store.request(run, { ...answer, decision: 'reject' }, 'eve', it.clock.time)
    await it.end('ask', { type: 'sleep', until: null, state: null, on: { person } })
    await it.pass(3000)
    t.equal(
      (await it.row(run, pipeline, 'ask')).state,
      'sleeping',
      'what answered the first question is no answer',
    )
    t.strictSame(await it.store.requests(it.engine.id), [])
  },
)

t.test('what was to start after the end of a task waits again when that is tried again', async (t) => {
  const it = await testEngine({ slots: 1 })
  const pipeline = pipelineOf({
    a: {},
    busy: {},
    clean: { needs: ['a'], trigger: 'all_done' },
    onFailure: { needs: ['a'], trigger: 'one_failed' },
  })
  const run = await it.run(pipeline)
  await it.end('a', failure)
  t.hasStrict(await it.states(run, pipeline), { busy: 'running', clean: 'ready', onFailure: 'ready' })
  await it.wish(run, retryAll)
  t.hasStrict(await it.states(run, pipeline), { a: 'ready', clean: 'waiting', onFailure: 'waiting' })
  await it.end('busy')
  await it.end('a')
  await it.end('clean')
  t.hasStrict(await it.states(run, pipeline), { a: 'succeeded', clean: 'succeeded', onFailure: 'skipped' })
})

t.test('a wish that is heard again before it is written is done once', async (t) => {
  const between: Between = {}
  const clock = new VirtualClock()
  const it = await testEngine({
    store: storeBetween(openSqlite({ path: ':memory:' }), clock, between),
    clock,
  })
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  await it.store.request(run, { kind: 'pause' }, 'ann', clock.time)
  await it.store.request(run, { kind: 'resume' }, 'ann', clock.time)
  // Longer than between two looks.
  between.delay = 5000
  await it.pass(30_000)
  const events = (await it.store.events(run)).map(({ event }) => event)
  t.strictSame(
    events.filter((event) => event === 'pause' || event === 'resume'),
    ['resume'],
  )
})
