/** What follows from an event, on small graphs. */
import t from 'tap'
import { expand } from '../../engine/containers.ts'
import { apply, begin, cancelAll, runEnding } from '../../engine/plan.ts'
import { each, liveRun, nodeOf, pipelineOf, type Sketch, statesOf } from '../support/pipelines.ts'

const foreach = each([])

function started(sketches: { [id: string]: Sketch }) {
  const run = liveRun(pipelineOf(sketches))
  begin(run, 0)
  const pass = (id: string, ...events: Parameters<typeof apply>[2][]) => {
    for (const event of events) apply(run, nodeOf(run, id), event, 1)
  }
  return { run, pass }
}

t.test('tasks without needs are ready at once, the others wait', async (t) => {
  const { run } = started({ extract: {}, load: { needs: ['extract'] } })
  t.strictSame(statesOf(run), { extract: 'ready', load: 'waiting' })
  t.strictSame(
    run.readied.map(({ task }) => task),
    [0],
  )
})

t.test('what stands below a failed task is upstream_failed, and nothing else is', async (t) => {
  const { run, pass } = started({
    broken: {},
    fine: {},
    below: { needs: ['broken'] },
    further: { needs: ['below', 'fine'] },
    beside: { needs: ['fine'] },
  })
  pass('broken', 'claim', 'fail')
  t.strictSame(statesOf(run), {
    broken: 'failed',
    fine: 'ready',
    below: 'upstream_failed',
    further: 'upstream_failed',
    beside: 'waiting',
  })
})

t.test(
  'a skip hands itself on to tasks that need every success, and no further than the rules say',
  async (t) => {
    const { run, pass } = started({
      maybe: {},
      after: { needs: ['maybe'] },
      anyway: { needs: ['after'], trigger: 'all_done' },
    })
    pass('maybe', 'skip')
    t.strictSame(statesOf(run), { maybe: 'skipped', after: 'skipped', anyway: 'ready' })
  },
)

t.test('a chain of 50,000 skips settles without recursion', async (t) => {
  const sketches: { [id: string]: Sketch } = { t0: {} }
  for (let i = 1; i < 50_000; i++) sketches[`t${i}`] = { needs: [`t${i - 1}`] }
  // Needs are given as ids; the lookup of pipelineOf would be quadratic here.
  const pipeline = pipelineOf({ t0: {} })
  const tasks = Object.keys(sketches).map((id, i) => ({
    ...(pipeline.tasks[0] as (typeof pipeline.tasks)[0]),
    id,
    needs: i === 0 ? [] : [i - 1],
  }))
  const run = liveRun({ ...pipeline, tasks })
  begin(run, 0)
  apply(run, nodeOf(run, 't0'), 'skip', 1)
  t.equal(run.open, 0)
  t.equal(runEnding(run), 'succeed')
})

t.test('the run ends with its last task: failed before cancelled before succeeded', async (t) => {
  const { run, pass } = started({ a: {}, b: {} })
  pass('a', 'claim', 'succeed')
  t.equal(runEnding(run), null)
  pass('b', 'claim', 'fail')
  t.equal(runEnding(run), 'fail')
})

t.test('a cancel ends every open task, starts no clean-up and decides the state of the run', async (t) => {
  const { run, pass } = started({
    a: {},
    b: {},
    clean: { needs: ['a', 'b'], trigger: 'always' },
    after: { needs: ['a'] },
  })
  pass('b', 'claim', 'fail')
  pass('a', 'claim')
  nodeOf(run, 'a').holding = true
  const running = cancelAll(run, 2)
  t.strictSame(
    running.map(({ task }) => task),
    [0],
  )
  t.strictSame(statesOf(run), { a: 'cancelled', b: 'failed', clean: 'cancelled', after: 'cancelled' })
  t.equal(runEnding(run), 'cancel')
})

t.test('a way that the table does not have is a bug', async (t) => {
  const { pass } = started({ a: {} })
  t.throws(() => pass('a', 'succeed'), { code: 'E700' })
})

t.test('a mapped task runs as its instances and ends with the last of them', async (t) => {
  const { run, pass } = started({
    shards: {},
    mask: { needs: ['shards'], foreach },
    pack: { needs: ['mask'] },
  })
  pass('shards', 'claim', 'succeed')
  expand(run, nodeOf(run, 'mask'), { items: [1, 2], keys: ['x', 'y'] }, 1)
  const instances = run.nodes.filter(({ key }) => key !== null)
  t.strictSame(
    instances.map(({ key, state }) => [key, state]),
    [
      ['x', 'ready'],
      ['y', 'ready'],
    ],
  )
  t.equal(statesOf(run).mask, 'running')
  const [x, y] = instances as [(typeof instances)[0], (typeof instances)[0]]
  apply(run, x, 'claim', 1)
  apply(run, x, 'succeed', 1, { patch: { outputs: { n: 1 } } })
  t.equal(statesOf(run).pack, 'waiting')
  apply(run, y, 'claim', 1)
  apply(run, y, 'succeed', 1, { patch: { outputs: { n: 2 } } })
  t.strictSame(statesOf(run), { shards: 'succeeded', mask: 'succeeded', pack: 'ready' })
  t.strictSame(nodeOf(run, 'mask').outputs, [{ n: 1 }, { n: 2 }])
})

t.test('a mapped task fails with one instance, and over no items succeeds with an empty list', async (t) => {
  const { run } = started({ mask: { foreach }, none: { foreach } })
  expand(run, nodeOf(run, 'none'), { items: [], keys: null }, 1)
  t.strictSame(nodeOf(run, 'none').outputs, [])
  expand(run, nodeOf(run, 'mask'), { items: [1, 2], keys: ['x', 'y'] }, 1)
  for (const [i, node] of run.nodes.filter(({ key }) => key !== null).entries()) {
    apply(run, node, 'claim', 1)
    apply(run, node, i === 0 ? 'fail' : 'succeed', 1)
  }
  t.strictSame(statesOf(run), { mask: 'failed', none: 'succeeded' })
})
