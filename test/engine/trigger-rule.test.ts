/**
 * The trigger rules: each rule over each combination of what up to three needs can be, against what Airflow's
 * documentation says of it (Core Concepts, DAGs, Trigger Rules) and DSL.md's "ends as soon as that is certain".
 *
 * Compared once besides, offline, with `TriggerRuleDep` of apache-airflow 3.3.2 (flag_upstream_failed on): the 11 rules
 * over each combination of success, failed, upstream_failed, skipped and unfinished for up to three needs, 1,716
 * cases. 1,691 are the same, down to the state and to the moment of the decision. The other 25 are `one_done` where a
 * need is upstream_failed and none is done: Airflow does not count it there, DSL.md counts it as failed under every rule.
 */
import fc from 'fast-check'
import t from 'tap'
import { needCounter } from '../../engine/live-run.ts'
import { type TriggerRule, triggerRules } from '../../engine/pipeline.ts'
import type { TaskState } from '../../engine/state.ts'
import { triggerVerdict } from '../../engine/trigger-rule.ts'

const ends = ['succeeded', 'failed', 'upstream_failed', 'skipped', 'cancelled'] as const
type End = (typeof ends)[number]
/** null has not ended. */
type Need = End | null

const failed = (end: End) => end === 'failed' || end === 'upstream_failed' || end === 'cancelled'
const succeeded = (end: End) => end === 'succeeded'
const skipped = (end: End) => end === 'skipped'

/** What the documentation says of each rule, over needs that have all ended. */
const meaning: { readonly [rule in TriggerRule]: (needs: readonly End[]) => boolean } = {
  // Every need succeeded.
  all_success: (needs) => needs.every(succeeded),
  // Every need failed, or is upstream_failed.
  all_failed: (needs) => needs.every(failed),
  // Every need has ended, however.
  all_done: () => true,
  // A need succeeded; the others are not waited for.
  one_success: (needs) => needs.some(succeeded),
  // A need failed; the others are not waited for.
  one_failed: (needs) => needs.some(failed),
  // A need succeeded or failed; the others are not waited for.
  one_done: (needs) => needs.some((end) => succeeded(end) || failed(end)),
  // No need failed or is upstream_failed: each succeeded or was skipped.
  none_failed: (needs) => !needs.some(failed),
  // The same, and at least one succeeded.
  none_failed_min_one_success: (needs) => !needs.some(failed) && needs.some(succeeded),
  // No need was skipped.
  none_skipped: (needs) => !needs.some(skipped),
  // Every need was skipped.
  all_skipped: (needs) => needs.every(skipped),
  // Whatever the needs are.
  always: () => true,
}

/** Rules that do not wait for all needs to be done. */
const early: ReadonlySet<TriggerRule> = new Set(['one_success', 'one_failed', 'one_done', 'always'])
/** Rules that a failure makes upstream_failed; under the others a task that cannot start is skipped. */
const spoiled: ReadonlySet<TriggerRule> = new Set([
  'all_success',
  'one_success',
  'none_failed',
  'none_failed_min_one_success',
])

/** Every way in which the needs may come to their ends. */
function completions(needs: readonly Need[]): readonly (readonly End[])[] {
  return needs.reduce<readonly (readonly End[])[]>(
    (ways, need) => ways.flatMap((way) => (need === null ? ends : [need]).map((end) => [...way, end])),
    [[]],
  )
}

/** What becomes of a task: it waits while both are possible, starts when its rule holds, ends when it never can. */
function expected(rule: TriggerRule, needs: readonly Need[]): string | null {
  const ended = needs.filter((need) => need !== null)
  const done = ended.length === needs.length
  if (needs.length === 0) return 'unblock'
  if ((done || early.has(rule)) && meaning[rule](ended)) return 'unblock'
  if (completions(needs).some((way) => meaning[rule](way))) return null
  return spoiled.has(rule) && ended.some(failed) ? 'block' : 'skip'
}

function verdict(rule: TriggerRule, needs: readonly Need[]): string | null {
  const counts = { total: needs.length, succeeded: 0, failed: 0, skipped: 0 }
  for (const need of needs) if (need !== null) counts[needCounter(need satisfies TaskState)]++
  return triggerVerdict(rule, counts)
}

/** Every combination of so many needs, each ended in any way or not at all. */
function combinations(length: number): readonly (readonly Need[])[] {
  if (length === 0) return [[]]
  return combinations(length - 1).flatMap((needs) => [null, ...ends].map((need) => [...needs, need]))
}

for (const rule of triggerRules) {
  t.test(`${rule} decides as documented over every combination of up to three needs`, async (t) => {
    let count = 0
    for (const length of [0, 1, 2, 3]) {
      for (const needs of combinations(length)) {
        count++
        const [got, wanted] = [verdict(rule, needs), expected(rule, needs)]
        if (got !== wanted) t.equal(got, wanted, needs.map((need) => need ?? 'open').join(', '))
      }
    }
    t.equal(count, 1 + 6 + 36 + 216)
  })
}

t.test('a task without needs starts under every rule', async (t) => {
  for (const rule of triggerRules) t.equal(verdict(rule, []), 'unblock', rule)
})

t.test('what was decided while needs were open is not taken back by how they end', async (t) => {
  const needsOf = fc.array(fc.constantFrom<Need>(null, ...ends), { minLength: 4, maxLength: 30 })
  fc.assert(
    fc.property(fc.constantFrom(...triggerRules), needsOf, fc.constantFrom(...ends), (rule, needs, end) => {
      const before = verdict(rule, needs)
      const after = verdict(
        rule,
        needs.map((need) => need ?? end),
      )
      return after !== null && (before === null || (before === 'unblock') === (after === 'unblock'))
    }),
  )
  t.pass()
})
