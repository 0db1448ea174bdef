import t from 'tap'
import { type EarlierRun, type EstimateQuestion, estimateBackfill } from '../../engine/backfill-estimate.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { unlimited } from '../../engine/resources.ts'
import type { RunRecord, TaskRecord } from '../../engine/store/records.ts'
import type { EventRecord } from '../../engine/store/store.ts'
import { liveRun, pipelineOf } from '../support/pipelines.ts'

const hour = 3_600_000

/** What happened to a task: events and when, or that the run left it out from its beginning. */
type Story = readonly (readonly [string, number])[] | 'omitted'

function earlier(pipeline: Pipeline, stories: { readonly [task: string]: Story }): EarlierRun {
  const { record } = liveRun(pipeline)
  const events: EventRecord[] = []
  const rows = pipeline.tasks.map(({ id }, node) => {
    const story = stories[id] ?? []
    const own = story === 'omitted' ? [] : story
    for (const [event, at] of own)
      events.push({ seq: 0, run: record.id, node, attempt: 1, event, at, detail: null })
    const skipped = story === 'omitted' || own.some(([event]) => event === 'skip')
    const startedAt = own.find(([event]) => event === 'claim')?.[1] ?? null
    const row = { node, task: node, key: null, state: skipped ? 'skipped' : 'succeeded', startedAt }
    return { ...row, endedAt: own.at(-1)?.[1] ?? 0 } as unknown as TaskRecord
  })
  return { run: record as RunRecord, pipeline, rows, events: events.sort((a, b) => a.at - b.at) }
}

const ran = (from: number, to: number): Story => [
  ['claim', from],
  ['succeed', to],
]

function estimate(pipeline: Pipeline, runs: readonly EarlierRun[], more: Partial<EstimateQuestion> = {}) {
  return estimateBackfill({
    pipeline,
    without: new Set(),
    runs: 4,
    maxActive: 1,
    earlier: runs,
    resources: unlimited,
    processSlots: 4,
    ...more,
  })
}

t.test('the median of each task counts, along the longest path, run after run', (t) => {
  const pipeline = pipelineOf({ a: {}, b: {}, c: { needs: ['a', 'b'] } })
  const runs = [10, 30, 1000].map((c) =>
    earlier(pipeline, { a: ran(0, 5), b: ran(0, 20), c: ran(20, 20 + c) }),
  )
  t.match(estimate(pipeline, runs), { basedOn: 3, taskTime: 4 * 55, wallTime: 4 * 50, usd: null })
  t.match(estimate(pipeline, runs, { maxActive: 3 }), { wallTime: 2 * 50 }, 'four runs, three at once')
  t.end()
})

t.test('what never ran has no figure, and then the whole has none', (t) => {
  const pipeline = pipelineOf({ a: {}, b: {} })
  const nothing = { taskTime: null, wallTime: null, usd: null }
  t.match(estimate(pipeline, []), { basedOn: 0, ...nothing, unknown: ['a', 'b'] })
  const one = earlier(pipeline, { a: ran(0, 5), b: 'omitted' })
  t.match(estimate(pipeline, [one]), { basedOn: 1, ...nothing, unknown: ['b'] })
  const without = estimate(pipeline, [one], { without: new Set(['b']) })
  t.equal(without.taskTime, 20)
  t.strictSame(without.unknown, [])
  t.end()
})

t.test('a task that its run skipped takes nothing; below what was left out nothing is known', (t) => {
  const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } })
  t.match(estimate(pipeline, [earlier(pipeline, { a: ran(0, 5), b: [['skip', 5]] })]), { taskTime: 20 })
  const below = earlier(pipeline, { a: 'omitted', b: [['skip', 5]] })
  t.strictSame(estimate(pipeline, [below]).unknown, ['a', 'b'])
  t.end()
})

t.test('sleep is no running time, but the run lasts as long', (t) => {
  const pipeline = pipelineOf({ a: {} })
  const slept: Story = [
    ['claim', 0],
    ['sleep', 10],
    ['wake', 90],
    ['claim', 95],
    ['succeed', 100],
  ]
  t.match(estimate(pipeline, [earlier(pipeline, { a: slept })]), { taskTime: 4 * 15, wallTime: 4 * 100 })
  t.end()
})

t.test('limits bound the time: of tasks, of half a pool, of this machine', (t) => {
  const wallTime = (pipeline: Pipeline, more: Partial<EstimateQuestion>) =>
    estimate(pipeline, [earlier(pipeline, { a: ran(0, 100) })], { runs: 12, maxActive: 12, ...more }).wallTime
  t.equal(wallTime(pipelineOf({ a: {} }), {}), 100)
  t.equal(wallTime(pipelineOf({ a: {} }, { concurrency: { runs: null, tasks: 2 } }), {}), 600)
  t.equal(wallTime(pipelineOf({ a: { runtime: 'process' } }), { processSlots: 4 }), 300)
  const pools = { ...unlimited, pools: { gpu: { slots: 5, gpus: 1 } } }
  t.equal(wallTime(pipelineOf({ a: { pool: 'gpu', slots: 2 } }), { resources: pools }), 800)
  t.end()
})

t.test('rates make dollars of running time: cores, GPUs, slots of a pool', (t) => {
  const pipeline = pipelineOf({ a: { runtime: 'process', cpus: 2, gpus: 1, pool: 'gpu', slots: 3 } })
  const rates = { cpu: 0.1, gpu: 2, pools: { gpu: 0.5 } }
  const runs = [earlier(pipeline, { a: ran(0, hour / 2) })]
  t.equal(estimate(pipeline, runs, { resources: { pools: {}, rates } }).usd, 4 * 0.5 * (0.2 + 2 + 1.5))
  const inline = pipelineOf({ a: {} })
  const free = estimate(inline, [earlier(inline, { a: ran(0, hour) })], { resources: { pools: {}, rates } })
  t.equal(free.usd, 0, 'what runs inside the engine costs nothing')
  t.end()
})
