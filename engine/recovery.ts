/** What `recover:` does after a failure: whether it has an answer, what it changes, and what comes after it. Pure. */
import type { FailureKind } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { Recovery, RuntimeName, Task } from './pipeline.ts'

/**
 * A checkpoint that a person or `recover:` chose by its step. What attempts from `since` on have sealed is newer, and goes
 * before it; what was sealed before is not what was chosen.
 */
export interface ChosenCheckpoint {
  readonly step: number
  /** The number of the first attempt that goes on from it. */
  readonly since: number
}

/** What recovery has done to a task so far, as its row keeps it. */
export interface RecoveryState {
  /** Recoveries per kind of failure. */
  readonly counts: { readonly [kind in FailureKind]?: number }
  /** Values over the keys of `with`. */
  readonly set?: JsonObject
  readonly runtime?: RuntimeName
  /** A step is a choice that no attempt has begun from yet. */
  readonly restore?: 'newest' | number | ChosenCheckpoint
  /** The operator that stands in, with inputs of its own. */
  readonly fallback?: NonNullable<Recovery['fallback']>
}

/** What comes of a failure: a change and another try, a person, the end, or (null) what `retry` says. */
export type RecoveryVerdict =
  | { readonly type: 'again'; readonly entry: Recovery; readonly count: number }
  | { readonly type: 'hold' | 'fail' }
  | null

/** What `recover:` says to a failure of this kind, given how often it was asked already. */
export function recoveryVerdict(task: Task, kind: FailureKind, state: RecoveryState | null): RecoveryVerdict {
  const entry = task.recover?.[kind]
  if (entry === undefined || entry.underRetry) return null
  const count = state?.counts[kind] ?? 0
  if (count < entry.attempts) return { type: 'again', entry, count: count + 1 }
  return { type: entry.then }
}

/** The state after a recovery. `set` are the entry's values, resolved. A later change of the same key wins. */
export function recovered(
  before: RecoveryState | null,
  kind: FailureKind,
  { entry, count }: { readonly entry: Recovery; readonly count: number },
  set: JsonObject | null,
): RecoveryState {
  const { runtime, restore, fallback } = entry
  return {
    ...before,
    counts: { ...before?.counts, [kind]: count },
    ...(set && { set: { ...before?.set, ...set } }),
    ...(runtime !== undefined && { runtime }),
    ...(restore !== undefined && { restore }),
    // What was set for the operator before means nothing to another one.
    ...(fallback !== undefined && { fallback, set: set ?? {} }),
  }
}
