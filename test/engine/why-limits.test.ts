/** The reasons for which ready tasks wait, each by its name: windows, limits, pools, priorities and slots. */
import t from 'tap'
import { pipelineOf } from '../support/pipelines.ts'
import { runRecord, taskRecord } from '../support/stored-records.ts'
import { backfill, gpu, limited, map, namesEach, one, scheduled } from '../support/why-causes.ts'
import { happened, holder, nodesOf, rival } from '../support/why-facts.ts'

const inPool = pipelineOf({ it: { pool: 'gpu' } })

t.test('what a ready task waits for is named, with what and until when', async (t) => {
  namesEach(t, [
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
        [
          'pool',
          /\(backfill\).*\(backfill, preemptible\); of attempts of backfills it waits for at most one/,
        ],
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
      name: 'an attempt of before a retry that has not left yet',
      pipeline: one,
      it: { state: 'ready', attempt: 2, holding: true },
      because: [['attempt', /attempt 2, of before it was taken up again, has not left yet/]],
    },
    {
      name: 'a task of lower priority that has waited long enough to come first, and one that has not',
      pipeline: pipelineOf({
        it: { pool: 'gpu', priority: 2 },
        old: { pool: 'gpu' },
        young: { pool: 'gpu' },
      }),
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
  ])
})
