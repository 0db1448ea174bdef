/** Why tasks that have ended did so, in the sentences that people are told. */
import t from 'tap'
import { whyOf } from '../../engine/why/why.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { runRecord } from '../support/stored-records.ts'
import { factsOf, happened, nodesOf } from '../support/why-facts.ts'

const one = pipelineOf({ it: {} })
const map = pipelineOf({ it: { foreach: { items: [], key: null, maxParallel: null, whenEach: false } } })
const prepared = pipelineOf({
  land: {},
  prepare: { isGroup: true, uses: '', needs: ['land'] },
  'prepare.mask': { group: 1 },
})

t.test('of a task that has ended it is told why it ended so, and nothing that it waits for', async (t) => {
  const pipeline = pipelineOf({
    a: {},
    b: { needs: ['a'] },
    c: { needs: ['b'] },
    d: { when: 'params.go' },
    e: {},
    f: { needs: ['d'] },
    g: {},
    h: {},
  })
  const nodes = nodesOf(pipeline, {
    a: { state: 'failed', tries: 2, attempt: 2, failure: { kind: 'user', message: 'exited with code 3' } },
    b: { state: 'upstream_failed' },
    c: { state: 'upstream_failed' },
    d: { state: 'skipped' },
    e: { state: 'succeeded', attempt: 1 },
    f: { state: 'skipped' },
    g: { state: 'cancelled' },
    h: { state: 'succeeded' },
  })
  const events = [
    happened(3, 'skip', 1, { reason: 'when: params.go' }),
    happened(5, 'skip', 1),
    happened(7, 'mark_succeeded', 1, { by: 'ada', reason: 'done by hand' }),
    happened(null, 'cancel', 1, { by: 'ada' }),
  ]
  const facts = factsOf(pipeline, nodes, { events })
  const said = nodes.map(({ node }) => whyOf(facts, node))
  t.ok(said.every(({ waitsFor }) => waitsFor.length === 0))
  t.strictSame(
    said.map(({ because }) => because),
    [
      'it failed after 2 tries (user): exited with code 3',
      'its trigger all_success could not hold: a failed (user)',
      'its trigger all_success could not hold: b is upstream_failed; it began with a failed (user)',
      'it was skipped by when: params.go',
      'attempt 1 succeeded',
      'its trigger all_success could not hold: d is skipped',
      'the run was cancelled by ada before the task had ended',
      'ada marked it as succeeded: done by hand',
    ],
  )
})

t.test('what stands in a group, or is an instance, is told to have ended with it', async (t) => {
  const nodes = nodesOf(prepared, {
    land: { state: 'skipped' },
    prepare: { state: 'skipped' },
    'prepare.mask': { state: 'skipped' },
  })
  t.equal(
    whyOf(factsOf(prepared, nodes), 2).because,
    'prepare, which it stands in, ended before it began (skipped)',
  )
  const failure = { kind: 'oom', message: 'too much' } as const
  const instances = nodesOf(map, { it: { state: 'failed' } }, [
    { task: 0, key: 'a', parent: 0, state: 'failed', failure },
    { task: 0, key: 'b', parent: 0, state: 'succeeded' },
  ])
  t.equal(whyOf(factsOf(map, instances), 0).because, 'of what stands in it, it[a] failed (oom)')
})

t.test(
  'of a run that was over its deadline, what had not begun is not said to be cancelled by anybody',
  async (t) => {
    const run = runRecord({ state: 'failed' })
    const facts = factsOf(one, nodesOf(one, { it: { state: 'cancelled' } }), { run })
    t.equal(whyOf(facts, 0).because, 'the run ended (failed) before the task had begun')
  },
)

t.test('of a mapped group its instances are counted, of a task in it its copies', (t) => {
  const pipeline = pipelineOf({
    each: { isGroup: true, uses: '', foreach: { items: [], key: null, maxParallel: null, whenEach: false } },
    'each.work': { group: 0 },
  })
  const succeeded = { state: 'succeeded' } as const
  const nodes = nodesOf(pipeline, { each: succeeded, 'each.work': { ...succeeded, parent: 0 } }, [
    { task: 0, key: 'a', parent: 0, ...succeeded },
    { task: 0, key: 'b', parent: 0, ...succeeded },
    { task: 1, parent: 2, ...succeeded, attempt: 1 },
    { task: 1, parent: 3, ...succeeded, attempt: 1 },
  ])
  const because = (node: number) => whyOf(factsOf(pipeline, nodes), node).because
  t.equal(because(0), 'all in it has ended well enough (2 succeeded)')
  t.equal(because(1), 'all of it has ended well enough (2 succeeded)')
  t.equal(because(2), 'all in it has ended well enough (1 succeeded)')
  t.end()
})
