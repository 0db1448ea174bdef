/** `recover:`: what changes before the next try, how often, and what comes after. */
import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import type { Recovery } from '../../engine/pipeline.ts'
import { pipelineOf, tries } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const evaluator = createEvaluator()
const oom = { type: 'failed', kind: 'gpu_oom', message: 'CUDA out of memory' } as const

function entry(more: Partial<Recovery>): Recovery {
  return { attempts: 3, then: 'fail', underRetry: false, ...more }
}

const halve = entry({ set: { batchSize: '{{ half with.batchSize }}' } })

t.test('each recovery changes what the one before left, is no try, and shows in the events', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({
    train: {
      with: { batchSize: 32, lr: 1 },
      env: { SIZE: '{{ with.batchSize }}' },
      recover: { gpu_oom: halve },
    },
  })
  const run = await it.run(pipeline)
  for (const batchSize of [32, 16, 8]) {
    const { input, env } = it.held('train').attempt
    t.strictSame([input, env], [{ batchSize, lr: 1 }, { SIZE: String(batchSize) }])
    await it.end('train', oom)
  }
  t.strictSame(it.held('train').attempt.input, { batchSize: 4, lr: 1 })
  await it.end('train')
  t.match(await it.row(run, pipeline, 'train'), { state: 'succeeded', attempt: 4, tries: 1 })
  const changes = (await it.store.events(run)).filter(({ event }) => event === 'recover')
  t.match(
    changes.map(({ detail }) => detail),
    [16, 8, 4].map((batchSize, index) => ({
      kind: 'gpu_oom',
      message: 'CUDA out of memory',
      change: { set: { batchSize } },
      count: index + 1,
    })),
  )
})

t.test('after its attempts the task fails, whatever `retry` says, or waits for a person', async (t) => {
  const it = await testEngine({ evaluator })
  const once = { ...halve, attempts: 1 }
  const pipeline = pipelineOf({
    fails: { with: { batchSize: 2 }, retry: tries(9), recover: { gpu_oom: once } },
    holds: { with: { batchSize: 2 }, timeout: 60_000, recover: { gpu_oom: { ...once, then: 'hold' } } },
  })
  const run = await it.run(pipeline)
  for (const id of ['fails', 'holds', 'fails', 'holds']) await it.end(id, oom)
  t.hasStrict(await it.states(run, pipeline), { fails: 'failed', holds: 'sleeping' })
  const held = await it.row(run, pipeline, 'holds')
  t.match(held.wakeOn, { person: { kind: 'hold', message: 'gpu_oom: CUDA out of memory' } })
  await it.pass(3_600_000)
  t.match(await it.states(run, pipeline), { holds: 'sleeping' }, 'the clock of its timeout stands still')
  await it.wish(run, { kind: 'answer', node: held.node, attempt: 2, decision: 'approve', values: {} })
  t.match(it.held('holds').attempt.input, { batchSize: 1 }, 'it is tried as it was last')
  await it.end('holds', oom)
  t.match(
    await it.row(run, pipeline, 'holds'),
    { state: 'running', tries: 2 },
    'and may recover as often as before',
  )
  await it.end('holds', oom)
  await it.wish(run, { kind: 'answer', node: held.node, attempt: 4, decision: 'reject', values: {} })
  t.match(await it.row(run, pipeline, 'holds'), {
    state: 'failed',
    failure: { kind: 'gpu_oom', message: /ann decided/ },
  })
})

t.test(
  'a kind without an entry of its own, and one that only names `then`, stay under `retry`',
  async (t) => {
    const it = await testEngine({ evaluator })
    const pipeline = pipelineOf({
      a: { retry: tries(2), recover: { gpu_oom: halve, network: entry({ underRetry: true }) } },
    })
    const run = await it.run(pipeline)
    await it.end('a', { type: 'failed', kind: 'network', message: 'unreachable' })
    t.match(await it.row(run, pipeline, 'a'), { state: 'running', tries: 2 })
    await it.end('a', { type: 'failed', kind: 'network', message: 'unreachable' })
    t.match(await it.row(run, pipeline, 'a'), { state: 'failed', recovery: null })
  },
)

t.test('a fallback is another operator with inputs of its own, and a new try', async (t) => {
  const it = await testEngine({ evaluator })
  const fallback = { uses: 'Mirror', version: 2, with: { uri: 'mirror/{{ params.model }}' } }
  const pipeline = pipelineOf({
    load: { with: { uri: 'main' }, recover: { model_load: entry({ fallback, attempts: 1 }) } },
  })
  const run = await it.run(pipeline, { params: { model: 'x' } })
  await it.end('load', { type: 'failed', kind: 'model_load', message: 'not there' })
  const { operator, input } = it.held('load').attempt
  t.strictSame([operator, input], [{ name: 'Mirror', version: 2 }, { uri: 'mirror/x' }])
  t.match(await it.row(run, pipeline, 'load'), { tries: 2 })
})

t.test('what recovery changed outlives the engine, and its time starts anew', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({
    train: { with: { batchSize: 32 }, timeout: 10_000, recover: { gpu_oom: { ...halve, restore: 500 } } },
  })
  const run = await it.run(pipeline)
  await it.pass(9000)
  await it.end('train', oom)
  t.strictSame(it.held('train').attempt.restore, { step: 500, since: 2 })
  await it.pass(9000)
  t.strictSame(it.held('train').stops, [], 'the try before is over')
  await it.engine.stop()
  const next = await testEngine({ evaluator, store: it.store, clock: it.clock })
  await next.engine.adopt(run)
  await next.pass()
  t.match(next.held('train').attempt, { input: { batchSize: 16 } })
  const { recovery } = await next.row(run, pipeline, 'train')
  t.strictSame(recovery?.restore, { step: 500, since: 2 }, 'for the attempts after this one too')
  await next.pass(1000)
  t.strictSame(next.held('train').stops, ['timeout'])
})

t.test('values that do not resolve end the task, with both reasons', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({ a: { with: {}, recover: { gpu_oom: halve } } })
  const run = await it.run(pipeline)
  await it.end('a', oom)
  t.match((await it.row(run, pipeline, 'a')).failure, {
    kind: 'gpu_oom',
    message: /CUDA out of memory; and recover.gpu_oom.set does not resolve: .*batchSize/,
  })
})

t.test('no try comes before the other side wants to be asked again', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({ a: { retry: tries(2) } })
  const run = await it.run(pipeline)
  await it.end('a', { type: 'failed', kind: 'network', message: '429', retryAfter: 30_000 })
  await it.pass(29_000)
  t.match(await it.row(run, pipeline, 'a'), { state: 'retrying' })
  await it.pass(1000)
  t.match(await it.row(run, pipeline, 'a'), { state: 'running' })
})

t.test(
  'values that recovery puts into a command are quoted for the shell, as those of the task are',
  async (t) => {
    const it = await testEngine({ evaluator })
    const command = 'echo {{ params.x }}'
    const shell = ['/command']
    const fallback = { uses: 'Shell', version: 1, with: { command }, shell }
    const pipeline = pipelineOf({
      set: { with: { command: 'true' }, shell, recover: { crash: entry({ set: { command } }) } },
      other: { with: {}, recover: { crash: entry({ fallback }) } },
    })
    await it.run(pipeline, { params: { x: '$(reboot)' } })
    for (const id of ['set', 'other']) {
      await it.end(id, { type: 'failed', kind: 'crash', message: 'SIGKILL' })
      t.strictSame(it.held(id).attempt.input, { command: "echo '$(reboot)'" })
    }
  },
)

t.test('a lost node and a spot notice are no tries, whoever tells of them', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({ a: { retry: tries(1) } })
  const run = await it.run(pipeline)
  await it.end('a', { type: 'failed', kind: 'spot_interruption', message: 'two minutes left' })
  t.match(await it.row(run, pipeline, 'a'), { state: 'running', tries: 1, releases: 1, attempt: 2 })
  for (let lost = 0; lost < 20; lost++) {
    await it.end('a', { type: 'failed', kind: 'node_lost', message: 'no heartbeat' })
    await it.pass(60_000)
  }
  t.match(await it.row(run, pipeline, 'a'), { state: 'failed', failure: { kind: 'node_lost' } })
})

t.test(
  'a time that is up while a task waits for its slot is recovered from, or held for a person',
  async (t) => {
    const it = await testEngine({ evaluator })
    const late = { timeout: 10_000, with: { n: 1 } }
    const pipeline = pipelineOf({
      again: { ...late, recover: { timeout: entry({ set: { n: 2 } }) } },
      held: { ...late, recover: { timeout: entry({ attempts: 0, then: 'hold' }) } },
    })
    const run = await it.run(pipeline)
    await it.wish(run, { kind: 'pause' })
    for (const id of ['again', 'held'])
      await it.end(id, { type: 'released', kind: 'shutdown', message: 'left' })
    await it.pass(10_000)
    t.match(await it.states(run, pipeline), { held: 'sleeping' })
    await it.wish(run, { kind: 'resume' })
    t.match(await it.states(run, pipeline), { again: 'running', held: 'sleeping' })
    t.strictSame(it.held('again').attempt.input, { n: 2 })
  },
)

t.test('what recovery changes of a task that has no slot yet is what it starts with', async (t) => {
  const it = await testEngine({ evaluator })
  const alone = { name: 'alone', concurrency: { runs: null, tasks: 1 } }
  const recover = { timeout: entry({ set: { n: 2 } }) }
  const pipeline = pipelineOf({ a: { timeout: 10_000, with: { n: 1 }, recover } }, alone)
  const hog = pipelineOf({ hog: {} }, alone)
  const run = await it.run(pipeline)
  await it.run(hog)
  await it.end('a', { type: 'released', kind: 'shutdown', message: 'left' })
  await it.pass(15_000)
  t.match(await it.row(run, pipeline, 'a'), { state: 'ready', recovery: { set: { n: 2 } } })
  await it.end('hog')
  t.strictSame(it.held('a').attempt.input, { n: 2 })
})
