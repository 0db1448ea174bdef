/**
 * The seam of stores: what is durable, and the only way to change it. Asynchronous, and written in batches: what one
 * turn of the scheduler decides is one transaction. One conformance suite holds every store (test/conformance).
 */
import type { Failure } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { WakeOn } from '../outcome.ts'
import type { Interval, Pipeline, RuntimeName } from '../pipeline.ts'
import type { RecoveryState } from '../recovery.ts'
import type { RunState, TaskEvent, TaskState } from '../state.ts'

/** What made a run: a person, its schedule, a backfill, updated datasets, or a task of another run (TriggerPipeline). */
export type RunTrigger = 'manual' | 'schedule' | 'backfill' | 'dataset' | 'pipeline'

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
  /** What it is made for, once: another run of the same origin is not made (`schedule:NAME:END`). */
  readonly origin?: string
  /** From when its deadline counts, epoch milliseconds; its creation when absent. */
  readonly dueAt?: number
  /** What it is made with, for its manifest: digests of operators, version of dagctl. */
  readonly provenance?: JsonObject
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
  readonly origin: string | null
  /** From when its deadline counts. */
  readonly dueAt: number
  /** What its ended attempts cost. */
  readonly spentUsd: number
  readonly spentGpuSeconds: number
  /** Why it is paused; null while it is not. */
  readonly pausedFor: 'person' | 'budget' | null
  /** Its deadline passed, and that was told. */
  readonly overdue: boolean
  /** Its budget was used up, and that was told, or a person let it go on. */
  readonly overBudget: boolean
  readonly provenance: JsonObject | null
  /** Indices of tasks that it leaves out, whatever is taken back later; absent is none. */
  readonly omit?: readonly number[]
}

/** A task, or one instance of a mapped task, of a run. `node` counts from 0; the first nodes are the tasks of the file. */
export interface TaskRecord {
  readonly node: number
  readonly task: number
  /** Of an instance: its key; null for all else. */
  readonly key: string | null
  /**
   * The node that it stands in: the mapped task of an instance, the group (or the group's instance) of a task in it.
   * null at the top.
   */
  readonly parent: number | null
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
  /** What else wakes it while it sleeps. */
  readonly wakeOn: WakeOn | null
  readonly failure: Failure | null
  readonly outputs: Json
  /** The run whose outputs were reused. */
  readonly cached: string | null
  /** Of a mapped task: its items, resolved once per run. */
  readonly expansion: Expansion | null
  /** What recovery has changed and how often; null where it has not. */
  readonly recovery: RecoveryState | null
  /** How often a task of higher priority took its slot. */
  readonly preemptions: number
  /** The pool that its last claim took slots of, and how many. */
  readonly pool: string | null
  readonly slots: number
}

/** The items of a mapped task: a list, or lists by name of which all combinations are meant (the last name fastest). */
export interface Expansion {
  readonly items?: readonly Json[]
  readonly lists?: { readonly [name: string]: readonly Json[] }
  /** One per item; null where instances are named by their index. */
  readonly keys: readonly string[] | null
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
  readonly tasks: readonly TaskWrite[]
  /** Nodes that a foreach adds; their numbers go on from the last. */
  readonly grow: readonly Growth[]
  readonly state?: {
    readonly event: string
    readonly to: RunState
    readonly startedAt?: number
    /** null takes the end back (a person's retry). */
    readonly endedAt?: number | null
    readonly detail?: JsonObject
  }
  /** New values of the run's row. */
  readonly patch?: RunPatch
  /** Things that happened to the run as a whole, besides its state. */
  readonly events?: readonly { readonly event: string; readonly detail: JsonObject | null }[]
  /** Datasets that its tasks updated. */
  readonly datasets?: readonly { readonly uri: string; readonly task: string }[]
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
  /** Runs that another engine owns by now: nothing of theirs was written. */
  readonly lost: readonly string[]
  /** Claims that had no room, by their place in the batch. */
  readonly denied: ReadonlyMap<number, DeniedBy>
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

/** What a person asks of a run. */
export type Wish =
  | { readonly kind: 'cancel' | 'pause' | 'resume' }
  /** `tasks` are nodes whose unsuccessful ends are taken back; null is all of them. */
  | {
      readonly kind: 'retry'
      readonly nodes: readonly number[] | null
      readonly fromCheckpoint: number | null
    }
  | {
      readonly kind: 'mark'
      readonly nodes: readonly number[]
      readonly as: 'succeeded' | 'failed'
      readonly reason: string
    }
  /** An answer to what a task asks. */
  | {
      readonly kind: 'answer'
      readonly node: number
      /** The number of the attempt that asks: an answer to an earlier question is none to a later one. */
      readonly attempt: number
      readonly decision: 'approve' | 'reject'
      readonly values: JsonObject
      readonly reason?: string
    }

/** A wish that another process wrote for the engine that owns the run. */
export interface RequestRecord {
  readonly id: number
  readonly run: string
  readonly wish: Wish
  /** Who asks: the user's name. */
  readonly by: string
  readonly at: number
}

/** A dataset was updated. */
export interface DatasetUpdate {
  /** Grows with each update of any dataset. */
  readonly seq: number
  readonly uri: string
  readonly at: number
  /** The run and the task (its id) that updated it; null where a person said so. */
  readonly run: string | null
  readonly task: string | null
}

/** A pipeline whose schedule an engine looks after. */
export interface ScheduledPipeline {
  readonly name: string
  readonly version: string
  /** Absolute. */
  readonly file: string
  readonly folder: string
  readonly firstSeenAt: number
  /** Every instant up to this one, inclusive, was scheduled or dropped; null before the first look. */
  readonly cursor: number | null
  /** Dataset updates up to this one have made their runs. */
  readonly datasetCursor: number
}

/** An attempt that holds a slot, in whatever run. */
export interface HeldSlot {
  readonly run: string
  readonly pipeline: string
  readonly backfill: string | null
  readonly node: number
  readonly task: number
  readonly pool: string | null
  readonly slots: number
  readonly tryStartedAt: number | null
}

/** A backfill: a set of runs, made as one, that can be gone on with. */
export interface BackfillRecord {
  readonly id: string
  readonly pipeline: string
  readonly version: string
  readonly from: number
  readonly to: number
  readonly mode: 'missing' | 'failed' | 'all' | 'stale'
  readonly maxActive: number
  readonly reverse: boolean
  readonly params: JsonObject
  /** Absolute folder of the pipeline file. */
  readonly folder: string
  /** Whether tasks with `effects: deploy` run too. */
  readonly includeDeploy: boolean
  readonly state: 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled'
  readonly createdAt: number
}

/** Which runs; all conditions hold together. Newest first. */
export interface RunFilter {
  readonly pipeline?: string
  readonly backfill?: string
  readonly owner?: string
  readonly trigger?: RunTrigger
  readonly origin?: string
  /** Runs that have not ended. */
  readonly active?: boolean
  readonly limit?: number
}

/** The durable truth. Every method may throw a DagctlError of kind `infrastructure`. */
export interface Store {
  /** All of it or nothing; durable when the promise resolves. */
  commit(batch: Batch): Promise<CommitResult>

  /**
   * Makes the run `queued`, owned by `engine`, fence 1. Where its backfill has a run of the interval already, or its
   * origin one, makes nothing and gives that one. Throws E232 where its backfill was cancelled. A queued run of a
   * backfill that is paused does not start.
   */
  createRun(run: NewRun, engine: string, at: number): Promise<RunRecord>
  run(id: string): Promise<RunRecord | null>
  runs(filter: RunFilter): Promise<readonly RunRecord[]>
  /** The pipeline as the run was pinned to it. */
  pipeline(version: string): Promise<Pipeline | null>
  /** The pipeline of this name as it is scheduled, else as its newest run had it, with the folder of its file. */
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
  /** Ids of the runs that an engine owns and that have not ended. */
  owned(engine: string): Promise<readonly string[]>
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
  request(run: string, wish: Wish, by: string, at: number): Promise<void>
  /** Unanswered requests to the runs that `engine` owns, oldest first. */
  requests(engine: string): Promise<readonly RequestRecord[]>
  /** Every attempt that holds a slot. */
  held(): Promise<readonly HeldSlot[]>

  /** Updates of datasets after `after`, in order; those of `uri` where it is given. */
  datasetUpdates(after: number, uri?: string): Promise<readonly DatasetUpdate[]>
  /** The newest update of each dataset. */
  datasets(): Promise<readonly DatasetUpdate[]>
  /** A person, or a program outside, updated a dataset. */
  updateDataset(uri: string, at: number): Promise<void>

  /** Enters a pipeline, or its new version: runs from now on are made of it. Cursors and `firstSeenAt` stay. */
  schedulePipeline(
    pipeline: Pipeline,
    place: { readonly file: string; readonly folder: string },
    at: number,
  ): Promise<ScheduledPipeline>
  /** By name; only the one of this name where it is given. */
  scheduledPipelines(name?: string): Promise<readonly ScheduledPipeline[]>
  /** Moves cursors forward; never back. */
  moveCursors(name: string, to: { readonly cursor?: number; readonly datasetCursor?: number }): Promise<void>

  /** Enters it, and keeps its pipeline; where an unfinished one asks for the same, enters nothing and gives that one. */
  createBackfill(backfill: BackfillRecord, pipeline: Pipeline): Promise<BackfillRecord>
  /** Newest first; all conditions hold together. */
  backfills(filter: { readonly pipeline?: string; readonly id?: string }): Promise<readonly BackfillRecord[]>
  /** Takes it to `state` from any of `from`; false where it is in none of them. */
  moveBackfill(
    id: string,
    from: readonly BackfillRecord['state'][],
    state: BackfillRecord['state'],
  ): Promise<boolean>
  /** How many of its runs may be active at once from now on. */
  limitBackfill(id: string, maxActive: number): Promise<void>

  close(): Promise<void>
}
