/** `dagctl plan`: what would run, with what, and how long it took before; nothing is run or written. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { criticalPath, endUnder, inOrder, type Work } from '../../cli/plan/forecast.ts'
import { median } from '../../cli/plan/history.ts'
import { planOf } from '../../cli/plan/plan.ts'
import type { Asked } from '../../cli/plan/resolve.ts'
import { createEvaluator } from '../../dsl/evaluator.ts'
import type { Json } from '../../engine/json.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { type Resources, unlimited } from '../../engine/resources.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { dagctl, json, normal } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'
import { each, pipelineOf } from '../support/pipelines.ts'

const pipeline = `dagctl: 1
pipeline: counting
params: { count: { type: integer, default: 2 }, extra: { type: boolean, default: false } }
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  count:
    run: 'printf "{\\"rows\\": %d}" {{ params.count }} > "$DAGCTL_OUTPUT"'
    cache: { files: [] }
  day: { run: "echo {{ date run.interval.start 'yyyy-MM-dd' }} {{ run.id }}" }
  tell: { run: "echo {{ tasks.count.outputs.rows }}" }
  more: { when: params.extra, uses: Noop, needs: [tell] }
  last: { uses: Noop, needs: [more] }
  rescue: { uses: Noop, needs: [tell], trigger: one_failed }
  big: { when: tasks.tell.outputs.size > 3, uses: Noop }
`
const words = ['plan', 'p.yaml', '--interval', '2026-01-01/2026-01-02']

async function tasksOf(folder: string, ...more: readonly string[]) {
  const { document } = await json(folder, [...words, ...more])
  return new Map<string, { [field: string]: unknown }>(
    document.tasks.map((task: { id: string }) => [task.id, task]),
  )
}

t.test('before the first run nothing is known but what the file and the question say', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const tasks = await tasksOf(folder)
  t.match(tasks.get('count'), {
    uses: 'Shell@1',
    action: 'run',
    cache: 'miss',
    unresolved: { length: 0 },
    estimate: { seconds: null, runs: 0 },
  })
  t.match(tasks.get('tell'), {
    action: 'run',
    input: { command: 'echo {{ tasks.count.outputs.rows }}' },
    unresolved: { 0: '/command', length: 1 },
  })
  t.match(
    tasks.get('day'),
    { unresolved: { 0: '/command', length: 1 } },
    'the id of a run is not known before it',
  )
  t.match(tasks.get('more'), { action: 'skip', because: 'when: params.extra' })
  t.match(tasks.get('last'), { action: 'skip', because: /its trigger all_success does not hold/ })
  t.match(tasks.get('rescue'), { action: 'skip', because: /its trigger one_failed does not hold/ })
  t.match(tasks.get('big'), { action: 'undecided', because: /\(not known yet\)/ })
  const { document } = await json(folder, words)
  const { seconds, criticalPath, unknown } = document.total
  t.strictSame(
    { seconds, criticalPath, unknown },
    { seconds: null, criticalPath: [], unknown: ['count', 'day', 'tell', 'big'] },
  )
  t.strictSame(readdirSync(folder), ['p.yaml'])
})

t.test(
  'after a run it is told what would be reused, what that resolves, and how long the rest took',
  async (t) => {
    const folder = t.testdir({ 'p.yaml': pipeline })
    const run = (await json(folder, ['run', 'p.yaml', '--interval', '2026-01-01/2026-01-02'])).document.run.id
    const tasks = await tasksOf(folder)
    t.match(tasks.get('count'), { action: 'reuse', cache: 'hit', cached: run, estimate: { seconds: 0 } })
    t.match(tasks.get('tell'), {
      input: { command: 'echo 2' },
      unresolved: { length: 0 },
      estimate: { runs: 1 },
    })
    t.type((tasks.get('tell') as { estimate: { seconds: unknown } }).estimate.seconds, 'number')
    t.match((await tasksOf(folder, '--param', 'count=3')).get('count'), { action: 'run', cache: 'miss' })
    t.match((await tasksOf(folder, '--task', 'count')).get('tell'), { action: 'skip', because: 'left out' })
    const { out } = await dagctl(folder, words)
    matchesGolden(t, 'cli/plan.out', normal(out, folder))
  },
)

t.test('a plan runs nothing and leaves nothing behind', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline.replace('echo', 'touch ran; echo') })
  t.equal((await dagctl(folder, words)).exit, 0)
  t.notOk(existsSync(join(folder, 'ran')))
  t.notOk(existsSync(join(folder, '.dagctl')))
})

t.test('a wrong parameter or interval is a usage error, as for a run', async (t) => {
  const folder = t.testdir({})
  writeFileSync(join(folder, 'p.yaml'), pipeline)
  for (const more of [
    ['--param', 'count=x'],
    ['--interval', 'yesterday'],
    ['--task', 'nobody'],
  ])
    t.equal((await dagctl(folder, ['plan', 'p.yaml', ...more])).exit, 2)
})

/** A plan over an empty store, or one in which each task took ten seconds once. */
async function planned(pipeline: Pipeline, resources: Resources = unlimited, before = true) {
  const store = openSqlite({ path: ':memory:' })
  const interval = { start: 0, end: 1 }
  const made = {
    id: 'r',
    pipeline,
    folder: '/',
    params: {},
    trigger: 'manual',
    backfill: null,
    interval,
  } as const
  if (before) {
    await store.createRun({ ...made, omit: [] }, 'e', 0)
    const row = { state: 'succeeded', startedAt: 0, endedAt: 10_000, outputs: {}, attempt: 1 } as const
    const tasks = pipeline.tasks.map((_, node) => ({ node, events: [], patch: row }))
    const end = { event: 'succeed', to: 'succeeded', endedAt: 10_000 } as const
    await store.commit({
      engine: 'e',
      at: 10_000,
      runs: [{ run: 'r', fence: 1, grow: [], tasks, state: end }],
      claims: [],
      starts: [],
    })
  }
  const asked: Asked = { pipeline, folder: '/', params: {}, interval, trigger: 'manual', omit: [], env: {} }
  const fingerprint = { key: async () => null, intact: async () => true }
  const plan = await planOf(asked, { store, evaluator: createEvaluator(), fingerprint, resources, now: 1 })
  await store.close()
  return plan
}

t.test(
  'cost is time by rates: of cores, GPUs and slots; unknown where the time is, and nothing inline',
  async (t) => {
    const rates = { cpu: 36, gpu: 360, pools: { gpu: 72 } }
    const resources = { pools: { gpu: { slots: 4, gpus: 1 } }, rates }
    const train = { runtime: 'process', pool: 'gpu', slots: 2, cpus: 3 } as const
    const tasks = pipelineOf({ here: {}, train })
    const { total, tasks: rows } = await planned(tasks, resources)
    t.strictSame(
      rows.map(({ cost }) => cost),
      [
        { usd: 0, gpuHours: 0 },
        // Ten seconds of 3 cores, 2 GPUs and 2 slots.
        { usd: (10 / 3600) * (3 * 36 + 2 * 360 + 2 * 72), gpuHours: (10 / 3600) * 2 },
      ],
    )
    t.equal(total.usd, rows[1]?.cost.usd)
    t.equal((await planned(tasks, resources, false)).total.usd, null)
    t.equal((await planned(tasks, unlimited, false)).total.usd, 0)
  },
)

t.test('the time of the whole heeds needs, concurrency.tasks and pools', async (t) => {
  const three = { a: {}, b: {}, c: { needs: ['a'] } }
  t.match((await planned(pipelineOf(three))).total, { seconds: 20, criticalPath: ['a', 'c'] })
  const one = pipelineOf(three, { concurrency: { runs: null, tasks: 1 } })
  t.equal((await planned(one)).total.seconds, 30)
  const pool = { pools: { gpu: { slots: 1, gpus: 0 } }, rates: unlimited.rates }
  const pooled = pipelineOf({ a: { pool: 'gpu' }, b: { pool: 'gpu' }, c: { pool: 'gpu', slots: 9 } })
  const plan = await planned(pooled, pool)
  t.equal(plan.total.seconds, 30)
  t.strictSame(
    plan.tasks.map(({ faults }) => faults),
    [[], [], ['it takes 9 slots of the pool gpu, which has 1']],
    'what never starts is said',
  )
})

t.test('instances are counted where the items are known', async (t) => {
  const over = (items: Json) => ({
    foreach: each(items),
    with: { it: '{{ item }}' },
  })
  const { tasks } = await planned(
    pipelineOf({
      source: {},
      list: over([1, 2, 3]),
      grid: over({ model: ['a', 'b'], seed: [1, 2, 3] }),
      open: { needs: ['source'], ...over('{{ tasks.source.outputs.shards }}') },
    }),
  )
  t.strictSame(
    tasks.map(({ id, instances }) => [id, instances]),
    [
      ['source', 1],
      ['list', 3],
      ['grid', 6],
      ['open', null],
    ],
  )
  t.strictSame(tasks[1]?.unresolved, ['/it'])
})

t.test('under no limits a run takes as long as its longest chain; under any, no less', async (t) => {
  const works = fc.array(
    fc.record({ duration: fc.nat(50), back: fc.array(fc.nat(9), { maxLength: 3 }), priority: fc.nat(2) }),
    { maxLength: 10 },
  )
  fc.assert(
    fc.property(works, fc.integer({ min: 1, max: 3 }), (list, tasks) => {
      const all = list.map(({ duration, back, priority }, index): Work => {
        const needs = [...new Set(back.filter((need) => need < index))]
        return { duration, needs, priority, pool: null, slots: 1, free: false }
      })
      const { duration, path } = criticalPath(all)
      const along = path.reduce((sum, index) => sum + (all[index] as Work).duration, 0)
      const sum = all.reduce((total, work) => total + work.duration, 0)
      const limited = endUnder(all, { tasks, pools: {} })
      return (
        along === duration &&
        endUnder(all, { tasks: null, pools: {} }) === duration &&
        limited >= Math.max(duration, sum / tasks) &&
        limited <= sum &&
        inOrder(all).every((index, place, order) =>
          (all[index] as Work).needs.every((need) => order.indexOf(need) < place),
        )
      )
    }),
  )
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
})
