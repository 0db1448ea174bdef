import t from 'tap'
import { unlimited } from '../../engine/resources.ts'
import { pipelineOf, type Sketch } from '../support/pipelines.ts'
import { type TestEngineOptions, testEngine } from '../support/test-engine.ts'

/** An engine on which runs are made live, or as a backfill's, of tasks whose ids tell them apart. */
async function engineWith(options: TestEngineOptions) {
  const it = await testEngine(options)
  let start = 0
  const make = async (
    sketches: { readonly [id: string]: Sketch },
    backfill: string | null,
    runs: number | null,
  ) => {
    const pipeline = pipelineOf(sketches, { concurrency: { runs, tasks: null } })
    const trigger = backfill === null ? 'manual' : 'backfill'
    const interval = { start: ++start, end: start + 1 }
    const wanted = { pipeline, folder: '/', params: {}, trigger, interval, backfill, omit: [] } as const
    const { id } = await it.engine.create(wanted, backfill === null ? null : 16)
    await it.pass()
    return id
  }
  return {
    ...it,
    live: (sketches: { readonly [id: string]: Sketch }, runs: number | null = null) =>
      make(sketches, null, runs),
    backfill: (sketches: { readonly [id: string]: Sketch }, backfill = 'b', runs: number | null = null) =>
      make(sketches, backfill, runs),
  }
}

const gpus = (slots: number) => ({ ...unlimited, pools: { gpu: { slots, gpus: 1 } } })

t.test(
  'a task of a backfill starts after every ready live task, whatever its priority and age',
  async (t) => {
    const it = await engineWith({ slots: 1 })
    await it.live({ first: {} })
    await it.backfill({ b1: { priority: 1000 }, b2: {} })
    await it.pass(3_600_000)
    await it.live({ l1: {}, l2: { needs: ['l1'] } })
    await it.live({ l3: { priority: -5 } })
    t.strictSame(it.started(), ['first'])
    for (const id of ['first', 'l1', 'l2', 'l3', 'b1', 'b2']) await it.end(id)
    t.strictSame(new Set(it.started().slice(0, 4)), new Set(['first', 'l1', 'l2', 'l3']))
    t.strictSame(it.started().slice(4), ['b1', 'b2'])
  },
)

t.test(
  'all backfills together take at most half of a pool, rounded up; live tasks take all of it',
  async (t) => {
    const it = await engineWith({ resources: gpus(5) })
    const inPool = { pool: 'gpu' }
    await it.backfill({ a1: inPool, a2: inPool, a3: inPool, a4: inPool }, 'a')
    await it.backfill({ b1: inPool, b2: inPool }, 'b')
    t.strictSame(it.started(), ['a1', 'a2', 'a3'])
    await it.live({ l1: inPool, l2: inPool, l3: inPool })
    t.strictSame(it.started(), ['a1', 'a2', 'a3', 'l1', 'l2'])
    await it.end('a1')
    t.strictSame(it.started().slice(5), ['l3'], 'room that comes is the live task’s')
    await it.end('a2')
    t.strictSame(it.started().slice(6), ['a4'], 'one more may run: two of the three are left')
  },
)

t.test('slots of the half are counted, not tasks: what takes two waits until there are two', async (t) => {
  const it = await engineWith({ resources: gpus(4) })
  await it.backfill({ small: { pool: 'gpu' } }, 'a')
  await it.backfill({ twice: { pool: 'gpu', slots: 2 } }, 'b')
  t.strictSame(it.started(), ['small'], 'two of four are the half, and one is taken')
  await it.end('small')
  t.strictSame(it.started(), ['small', 'twice'])
})

t.test('runs of a backfill do not count in `concurrency.runs`, nor wait for it', async (t) => {
  const it = await engineWith({})
  const state = async (id: string) => (await it.store.run(id))?.state
  const [first, second] = [await it.backfill({ b: {} }, 'b', 1), await it.backfill({ b: {} }, 'b', 1)]
  const [live, next] = [await it.live({ b: {} }, 1), await it.live({ b: {} }, 1)]
  t.strictSame(await Promise.all([first, second, live, next].map(state)), [
    'running',
    'running',
    'running',
    'queued',
  ])
})

t.test(
  'a live task waits for one running task of a backfill at most, and for none that is preemptible',
  async (t) => {
    const it = await engineWith({ resources: gpus(1) })
    await it.backfill({ b1: { pool: 'gpu' }, b2: { pool: 'gpu' }, b3: { pool: 'gpu', preemptible: true } })
    await it.live({ live: { pool: 'gpu' } })
    t.strictSame(it.started(), ['b1'])
    t.strictSame(it.held('b1').stops, [], 'what is not preemptible runs to its end')
    await it.end('b1')
    t.strictSame(it.started(), ['b1', 'live'])
    for (const id of ['live', 'b2']) await it.end(id)
    await it.live({ urgent: { pool: 'gpu' } })
    t.strictSame(it.held('b3').stops, ['preempt'])
    await it.end('b3', { type: 'released', kind: 'preempted', message: 'preempted' })
    t.strictSame(it.started().at(-1), 'urgent')
  },
)
