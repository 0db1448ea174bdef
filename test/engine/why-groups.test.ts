/** The reasons for which mapped tasks, groups and what is inside them wait, and the names by which these are asked for. */
import t from 'tap'
import type { TaskState } from '../../engine/state.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import { nodeNamed, whyNotMade } from '../../engine/why/why.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { cells, grid, group, map, namesEach } from '../support/why-causes.ts'
import { factsOf, nodesOf } from '../support/why-facts.ts'

const prepared = pipelineOf({
  land: {},
  prepare: { ...group, needs: ['land'] },
  'prepare.mask': { group: 1 },
})

t.test('what a mapped task or a group waits for is named, and what is inside it', async (t) => {
  namesEach(t, [
    {
      name: 'instances before it, for one that a retry has put back',
      pipeline: pipelineOf({ it: { foreach: { items: [], key: null, maxParallel: null, whenEach: false } } }),
      nodes: nodesOf(map, { it: { state: 'running' } }, [
        { task: 0, key: 'a', parent: 0, state: 'ready' },
        { task: 0, key: 'b', parent: 0 },
      ]),
      node: 2,
      because: [['instances', /^1 instance of it before it/]],
    },
    {
      name: 'the instances of a mapped task, and what the first of them wait for',
      pipeline: map,
      nodes: nodesOf(map, { it: { state: 'running', expansion: { items: [1, 2, 3, 4], keys: null } } }, [
        { task: 0, key: '0', parent: 0, state: 'succeeded' },
        { task: 0, key: '1', parent: 0, state: 'running', attempt: 1, holding: true },
      ]),
      because: [
        ['instances', /1 of 4 instances have ended; 1 running/],
        ['attempt', /^it\[1\] \(running\): attempt 1/],
      ],
    },
    {
      name: 'a group that has not begun, and what that waits for',
      pipeline: prepared,
      nodes: nodesOf(prepared, { land: { state: 'running', attempt: 1, holding: true } }),
      node: 2,
      because: [
        ['group', /the group prepare has not begun \(waiting\)/],
        ['need', /land has not ended \(running\)/],
      ],
    },
    {
      name: 'the tasks in a group',
      pipeline: prepared,
      nodes: nodesOf(prepared, {
        land: { state: 'succeeded' },
        prepare: { state: 'running' },
        'prepare.mask': { state: 'ready' },
      }),
      node: 1,
      because: [
        ['inside', /0 of 1 tasks have ended; 1 ready/],
        ['turn', /^prepare\.mask \(ready\)/],
      ],
    },
    {
      name: 'the copies that a task of a mapped group stands for',
      pipeline: cells,
      nodes: grid,
      node: 1,
      because: [
        ['instances', /0 of 1 instances have ended; 1 running/],
        ['attempt', /^cell\[k1\]\.a \(running\)/],
      ],
    },
    {
      name: 'the need of a copy in the same instance of its group',
      pipeline: cells,
      nodes: grid,
      node: 5,
      because: [['need', /^cell\[k1\]\.a has not ended \(running\)/]],
    },
  ])
})

t.test('nodes are found by the names that commands give them', async (t) => {
  const facts = factsOf(cells, grid)
  const names = ['cell', 'cell.b', 'cell[k1]', 'cell[k1].b', 'cell[k2]', 'b']
  t.strictSame(
    names.map((name) => nodeNamed(facts, name)),
    [0, 2, 3, 5, null, null],
  )
})

t.test('of an instance that is not made yet it is told that others come before it', async (t) => {
  const row = (state: TaskState, expansion: TaskRecord['expansion']) =>
    factsOf(map, nodesOf(map, { it: { state, expansion } }))
  const named = { items: [1, 2], keys: ['a', 'b'] }
  const numbered = { items: [1, 2], keys: null }
  const unmade = whyNotMade(row('running', named), 0, 'b')
  t.equal(unmade?.state, 'waiting')
  t.strictSame(
    unmade?.waitsFor.map(({ kind }) => kind),
    ['instances', 'instances'],
  )
  t.match(unmade?.waitsFor[0]?.what, /it\[b\] is not made yet/)
  t.equal(whyNotMade(row('running', named), 0, 'c'), null)
  t.match(whyNotMade(row('running', numbered), 0, '1'), { state: 'waiting' })
  t.equal(whyNotMade(row('running', numbered), 0, '2'), null)
  t.match(whyNotMade(row('waiting', null), 0, 'any'), { state: 'waiting' })
  t.equal(whyNotMade(row('succeeded', named), 0, 'b'), null)
})
