/** Rows of a SQL store as records: names, booleans and JSON. Shared by the stores; knows no SQL. */
import type { Json } from '../json.ts'
import type { RunRecord, TaskRecord } from './records.ts'
import type {
  BackfillRecord,
  DatasetUpdate,
  EngineRecord,
  EventRecord,
  HeldSlot,
  RequestRecord,
  ScheduledPipeline,
} from './store.ts'

/** A row as a driver gives it. */
export type Row = { readonly [column: string]: unknown }

/** The JSON value of a text column; null stays null. */
export function toValue(column: unknown): Json {
  return column === null || column === undefined ? null : JSON.parse(column as string)
}

/** A row of `runs`. */
export function toRun(row: Row): RunRecord {
  return {
    id: row.id as string,
    pipeline: row.pipeline as string,
    version: row.version as string,
    folder: row.folder as string,
    params: JSON.parse(row.params as string),
    trigger: row.trigger as RunRecord['trigger'],
    interval: { start: row.interval_start as number, end: row.interval_end as number },
    backfill: row.backfill as string | null,
    state: row.state as RunRecord['state'],
    createdAt: row.created_at as number,
    startedAt: row.started_at as number | null,
    endedAt: row.ended_at as number | null,
    owner: row.owner as string | null,
    fence: row.fence as number,
    runtime: row.runtime as RunRecord['runtime'],
    origin: row.origin as string | null,
    dueAt: (row.due_at ?? row.created_at) as number,
    spentUsd: row.spent_usd as number,
    spentGpuSeconds: row.spent_gpu_seconds as number,
    pausedFor: row.paused_for as RunRecord['pausedFor'],
    overdue: row.overdue === 1,
    overBudget: row.over_budget === 1,
    provenance: toValue(row.provenance) as RunRecord['provenance'],
    ...(row.omit !== null && { omit: toValue(row.omit) as readonly number[] }),
  }
}

/** A row of `tasks`. */
export function toTask(row: Row): TaskRecord {
  return {
    node: row.node as number,
    task: row.task as number,
    key: row.key as string | null,
    parent: row.parent as number | null,
    state: row.state as TaskRecord['state'],
    attempt: row.attempt as number,
    tries: row.tries as number,
    releases: row.releases as number,
    continues: row.continues === 1,
    holding: row.holding === 1,
    startedAt: row.started_at as number | null,
    tryStartedAt: row.try_started_at as number | null,
    claimedAt: row.claimed_at as number | null,
    endedAt: row.ended_at as number | null,
    wakeAt: row.wake_at as number | null,
    carry: toValue(row.carry),
    wakeOn: toValue(row.wake_on) as TaskRecord['wakeOn'],
    failure: toValue(row.failure) as TaskRecord['failure'],
    outputs: toValue(row.outputs),
    cached: row.cached as string | null,
    expansion: toValue(row.expansion) as TaskRecord['expansion'],
    recovery: toValue(row.recovery) as TaskRecord['recovery'],
    preemptions: row.preemptions as number,
    pool: row.pool as string | null,
    slots: row.slots as number,
  }
}

/** A row of `events` with its run's id. */
export function toEvent(row: Row): EventRecord {
  return {
    seq: row.seq as number,
    run: row.run_id as string,
    node: row.node as number | null,
    attempt: row.attempt as number | null,
    event: row.event as string,
    at: row.at as number,
    detail: toValue(row.detail) as EventRecord['detail'],
  }
}

/** A row of `engines`. */
export function toEngine(row: Row): EngineRecord {
  return {
    id: row.id as string,
    host: row.host as string,
    pid: row.pid as number,
    startTime: row.start_time as string,
    bootId: row.boot_id as string,
    leaseUntil: row.lease_until as number,
  }
}

/** A row of `backfills`. */
export function toBackfill(row: Row): BackfillRecord {
  return {
    id: row.id as string,
    pipeline: row.pipeline as string,
    version: row.version as string,
    from: row.from_time as number,
    to: row.to_time as number,
    mode: row.mode as BackfillRecord['mode'],
    maxActive: row.max_active as number,
    reverse: row.reverse === 1,
    params: JSON.parse(row.params as string),
    folder: row.folder as string,
    includeDeploy: row.include_deploy === 1,
    state: row.state as BackfillRecord['state'],
    createdAt: row.created_at as number,
  }
}

/** A row of `requests` with its run's id. */
export function toRequest(row: Row): RequestRecord {
  return {
    id: row.id as number,
    run: row.run_id as string,
    wish: JSON.parse(row.wish as string),
    by: row.asked_by as string,
    at: row.at as number,
  }
}

/** A row of `datasets`. */
export function toDatasetUpdate(row: Row): DatasetUpdate {
  return {
    seq: row.seq as number,
    uri: row.uri as string,
    at: row.at as number,
    run: row.run as string | null,
    task: row.task as string | null,
  }
}

/** A row of `pipelines`. */
export function toScheduled(row: Row): ScheduledPipeline {
  return {
    name: row.name as string,
    version: row.version as string,
    file: row.file as string,
    folder: row.folder as string,
    firstSeenAt: row.first_seen_at as number,
    cursor: row.cursor as number | null,
    datasetCursor: row.dataset_cursor as number,
  }
}

/** A row of `tasks` that holds a slot, with its run's id, pipeline and backfill. */
export function toHeld(row: Row): HeldSlot {
  return {
    run: row.run_id as string,
    pipeline: row.pipeline as string,
    backfill: row.backfill as string | null,
    node: row.node as number,
    task: row.task as number,
    pool: row.pool as string | null,
    slots: row.slots as number,
    tryStartedAt: row.try_started_at as number | null,
  }
}
