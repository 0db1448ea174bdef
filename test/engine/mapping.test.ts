/** Mapped tasks: their items, keys, windows, outputs, and second chances. */
import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import { each, pipelineOf, tries } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const evaluator = createEvaluator()
const failure = { type: 'failed', kind: 'user', message: 'broken' } as const

t.test('a task runs once per item of an earlier output, and gives a list in their order', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({
    ingest: {},
    mask: {
      needs: ['ingest'],
      foreach: each('{{ tasks.ingest.outputs.shards }}', { key: '{{ item.name }}' }),
      with: { input: '{{ item.uri }}', at: '{{ index }}' },
    },
    pack: { needs: ['mask'], with: { all: '{{ tasks.mask.outputs }}', one: '{{ tasks.mask.byKey.eu.n }}' } },
  })
  const run = await it.run(pipeline)
  await it.end('ingest', {
    shards: [
      { name: 'eu', uri: 'e' },
      { name: 'us', uri: 'u' },
    ],
  })
  t.strictSame(it.held('mask[us]').attempt.input, { input: 'u', at: 1 })
  await it.end('mask[us]', { n: 2 })
  t.equal((await it.states(run, pipeline)).mask, 'running')
  await it.end('mask[eu]', { n: 1 })
  t.strictSame(it.held('pack').attempt.input, { all: [{ n: 1 }, { n: 2 }], one: 1 })
  await it.end('pack')
  t.equal(await it.state(run), 'succeeded')
})

t.test('a map of lists means all combinations, the last name fastest', async (t) => {
  const it = await testEngine({ evaluator })
  const foreach = each({ model: ['a', 'b'], seed: [1, 2] }, { key: '{{ item.model }}-{{ item.seed }}' })
  await it.run(pipelineOf({ train: { foreach, with: { what: '{{ item }}' } } }))
  t.strictSame(it.started(), ['train[a-1]', 'train[a-2]', 'train[b-1]', 'train[b-2]'])
  t.strictSame(it.held('train[b-1]').attempt.input, { what: { model: 'b', seed: 1 } })
})

t.test('what is no list, and two items of one key, are invalid input', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = pipelineOf({
    twins: { foreach: each(['a', 'b', 'a'], { key: '{{ item }}' }) },
    object: { foreach: each('{{ params.shards }}') },
    none: { foreach: each([]) },
    below: { needs: ['none'] },
  })
  const run = await it.run(pipeline, { params: { shards: 'many' } })
  t.match((await it.row(run, pipeline, 'twins')).failure, {
    kind: 'invalid_input',
    message: 'items 0 and 2 have the same key `a`',
  })
  t.match((await it.row(run, pipeline, 'object')).failure, {
    kind: 'invalid_input',
    message: '`foreach` must give a list, not the string many',
  })
  t.strictSame((await it.row(run, pipeline, 'none')).outputs, [], 'no items succeed with an empty list')
  t.match(it.started(), ['below'])
})

t.test('no more than maxParallel instances hold a slot, and a sleeping one holds none', async (t) => {
  const it = await testEngine({ evaluator })
  const foreach = each([0, 1, 2, 3, 4], { maxParallel: 2 })
  const pipeline = pipelineOf({ look: { foreach } })
  const run = await it.run(pipeline)
  t.strictSame(it.started(), ['look[0]', 'look[1]'])
  await it.end('look[0]', { type: 'sleep', until: it.clock.time + 5000, state: null })
  t.strictSame(it.started(), ['look[0]', 'look[1]', 'look[2]'])
  await it.pass(5000)
  t.equal((await it.row(run, pipeline, 'look[0]')).state, 'ready', 'it woke, and waits for room')
  await it.end('look[1]')
  t.equal((await it.row(run, pipeline, 'look[0]')).state, 'ready', 'it stands behind the others')
  for (const key of [2, 3, 4, 0]) await it.end(`look[${key}]`)
  t.equal(await it.state(run), 'succeeded')
})

t.test(
  '`when` is asked once before there are instances, or of each where it mentions the item',
  async (t) => {
    const asked: unknown[] = []
    const it = await testEngine({
      evaluator: {
        ...evaluator,
        test: (_expression, scope) => {
          asked.push(scope.item ?? null)
          return scope.item !== 2
        },
      },
    })
    const pipeline = pipelineOf({
      once: { foreach: each([1, 2]), when: 'once' },
      each: { foreach: each([1, 2], { whenEach: true }), when: 'each' },
    })
    const run = await it.run(pipeline)
    t.strictSame(asked, [null, 1, 2])
    t.match(await it.states(run, pipeline), {
      'once[1]': 'running',
      'each[0]': 'running',
      'each[1]': 'skipped',
    })
  },
)

t.test(
  'an instance is tried again by itself; one that fails for good fails the task, after all have ended',
  async (t) => {
    const it = await testEngine({ evaluator })
    const pipeline = pipelineOf({
      mask: { foreach: each(['a', 'b']), retry: tries(2) },
      after: { needs: ['mask'] },
    })
    const run = await it.run(pipeline)
    await it.end('mask[0]', failure)
    await it.end('mask[0]', failure)
    t.hasStrict(await it.states(run, pipeline), {
      mask: 'running',
      'mask[0]': 'failed',
      'mask[1]': 'running',
    })
    await it.end('mask[1]', { n: 1 })
    t.hasStrict(await it.states(run, pipeline), { mask: 'failed', after: 'upstream_failed' })
    const { outputs, failure: why } = await it.row(run, pipeline, 'mask')
    t.strictSame(outputs, [null, { n: 1 }])
    t.match(why, { kind: 'user', message: '1 of 2 failed; the first, mask[0]: broken' })
  },
)

t.test(
  'a retry of the run gives only the unsuccessful instances another chance, over the same items',
  async (t) => {
    const it = await testEngine({ evaluator })
    const pipeline = pipelineOf({
      mask: { foreach: each('{{ params.items }}') },
      after: { needs: ['mask'] },
    })
    const run = await it.run(pipeline, { params: { items: ['a', 'b', 'c'] } })
    for (const key of [0, 1, 2]) await it.end(`mask[${key}]`, key === 1 ? failure : { key })
    t.equal(await it.state(run), 'failed')
    t.equal(await it.reopen(run, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ann'), 'reopened')
    await it.pass()
    t.match(await it.states(run, pipeline), {
      mask: 'running',
      'mask[0]': 'succeeded',
      'mask[1]': 'running',
      after: 'waiting',
    })
    t.match(await it.row(run, pipeline, 'mask[1]'), { attempt: 2, tries: 1 })
    await it.end('mask[1]', { key: 1 })
    t.strictSame((await it.row(run, pipeline, 'mask')).outputs, [{ key: 0 }, { key: 1 }, { key: 2 }])
    await it.end('after')
    t.equal(await it.state(run), 'succeeded')
  },
)

t.test('instances are made in a window, and another engine goes on with it', async (t) => {
  const items = Array.from({ length: 3000 }, (_, index) => index)
  const pipeline = pipelineOf({ a: { foreach: each(items) } })
  const first = await testEngine({ evaluator, slots: 3 })
  const run = await first.run(pipeline)
  t.equal((await first.store.tasks(run)).length, 1001, 'no more than a thousand wait for room')
  for (const key of [0, 1, 2]) await first.end(`a[${key}]`)
  await first.engine.stop()
  const next = await testEngine({ evaluator, store: first.store, clock: first.clock, slots: 5000 })
  await next.engine.adopt(run)
  await next.pass()
  for (let key = 3; key < 3000; key++) {
    if (key === 1500) await next.pass()
    next.held(`a[${key}]`).end({ type: 'succeeded', outputs: { key } })
    if (key % 500 === 499) await next.pass()
  }
  await next.pass()
  t.equal(await next.state(run), 'succeeded')
  t.equal(((await next.row(run, pipeline, 'a')).outputs as unknown[]).length, 3000)
})
