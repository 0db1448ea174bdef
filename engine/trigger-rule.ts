/** Trigger rules: whether a task may start, by how its needs have ended so far. Pure. */
import type { TriggerRule } from './pipeline.ts'
import type { TaskEvent } from './state.ts'

/** How the needs of one task stand. `failed` counts failed, upstream_failed and cancelled. */
export interface NeedCounts {
  readonly total: number
  readonly succeeded: number
  readonly failed: number
  readonly skipped: number
}

/** What becomes of a waiting task: it may start, it ends without starting, or (null) it goes on waiting. */
export type TriggerVerdict = Extract<TaskEvent, 'unblock' | 'block' | 'skip'> | null

/** The rules of DSL.md (Airflow's meanings). A trigger that can no longer hold ends the task at once. */
export function triggerVerdict(rule: TriggerRule, needs: NeedCounts): TriggerVerdict {
  return rules[rule](needs)
}

const rules: { readonly [rule in TriggerRule]: (needs: NeedCounts) => TriggerVerdict } = {
  all_success: (n) => (n.failed > 0 ? 'block' : n.skipped > 0 ? 'skip' : whenAllEnded(n)),
  all_failed: (n) => (n.succeeded + n.skipped > 0 ? 'skip' : whenAllEnded(n)),
  all_done: whenAllEnded,
  one_success: (n) =>
    n.succeeded > 0 ? 'unblock' : !allEnded(n) ? null : none(n) ? 'unblock' : n.failed > 0 ? 'block' : 'skip',
  one_failed: (n) => (n.failed > 0 ? 'unblock' : !allEnded(n) ? null : none(n) ? 'unblock' : 'skip'),
  one_done: (n) =>
    n.succeeded + n.failed > 0 ? 'unblock' : !allEnded(n) ? null : none(n) ? 'unblock' : 'skip',
  none_failed: (n) => (n.failed > 0 ? 'block' : whenAllEnded(n)),
  none_failed_min_one_success: (n) =>
    n.failed > 0 ? 'block' : !allEnded(n) ? null : n.succeeded > 0 || none(n) ? 'unblock' : 'skip',
  none_skipped: (n) => (n.skipped > 0 ? 'skip' : whenAllEnded(n)),
  all_skipped: (n) => (n.succeeded + n.failed > 0 ? 'skip' : whenAllEnded(n)),
  always: () => 'unblock',
}

function allEnded(needs: NeedCounts): boolean {
  return needs.succeeded + needs.failed + needs.skipped === needs.total
}

/** A task without needs starts, whatever its rule. */
function none(needs: NeedCounts): boolean {
  return needs.total === 0
}

function whenAllEnded(needs: NeedCounts): TriggerVerdict {
  return allEnded(needs) ? 'unblock' : null
}
