/** The seam of runtimes: how one attempt runs. Knows nothing of tasks' states, retries or the store. */

import type { Json, JsonObject } from '../json.ts'
import type { Outcome } from '../outcome.ts'
import type { RuntimeName } from '../pipeline.ts'
import type { ChosenCheckpoint } from '../recovery.ts'

/** Everything that one attempt needs, resolved: plain data, so that it can travel to another process. */
export interface Attempt {
  /** Unique in the store; names the attempt folder. */
  readonly id: string
  readonly run: {
    readonly id: string
    readonly pipeline: string
    /** RFC 3339 UTC. */
    readonly logicalTime: string
    readonly interval: { readonly start: string; readonly end: string }
    readonly trigger: string
    /** IANA name. */
    readonly timezone: string
  }
  /** `try` is what `retry` counts: the same for all attempts of one try. */
  readonly task: {
    readonly id: string
    readonly key: string | null
    readonly attempt: number
    readonly try?: number
    /** When its try first started, epoch milliseconds: tells tries apart also after `runs retry`, which counts anew. */
    readonly tryStartedAt?: number
  }
  readonly operator: { readonly name: string; readonly version: number }
  readonly runtime: RuntimeName
  readonly input: JsonObject
  readonly env: { readonly [name: string]: string }
  /** What the sleep before carried; null on a first start. */
  readonly state: Json
  /** The checkpoint to go on from; the newest that verifies when absent. */
  readonly restore?: ChosenCheckpoint
  /** Absolute: `DATA/attempts/RUN/ATTEMPT`. */
  readonly folder: string
  /** Absolute: `DATA/artifacts/RUN/ATTEMPT`, for what outlives the attempt. */
  readonly artifacts: string
  /** Absolute: checkpoints of this (run, task, instance), shared by its attempts. */
  readonly checkpoints: string
  /** Absolute: the pipeline file's folder; relative paths in inputs mean this. */
  readonly cwd: string
}

/** What a running attempt says while it runs; one line of its events file each. */
export type AttemptEvent =
  | { readonly type: 'progress'; readonly done: number; readonly total: number | null; readonly unit: string }
  | {
      readonly type: 'metric'
      readonly name: string
      readonly value: number
      readonly labels: { readonly [k: string]: string }
    }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields?: JsonObject
    }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'checkpoint'; readonly step: number }
  | {
      readonly type: 'failure'
      readonly kind: string
      readonly message: string
      /** Milliseconds before which no other try should come. */
      readonly retryAfter?: number
    }

/** Why an attempt is asked to stop: it decides nothing but the words in its log. */
export type StopReason = 'timeout' | 'cancel' | 'shutdown' | 'preempt'

/** An attempt that runs. */
export interface RunningAttempt {
  /** Settles once, never rejects: whatever happens has an outcome. */
  readonly outcome: Promise<Outcome>
  /** Why an earlier engine asked it to stop, where one did. */
  readonly asked?: StopReason | null
  /** SIGTERM (or an abort) now, SIGKILL to the whole process group `grace` milliseconds later. Repeatable. */
  stop(reason: StopReason, grace: number): void
}

/** How attempts run. One conformance suite holds all of them (test/conformance/runtime). */
export interface Runtime {
  /** Starts an attempt whose claim is durable. Never throws: what cannot start has a failed outcome. */
  start(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt
  /**
   * Finds an attempt that an earlier engine started: still running, ended meanwhile, or gone without a trace
   * (a `released` outcome, kind node_lost).
   */
  attach(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt
  /** Lets go of what is warm. Attempts that outlive the engine are left running. */
  close(): Promise<void>
}

/** What a host needs of whoever runs it. */
export interface HostHooks {
  /** May be a getter: most operators never ask for it. */
  readonly signal: AbortSignal
  listen(event: AttemptEvent): void
  /**
   * Where the process is shared with other attempts: told the process group of each command that the operator spawns,
   * so that it can be killed; what it gives back is called when the command has ended. Absent where this process
   * leads a group of its own, which is killed whole.
   */
  readonly group?: (pid: number) => () => void
  /** Told when the operator starts a command: some of its children may be left when it ends. */
  readonly spawned?: () => void
}

/** Runs an operator's code in this process; `plugins` implements it, the wiring passes it in. */
export interface OperatorHost {
  /** Never throws: what an operator throws is classified. */
  run(attempt: Attempt, hooks: HostHooks): Promise<Outcome>
  /** The argument vector, where the operator is a command (Shell); null where it is code. */
  command(
    operator: { readonly name: string; readonly version: number },
    input: JsonObject,
  ): Promise<readonly string[] | null>
  /** What a command's outputs come to: a success, or the failure that says why the operator's schema refuses them. */
  outputs(
    operator: { readonly name: string; readonly version: number },
    outputs: JsonObject,
  ): Promise<Outcome>
}
