import t from 'tap'
import { triggerPipeline } from '../../operators/control/trigger-pipeline.ts'
import { datasetSensor } from '../../operators/data/dataset-sensor.ts'
import {
  type DatasetNews,
  type EngineServices,
  OperatorFailure,
  type PipelineOrder,
  type TriggeredRun,
} from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

const clock = { now: () => 1000 }

/** Services that note orders, and tell of a run and of datasets what the test says. */
function services(run: Partial<TriggeredRun> | null = {}, news: readonly DatasetNews[] = []) {
  const orders: PipelineOrder[] = []
  const asked: unknown[] = []
  const engine: EngineServices = {
    pipelines: {
      async trigger(order) {
        orders.push(order)
        return 'run-9'
      },
      run: async (id) =>
        run === null ? null : { id, pipeline: 'child', state: 'running', outputs: {}, ...run },
    },
    datasets: {
      async updates(uris, since) {
        asked.push([uris, since])
        return news
      },
    },
  }
  return { engine, orders, asked }
}

t.test('it orders a run once per try, for its own interval, and sleeps until the run ends', async (t) => {
  const { engine, orders } = services()
  const input = { pipeline: 'child', params: { n: 1 } }
  const dir = t.testdir()
  const { outcome } = await runOperator(triggerPipeline, input, { dir, clock, services: engine, try: 2 })
  t.strictSame(outcome, {
    type: 'sleep',
    until: 3000,
    state: { run: 'run-9', looks: 1 },
    on: { runs: ['run-9'] },
  })
  t.strictSame(orders, [
    {
      pipeline: 'child',
      params: { n: 1 },
      folder: dir,
      interval: { start: Date.UTC(2026, 0, 1), end: Date.UTC(2026, 0, 2) },
      by: 'run-1',
      wait: true,
      origin: 'task:run-1/test/2',
    },
  ])
  const crashed = await runOperator(triggerPipeline, input, {
    dir,
    clock,
    services: engine,
    try: 2,
    attempt: 5,
  })
  t.match(crashed.outcome, { state: { run: 'run-9' } })
  t.equal(orders[1]?.origin, orders[0]?.origin, 'the next attempt of the try orders the same')
  const retried = { dir, clock, services: engine, try: 2, tryStartedAt: 77, attempt: 5 }
  await runOperator(triggerPipeline, input, retried)
  t.equal(
    orders.pop()?.origin,
    'task:run-1/test/2-77',
    'after a retry of the run a try of the same number is another',
  )
  const woken = { dir, clock, services: engine, try: 2, attempt: 6, state: { run: 'run-9', looks: 9 } }
  t.match((await runOperator(triggerPipeline, input, woken)).outcome, { type: 'sleep', until: 61_000 })
  t.equal(orders.length, 2, 'one that is woken orders nothing')
})

t.test('it takes the outcome of the run, or goes on at once', async (t) => {
  const ends = async (run: Partial<TriggeredRun> | null, input = {}) => {
    const options = { dir: t.testdir(), services: services(run).engine }
    return (await runOperator(triggerPipeline, { pipeline: 'child', ...input }, options)).outcome
  }
  const outputs = { pack: { tokens: 7 } }
  t.strictSame(await ends({ state: 'succeeded', outputs }), {
    type: 'succeeded',
    outputs: { run: 'run-9', pipeline: 'child', state: 'succeeded', outputs },
  })
  t.match(await ends({ state: 'failed' }), {
    type: 'failed',
    kind: 'user',
    message: /run run-9 of child is failed; see `dagctl runs show run-9`/,
  })
  t.match(await ends({ state: 'cancelled' }), { type: 'failed', kind: 'user', message: /cancelled/ })
  t.match(await ends(null), { type: 'failed', kind: 'user', message: /no longer there/ })
  t.strictSame(await ends({ state: 'queued' }, { wait: false }), {
    type: 'succeeded',
    outputs: { run: 'run-9', pipeline: 'child', state: 'queued', outputs: {} },
  })
})

t.test('what the engine refuses, and a place without an engine, are an invalid input', async (t) => {
  const { engine } = services()
  const refusing = {
    ...engine,
    pipelines: {
      ...engine.pipelines,
      trigger: async () => {
        throw new OperatorFailure('invalid_input', 'no pipeline `child` has run')
      },
    },
  }
  const dir = t.testdir()
  t.match((await runOperator(triggerPipeline, { pipeline: 'child' }, { dir, services: refusing })).outcome, {
    type: 'failed',
    kind: 'invalid_input',
    message: /no pipeline/,
  })
  t.match((await runOperator(triggerPipeline, { pipeline: 'child' }, { dir })).outcome, {
    kind: 'invalid_input',
    message: /runs inline only/,
  })
  for (const input of [
    {},
    { pipeline: '' },
    { pipeline: 'a', params: [] },
    { pipeline: 'a', interval: { start: 'x', end: 'y' } },
  ])
    t.match((await runOperator(triggerPipeline, input as never, { dir, services: engine })).outcome, {
      kind: 'invalid_input',
    })
})

const update = (uri: string) => ({ uri, at: 5, run: 'run-3', task: 'pack' })

t.test('DatasetSensor waits for all of its datasets, or for any', async (t) => {
  const dir = t.testdir()
  const look = (news: DatasetNews[], input: object = {}) => {
    const { engine, asked } = services({}, news)
    const all = { datasets: ['s3://lake/a', 's3://lake/b'], every: '1m', ...input }
    return runOperator(datasetSensor, all, { dir, clock, services: engine }).then((said) => ({
      ...said,
      asked,
    }))
  }
  const first = await look([update('s3://lake/a')])
  t.strictSame(first.asked, [[['s3://lake/a', 's3://lake/b'], Date.UTC(2026, 0, 1)]])
  t.strictSame(first.outcome, {
    type: 'sleep',
    until: 61_000,
    state: 's3://lake/b not updated since 2026-01-01T00:00:00.000Z',
    on: { datasets: ['s3://lake/b'] },
  })
  t.match((await look([])).outcome, { on: { datasets: ['s3://lake/a', 's3://lake/b'] } })
  t.match((await look([update('s3://lake/a')], { mode: 'any' })).outcome, {
    type: 'succeeded',
    outputs: {
      updates: [{ uri: 's3://lake/a', at: '1970-01-01T00:00:00.005Z', run: 'run-3', task: 'pack' }],
    },
  })
  t.match((await look([update('s3://lake/a'), update('s3://lake/b')])).outcome, { type: 'succeeded' })
  t.strictSame((await look([], { since: '2026-05-01T00:00:00+02:00' })).asked, [
    [['s3://lake/a', 's3://lake/b'], Date.UTC(2026, 3, 30, 22)],
  ])
  t.match((await runOperator(datasetSensor, { datasets: ['a'] }, { dir })).outcome, { kind: 'invalid_input' })
  t.match((await look([], { datasets: [] })).outcome, { kind: 'invalid_input' })
})
