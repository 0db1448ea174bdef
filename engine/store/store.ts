/**
 * The seam of stores: what is durable, and the only way to change it. Asynchronous, and written in batches: what one
 * turn of the scheduler decides is one transaction. One conformance suite holds every store (test/conformance).
 */
import type { AuditDraft, AuditEntry, AuditHead, Note } from '../audit/log.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Interval, Pipeline, RuntimeName } from '../pipeline.ts'
import type { Batch, CommitResult } from './batch.ts'
import type { Expansion, RunRecord, RunTrigger, TaskRecord } from './records.ts'

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
  /** Instances of mapped tasks that are taken from an earlier run, over the items that it had. */
  readonly instances?: GivenNodes
  /** Dataset updates up to this one are covered by it: its pipeline's cursor moves there when the run is made. */
  readonly datasetCursor?: number
  /** What the audit log is to say of it, in the transaction that makes it. */
  readonly audit?: readonly AuditDraft[]
  /** The runtime of every task of this run, whatever the file says. */
  readonly runtime?: RuntimeName
}

/** A node that a run has from the first beyond the tasks of the file: an instance, or a task in a group's instance. */
export interface GivenNode {
  readonly task: number
  readonly key: string | null
  /** The node that it stands in. Instances come in the order of items, the tasks of a group's instance all at once. */
  readonly parent: number
  /** What did not succeed in the earlier run is skipped where what it stands in is taken as it was. */
  readonly state: 'waiting' | 'skipped' | 'succeeded'
  /** Those of the earlier run where it succeeded; else null. */
  readonly outputs: Json
}

/** What a run takes of the instances of an earlier one. */
export interface GivenNodes {
  readonly run: string
  /** In the order of their numbers, which go on from the tasks of the file. */
  readonly nodes: readonly GivenNode[]
  /** The items that mapped tasks had. */
  readonly expansions: readonly { readonly node: number; readonly expansion: Expansion }[]
}

/** Outputs of an earlier run. `node` is a task's index. */
export interface Given {
  readonly node: number
  readonly run: string
  readonly outputs: Json
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

/** An ended run whose manifest is not noted yet. */
export interface ManifestDue {
  readonly run: string
  readonly pipeline: string
  readonly state: string
  /** Who owned it when it ended, and when that was (epoch ms): a run that was taken up since ends again. */
  readonly fence: number
  readonly endedAt: number
  /** Whether it is the engine's that asks. */
  readonly own: boolean
  /** Rows of tasks, and bytes of their outputs, by which to judge what the manifest will cost. */
  readonly tasks: number
  readonly bytes: number
}

/** A manifest by its name, or why it has none. */
export interface NotedManifest {
  readonly due: ManifestDue
  /** SHA-256, hex. */
  readonly digest: string | null
  readonly reason: string | null
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
  /** Never given again. */
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

/** Which ended runs are kept no longer: those that ended before, and of each pipeline all but the newest so many. */
export interface RunLimits {
  /** Epoch milliseconds; null is no limit. */
  readonly endedBefore: number | null
  readonly newest: number | null
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
  /** In order, from the first after `after`; only those called `event` where it is given. */
  events(run: string, after?: number, event?: string): Promise<readonly EventRecord[]>
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
  /** Updates by tasks of a run, in order. */
  datasetUpdatesBy(run: string): Promise<readonly DatasetUpdate[]>
  /** The number of the newest update of any dataset; 0 where there is none. */
  newestDatasetUpdate(): Promise<number>
  /** The newest update of each dataset. */
  datasets(): Promise<readonly DatasetUpdate[]>
  /** A person, or a program outside, updated a dataset. */
  updateDataset(uri: string, at: number, note?: Note): Promise<void>

  /** Enters a pipeline, or its new version: runs from now on are made of it. Cursors and `firstSeenAt` stay. */
  schedulePipeline(
    pipeline: Pipeline,
    place: { readonly file: string; readonly folder: string },
    at: number,
    note?: Note,
  ): Promise<ScheduledPipeline>
  /** By name; only the one of this name where it is given. */
  scheduledPipelines(name?: string): Promise<readonly ScheduledPipeline[]>
  /** Moves cursors forward; never back. */
  moveCursors(name: string, to: { readonly cursor?: number; readonly datasetCursor?: number }): Promise<void>

  /** Enters it, and keeps its pipeline; where an unfinished one asks for the same, enters nothing and gives that one. */
  createBackfill(backfill: BackfillRecord, pipeline: Pipeline, note?: Note): Promise<BackfillRecord>
  /** Newest first; all conditions hold together. */
  backfills(filter: { readonly pipeline?: string; readonly id?: string }): Promise<readonly BackfillRecord[]>
  /**
   * Takes it to `state` from any of `from`; false where it is in none of them. To `cancelled`: asks all its runs that have
   * not ended to be cancelled too, so that none starts when whoever cancels it is gone.
   */
  moveBackfill(
    id: string,
    from: readonly BackfillRecord['state'][],
    state: BackfillRecord['state'],
    note?: Note,
  ): Promise<boolean>
  /** How many of its runs may be active at once from now on. */
  limitBackfill(id: string, maxActive: number): Promise<void>

  /**
   * Ended runs beyond the limits that nothing needs any more, the oldest first: no attempt runs, no other run took their
   * outputs, no unfinished backfill or active run made them, and a later run of the pipeline has succeeded.
   */
  prunable(limits: RunLimits): Promise<readonly string[]>
  /** Forgets runs with all that is kept of them; gives those that it was: what goes on by now stays. */
  forgetRuns(ids: readonly string[]): Promise<readonly string[]>
  /** Runs that are forgotten, and whose files may still be there. */
  prunedRuns(): Promise<readonly string[]>
  /** Their files are gone too. */
  filesRemoved(ids: readonly string[]): Promise<void>
  /** Runs that ended before (epoch ms) and of which nothing runs; `not cited`: of which no other run took outputs. */
  runsEnded(before: number, which: 'all' | 'with events' | 'not cited'): Promise<readonly string[]>
  /** Forgets what happened in ended runs. */
  forgetEvents(ids: readonly string[]): Promise<void>
  /** Forgets what is older (epoch ms) and that nothing refers to: versions, finished backfills, updates of datasets. */
  forgetUnused(before: number): Promise<void>

  /** Notes in the audit log what changes nothing in the store. What does takes its note with it. */
  note(note: Note): Promise<void>
  /** Ended runs whose manifests are not noted: `engine`'s, then those that no living engine owns; the oldest first. */
  manifestsDue(engine: string, at: number, most: number): Promise<readonly ManifestDue[]>
  /** Notes `run.manifest` in the audit log for each that is as it was, once; `chain` as in a note. */
  noteManifests(manifests: readonly NotedManifest[], chain: string, at: number): Promise<void>
  /** Entries of the audit log after `after`, in order, of all chains. */
  auditEntries(after: number, most: number): Promise<readonly AuditEntry[]>
  /** All of it as it is at one moment: its entries and its signed heads, in order. */
  auditLog(): Promise<{ readonly entries: readonly AuditEntry[]; readonly heads: readonly AuditHead[] }>

  close(): Promise<void>
}
