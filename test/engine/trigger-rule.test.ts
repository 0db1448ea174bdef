/** The trigger rules, against their definitions over finished needs, and for when they decide early. */
import fc from 'fast-check'
import t from 'tap'
import { type TriggerRule, triggerRules } from '../../engine/pipeline.ts'
import { triggerVerdict } from '../../engine/trigger-rule.ts'

const counts = fc
  .record({ succeeded: fc.nat(4), failed: fc.nat(4), skipped: fc.nat(4), open: fc.nat(4) })
  .map(({ open, ...ended }) => ({ ...ended, total: ended.succeeded + ended.failed + ended.skipped + open }))

/** Airflow's definitions over needs that have all ended. */
const holds: { [rule in TriggerRule]: (s: number, f: number, k: number) => boolean } = {
  all_success: (_s, f, k) => f + k === 0,
  all_failed: (s, _f, k) => s + k === 0,
  all_done: () => true,
  one_success: (s) => s > 0,
  one_failed: (_s, f) => f > 0,
  one_done: (s, f) => s + f > 0,
  none_failed: (_s, f) => f === 0,
  none_failed_min_one_success: (s, f) => f === 0 && s > 0,
  none_skipped: (_s, _f, k) => k === 0,
  all_skipped: (s, f) => s + f === 0,
  always: () => true,
}

t.test('over finished needs each rule starts the task exactly where its definition holds', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...triggerRules), counts, (rule, { succeeded, failed, skipped }) => {
      const total = succeeded + failed + skipped
      if (total === 0) return true
      const starts = triggerVerdict(rule, { total, succeeded, failed, skipped }) === 'unblock'
      return starts === holds[rule](succeeded, failed, skipped)
    }),
  )
  t.pass()
})

t.test('a verdict over open needs is never taken back by how they end', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...triggerRules), counts, fc.nat(2), (rule, needs, way) => {
      const early = triggerVerdict(rule, needs)
      const open = needs.total - needs.succeeded - needs.failed - needs.skipped
      // `one_*` and `always` start at the first match; the other verdicts say what must come anyway.
      if (early === null || early === 'unblock' || open === 0) return true
      const field = (['succeeded', 'failed', 'skipped'] as const)[way] as 'succeeded'
      const late = triggerVerdict(rule, { ...needs, [field]: needs[field] + open })
      return late !== 'unblock'
    }),
  )
  t.pass()
})

t.test('a task without needs starts under every rule', async (t) => {
  for (const rule of triggerRules) {
    t.equal(triggerVerdict(rule, { total: 0, succeeded: 0, failed: 0, skipped: 0 }), 'unblock', rule)
  }
})

t.test(
  'a trigger that can no longer hold ends the task at once, in the state that DSL.md names',
  async (t) => {
    const cases: [TriggerRule, object, string | null][] = [
      ['all_success', { total: 3, failed: 1 }, 'block'],
      ['all_success', { total: 3, skipped: 1 }, 'skip'],
      ['none_failed', { total: 3, failed: 1 }, 'block'],
      ['none_failed', { total: 3, skipped: 2 }, null],
      ['none_failed_min_one_success', { total: 2, skipped: 2 }, 'skip'],
      ['none_failed_min_one_success', { total: 2, failed: 1 }, 'block'],
      ['one_success', { total: 2, skipped: 2 }, 'skip'],
      ['one_success', { total: 2, skipped: 1, failed: 1 }, 'block'],
      ['one_success', { total: 2, failed: 1 }, null],
      ['all_failed', { total: 3, succeeded: 1 }, 'skip'],
      ['one_failed', { total: 2, succeeded: 2 }, 'skip'],
      ['one_done', { total: 2, skipped: 2 }, 'skip'],
      ['none_skipped', { total: 3, skipped: 1 }, 'skip'],
      ['all_skipped', { total: 3, succeeded: 1 }, 'skip'],
      ['always', { total: 3 }, 'unblock'],
      ['one_done', { total: 3, failed: 1 }, 'unblock'],
    ]
    for (const [rule, needs, verdict] of cases) {
      const full = { total: 0, succeeded: 0, failed: 0, skipped: 0, ...needs }
      t.equal(triggerVerdict(rule, full), verdict, `${rule} ${JSON.stringify(needs)}`)
    }
  },
)
