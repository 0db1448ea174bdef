/** How an attempt can end, as operators return it and runtimes report it. */
import type { FailureKind } from './errors.ts'
import type { Json, JsonObject, JsonSchema } from './json.ts'

/** What a person is asked. */
export interface Question {
  readonly kind: 'approval' | 'review' | 'hold'
  readonly message: string
  /** JSON Schema of the answer's `values`, an object. */
  readonly form: JsonSchema
  /** What else the person should see. */
  readonly details?: Json
}

/** Events that wake a sleeping task before its time. Each wakes it; it looks for itself and may sleep again. */
export interface WakeOn {
  /** Absolute paths of files or folders: something changed there. Only a hint: the time wakes it where nobody can watch. */
  readonly paths?: readonly string[]
  /** Datasets (URIs) that were updated. */
  readonly datasets?: readonly string[]
  /** Runs that ended. */
  readonly runs?: readonly string[]
  /** A person answered; the answer is in the next attempt's `state`, under `answer`. */
  readonly person?: Question
}

/** A person's answer to a question: `state.answer` of the attempt that it wakes. */
export interface Answer {
  readonly decision: 'approve' | 'reject'
  readonly values: JsonObject
  readonly reason?: string
  readonly by: string
  /** Epoch milliseconds. */
  readonly at: number
}

/** What an attempt came to. */
export type Outcome =
  | { readonly type: 'succeeded'; readonly outputs: JsonObject }
  | {
      readonly type: 'failed'
      readonly kind: FailureKind
      readonly message: string
      /** The other side asked to be left alone for so many milliseconds (HTTP's Retry-After): no try comes earlier. */
      readonly retryAfter?: number
    }
  | { readonly type: 'skipped'; readonly reason: string }
  /** Gives the slot back; woken with `state` at `until` (epoch milliseconds; null never), or by an event before. */
  | { readonly type: 'sleep'; readonly until: number | null; readonly state: Json; readonly on?: WakeOn }
  /** Not the task's fault (worker shut down, vanished without a trace): back to ready, no try is counted. */
  | {
      readonly type: 'released'
      /**
       * `shutdown`: whoever ran it was asked to leave, which happens as often as it is asked.
       * `preempted`: a task of higher priority took its slot.
       */
      readonly kind: 'node_lost' | 'spot_interruption' | 'shutdown' | 'preempted'
      readonly message: string
    }
