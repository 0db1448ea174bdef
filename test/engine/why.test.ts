/** The reasons for which tasks wait: no state in which nothing is named. */
import fc from 'fast-check'
import t from 'tap'
import { type RunState, type TaskState, taskStates } from '../../engine/state.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import type { BackfillRecord } from '../../engine/store/store.ts'
import { whyOf } from '../../engine/why/why.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { runRecord, taskRecord } from '../support/stored-records.ts'
import { backfill, gone, gpu, one } from '../support/why-causes.ts'
import { factsOf, holder, nodesOf } from '../support/why-facts.ts'

const open = taskStates.filter((state) =>
  ['waiting', 'ready', 'running', 'sleeping', 'retrying'].includes(state),
)

/** A node in a random state with what that state always comes with. */
const nodeOf = (node: number): fc.Arbitrary<TaskRecord> =>
  fc
    .record({
      state: fc.constantFrom<TaskState>(...taskStates),
      wakeAt: fc.integer({ min: 0, max: 20_000 }),
      sleeps: fc.constantFrom('time', 'person', 'path', 'both'),
      continues: fc.boolean(),
    })
    .map(({ state, wakeAt, sleeps, continues }) => {
      const person = { kind: 'hold', message: 'what now?', form: {} } as const
      const wakeOn = { person: { person }, path: { paths: ['/x'] }, both: { paths: ['/x'] }, time: null }[
        sleeps
      ]
      const timed = state === 'retrying' || (state === 'sleeping' && sleeps !== 'person' && sleeps !== 'path')
      return taskRecord(node, {
        state,
        continues,
        attempt: state === 'running' ? 1 : 0,
        holding: state === 'running',
        wakeAt: timed || (state === 'ready' && continues) ? wakeAt : null,
        wakeOn: state === 'sleeping' ? wakeOn : null,
      })
    })

t.test('no task that has not ended is without a reason, whatever the run is in', async (t) => {
  const factsOfAny = fc
    .record({
      edges: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 8 }),
      pooled: fc.boolean(),
      limit: fc.option(fc.integer({ min: 1, max: 3 })),
      nodes: fc.tuple(...Array.from({ length: 6 }, (_, node) => nodeOf(node))),
      state: fc.constantFrom<RunState>('queued', 'running', 'paused'),
      backfilled: fc.boolean(),
      paused: fc.constantFrom('running', 'paused'),
      holders: fc.array(fc.constantFrom(holder(), holder({ pool: 'gpu' }), holder({ owner: 'engine' }))),
      others: fc.array(fc.constantFrom(runRecord({ id: 'x' }), runRecord({ id: 'y', state: 'queued' }))),
      lives: fc.boolean(),
    })
    .map(({ edges, pooled, limit, nodes, state, backfilled, paused, holders, others, lives }) => {
      const sketches = Object.fromEntries(
        nodes.map(({ node }) => {
          const needs = [
            ...new Set(edges.filter(([from, to]) => to === node && from < to).map(([n]) => `t${n}`)),
          ]
          return [`t${node}`, { needs, ...(pooled && { pool: 'gpu' }) }]
        }),
      )
      const pipeline = pipelineOf(sketches, { concurrency: { runs: limit, tasks: limit } })
      return factsOf(pipeline, nodes, {
        run: runRecord({ state, backfill: backfilled ? 'bf' : null }),
        backfill: backfilled ? { ...backfill, state: paused as BackfillRecord['state'] } : null,
        owner: { ...gone, lives },
        resources: gpu,
        holders,
        others,
      })
    })
  fc.assert(
    fc.property(factsOfAny, (facts) =>
      facts.tasks.every(({ node, state }) => {
        const { waitsFor, because } = whyOf(facts, node)
        return open.includes(state) ? waitsFor.length > 0 && because === null : waitsFor.length === 0
      }),
    ),
    { numRuns: 2_000 },
  )
  t.pass()
})

t.test('a sleep that nothing would ever end has no reason: that is how it is found', async (t) => {
  const nodes = nodesOf(one, { it: { state: 'sleeping' } })
  t.strictSame(whyOf(factsOf(one, nodes), 0).waitsFor, [])
})
