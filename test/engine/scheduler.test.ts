/** The scheduler over a real store and virtual time. */
import t from 'tap'
import type { Scope, TaskView } from '../../engine/evaluator.ts'
import type { Json } from '../../engine/json.ts'
import type { Outcome } from '../../engine/outcome.ts'
import { type ClockFace, VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf, tries } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const broken: Outcome = { type: 'failed', kind: 'user', message: 'broken' }
const vanished: Outcome = { type: 'released', kind: 'node_lost', message: 'vanished' }

t.test('a task starts when what it needs has succeeded, with their outputs in the store', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ extract: {}, load: { needs: ['extract'] } })
  const run = await it.run(pipeline)
  t.strictSame(it.started(), ['extract'])
  await it.end('extract', { rows: 3 })
  t.strictSame(it.started(), ['extract', 'load'])
  await it.end('load')
  const ended = await it.engine.finished(run)
  t.equal(ended.state, 'succeeded')
  t.strictSame((await it.store.tasks(run))[0]?.outputs, { rows: 3 })
})

/** Time passes here while the engine works, as it does outside of tests. */
class TickingClock extends VirtualClock {
  override face(): ClockFace {
    const face = super.face()
    face.now = () => ++this.time
    return face
  }
}

t.test('a run begins before its first task and ends after its last, to the millisecond', async (t) => {
  const it = await testEngine({ clock: new TickingClock() })
  const run = await it.run(pipelineOf({ first: {}, last: { needs: ['first'] } }))
  await it.pass(1000)
  for (const task of ['first', 'last']) {
    await it.end(task)
    await it.pass(1000)
  }
  const { createdAt, startedAt, endedAt } = await it.engine.finished(run)
  const [first, last] = await it.store.tasks(run)
  const times = [
    createdAt,
    startedAt,
    first?.startedAt,
    first?.endedAt,
    last?.startedAt,
    last?.endedAt,
    endedAt,
  ]
  t.notOk(times.includes(null), String(times))
  t.strictSame(
    times,
    times.toSorted((a, b) => Number(a) - Number(b)),
  )
})

t.test('a result that arrives after a cancel changes nothing', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ extract: {}, load: { needs: ['extract'] } })
  const run = await it.run(pipeline)
  it.engine.cancel(run)
  await it.pass()
  t.strictSame(it.held('extract').stops, ['cancel'])
  t.strictSame(await it.states(run, pipeline), { extract: 'cancelled', load: 'cancelled' })
  t.equal((await it.store.tasks(run))[0]?.holding, true, 'the attempt holds its slot until it has left')
  await it.end('extract')
  t.strictSame(await it.states(run, pipeline), { extract: 'cancelled', load: 'cancelled' })
  t.equal((await it.store.tasks(run))[0]?.holding, false)
  t.equal((await it.engine.finished(run)).state, 'cancelled')
})

t.test('a run that is cancelled is cancelled, even if a task failed before', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ a: {}, b: {} }))
  await it.end('a', broken)
  it.engine.cancel(run)
  await it.pass()
  await it.end('b')
  t.equal((await it.engine.finished(run)).state, 'cancelled')
})

t.test('a failed try is tried again after its delay, under the next attempt number', async (t) => {
  const it = await testEngine()
  const retry = { ...tries(3), delay: 1000, factor: 2, maxDelay: 60_000 }
  const pipeline = pipelineOf({ flaky: { retry } })
  const run = await it.run(pipeline)
  await it.end('flaky', broken)
  t.strictSame(await it.states(run, pipeline), { flaky: 'retrying' })
  await it.pass(999)
  t.equal(it.held('flaky').attempt.task.attempt, 1)
  await it.pass(1)
  t.equal(it.held('flaky').attempt.task.attempt, 2)
  await it.end('flaky')
  const [row] = await it.store.tasks(run)
  t.match(row, { state: 'succeeded', attempt: 2, tries: 2, failure: null })
})

t.test('after the last try the task fails with the last failure', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ flaky: { retry: tries(2) } }))
  await it.end('flaky', broken)
  await it.end('flaky', { type: 'failed', kind: 'crash', message: 'SIGSEGV' })
  t.match((await it.store.tasks(run))[0], { state: 'failed', tries: 2, failure: { kind: 'crash' } })
  t.equal((await it.engine.finished(run)).state, 'failed')
})

t.test('a release is no try, backs off, and after 20 of them the task fails as node_lost', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ task: {} }))
  for (let i = 1; i <= 20; i++) {
    await it.end('task', vanished)
    t.match((await it.store.tasks(run))[0], { tries: 1, releases: i })
    await it.pass(60_000)
  }
  await it.end('task', vanished)
  t.match((await it.store.tasks(run))[0], { state: 'failed', tries: 1, failure: { kind: 'node_lost' } })
})

t.test('a sleeping task holds no slot, and wakes with what it carried, in the same try', async (t) => {
  const it = await testEngine({ slots: 1 })
  const pipeline = pipelineOf({ sensor: {}, other: {} })
  const run = await it.run(pipeline)
  await it.end('sensor', { type: 'sleep', until: it.clock.time + 30_000, state: { looked: 1 } })
  t.strictSame(await it.states(run, pipeline), { sensor: 'sleeping', other: 'running' })
  await it.end('other')
  await it.pass(30_000)
  t.match(it.held('sensor').attempt, { state: { looked: 1 }, task: { attempt: 2 } })
  await it.end('sensor')
  t.match((await it.store.tasks(run))[0], { state: 'succeeded', tries: 1, attempt: 2 })
})

t.test('the timeout runs from the first start of the try, through sleep', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ sensor: { timeout: 60_000 } }))
  await it.end('sensor', { type: 'sleep', until: it.clock.time + 50_000, state: null })
  await it.pass(50_000)
  t.strictSame(it.held('sensor').stops, [])
  await it.pass(10_000)
  t.strictSame(it.held('sensor').stops, ['timeout'])
  await it.end('sensor')
  t.match((await it.store.tasks(run))[0], { state: 'failed', failure: { kind: 'timeout' } })
})

t.test('a timeout while sleeping is not tried again unless `on` names it', async (t) => {
  for (const onSleep of [false, true]) {
    const it = await testEngine()
    const pipeline = pipelineOf({ sensor: { timeout: 1000, retry: { ...tries(2), onSleep } } })
    const run = await it.run(pipeline)
    await it.end('sensor', { type: 'sleep', until: it.clock.time + 5000, state: null })
    await it.pass(1000)
    await it.pass()
    t.match(
      (await it.store.tasks(run))[0],
      onSleep ? { state: 'running', tries: 2 } : { state: 'failed', tries: 1 },
    )
  }
})

t.test('`when` that is false skips the task before anything is claimed', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ canary: { when: 'false' }, after: { needs: ['canary'] } }))
  t.strictSame(
    (await it.store.tasks(run)).map(({ state, attempt }) => [state, attempt]),
    [
      ['skipped', 0],
      ['skipped', 0],
    ],
  )
  t.equal((await it.engine.finished(run)).state, 'succeeded')
})

t.test('inputs that do not resolve fail the task as invalid_input, without an attempt', async (t) => {
  const render = () => {
    throw new Error('tasks.a.outputs.nothing does not exist')
  }
  const it = await testEngine({ evaluator: { render } })
  const run = await it.run(pipelineOf({ task: { retry: tries(3) } }))
  t.match((await it.store.tasks(run))[0], {
    state: 'failed',
    attempt: 0,
    failure: { kind: 'invalid_input', message: /nothing/ },
  })
})

t.test('a gate that is false makes a success a failure, and the outputs do not count', async (t) => {
  const it = await testEngine()
  const run = await it.run(pipelineOf({ evaluate: { gate: ['true', 'false'] } }))
  await it.end('evaluate', { accuracy: 0.2 })
  t.match((await it.store.tasks(run))[0], {
    state: 'failed',
    outputs: null,
    failure: { kind: 'gate_failed', message: /false/ },
  })
})

t.test('a gate sees the outputs of the last succeeded run as its baseline', async (t) => {
  const seen: unknown[] = []
  const it = await testEngine({ evaluator: { test: (_, scope) => seen.push(scope.baseline) > 0 } })
  const pipeline = pipelineOf({ evaluate: { gate: ['baseline == null || true'] } })
  for (const accuracy of [0.8, 0.9]) {
    await it.run(pipeline)
    await it.end('evaluate', { accuracy })
    await it.pass()
  }
  t.strictSame(seen, [null, { accuracy: 0.8 }])
})

t.test('a cached task reuses the outputs of an earlier run and says which', async (t) => {
  const it = await testEngine({ cacheKey: 'k' })
  const pipeline = pipelineOf({ ingest: { cache: { ttl: 60_000, files: [] } } })
  const first = await it.run(pipeline)
  await it.end('ingest', { records: 7 })
  const second = await it.run(pipeline)
  await it.pass()
  t.match((await it.store.tasks(second))[0], {
    state: 'succeeded',
    attempt: 0,
    cached: first,
    outputs: { records: 7 },
  })
  await it.pass(60_001)
  const third = await it.run(pipeline)
  t.match((await it.store.tasks(third))[0], { state: 'running', cached: null })
})

t.test(
  'the result of new inputs is kept under their key, however late the look by the old ones ends',
  async (t) => {
    const asked: ((key: string) => void)[] = []
    const key = () => new Promise<string>((resolve) => asked.push(resolve))
    const it = await testEngine({ fingerprint: { key, intact: async () => true } })
    const cache = { ttl: null, files: [] }
    const pipeline = pipelineOf({ a: {}, b: { needs: ['a'], trigger: 'all_done', cache } })
    const run = await it.run(pipeline)
    await it.end('a', { type: 'failed', kind: 'network', message: 'broken' })
    await it.wish(run, { kind: 'retry', nodes: null, fromCheckpoint: null })
    await it.end('a')
    t.equal(asked.length, 2, 'it became ready twice')
    asked[1]?.('new')
    await it.pass()
    asked[0]?.('old')
    await it.pass()
    await it.end('b', { made: 'of new inputs' })
    t.strictSame((await it.store.cached('new', 0))?.outputs, { made: 'of new inputs' })
    t.equal(await it.store.cached('old', 0), null)
  },
)

t.test('what a person says of a cached task is not kept as its result', async (t) => {
  const it = await testEngine({ cacheKey: 'k' })
  const pipeline = pipelineOf({ ingest: { cache: { ttl: null, files: [] } } })
  const first = await it.run(pipeline)
  await it.wish(first, { kind: 'mark', nodes: [0], as: 'succeeded', reason: 'enough' })
  await it.end('ingest')
  t.equal(await it.state(first), 'succeeded')
  const second = await it.run(pipeline)
  t.hasStrict((await it.store.tasks(second))[0], { state: 'running', cached: null })
})

t.test('no more tasks of a pipeline run than its limit, over all its runs', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {}, b: {}, c: {} }, { concurrency: { runs: null, tasks: 2 } })
  const runs = [await it.run(pipeline), await it.run(pipeline)]
  const holding = async () =>
    (await Promise.all(runs.map((id) => it.store.tasks(id)))).flat().filter((task) => task.holding).length
  t.equal(await holding(), 2)
  await it.end('a')
  t.equal(await holding(), 2)
})

t.test(
  'runs keep to the limit of their own version, also where an older one is queued with them',
  async (t) => {
    const it = await testEngine()
    const wide = pipelineOf({ a: {} }, { concurrency: { runs: 3, tasks: null }, version: 'wide' })
    const narrow = pipelineOf({ a: {} }, { concurrency: { runs: 1, tasks: null }, version: 'narrow' })
    const runs: string[] = []
    for (const version of [wide, wide, wide, wide, narrow, narrow, narrow]) runs.push(await it.run(version))
    const running = async () =>
      (await it.store.runs({ active: true }))
        .filter(({ state }) => state === 'running')
        .map(({ version }) => version)
    t.strictSame(await running(), ['wide', 'wide', 'wide'])
    const seen: (readonly string[])[] = []
    for (const run of runs) {
      const [row] = await it.store.tasks(run)
      if (row !== undefined) it.heldOf(run, row).end({ type: 'succeeded', outputs: {} })
      await it.pass(10_000)
      seen.push(await running())
    }
    t.strictSame(seen, [
      ['wide', 'wide', 'wide'],
      ['wide', 'wide'],
      ['wide'],
      ['narrow'],
      ['narrow'],
      ['narrow'],
      [],
    ])
  },
)

t.test('no more runs of a pipeline than its limit; the next starts when one ends', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: 1, tasks: null } })
  const first = await it.run(pipeline)
  const second = await it.run(pipeline)
  t.equal((await it.store.run(second))?.state, 'queued')
  await it.end('a')
  await it.pass()
  t.equal((await it.store.run(first))?.state, 'succeeded')
  t.equal((await it.store.run(second))?.state, 'running')
})

t.test(
  'another engine goes on with the run of a dead one, and what the dead one says is refused',
  async (t) => {
    const dead = await testEngine()
    const pipeline = pipelineOf({ a: { runtime: 'process' }, b: { needs: ['a'] } })
    const run = await dead.run(pipeline)
    const next = await testEngine({ store: dead.store, clock: dead.clock })
    t.equal(await next.engine.adopt(run), 'adopted')
    await next.pass()
    t.equal(next.held('a').attempt.id, dead.held('a').attempt.id, 'the same attempt is found again')
    await dead.end('a', broken)
    t.equal((await dead.store.tasks(run))[0]?.state, 'running')
    await next.end('a')
    await next.end('b')
    t.equal((await next.engine.finished(run)).state, 'succeeded')
  },
)

t.test('a run of a living engine is left alone', async (t) => {
  const owner = await testEngine()
  const run = await owner.run(pipelineOf({ a: {} }))
  const other = await testEngine({ store: owner.store, clock: owner.clock, othersGone: false })
  t.equal(await other.engine.adopt(run), 'alive')
})

t.test('a cancel that another process asked for is heard', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  await it.store.request(run, { kind: 'cancel' }, 'ann', it.clock.time)
  await it.pass(3000)
  await it.pass()
  t.strictSame(await it.states(run, pipeline), { a: 'cancelled' })
  t.strictSame(await it.store.requests(it.engine.id), [])
})

t.test('a drained engine releases what runs, and the next one goes on in the same try', async (t) => {
  const it = await testEngine()
  const pipeline = pipelineOf({ a: {} })
  const run = await it.run(pipeline)
  const drained = it.engine.drain()
  await it.pass()
  t.strictSame(it.held('a').stops, ['shutdown'])
  await it.end('a', { type: 'failed', kind: 'crash', message: 'SIGTERM' })
  await drained
  t.match((await it.store.tasks(run))[0], { state: 'ready', tries: 1, continues: true })
})

t.test('a dataset whose name is no text makes a success invalid', async (t) => {
  const render = (value: Json): Json => (Array.isArray(value) ? [['s3://lake/docs']] : value)
  const it = await testEngine({ evaluator: { render } })
  const pipeline = pipelineOf({ a: { produces: ['{{ outputs.uris }}'] }, b: {} })
  const run = await it.run(pipeline)
  await it.end('a')
  t.match(await it.row(run, pipeline, 'a'), { state: 'failed', failure: { kind: 'invalid_input' } })
  await it.end('b')
  t.equal(await it.state(run), 'failed')
})

t.test('`when` is asked once: what has begun goes on, however other tasks end meanwhile', async (t) => {
  const asked: string[] = []
  const test = (_: string, scope: Scope) => {
    const { state } = scope.task('other') as TaskView
    asked.push(state)
    return state !== 'succeeded'
  }
  const it = await testEngine({ evaluator: { test } })
  const pipeline = pipelineOf({
    other: {},
    a: { needs: ['other'], trigger: 'always', when: 'the other has not ended', retry: tries(2) },
  })
  const run = await it.run(pipeline)
  await it.end('a', { type: 'sleep', until: it.clock.time + 1000, state: null })
  await it.end('other')
  await it.pass(1000)
  t.match(await it.states(run, pipeline), { a: 'running' }, 'after a sleep')
  await it.end('a', broken)
  t.match(await it.states(run, pipeline), { a: 'running' }, 'after a failed try')
  t.equal(asked.length, 1)
})
