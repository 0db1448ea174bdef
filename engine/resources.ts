/** What an installation lends to tasks, and what it costs: dagctl.yaml's part that the engine reads. Data only. */

/** A pool: slots that tasks of all pipelines share. */
export interface Pool {
  readonly slots: number
  /** GPUs that one slot stands for. */
  readonly gpus: number
}

/** Pools and rates. A pool that is not named here has no limit. */
export interface Resources {
  readonly pools: { readonly [name: string]: Pool }
  /** US dollars per hour: of one core, of one GPU, and of one slot of a pool, by its name, on top. */
  readonly rates: {
    readonly cpu: number
    readonly gpu: number
    readonly pools: { readonly [name: string]: number }
  }
}

/** Nothing is limited, nothing costs. */
export const unlimited: Resources = { pools: {}, rates: { cpu: 0, gpu: 0, pools: {} } }

/** Why what takes so many slots of a pool never starts; null where it may. */
export function overfills(pool: string, slots: number, { pools }: Pick<Resources, 'pools'>): string | null {
  const limit = pools[pool]?.slots
  return limit === undefined || slots <= limit
    ? null
    : `it takes ${slots} slots of the pool ${pool}, which has ${limit}`
}

/**
 * The slots of a pool that backfills together may take: half of them, rounded up, so that live tasks find room; all that
 * a task needs which takes more by itself, or it would wait for ever.
 */
export function shareOf(limit: number, slots: number): number {
  return Math.max(slots, Math.ceil(limit / 2))
}
