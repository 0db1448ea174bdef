/** Records as a store gives them, from the few fields that a test is about. */
import type { RunRecord, TaskRecord } from '../../engine/store/records.ts'
import type { BackfillRecord } from '../../engine/store/store.ts'

/** A run that is under way, ten seconds old. */
export function runRecord(more: Partial<RunRecord> = {}): RunRecord {
  return {
    id: 'own',
    pipeline: 'test',
    version: 'v',
    folder: '/',
    params: {},
    trigger: 'manual',
    interval: { start: 0, end: 0 },
    backfill: null,
    state: 'running',
    createdAt: 1_000,
    startedAt: 2_000,
    endedAt: null,
    owner: 'engine',
    fence: 1,
    runtime: null,
    origin: null,
    dueAt: 0,
    spentUsd: 0,
    spentGpuSeconds: 0,
    pausedFor: null,
    overdue: false,
    overBudget: false,
    provenance: null,
    ...more,
  }
}

/** A node that waits, and of which nothing else is known. */
export function taskRecord(node: number, more: Partial<TaskRecord> = {}): TaskRecord {
  return {
    node,
    task: node,
    key: null,
    parent: null,
    state: 'waiting',
    attempt: 0,
    tries: 0,
    releases: 0,
    continues: false,
    holding: false,
    startedAt: null,
    tryStartedAt: null,
    claimedAt: null,
    endedAt: null,
    wakeAt: null,
    carry: null,
    wakeOn: null,
    failure: null,
    outputs: null,
    cached: null,
    expansion: null,
    recovery: null,
    preemptions: 0,
    pool: null,
    slots: 1,
    ...more,
  }
}

/** A backfill of what is missing that goes on, one run at a time. */
export function backfillRecord(more: Partial<BackfillRecord> = {}): BackfillRecord {
  return {
    id: 'b',
    pipeline: 'test',
    version: 'v',
    from: 0,
    to: 2,
    mode: 'missing',
    maxActive: 1,
    reverse: false,
    params: {},
    folder: '/',
    includeDeploy: false,
    state: 'running',
    createdAt: 0,
    ...more,
  }
}
