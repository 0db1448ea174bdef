/** What the engine and a worker say to each other. Only a wake-up: the attempt's folder is the truth. */
import type { Outcome } from '../outcome.ts'
import type { Attempt, AttemptEvent, StopReason } from './runtime.ts'

/** The engine's words. */
export type ToWorker =
  | { readonly type: 'run'; readonly attempt: Attempt }
  | { readonly type: 'stop'; readonly reason: StopReason }

/** The worker's words. `spawned`: the operator ran commands, of which some may be left. */
export type FromWorker =
  | { readonly type: 'event'; readonly event: AttemptEvent }
  | { readonly type: 'ended'; readonly outcome: Outcome; readonly spawned: boolean }
