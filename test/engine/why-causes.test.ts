/** The reasons for which tasks wait, each by its name: needs, the run, its engine, attempts, times, events and people. */
import t from 'tap'
import { pipelineOf } from '../support/pipelines.ts'
import { runRecord } from '../support/stored-records.ts'
import { backfill, gone, limited, namesEach, one, scheduled } from '../support/why-causes.ts'
import { happened, nodesOf } from '../support/why-facts.ts'

const chain = pipelineOf({
  landed: {},
  ingest: { needs: ['landed'] },
  mask: { needs: ['ingest'] },
  it: { needs: ['mask'], trigger: 'all_done' },
})

t.test('each cause is named, with what and until when', async (t) => {
  namesEach(t, [
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
      facts: {
        run: runRecord({ state: 'paused', pausedFor: 'person' }),
        events: [happened(null, 'pause', 7)],
      },
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
  ])
})
