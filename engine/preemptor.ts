/** Takes slots of a pool from running tasks that rank below one that has no room. Who they are is preemption.ts. */
import type { Attempts } from './attempts.ts'
import type { Ready } from './lanes.ts'
import { mostPreemptions, ranksAbove, victims } from './preemption.ts'
import type { DeniedBy } from './store/batch.ts'
import type { HeldSlot } from './store/store.ts'
import type { Claim } from './turn.ts'

/** Asks attempts of one engine to leave. */
export class Preemptor {
  readonly #attempts: Attempts

  constructor(attempts: Attempts) {
    this.#attempts = attempts
  }

  /**
   * The first claim of each pool that had no room, where some running task here might make room for it. No later one:
   * the slots that become free go to the first, whoever they were taken for.
   */
  wanted(denied: readonly { readonly claim: Claim; readonly by: DeniedBy }[]): readonly Claim[] {
    const first = new Map<string, Claim>()
    for (const { claim, by } of denied)
      if (by === 'pool' && claim.pool !== null && !first.has(claim.pool.name))
        first.set(claim.pool.name, claim)
    return [...first.values()].filter((claim) =>
      this.#holders(claim.pool?.name).some((one) => one.preemptible && ranksAbove(rankOf(claim), one)),
    )
  }

  /** @param held every attempt that holds a slot, of all engines */
  preempt(wanted: readonly Claim[], held: readonly HeldSlot[]): void {
    for (const claim of wanted) {
      const { node, pool } = claim
      if (node.state !== 'ready' || pool?.limit == null) continue
      const used = held.filter((one) => one.pool === pool.name).reduce((sum, { slots }) => sum + slots, 0)
      const holders = this.#holders(pool.name)
      const leaving = holders.filter((one) => one.leaving).reduce((sum, { slots }) => sum + slots, 0)
      for (const { node: victim } of victims(
        { ...rankOf(claim), slots: pool.slots },
        pool.limit - used + leaving,
        holders,
      ))
        this.#attempts.stop(victim, 'preempt')
    }
  }

  #holders(pool: string | undefined) {
    return [...this.#attempts.running()]
      .filter(({ node }) => node.pool === pool)
      .map(({ run, node, stopping }) => ({
        ...rankOf({ run, node }),
        node,
        slots: node.slots,
        leaving: stopping !== null,
        preemptible:
          stopping === null && run.task(node).preemptible === true && node.preemptions < mostPreemptions,
        startedAt: node.claimedAt ?? 0,
      }))
  }
}

function rankOf({ run, node }: Ready) {
  return { backfill: run.record.backfill !== null, priority: run.task(node).priority ?? 0 }
}
