/** What one turn of the scheduler writes as one transaction, and what came of it. Types only; the seam itself is store.ts. */
import type { AuditDraft } from '../audit/log.ts'
import type { JsonObject } from '../json.ts'
import type { RunState, TaskEvent } from '../state.ts'
import type { RunRecord, TaskRecord } from './records.ts'

/** The new values of a task's row; what is absent stays. */
export type TaskPatch = Partial<Omit<TaskRecord, 'node' | 'task' | 'key' | 'parent'>>

/** A node that a run grows by: an instance, or a task of a group's instance. */
export interface Growth {
  readonly node: number
  readonly task: number
  readonly key: string | null
  readonly parent: number
}

/** What is recorded of a task: its way from state to state, or that a circuit breaker holds it back. */
export type RowEvent = TaskEvent | 'breaker'

/** A task that changed: the events that led there in order, and the row's new values. */
export interface TaskWrite {
  readonly node: number
  readonly events: readonly {
    readonly event: RowEvent
    readonly attempt: number
    readonly detail?: JsonObject
  }[]
  readonly patch: TaskPatch
}

/** Slots of a pool that a claim takes. */
export interface PoolClaim {
  readonly name: string
  readonly slots: number
  /** Slots that there are; null is no limit. */
  readonly limit: number | null
  /** Slots that all backfills together may take, where this claim is a backfill's; null for all other claims. */
  readonly share: number | null
}

/** The limit that a claim had no room under. */
export type DeniedBy = 'tasks' | 'pool' | 'share'

/** A wish to start an attempt; granted only where every limit has room, in the same transaction. */
export interface TaskClaim {
  readonly run: string
  readonly node: number
  /** The attempt's number if granted: the row's number + 1. */
  readonly attempt: number
  readonly try: number
  readonly patch: TaskPatch
  /** Running tasks of the pipeline over all its runs; null is no limit. */
  readonly limit: number | null
  readonly pool: PoolClaim | null
}

/** What changes in one run. Refused as a whole where `fence` is not the run's. */
export interface RunWrite {
  readonly run: string
  readonly fence: number
  /** An ended run is taken up with this write, from its owner and in the state as last seen; `fence` is one more than then. */
  readonly takes?: Pick<RunRecord, 'owner' | 'fence' | 'state'>
  readonly tasks: readonly TaskWrite[]
  /** Nodes that a foreach adds; their numbers go on from the last. */
  readonly grow: readonly Growth[]
  readonly state?: {
    readonly event: string
    readonly to: RunState
    /** null takes the start back (paused while it was queued once more). */
    readonly startedAt?: number | null
    /** null takes the end back (a person's doing to a run that had ended). */
    readonly endedAt?: number | null
    readonly detail?: JsonObject
  }
  /** New values of the run's row. */
  readonly patch?: RunPatch
  /** Things that happened to the run as a whole, besides its state. */
  readonly events?: readonly { readonly event: string; readonly detail: JsonObject | null }[]
  /** Datasets that its tasks updated. */
  readonly datasets?: readonly { readonly uri: string; readonly task: string }[]
  /** What the audit log is to say of it. */
  readonly audit?: readonly AuditDraft[]
  /** Requests that are hereby done. */
  readonly answered?: readonly number[]
  /** Outputs that later runs may reuse. */
  readonly cache?: readonly { readonly key: string; readonly task: string; readonly outputs: JsonObject }[]
}

/** New values of a run's row; what is absent stays. */
export type RunPatch = Partial<
  Pick<RunRecord, 'spentUsd' | 'spentGpuSeconds' | 'pausedFor' | 'overdue' | 'overBudget'>
>

/** A wish to start a queued run; granted only where every limit has room. */
export interface RunClaim {
  readonly run: string
  readonly fence: number
  /** Started runs of the pipeline that have not ended, backfills' apart. */
  readonly limit: number | null
  /** The same, of scheduled runs only: `overlap: queue` lets one of them wait for the one before. */
  readonly scheduledLimit: number | null
  /** null where the run is no backfill's. Where the backfill is in the store, what stands there holds instead. */
  readonly backfillLimit: number | null
}

/** One transaction. */
export interface Batch {
  readonly engine: string
  readonly at: number
  readonly runs: readonly RunWrite[]
  /** Granted in this order, after everything that frees a slot. Their runs are among `runs`. */
  readonly claims: readonly TaskClaim[]
  readonly starts: readonly RunClaim[]
}

/** What became of a batch that was committed. */
export interface CommitResult {
  /** Runs that another engine owns by now, or was first to take up: nothing of theirs was written. */
  readonly lost: readonly string[]
  /** Claims that had no room, by their place in the batch. */
  readonly denied: ReadonlyMap<number, DeniedBy>
  /** Queued runs that were started. */
  readonly started: readonly string[]
}
