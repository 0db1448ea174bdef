/** Runs and tasks as every store keeps them. Types only; the seam itself is store.ts. */
import type { Failure } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { WakeOn } from '../outcome.ts'
import type { Interval, RuntimeName } from '../pipeline.ts'
import type { RecoveryState } from '../recovery.ts'
import type { RunState, TaskState } from '../state.ts'

/** What made a run: a person, its schedule, a backfill, updated datasets, or a task of another run (TriggerPipeline). */
export type RunTrigger = 'manual' | 'schedule' | 'backfill' | 'dataset' | 'pipeline'

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
  /** When the last attempt was claimed: what it costs counts from here. */
  readonly claimedAt: number | null
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
