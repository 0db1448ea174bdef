/** The reasons for which tasks wait: each cause by its name, and no state in which nothing is named. */
import fc from 'fast-check'
import t from 'tap'
import type { Pipeline } from '../../engine/pipeline.ts'
import { type RunState, type TaskState, taskStates } from '../../engine/state.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import type { BackfillRecord } from '../../engine/store/store.ts'
import type { Facts } from '../../engine/why/facts.ts'
import { nodeNamed, whyNotMade, whyOf } from '../../engine/why/why.ts'
import { pipelineOf, type Sketch } from '../support/pipelines.ts'
import { runRecord, taskRecord } from '../support/stored-records.ts'
import { factsOf, happened, holder, nodesOf, rival } from '../support/why-facts.ts'

const gpu = { pools: { gpu: { slots: 2, gpus: 1 } }, rates: { cpu: 0, gpu: 0, pools: {} } }
const backfill = { id: 'bf', maxActive: 1, state: 'running' } as BackfillRecord
const gone = { id: 'engine', lives: false, place: 'host-a, process 7' }
const limited = { concurrency: { runs: 1, tasks: 1 } }
const mapped: Sketch = { foreach: { items: [], key: null, maxParallel: 1, whenEach: false } }
const group: Sketch = { isGroup: true, uses: '' }

interface Cause {
  readonly name: string
  readonly pipeline: Pipeline
  /** Fields of the task `it`, or of the nodes. */
  readonly it?: Partial<TaskRecord>
  readonly nodes?: readonly TaskRecord[]
  readonly node?: number
  readonly facts?: Partial<Facts>
  /** Kinds, what they must name, and where it is known until when. */
  readonly because: readonly (readonly [kind: string, what: RegExp, until?: number | null])[]
}

const one = pipelineOf({ it: {} })
const inPool = pipelineOf({ it: { pool: 'gpu' } })
const chain = pipelineOf({
  landed: {},
  ingest: { needs: ['landed'] },
  mask: { needs: ['ingest'] },
  it: { needs: ['mask'], trigger: 'all_done' },
})
const scheduled: Pipeline = {
  ...one,
  schedule: {
    cron: ['0 2 * * *'],
    every: null,
    timezone: 'Europe/Berlin',
    start: null,
    end: null,
    window: { from: 22 * 60, to: 6 * 60 },
  },
}
const map = pipelineOf({ it: mapped })
const prepared = pipelineOf({
  land: {},
  prepare: { ...group, needs: ['land'] },
  'prepare.mask': { group: 1 },
})

/** A group that is mapped: its task stands for its copies. */
const cells = pipelineOf({
  cell: { ...group, ...mapped },
  'cell.a': { group: 0 },
  'cell.b': { group: 0, needs: ['cell.a'] },
})
const grid = nodesOf(
  cells,
  { cell: { state: 'running' }, 'cell.a': { state: 'running' }, 'cell.b': { state: 'running' } },
  [
    { task: 0, key: 'k1', parent: 0, state: 'running' },
    { task: 1, parent: 3, state: 'running', attempt: 1, holding: true },
    { task: 2, parent: 3 },
  ],
)

const causes: readonly Cause[] = [
  {
    name: 'a need that has not ended, and what stands above it',
    pipeline: chain,
    nodes: nodesOf(chain, { landed: { state: 'sleeping', wakeAt: 20_000, wakeOn: { paths: ['/in'] } } }),
    node: 3,
    because: [
      ['need', /^mask has not ended \(waiting; trigger: all_done\)/],
      ['need', /^above them all, landed has not ended \(sleeping: something changes at \/in\)/, 20_000],
    ],
  },
  {
    name: 'a queued run, by concurrency.runs',
    pipeline: { ...one, ...limited },
    facts: {
      run: runRecord({ state: 'queued' }),
      others: [runRecord({ id: 'r1' }), runRecord({ id: 'r2', state: 'queued' })],
    },
    because: [['runs', /^concurrency\.runs is 1, and taken by 1 run: r1/]],
  },
  {
    name: 'a queued run, by a paused one that has started',
    pipeline: { ...one, ...limited },
    facts: { run: runRecord({ state: 'queued' }), others: [runRecord({ id: 'r1', state: 'paused' })] },
    because: [['runs', /r1 \(paused\)/]],
  },
  {
    name: 'a scheduled run, by the one before it',
    pipeline: scheduled,
    facts: {
      run: runRecord({ state: 'queued', trigger: 'schedule' }),
      others: [runRecord({ id: 'before', trigger: 'schedule' })],
    },
    because: [['runs', /the scheduled run before it has not ended: before/]],
  },
  {
    name: 'a run of a backfill, by max-active',
    pipeline: one,
    facts: {
      run: runRecord({ state: 'queued', backfill: 'bf' }),
      backfill,
      others: [runRecord({ id: 'r1', backfill: 'bf' }), runRecord({ id: 'live' })],
    },
    because: [['runs', /^max-active of backfill bf is 1, and taken by 1 run: r1/]],
  },
  {
    name: 'a run of a paused backfill',
    pipeline: one,
    facts: {
      run: runRecord({ state: 'queued', backfill: 'bf' }),
      backfill: { ...backfill, state: 'paused' },
    },
    because: [['person', /dagctl backfills resume bf/]],
  },
  {
    name: 'queued runs before it',
    pipeline: one,
    facts: {
      run: runRecord({ state: 'queued' }),
      others: [runRecord({ id: 'first', state: 'queued', createdAt: 5 })],
    },
    because: [['runs', /1 queued run of test before it: first/]],
  },
  {
    name: 'a queued run with room',
    pipeline: one,
    facts: { run: runRecord({ state: 'queued' }) },
    because: [['turn', /its engine starts it next/]],
  },
  {
    name: 'a run that a person paused',
    pipeline: one,
    it: { state: 'ready' },
    facts: { run: runRecord({ state: 'paused', pausedFor: 'person' }), events: [happened(null, 'pause', 7)] },
    because: [['person', /dagctl runs resume own/]],
  },
  {
    name: 'a run whose budget is used up',
    pipeline: { ...one, budget: { usd: 10, gpuHours: 1, onExceed: 'hold' } },
    it: { state: 'ready' },
    facts: {
      run: runRecord({ state: 'paused', pausedFor: 'budget', spentUsd: 12.5, spentGpuSeconds: 1800 }),
    },
    because: [['budget', /12\.50 of 10 USD, 0\.50 of 1 GPU hours/]],
  },
  {
    name: 'an engine that is gone',
    pipeline: one,
    it: { state: 'ready' },
    facts: { owner: gone },
    because: [['engine', /dagctl runs resume own/]],
  },
  {
    name: 'an attempt whose engine is gone',
    pipeline: one,
    it: { state: 'running', attempt: 1, holding: true },
    facts: { owner: gone },
    because: [
      ['engine', /dagctl runs resume own/],
      ['attempt', /attempt 1 \(inline\).*lost with it/],
    ],
  },
  {
    name: 'its own attempt, at the longest until its timeout',
    pipeline: pipelineOf({ it: { timeout: 60_000 } }),
    it: { state: 'running', attempt: 2, holding: true, tryStartedAt: 4_000 },
    because: [['attempt', /attempt 2 \(inline\) of run own runs, on host-a, process 7/, 64_000]],
  },
  {
    name: 'the delay before the next try',
    pipeline: one,
    it: { state: 'retrying', tries: 1, wakeAt: 12_000, failure: { kind: 'crash', message: 'exit 75' } },
    facts: { events: [happened(0, 'retry', 9_000)] },
    because: [['time', /the delay of 3 s before try 2, after crash: exit 75/, 12_000]],
  },
  {
    name: 'the delay before a recovery',
    pipeline: one,
    it: { state: 'retrying', tries: 1, wakeAt: 12_000, failure: { kind: 'gpu_oom', message: 'too big' } },
    facts: { events: [happened(0, 'recover', 9_000)] },
    because: [['time', /a try with what recovery changes, after gpu_oom: too big/, 12_000]],
  },
  {
    name: 'a circuit breaker, before the delay of a retry',
    pipeline: one,
    it: { state: 'retrying', tries: 1, wakeAt: 12_000, failure: { kind: 'network', message: 'no answer' } },
    facts: { events: [happened(0, 'breaker', 9_000, { endpoint: 'https://api', until: 30_000 })] },
    because: [
      ['endpoint', /https:\/\/api/, 30_000],
      ['time', /network/, 12_000],
    ],
  },
  {
    name: 'a breaker that has closed again is no reason',
    pipeline: one,
    it: { state: 'ready' },
    facts: { events: [happened(0, 'breaker', 9_000, { endpoint: 'https://api', until: 9_500 })] },
    because: [['turn', /next/]],
  },
  {
    name: 'the time and the events that wake a sleep',
    pipeline: one,
    it: {
      state: 'sleeping',
      wakeAt: 15_000,
      wakeOn: { paths: ['/in/a'], datasets: ['s3://lake/docs'], runs: ['r9'] },
    },
    because: [
      ['event', /changes at \/in\/a/],
      ['event', /an update of s3:\/\/lake\/docs/],
      ['event', /the end of run r9/],
      ['time', /looks again/, 15_000],
    ],
  },
  {
    name: 'a person who is asked',
    pipeline: one,
    it: { state: 'sleeping', wakeOn: { person: { kind: 'approval', message: 'Ship it?', form: {} } } },
    because: [['person', /approval: Ship it\? \(answer with `dagctl approvals answer own it`\)/]],
  },
  {
    name: 'a sleep that only its timeout ends',
    pipeline: pipelineOf({ it: { timeout: 5_000 } }),
    it: { state: 'sleeping', tryStartedAt: 8_000 },
    because: [['time', /nothing but its timeout/, 13_000]],
  },
  {
    name: 'the delay after a release',
    pipeline: one,
    it: { state: 'ready', releases: 2, continues: true, wakeAt: 11_000 },
    facts: { events: [happened(0, 'release', 9_000, { kind: 'node_lost', message: 'no trace' })] },
    because: [['time', /released 2 times \(node_lost: no trace\)/, 11_000]],
  },
  {
    name: 'the window of the schedule',
    pipeline: scheduled,
    it: { state: 'ready' },
    facts: { at: Date.UTC(2026, 6, 1, 10), run: runRecord({ trigger: 'schedule' }) },
    because: [['window', /Europe\/Berlin/, Date.UTC(2026, 6, 1, 20)]],
  },
  {
    name: 'the window does not bind manual runs',
    pipeline: scheduled,
    it: { state: 'ready' },
    facts: { at: Date.UTC(2026, 6, 1, 10) },
    because: [['turn', /next/]],
  },
  {
    name: 'concurrency.tasks, and who takes it',
    pipeline: { ...one, ...limited },
    it: { state: 'ready' },
    facts: { holders: [holder({ pipeline: 'test', task: 'load' })] },
    because: [['tasks', /concurrency\.tasks of test is 1, and taken by load of run other/]],
  },
  {
    name: 'a full pool, and who has its slots',
    pipeline: inPool,
    it: { state: 'ready' },
    facts: {
      resources: gpu,
      holders: [holder({ pool: 'gpu' }), holder({ run: 'own', task: 'tune', pool: 'gpu' })],
    },
    because: [['pool', /^2 of 2 slots of pool gpu are taken: train of run other and tune of this run$/]],
  },
  {
    name: 'a pool full of a backfill, of which a live task waits for one attempt',
    pipeline: inPool,
    it: { state: 'ready' },
    facts: {
      resources: gpu,
      holders: [
        holder({ pool: 'gpu', backfill: 'bf' }),
        holder({ pool: 'gpu', backfill: 'bf', preemptible: true }),
      ],
    },
    because: [
      ['pool', /\(backfill\).*\(backfill, preemptible\); of attempts of backfills it waits for at most one/],
    ],
  },
  {
    name: 'more slots than are free',
    pipeline: pipelineOf({ it: { pool: 'gpu', slots: 2 } }),
    it: { state: 'ready' },
    facts: { resources: gpu, holders: [holder({ pool: 'gpu' })] },
    because: [['pool', /1 of 2 slots of pool gpu are taken, of which it takes 2/]],
  },
  {
    name: 'more slots than there are',
    pipeline: pipelineOf({ it: { pool: 'gpu', slots: 3 } }),
    it: { state: 'ready' },
    facts: { resources: gpu },
    because: [['pool', /takes 3 slots of pool gpu, which has only 2/]],
  },
  {
    name: "a backfill's share of a pool",
    pipeline: inPool,
    it: { state: 'ready' },
    facts: {
      resources: gpu,
      run: runRecord({ backfill: 'bf' }),
      backfill,
      holders: [holder({ pool: 'gpu', backfill: 'other' })],
    },
    because: [['share', /backfills may take 1 of 2 slots of pool gpu, and have 1: train/]],
  },
  {
    name: 'tasks of higher priority, and live ones before those of a backfill',
    pipeline: pipelineOf({ it: { pool: 'gpu', priority: 9 } }),
    it: { state: 'ready' },
    facts: {
      resources: gpu,
      run: runRecord({ backfill: 'bf' }),
      backfill,
      rivals: [
        rival({ pool: 'gpu' }),
        rival({ pool: 'gpu', backfill: 'bf', task: 'urgent', priority: 10 }),
        rival({ pool: 'gpu', backfill: 'bf', task: 'later', priority: 1 }),
        rival({ pool: 'cpu', task: 'elsewhere', priority: 99 }),
      ],
    },
    because: [['priority', /^2 ready tasks before it: tune of run other and urgent of run other/]],
  },
  {
    name: 'slots that are kept for a task that takes more',
    pipeline: inPool,
    it: { state: 'ready' },
    facts: {
      resources: gpu,
      holders: [holder({ pool: 'gpu' })],
      rivals: [rival({ pool: 'gpu', slots: 2, task: 'large' })],
    },
    because: [['pool', /kept for what takes more: large of run other/]],
  },
  {
    name: 'maxParallel of its mapped task',
    pipeline: map,
    nodes: nodesOf(map, { it: { state: 'running' } }, [
      { task: 0, key: 'a', parent: 0, state: 'running', attempt: 1, holding: true },
      { task: 0, key: 'b', parent: 0, state: 'ready' },
    ]),
    node: 2,
    because: [['maxParallel', /maxParallel of it is 1, and taken by it\[a\] of run own/]],
  },
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
    name: 'an attempt of before a retry that has not left yet',
    pipeline: one,
    it: { state: 'ready', attempt: 2, holding: true },
    because: [['attempt', /attempt 2, of before it was taken up again, has not left yet/]],
  },
  {
    name: 'a task of lower priority that has waited long enough to come first, and one that has not',
    pipeline: pipelineOf({ it: { pool: 'gpu', priority: 2 }, old: { pool: 'gpu' }, young: { pool: 'gpu' } }),
    nodes: [0, 1, 2].map((node) => taskRecord(node, { state: 'ready' })),
    facts: {
      resources: gpu,
      at: 500_000,
      events: [
        happened(1, 'unblock', 100_000),
        happened(2, 'unblock', 150_000),
        happened(0, 'unblock', 230_000),
      ],
    },
    because: [['priority', /^1 ready task before it: old of run own$/]],
  },
  {
    name: 'a slot of its engine',
    pipeline: one,
    it: { state: 'ready' },
    facts: { holders: [holder({ owner: 'engine' })] },
    because: [['slot', /a slot for an attempt \(inline\) of its engine, which runs train of run other/]],
  },
  {
    name: 'nothing but its turn',
    pipeline: one,
    it: { state: 'ready' },
    because: [['turn', /its engine starts it next/]],
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
]

t.test('each cause is named, with what and until when', async (t) => {
  for (const { name, pipeline, it = {}, nodes, node, facts, because } of causes) {
    const rows = nodes ?? nodesOf(pipeline, { it })
    const { waitsFor } = whyOf(factsOf(pipeline, rows, facts), node ?? 0)
    t.strictSame(
      waitsFor.map(({ kind }) => kind),
      because.map(([kind]) => kind),
      name,
    )
    for (const [place, [, what, until]] of because.entries()) {
      t.match(waitsFor[place]?.what, what, name)
      if (until !== undefined) t.equal(waitsFor[place]?.until, until, name)
    }
  }
})

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
  t.match(whyNotMade(row('running', named), 0, 'b'), {
    state: 'waiting',
    waitsFor: [{ kind: 'instances', what: /it\[b\] is not made yet/ }, { kind: 'instances' }],
  })
  t.equal(whyNotMade(row('running', named), 0, 'c'), null)
  t.match(whyNotMade(row('running', numbered), 0, '1'), { state: 'waiting' })
  t.equal(whyNotMade(row('running', numbered), 0, '2'), null)
  t.match(whyNotMade(row('waiting', null), 0, 'any'), { state: 'waiting' })
  t.equal(whyNotMade(row('succeeded', named), 0, 'b'), null)
})
