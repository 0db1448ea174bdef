/** Which running tasks give their slots of a pool to one that ranks above them. Pure. */

/** Preemptions after which a task is preempted no more (ARCHITECTURE.md, States). */
export const mostPreemptions = 5

/** How tasks rank: every backfill's below every live one's, then by priority. */
export interface Rank {
  readonly backfill: boolean
  readonly priority: number
}

/** A running task that holds slots of the pool. */
export interface Holder extends Rank {
  readonly slots: number
  /** It may be preempted (`preemptible`, and not too often yet), and nobody asked it to leave so far. */
  readonly preemptible: boolean
  /** Epoch milliseconds. */
  readonly startedAt: number
}

/** Whether `a` ranks above `b`. */
export function ranksAbove(a: Rank, b: Rank): boolean {
  return a.backfill === b.backfill ? a.priority > b.priority : b.backfill
}

/**
 * The holders to ask to leave so that `slots` become free: the lowest in rank first, of equals the youngest, which loses
 * least; none where even all of them are not enough. `free` counts slots that are free or about to be.
 */
export function victims<One extends Holder>(
  wanted: Rank & { readonly slots: number },
  free: number,
  holders: readonly One[],
): One[] {
  const chosen: One[] = []
  let missing = wanted.slots - free
  const below = holders
    .filter((one) => one.preemptible && ranksAbove(wanted, one))
    .sort((a, b) => Number(ranksAbove(a, b)) - Number(ranksAbove(b, a)) || b.startedAt - a.startedAt)
  for (const one of below) {
    if (missing <= 0) break
    chosen.push(one)
    missing -= one.slots
  }
  return missing > 0 ? [] : chosen
}
