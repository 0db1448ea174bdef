import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { deepest, servicesOf } from '../../cli/engine-services.ts'
import { noConfig, settingsOf } from '../../cli/settings.ts'
import type { Engine } from '../../engine/engine.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { NewRun, Store } from '../../engine/store/store.ts'
import type { PipelineOrder } from '../../plugins/api.ts'
import { capturing, json } from '../support/command-line.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { backfillRecord } from '../support/stored-records.ts'

const interval = { start: 0, end: 86_400_000 }

/** Services over a real store, and an engine that only makes runs. */
async function setUp(t: Test) {
  const dir = t.testdir()
  const store: Store = openSqlite({ path: ':memory:' })
  t.teardown(() => store.close())
  let count = 0
  const adopted: string[] = []
  const engine = {
    id: 'e1',
    create: (run: Omit<NewRun, 'id'>) => store.createRun({ ...run, id: `made-${++count}` }, 'e1', 1),
    adopt: async (id: string) => {
      adopted.push(id)
      return 'owned'
    },
  } as unknown as Engine
  const { terminal } = capturing(dir)
  const settings = settingsOf({}, terminal, noConfig)
  const services = servicesOf({ store, engine: () => engine, terminal, settings })
  const start = (pipeline: string, more: Partial<NewRun> = {}) =>
    store.createRun(
      {
        id: `run-${++count}`,
        pipeline: pipelineOf({ a: {} }, { name: pipeline, version: pipeline }),
        folder: dir,
        params: {},
        trigger: 'manual',
        interval,
        backfill: null,
        omit: [],
        ...more,
      },
      'e1',
      1,
    )
  const order = (by: string, more: Partial<PipelineOrder> = {}): PipelineOrder => ({
    pipeline: 'child',
    folder: dir,
    params: {},
    interval,
    by,
    wait: true,
    origin: `task:${by}/0/1`,
    ...more,
  })
  return { dir, store, services, start, order, adopted }
}

const child = `
dagctl: 1
pipeline: child
params: { n: { type: integer, default: 1 } }
tasks: { a: { uses: Noop, with: { outputs: { n: "{{ params.n }}" } } } }
`

t.test('a run is made of a file or a known pipeline, once for its origin', async (t) => {
  const { dir, store, services, start, order, adopted } = await setUp(t)
  writeFileSync(join(dir, 'child.yaml'), child)
  const parent = await start('parent')
  const id = await services.pipelines.trigger(
    order(parent.id, { pipeline: './child.yaml', params: { n: 5 } }),
  )
  t.match(await store.run(id), {
    pipeline: 'child',
    trigger: 'pipeline',
    params: { n: 5 },
    interval,
    folder: dir,
    origin: `task:${parent.id}/0/1`,
  })
  writeFileSync(join(dir, 'child.yaml'), 'broken: [')
  const again = await services.pipelines.trigger(order(parent.id, { pipeline: './child.yaml' }))
  t.equal(again, id, 'what was made stays made, whatever became of the file')
  t.strictSame(adopted, [id, id], 'it goes on here, where its engine is dead')
  const next = await services.pipelines.trigger(order(parent.id, { origin: `task:${parent.id}/0/2` }))
  t.not(next, id, 'the next try has a run of its own, of the pipeline as the store knows it')
  t.strictSame(await services.pipelines.run(next), {
    id: next,
    pipeline: 'child',
    state: 'queued',
    outputs: {},
  })
  t.equal(await services.pipelines.run('nobody'), null)
})

t.test('what cannot be run is an invalid input that says why', async (t) => {
  const { dir, services, start, order } = await setUp(t)
  const parent = await start('parent')
  writeFileSync(join(dir, 'child.yaml'), child)
  writeFileSync(join(dir, 'bad.yaml'), child.replace('Noop', 'Nope'))
  writeFileSync(join(dir, 'asks.yaml'), child.replace(', default: 1', ''))
  for (const [more, message] of [
    [{ pipeline: 'nowhere' }, /no pipeline `nowhere` has run or is scheduled here/],
    [{ pipeline: './absent.yaml' }, /absent\.yaml.*no such file/],
    [{ pipeline: './bad.yaml' }, /bad\.yaml is not a valid pipeline: line 5: .*Nope/],
    [{ pipeline: './child.yaml', params: { m: 1 } }, /unknown parameter `m`/],
    [{ pipeline: './child.yaml', params: { n: 'many' } }, /parameter `n`/],
    [{ pipeline: './asks.yaml' }, /parameter `n` is missing; give it in `with.params`/],
    [{ pipeline: './child.yaml', interval: { start: 5, end: 4 } }, /ends before it starts/],
  ] as const)
    await t.rejects(
      services.pipelines.trigger(order(parent.id, more)),
      { kind: 'invalid_input', message },
      String(message),
    )
})

t.test('a line of triggers that comes back to where it was, or never ends, is refused', async (t) => {
  const { services, start, order, store } = await setUp(t)
  const a = await start('a')
  const b = await start('b', { origin: `task:${a.id}/0/1` })
  await t.rejects(services.pipelines.trigger(order(b.id, { pipeline: 'a' })), {
    kind: 'invalid_input',
    message: /a -> b -> a: pipeline a would trigger itself with the same parameters and interval/,
  })
  const later = { start: interval.end, end: interval.end * 2 }
  t.ok(
    await services.pipelines.trigger(order(b.id, { pipeline: 'a', interval: later })),
    'another interval is another run',
  )
  let last = await start('deep')
  for (let n = 0; n < deepest; n++) {
    const next = { start: n + 1, end: n + 2 }
    const id = await services.pipelines.trigger(order(last.id, { pipeline: 'deep', interval: next }))
    last = (await store.run(id)) ?? last
  }
  await t.rejects(services.pipelines.trigger(order(last.id, { pipeline: 'deep', interval: later })), {
    kind: 'invalid_input',
    message: /more than 10 runs have triggered each other/,
  })
})

t.test('a run is not waited for that would wait for the place of who waits', async (t) => {
  const { dir, store, services, start, order } = await setUp(t)
  const lone =
    'dagctl: 1\npipeline: lone\nparams: { n: { type: integer, default: 0 } }\nconcurrency: { runs: 1 }\ntasks: { a: { uses: Noop } }\n'
  writeFileSync(join(dir, 'lone.yaml'), lone)
  const wanted = { pipeline: './lone.yaml', params: { n: 1 } }
  const { id } = await start('lone')
  const refused = {
    kind: 'invalid_input',
    message: `a run of lone would never start: \`concurrency.runs: 1\` is used up by ${id}, which would wait for it; set \`wait: false\`, or allow more runs`,
  }
  await t.rejects(services.pipelines.trigger(order(id, wanted)), refused)
  t.ok(await services.pipelines.trigger(order(id, { ...wanted, wait: false })))
  const between = await start('between', { origin: `task:${id}/0/9` })
  const byBetween = order(between.id, { ...wanted, origin: `task:${between.id}/0/1` })
  t.ok(await services.pipelines.trigger(byBetween), 'the first waits for nobody')
  const sleeping = {
    node: 0,
    events: [],
    patch: { state: 'sleeping', wakeOn: { runs: [between.id] } },
  } as const
  const runs = [{ run: id, fence: 1, tasks: [sleeping], grow: [] }]
  await store.commit({ engine: 'e1', at: 2, runs, claims: [], starts: [] })
  await t.rejects(
    services.pipelines.trigger({ ...byBetween, origin: `task:${between.id}/0/2` }),
    refused,
    'through another pipeline too',
  )
})

t.test('a backfill that leaves deployments out leaves them out of what it triggers too', async (t) => {
  const { store, services, start, order } = await setUp(t)
  const pipeline = pipelineOf({ a: {}, ship: { effects: 'deploy' } }, { name: 'child', version: 'child' })
  await start('child', { pipeline })
  for (const includeDeploy of [false, true]) {
    const id = `backfill-${includeDeploy}`
    const record = { id, pipeline: 'parent', version: 'parent', to: includeDeploy ? 1 : 2, includeDeploy }
    await store.createBackfill(backfillRecord(record), pipelineOf({}, { name: 'parent', version: 'parent' }))
    const parent = await start('parent', { backfill: id })
    const made = await services.pipelines.trigger(order(parent.id))
    const [, ship] = await store.tasks(made)
    t.equal(ship?.state, includeDeploy ? 'waiting' : 'skipped', id)
  }
})

t.test('news of datasets are the newest update of each, no older than asked for', async (t) => {
  const { store, services } = await setUp(t)
  for (const [uri, at] of [
    ['a', 5],
    ['a', 9],
    ['b', 4],
    ['c', 9],
  ] as const)
    await store.updateDataset(uri, at)
  t.match(await services.datasets.updates(['a', 'b', 'absent'], 5), [
    { uri: 'a', at: 9, run: null, task: null },
  ])
  t.equal((await services.datasets.updates(['a', 'b'], 4)).length, 2)
})

t.test('a pipeline triggers another on the command line, and goes on with its outputs', async (t) => {
  const dir = t.testdir({
    'child.yaml': child,
    'parent.yaml': `
dagctl: 1
pipeline: parent
tasks:
  go: { uses: TriggerPipeline, with: { pipeline: ./child.yaml, params: { n: 5 }, wait: false } }
  round: { uses: TriggerPipeline, trigger: all_done, needs: [go], with: { pipeline: ./parent.yaml } }
`,
  })
  const { exit, document } = await json(dir, ['run', './parent.yaml'])
  t.equal(exit, 4)
  t.match(document.tasks, [
    { id: 'go', state: 'succeeded', outputs: { pipeline: 'child', run: /^2/ } },
    { id: 'round', failure: { kind: 'invalid_input', message: /parent -> parent: .*trigger itself/ } },
  ])
  const { document: list } = await json(dir, ['runs', 'list'])
  t.match(
    new Set(list.runs.map(({ pipeline }: { pipeline: string }) => pipeline)),
    new Set(['parent', 'child']),
  )
})
