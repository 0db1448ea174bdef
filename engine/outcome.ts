/** How an attempt can end, as operators return it and runtimes report it. */
import type { FailureKind } from './errors.ts'
import type { Json, JsonObject } from './json.ts'

/** What an attempt came to. `sleep` gives the slot back and is woken at `until` (epoch milliseconds) with `state`. */
export type Outcome =
  | { readonly type: 'succeeded'; readonly outputs: JsonObject }
  | { readonly type: 'failed'; readonly kind: FailureKind; readonly message: string }
  | { readonly type: 'skipped'; readonly reason: string }
  | { readonly type: 'sleep'; readonly until: number; readonly state: Json }
  /** Not the task's fault (worker shut down, vanished without a trace): back to ready, no try is counted. */
  | {
      readonly type: 'released'
      /** `shutdown`: whoever ran it was asked to leave, which happens as often as it is asked. */
      readonly kind: 'node_lost' | 'spot_interruption' | 'shutdown'
      readonly message: string
    }
