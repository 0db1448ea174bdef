/** Claims of slots in SQLite: tasks within limits and pools, and the starts of runs, each in the transaction of its batch. */
import { bug } from '../errors.ts'
import type { Batch, DeniedBy, PoolClaim, RunClaim, TaskClaim } from './batch.ts'
import type { Connection } from './sqlite-connection.ts'
import type { SqliteRows } from './sqlite-rows.ts'

/**
 * A run `o` that counts in limits of runs: it has started and not ended. One that was paused while queued does not. Its
 * first half is what an index finds: else every run that there ever was would be looked at.
 */
const started = "(o.state IN ('running', 'paused') AND (o.state = 'running' OR o.started_at IS NOT NULL))"

/** Grants claims over one connection. */
export class SqliteClaims {
  readonly #db: Connection
  readonly #rows: SqliteRows

  constructor(db: Connection, rows: SqliteRows) {
    this.#db = db
    this.#rows = rows
  }

  /**
   * The claims that had no room. What a limit had no room for stands in front of all that come after it under the same
   * limit, so that nothing that takes many slots starves behind what takes few.
   */
  claimAll({ claims, at }: Batch, seqs: ReadonlyMap<string, number>): Map<number, DeniedBy> {
    const denied = new Map<number, DeniedBy>()
    const full = new Set<string>()
    for (const [place, claim] of claims.entries()) {
      const seq = seqs.get(claim.run)
      if (seq === undefined) continue
      const limits = limitsOf(claim, seq)
      const by = limits.find(([, name]) => full.has(name))?.[0] ?? this.#claim(seq, claim, at)
      if (by === null) continue
      for (const [limit, name] of limits) if (limit === by) full.add(name)
      denied.set(place, by)
    }
    return denied
  }

  /** The limit that had no room, or null: the claim is granted. */
  #claim(seq: number, claim: TaskClaim, at: number): DeniedBy | null {
    const { run, limit, pool } = claim
    if (limit !== null && this.#holding(run) >= limit) return 'tasks'
    const full = pool === null ? null : this.#fullPool(pool)
    if (full !== null) return full
    const granted = this.#rows.patchTask(
      seq,
      claim.node,
      { ...claim.patch, attempt: claim.attempt },
      ['ready'],
      claim.attempt - 1,
    )
    if (!granted)
      throw bug(`task ${claim.node} of run ${run} was claimed as attempt ${claim.attempt} out of turn`)
    this.#rows.event(seq, claim.node, claim.attempt, 'claim', at, { try: claim.try })
    return null
  }

  #fullPool({ name, slots, limit, share }: PoolClaim): DeniedBy | null {
    if (limit === null && share === null) return null
    const row = this.#db.get(
      `SELECT coalesce(sum(tasks.slots), 0) AS used,
         coalesce(sum(tasks.slots) FILTER (WHERE runs.backfill IS NOT NULL), 0) AS shared
       FROM tasks INDEXED BY tasks_in_pool JOIN runs ON runs.seq = tasks.run
       WHERE tasks.holding = 1 AND tasks.pool = ?`,
      name,
    ) as { readonly used: number; readonly shared: number }
    if (limit !== null && row.used + slots > limit) return 'pool'
    return share !== null && row.shared + slots > share ? 'share' : null
  }

  /** Attempts that may still run, over all runs of the same pipeline. */
  #holding(run: string): number {
    const row = this.#db.get(
      `SELECT count(*) AS used FROM tasks INDEXED BY tasks_holding JOIN runs ON runs.seq = tasks.run
       WHERE tasks.holding = 1 AND runs.pipeline = (SELECT pipeline FROM runs WHERE id = ?)`,
      run,
    )
    return row?.used as number
  }

  /** Whether the run starts: it is queued, and its limits have room. */
  start(seq: number, { limit, scheduledLimit, backfillLimit }: RunClaim, batch: Batch): boolean {
    const { changes } = this.#db.run(
      `UPDATE runs SET state = 'running', started_at = coalesce(started_at, @at)
       WHERE seq = @seq AND state = 'queued'
         AND NOT EXISTS (SELECT 1 FROM backfills b WHERE b.id = runs.backfill AND b.state = 'paused')
         AND (@limit IS NULL OR backfill IS NOT NULL OR
           (SELECT count(*) FROM runs o WHERE o.pipeline = runs.pipeline AND ${started} AND o.backfill IS NULL) < @limit)
         AND (@scheduledLimit IS NULL OR
           (SELECT count(*) FROM runs o WHERE o.pipeline = runs.pipeline AND ${started} AND o.trigger = 'schedule') < @scheduledLimit)
         AND (@backfillLimit IS NULL OR
           (SELECT count(*) FROM runs o WHERE o.backfill = runs.backfill AND ${started})
             < coalesce((SELECT b.max_active FROM backfills b WHERE b.id = runs.backfill), @backfillLimit))`,
      { at: batch.at, seq, limit, scheduledLimit, backfillLimit },
    )
    if (changes === 0) return false
    this.#rows.event(seq, null, null, 'start', batch.at, null)
    return true
  }
}

/** The limits that a claim counts in, and a name for each. */
function limitsOf({ limit, pool }: TaskClaim, run: number): [DeniedBy, string][] {
  return [
    ...(limit === null ? [] : [['tasks', `tasks of ${run}`] as [DeniedBy, string]]),
    ...(pool === null ? [] : [['pool', `pool ${pool.name}`] as [DeniedBy, string]]),
    ...(pool === null || pool.share === null
      ? []
      : [['share', `share of ${pool.name}`] as [DeniedBy, string]]),
  ]
}
