/** Which tasks may be skipped in a graph in which nothing fails. Knows nothing of operators: one that skips says so when it runs. */
import type { Task, TriggerRule } from '../engine/pipeline.ts'
import { topologicalOrder } from './graph.ts'

/** How many needs skipped for a rule to skip its task, where all other needs succeed. */
const skippedBy: { readonly [rule in TriggerRule]: 'any' | 'all' | 'none' | 'always' } = {
  all_success: 'any',
  none_skipped: 'any',
  one_success: 'all',
  one_done: 'all',
  none_failed_min_one_success: 'all',
  none_failed: 'none',
  all_done: 'none',
  always: 'none',
  // These wait for what does not happen here.
  all_failed: 'always',
  one_failed: 'always',
  all_skipped: 'always',
}

type Skippable = Pick<Task, 'needs' | 'when' | 'trigger'>

/**
 * The tasks, by index, that may be skipped although none fails.
 * @param groups those that may be skipped because all that is in them may
 */
export function maySkip(tasks: readonly Skippable[], groups: ReadonlySet<number>): ReadonlySet<number> {
  const skipped = new Set(groups)
  for (const index of topologicalOrder(tasks.map(({ needs }) => needs))) {
    const { needs, when, trigger } = tasks[index] as Skippable
    const rule = skippedBy[trigger]
    const isSkipped = (need: number) => skipped.has(need)
    const byNeeds =
      rule === 'any' ? needs.some(isSkipped) : rule === 'all' ? needs.every(isSkipped) : rule === 'always'
    if (when !== null || (needs.length > 0 && byNeeds)) skipped.add(index)
  }
  return skipped
}
