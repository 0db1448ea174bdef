/** What is known of a run and of what it shares with others, as far as it tells why a task waits. Data only. */
import type { Pipeline } from '../pipeline.ts'
import type { Resources } from '../resources.ts'
import type { TaskState } from '../state.ts'
import type { RunRecord, TaskRecord } from '../store/records.ts'
import type { BackfillRecord, EventRecord } from '../store/store.ts'

/**
 * What a task can wait for.
 *
 * need: another task. group: the group that it stands in. instances, inside: its own instances, the tasks in it.
 * runs: other runs (`concurrency.runs`, the scheduled one before, a backfill's `max-active`). person: somebody's word.
 * budget: money. time: an instant. event: a file, a dataset, the end of a run. endpoint: a circuit breaker.
 * window: the hours of `schedule.window`. tasks: `concurrency.tasks`. pool, share: slots of a pool, a backfill's part of
 * them. priority: tasks before it. maxParallel: other instances. slot: room on its engine. attempt: the end of its own
 * attempt. engine: an engine that lives. turn: nothing is in its way, its engine takes it up next.
 */
export type ReasonKind =
  | 'need'
  | 'group'
  | 'instances'
  | 'inside'
  | 'runs'
  | 'person'
  | 'budget'
  | 'time'
  | 'event'
  | 'endpoint'
  | 'window'
  | 'tasks'
  | 'pool'
  | 'share'
  | 'priority'
  | 'maxParallel'
  | 'slot'
  | 'attempt'
  | 'engine'
  | 'turn'

/** One thing that a task waits for. Instants are epoch milliseconds; null is not known, or not fixed. */
export interface Reason {
  readonly kind: ReasonKind
  /** A sentence for people: names it, and what to do where somebody has to. */
  readonly what: string
  readonly since: number | null
  readonly until: number | null
}

/** Why a task is where it is. */
export interface Answer {
  readonly state: TaskState
  /** What it waits for, the most decisive first; empty for a task that has ended, and for no other. */
  readonly waitsFor: readonly Reason[]
  /** Why a task that has ended did so; null for all others. */
  readonly because: string | null
}

/** An attempt that holds a slot, in whatever run. */
export interface Holder {
  readonly run: string
  readonly pipeline: string
  readonly backfill: string | null
  /** The engine that owns its run. */
  readonly owner: string | null
  readonly node: number
  /** The id of its task. */
  readonly task: string
  readonly runtime: string
  readonly pool: string | null
  readonly slots: number
  readonly preemptible: boolean
  readonly since: number | null
}

/** A ready task of another run, which may be granted what this one waits for. */
export interface Rival {
  readonly run: string
  readonly pipeline: string
  readonly backfill: string | null
  readonly task: string
  readonly pool: string | null
  readonly slots: number
  readonly priority: number
  /** Since when it is ready; null is not known. */
  readonly since: number | null
}

/** Whether the engine that owns the run can go on with it. */
export interface Owner {
  readonly id: string | null
  readonly lives: boolean
  /** Where it is: host and process. */
  readonly place: string | null
}

/** Everything that the reasons of one task are told from, as of one moment. */
export interface Facts {
  /** Epoch milliseconds. */
  readonly at: number
  readonly run: RunRecord
  readonly pipeline: Pipeline
  /** Every node of the run, in order. */
  readonly tasks: readonly TaskRecord[]
  /** What happened in the run, in order; where some of it is left out, `since` is not told. */
  readonly events: readonly EventRecord[]
  /** Other runs of the pipeline, or of the backfill, that have not ended, newest first. */
  readonly others: readonly RunRecord[]
  readonly holders: readonly Holder[]
  readonly rivals: readonly Rival[]
  readonly owner: Owner
  readonly backfill: BackfillRecord | null
  readonly resources: Resources
  /** Attempts that its engine runs at once, by runtime; where that is not known, any that run there count as in the way. */
  readonly slots?: { readonly [runtime: string]: number }
}
