/** Groups: tasks that stand in one another, once or once per item. */
import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import type { Task } from '../../engine/pipeline.ts'
import { each, pipelineOf, type Sketch } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const evaluator = createEvaluator()
const failure = { type: 'failed', kind: 'user', message: 'broken' } as const

/** A group `prep` of two tasks, `a` and then `b`. */
function grouped(group: Sketch, more: { [id: string]: Sketch } = {}) {
  return pipelineOf({
    before: {},
    prep: {
      needs: ['before'],
      isGroup: true,
      uses: '',
      with: { from: '{{ tasks.before.outputs.uri }}' },
      outputs: { result: '{{ tasks.b.outputs.n }}' },
      ...group,
    },
    'prep.a': { group: 1, with: { input: '{{ inputs.from }}' } },
    'prep.b': { group: 1, needs: ['prep.a'], with: { n: '{{ tasks.a.outputs.n }}' } },
    after: { needs: ['prep'], with: { got: '{{ tasks.prep.outputs }}' } },
    ...more,
  })
}

t.test(
  'the tasks of a group see its inputs and each other, and what is outside sees its outputs',
  async (t) => {
    const it = await testEngine({ evaluator })
    const pipeline = grouped({})
    const run = await it.run(pipeline)
    t.strictSame(await it.states(run, pipeline), {
      before: 'running',
      prep: 'waiting',
      'prep.a': 'waiting',
      'prep.b': 'waiting',
      after: 'waiting',
    })
    await it.end('before', { uri: 'x' })
    t.strictSame(it.held('prep.a').attempt.input, { input: 'x' })
    await it.end('prep.a', { n: 7 })
    t.strictSame(it.held('prep.b').attempt.input, { n: 7 })
    await it.end('prep.b', { n: 8 })
    t.strictSame(it.held('after').attempt.input, { got: { result: 8 } })
    await it.end('after')
    t.equal(await it.state(run), 'succeeded')
  },
)

t.test('a group that does not start takes its tasks with it', async (t) => {
  const it = await testEngine({ evaluator })
  for (const [when, outcome, ends] of [
    ['false', { uri: 'x' }, { prep: 'skipped', 'prep.a': 'skipped', 'prep.b': 'skipped', after: 'skipped' }],
    [null, failure, { prep: 'upstream_failed', 'prep.a': 'upstream_failed', after: 'upstream_failed' }],
    [null, {}, { prep: 'failed', 'prep.a': 'upstream_failed', after: 'upstream_failed' }],
  ] as const) {
    const pipeline = grouped({ when })
    const run = await it.run(pipeline)
    await it.end('before', outcome)
    t.hasStrict(await it.states(run, pipeline), ends)
  }
})

t.test('a task that fails in a group fails the group; outputs that do not resolve do so too', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = grouped({})
  const run = await it.run(pipeline)
  await it.end('before', { uri: 'x' })
  await it.end('prep.a', failure)
  t.hasStrict(await it.states(run, pipeline), {
    'prep.b': 'upstream_failed',
    prep: 'failed',
    after: 'upstream_failed',
  })
  t.match((await it.row(run, pipeline, 'prep')).failure, {
    message: '1 of 2 failed; the first, prep.a: broken',
  })
  const other = await it.run(pipeline)
  await it.end('before', { uri: 'x' })
  await it.end('prep.a', { n: 1 })
  await it.end('prep.b', { m: 1 })
  t.match((await it.row(other, pipeline, 'prep')).failure, {
    kind: 'invalid_input',
    message: /output `result` of the group/,
  })
})

t.test('a mapped group runs all its tasks once per item, and each sees its own', async (t) => {
  const it = await testEngine({ evaluator })
  const group = {
    foreach: each(['x', 'y'], { key: '{{ item }}', maxParallel: 1 }),
    with: { from: '{{ item }}' },
  }
  const pipeline = grouped(group)
  const run = await it.run(pipeline)
  await it.end('before')
  t.strictSame(it.held('prep.a').attempt.input, { input: 'x' })
  await it.end('prep.a', { n: 1 })
  await it.end('prep.b', { n: 10 })
  t.match(await it.states(run, pipeline), {
    prep: 'running',
    'prep.a': 'running',
    'prep[x]': 'succeeded',
    'prep[x].b': 'succeeded',
    'prep[y].a': 'running',
  })
  t.strictSame(it.held('prep.a').attempt.input, { input: 'y' }, 'the second begins when the first is over')
  await it.end('prep.a', { n: 2 })
  await it.end('prep.b', failure)
  t.hasStrict(await it.states(run, pipeline), {
    prep: 'failed',
    'prep.a': 'succeeded',
    'prep.b': 'failed',
    'prep[y]': 'failed',
    after: 'upstream_failed',
  })
  t.strictSame((await it.row(run, pipeline, 'prep')).outputs, [{ result: 10 }, null])
})

t.test('a retry goes on inside a mapped group where it failed, on another engine too', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = grouped({ foreach: each(['x', 'y'], { key: '{{ item }}' }), with: { from: '{{ item }}' } })
  const run = await it.run(pipeline)
  await it.end('before')
  // Both instances' tasks have the same id: the one that started last is held.
  await it.end('prep.a', failure)
  t.hasStrict(await it.states(run, pipeline), {
    'prep[y].a': 'failed',
    'prep[y].b': 'upstream_failed',
    prep: 'running',
  })
  const x = await it.row(run, pipeline, 'prep[x].a')
  await it.wish(run, { kind: 'mark', nodes: [x.node], as: 'succeeded', reason: 'by hand' })
  t.strictSame(it.heldOf(run, x).stops, ['cancel'])
  it.heldOf(run, x).end(failure)
  await it.pass()
  t.hasStrict(await it.states(run, pipeline), {
    'prep[x].a': 'succeeded',
    'prep[x].b': 'failed',
    prep: 'failed',
  })
  await it.engine.stop()
  const next = await testEngine({ evaluator, store: it.store, clock: it.clock })
  const y = await next.row(run, pipeline, 'prep[y].a')
  await next.reopen(run, { kind: 'retry', nodes: [y.node], fromCheckpoint: null }, 'ann')
  await next.pass()
  t.hasStrict(await next.states(run, pipeline), {
    'prep[y].a': 'running',
    'prep[y].b': 'waiting',
    'prep[x].b': 'failed',
    prep: 'running',
  })
  await next.end('prep.a', { n: 3 })
  await next.end('prep.b', { n: 4 })
  t.hasStrict(await next.states(run, pipeline), { 'prep[y]': 'succeeded', prep: 'failed' })
  t.equal(await next.state(run), 'failed')
})

t.test('an engine that takes over finds groups open, and their tasks where they were', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = grouped({ foreach: each(['x', 'y'], { key: '{{ item }}' }), with: { from: '{{ item }}' } })
  const run = await it.run(pipeline)
  await it.end('before')
  await it.engine.stop()
  const next = await testEngine({ evaluator, store: it.store, clock: it.clock })
  await next.engine.adopt(run)
  await next.pass()
  t.match(await next.states(run, pipeline), {
    'prep[x].a': 'running',
    'prep[y].a': 'running',
    'prep[y].b': 'waiting',
  })
})

t.test('an output of a task that the run leaves out is null', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = grouped({
    outputs: { first: '{{ tasks.a.outputs.n }}', result: '{{ tasks.b.outputs.n }}' },
  })
  const run = await it.run(pipeline, { omit: [3] })
  await it.end('before', { uri: 'x' })
  await it.end('prep.a', { n: 1 })
  t.match(await it.states(run, pipeline), { 'prep.b': 'skipped', prep: 'succeeded' })
  t.strictSame((await it.row(run, pipeline, 'prep')).outputs, { first: 1, result: null })
})

t.test('a group that is tried again sees what its needs have come to since', async (t) => {
  const it = await testEngine({ evaluator })
  const pipeline = grouped({
    trigger: 'all_done',
    with: { from: "{{ default tasks.before.outputs.uri 'none' }}" },
  })
  const [before] = pipeline.tasks
  const wide = { ...pipeline, tasks: [...pipeline.tasks, { ...(before as Task), id: 'wide' }] }
  const run = await it.run(wide)
  await it.end('before', failure)
  t.strictSame(it.held('prep.a').attempt.input, { input: 'none' })
  await it.end('prep.a', failure)
  await it.wish(run, { kind: 'retry', nodes: null, fromCheckpoint: null })
  await it.end('before', { uri: 'x' })
  t.strictSame(it.held('prep.a').attempt.input, { input: 'x' })
})
