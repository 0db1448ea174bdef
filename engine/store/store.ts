/**
 * The seam of stores: what is durable, and the only way to change it. Asynchronous, and written in batches: what one
 * turn of the scheduler decides is one transaction. One conformance suite holds every store (test/conformance).
 */
import type { Failure } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Interval, Pipeline, RuntimeName } from '../pipeline.ts'
import type { RunState, TaskEvent, TaskState } from '../state.ts'

/** What made a run. */
export type RunTrigger = 'manual' | 'schedule' | 'backfill'

/** A run that is to be. The store gives it its owner, and its rows of tasks: one per task, all `waiting`. */
export interface NewRun {
  readonly id: string
  readonly pipeline: Pipeline
  /** Absolute folder of the pipeline file. */
  readonly folder: string
  readonly params: JsonObject
  readonly trigger: RunTrigger
  readonly interval: Interval
  /** The backfill that it belongs to. */
  readonly backfill: string | null
  /** Indices of tasks that this run leaves out; they start as skipped. */
  readonly omit: readonly number[]
  /** Tasks whose outputs are taken from an earlier run; they start as succeeded. */
  readonly given?: readonly Given[]
  /** The runtime of every task of this run, whatever the file says. */
  readonly runtime?: RuntimeName
}

/** Outputs of an earlier run. `node` is a task's index. */
export interface Given {
  readonly node: number
  readonly run: string
  readonly outputs: Json
}

/** A run as stored. Instants are epoch milliseconds. */
export interface RunRecord {
  readonly id: string
  readonly pipeline: string
  readonly version: string
  readonly folder: string
  readonly params: JsonObject
  readonly trigger: RunTrigger
  readonly interval: Interval
  readonly backfill: string | null
  readonly state: RunState
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  /** The engine that owns it, or had it when it ended. */
  readonly owner: string | null
  /** Grows with each change of owner: writes of an owner before are refused. */
  readonly fence: number
  /** The runtime of all its tasks; null is what the file says. */
  readonly runtime: RuntimeName | null
}

/** A task, or one instance of a mapped task, of a run. `node` counts from 0; the first nodes are the tasks of the file. */
export interface TaskRecord {
  readonly node: number
  readonly task: number
  readonly key: string | null
  readonly state: TaskState
  /** The last claim's number; 0 before the first. It is the fence of outcomes. */
  readonly attempt: number
  readonly tries: number
  readonly releases: number
  /** The next claim goes on with the current try (after a sleep or a release). */
  readonly continues: boolean
  /** An attempt may still run, also after a cancel: it holds its slot and counts in limits. */
  readonly holding: boolean
  readonly startedAt: number | null
  /** When the current try first started: timeouts count from here. */
  readonly tryStartedAt: number | null
  readonly endedAt: number | null
  /** When a sleeping, retrying or released task may go on. */
  readonly wakeAt: number | null
  /** What a sleep carries to the next attempt. */
  readonly carry: Json
  readonly failure: Failure | null
  readonly outputs: Json
  /** The run whose outputs were reused. */
  readonly cached: string | null
}

/** One row of what happened: append-only. */
export interface EventRecord {
  readonly seq: number
  readonly run: string
  readonly node: number | null
  readonly attempt: number | null
  readonly event: string
  readonly at: number
  readonly detail: JsonObject | null
}

/** The new values of a task's row; what is absent stays. */
export type TaskPatch = Partial<Omit<TaskRecord, 'node' | 'task' | 'key'>>

/** A task that changed: the events that led there in order, and the row's new values. */
export interface TaskWrite {
  readonly node: number
  readonly events: readonly {
    readonly event: TaskEvent | 'grow'
    readonly attempt: number
    readonly detail?: JsonObject
  }[]
  readonly patch: TaskPatch
}

/** A wish to start an attempt; granted only where every limit has room, in the same transaction. */
export interface TaskClaim {
  readonly node: number
  /** The attempt's number if granted: the row's number + 1. */
  readonly attempt: number
  readonly try: number
  readonly patch: TaskPatch
  /** Running tasks of the pipeline over all its runs; null is no limit. */
  readonly limit: number | null
}

/** What changes in one run. Refused as a whole where `fence` is not the run's. */
export interface RunWrite {
  readonly run: string
  readonly fence: number
  readonly tasks: readonly TaskWrite[]
  readonly claims: readonly TaskClaim[]
  /** Nodes that a foreach adds; their numbers go on from the last. */
  readonly grow: readonly { readonly node: number; readonly task: number; readonly key: string }[]
  readonly state?: {
    readonly event: string
    readonly to: RunState
    readonly startedAt?: number
    readonly endedAt?: number
  }
  /** Requests that are hereby done. */
  readonly answered?: readonly number[]
  /** Outputs that later runs may reuse. */
  readonly cache?: readonly { readonly key: string; readonly task: string; readonly outputs: JsonObject }[]
}

/** A wish to start a queued run; granted only where the pipeline's and the backfill's limit have room. */
export interface RunClaim {
  readonly run: string
  readonly fence: number
  readonly limit: number | null
  readonly backfillLimit: number | null
}

/** One transaction. */
export interface Batch {
  readonly engine: string
  readonly at: number
  readonly runs: readonly RunWrite[]
  readonly starts: readonly RunClaim[]
}

/** What became of a batch that was committed. */
export interface CommitResult {
  /** Runs that another engine owns by now: nothing of theirs was written. */
  readonly lost: readonly string[]
  /** Per run, nodes whose claim had no room. */
  readonly denied: ReadonlyMap<string, readonly number[]>
  /** Queued runs that were started. */
  readonly started: readonly string[]
}

/** An engine as others see it: enough to tell on the same host whether it lives. */
export interface EngineRecord {
  readonly id: string
  readonly host: string
  readonly pid: number
  /** Start of the process, in the kernel's ticks since boot, as text; survives the reuse of a pid. */
  readonly startTime: string
  readonly bootId: string
  readonly leaseUntil: number
}

/** What another process asks of a run. */
export interface RequestRecord {
  readonly id: number
  readonly run: string
  readonly kind: 'cancel'
  readonly at: number
}

/** A backfill: a set of runs, made as one, that can be gone on with. */
export interface BackfillRecord {
  readonly id: string
  readonly pipeline: string
  readonly version: string
  readonly from: number
  readonly to: number
  readonly mode: 'missing' | 'failed' | 'all'
  readonly maxActive: number
  readonly reverse: boolean
  readonly params: JsonObject
  readonly state: 'running' | 'succeeded' | 'failed' | 'cancelled'
  readonly createdAt: number
}

/** Which runs; all conditions hold together. Newest first. */
export interface RunFilter {
  readonly pipeline?: string
  readonly backfill?: string
  readonly owner?: string
  /** Runs that have not ended. */
  readonly active?: boolean
  readonly limit?: number
}

/** The durable truth. Every method may throw a DagctlError of kind `infrastructure`. */
export interface Store {
  /** All of it or nothing; durable when the promise resolves. */
  commit(batch: Batch): Promise<CommitResult>

  /**
   * Makes the run `queued`, owned by `engine`, fence 1. Where its backfill has a run of the interval already, makes
   * nothing and gives that one.
   */
  createRun(run: NewRun, engine: string, at: number): Promise<RunRecord>
  run(id: string): Promise<RunRecord | null>
  runs(filter: RunFilter): Promise<readonly RunRecord[]>
  /** The pipeline as the run was pinned to it. */
  pipeline(version: string): Promise<Pipeline | null>
  /** The version of the newest run of a pipeline by name, with the folder of its file. */
  latest(pipeline: string): Promise<{ readonly pipeline: Pipeline; readonly folder: string } | null>
  /** In order of `node`. */
  tasks(run: string): Promise<readonly TaskRecord[]>
  /** In order, from the first after `after`. */
  events(run: string, after?: number): Promise<readonly EventRecord[]>
  /** Outputs of a task in the pipeline's last succeeded run. */
  baseline(pipeline: string, task: string): Promise<Json>
  /** Reusable outputs no older than `since`. */
  cached(key: string, since: number): Promise<{ readonly run: string; readonly outputs: JsonObject } | null>

  /** Enters an engine, or renews its lease. */
  renew(engine: EngineRecord): Promise<void>
  engines(): Promise<readonly EngineRecord[]>
  /** Takes a run from `from` (its owner as last seen): the new fence, or null where somebody else was first. */
  takeOver(
    run: string,
    from: { readonly owner: string | null; readonly fence: number },
    engine: string,
  ): Promise<number | null>
  /** Ended runs of which an attempt may still run, and holds its slot. */
  leftovers(): Promise<readonly string[]>
  /** An engine that left cleanly. */
  leave(engine: string): Promise<void>

  /** Asks it of a run that has not ended; what is still asked when it ends is forgotten. */
  request(run: string, kind: RequestRecord['kind'], at: number): Promise<void>
  /** Unanswered requests to the runs that `engine` owns. */
  requests(engine: string): Promise<readonly RequestRecord[]>

  /** Enters it; where an unfinished one asks for the same, enters nothing and gives that one. */
  createBackfill(backfill: BackfillRecord): Promise<BackfillRecord>
  /** The newest unfinished backfill of a pipeline, or any by its id. */
  backfills(filter: { readonly pipeline?: string; readonly id?: string }): Promise<readonly BackfillRecord[]>
  endBackfill(id: string, state: BackfillRecord['state']): Promise<void>

  close(): Promise<void>
}
