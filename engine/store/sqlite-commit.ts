/** How a batch is written to SQLite: conditional updates, claims within their limits, events. Knows nothing of reads. */
import { bug } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { taskTransitions } from '../state.ts'
import type {
  Batch,
  CommitResult,
  DeniedBy,
  PoolClaim,
  RunClaim,
  RunPatch,
  RunWrite,
  TaskClaim,
  TaskPatch,
  TaskWrite,
} from './batch.ts'
import type { Connection } from './sqlite-connection.ts'

/** Column names of the fields of a task's patch. */
const columns: { readonly [field in keyof TaskPatch]-?: string } = {
  state: 'state',
  attempt: 'attempt',
  tries: 'tries',
  releases: 'releases',
  continues: 'continues',
  holding: 'holding',
  startedAt: 'started_at',
  tryStartedAt: 'try_started_at',
  endedAt: 'ended_at',
  wakeAt: 'wake_at',
  carry: 'carry',
  wakeOn: 'wake_on',
  failure: 'failure',
  outputs: 'outputs',
  cached: 'cached',
  expansion: 'expansion',
  recovery: 'recovery',
  preemptions: 'preemptions',
  pool: 'pool',
  slots: 'slots',
}

/** Column names of the fields of a run's patch. */
const runColumns: { readonly [field in keyof RunPatch]-?: string } = {
  spentUsd: 'spent_usd',
  spentGpuSeconds: 'spent_gpu_seconds',
  pausedFor: 'paused_for',
  overdue: 'overdue',
  overBudget: 'over_budget',
}

/**
 * A run `o` that counts in limits of runs: it has started and not ended. One that was paused while queued does not. Its
 * first half is what an index finds: else every run that there ever was would be looked at.
 */
const started = "(o.state IN ('running', 'paused') AND (o.state = 'running' OR o.started_at IS NOT NULL))"

/** Writes batches over one connection. */
export class SqliteWriter {
  readonly #db: Connection
  readonly #patches = new Map<string, string>()

  constructor(db: Connection) {
    this.#db = db
  }

  /** One transaction. */
  commit(batch: Batch): CommitResult {
    return this.#db.transaction(() => {
      const lost: string[] = []
      const owned = ({ run, fence }: { readonly run: string; readonly fence: number }) => {
        const seq = this.#owned(run, batch.engine, fence)
        if (seq === null) lost.push(run)
        return seq
      }
      const seqs = new Map<string, number>()
      for (const write of batch.runs) {
        const seq = owned(write)
        if (seq === null) continue
        seqs.set(write.run, seq)
        this.#writeRun(seq, write, batch.at)
      }
      // After all that frees a slot, in whatever run.
      const denied = this.#claimAll(batch, seqs)
      const started: string[] = []
      for (const claim of batch.starts) {
        const seq = owned(claim)
        if (seq !== null && this.#start(seq, claim, batch)) started.push(claim.run)
      }
      return { lost, denied, started }
    })
  }

  /** The run's number where `engine` owns it by this fence, else null. */
  #owned(run: string, engine: string, fence: number): number | null {
    const row = this.#db.get(
      'SELECT seq FROM runs WHERE id = ? AND owner = ? AND fence = ?',
      run,
      engine,
      fence,
    )
    return row === undefined ? null : (row.seq as number)
  }

  #writeRun(seq: number, write: RunWrite, at: number): void {
    for (const { node, task, key, parent } of write.grow) {
      this.#db.run(
        "INSERT INTO tasks (run, node, task, key, parent, state) VALUES (?, ?, ?, ?, ?, 'waiting')",
        seq,
        node,
        task,
        key,
        parent,
      )
    }
    for (const task of write.tasks) this.#writeTask(seq, task, at)
    for (const { key, task, outputs } of write.cache ?? []) {
      this.#db.run(
        'INSERT INTO cache VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET run = excluded.run, outputs = excluded.outputs, created_at = excluded.created_at',
        key,
        write.run,
        task,
        JSON.stringify(outputs),
        at,
      )
    }
    for (const id of write.answered ?? []) this.#db.run('DELETE FROM requests WHERE id = ?', id)
    for (const { uri, task } of write.datasets ?? [])
      this.#db.run('INSERT INTO datasets (uri, at, run, task) VALUES (?, ?, ?, ?)', uri, at, write.run, task)
    for (const { event, detail } of write.events ?? []) this.event(seq, null, null, event, at, detail)
    if (write.patch !== undefined) this.#patchRun(seq, write.patch)
    if (write.state !== undefined) this.#moveRun(seq, write.state, at)
  }

  #moveRun(seq: number, state: NonNullable<RunWrite['state']>, at: number): void {
    const { event, to, startedAt, endedAt, detail } = state
    const column = (name: string, value: number | null | undefined) =>
      `${name} = ${value === undefined ? `coalesce(?, ${name})` : '?'}`
    this.#db.run(
      `UPDATE runs SET state = ?, ${column('started_at', startedAt)}, ${column('ended_at', endedAt)} WHERE seq = ?`,
      to,
      startedAt ?? null,
      endedAt ?? null,
      seq,
    )
    this.event(seq, null, null, event, at, detail ?? null)
    if (typeof endedAt === 'number') this.#db.run('DELETE FROM requests WHERE run = ?', seq)
  }

  #patchRun(seq: number, patch: RunPatch): void {
    for (const [field, value] of Object.entries(patch) as [keyof RunPatch, unknown][])
      this.#db.run(`UPDATE runs SET ${runColumns[field]} = ? WHERE seq = ?`, toColumn(field, value), seq)
  }

  /**
   * The claims that had no room. What a limit had no room for stands in front of all that come after it under the same
   * limit, so that nothing that takes many slots starves behind what takes few.
   */
  #claimAll({ claims, at }: Batch, seqs: ReadonlyMap<string, number>): Map<number, DeniedBy> {
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

  #writeTask(seq: number, { node, events, patch }: TaskWrite, at: number): void {
    const first = events[0]
    const guard = first === undefined || first.event === 'breaker' ? null : taskTransitions[first.event].from
    if (!this.#patch(seq, node, patch, guard, first?.attempt ?? null)) {
      throw bug(
        `task ${node} of run ${seq} is not in a state that '${first?.event}' of attempt ${first?.attempt} starts from`,
      )
    }
    for (const { event, attempt, detail } of events) this.event(seq, node, attempt, event, at, detail ?? null)
  }

  /** The limit that had no room, or null: the claim is granted. */
  #claim(seq: number, claim: TaskClaim, at: number): DeniedBy | null {
    const { run, limit, pool } = claim
    if (limit !== null && this.#holding(run) >= limit) return 'tasks'
    const full = pool === null ? null : this.#fullPool(pool)
    if (full !== null) return full
    const granted = this.#patch(
      seq,
      claim.node,
      { ...claim.patch, attempt: claim.attempt },
      ['ready'],
      claim.attempt - 1,
    )
    if (!granted)
      throw bug(`task ${claim.node} of run ${run} was claimed as attempt ${claim.attempt} out of turn`)
    this.event(seq, claim.node, claim.attempt, 'claim', at, { try: claim.try })
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

  #start(seq: number, { limit, scheduledLimit, backfillLimit }: RunClaim, batch: Batch): boolean {
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
    this.event(seq, null, null, 'start', batch.at, null)
    return true
  }

  #patch(
    seq: number,
    node: number,
    patch: TaskPatch,
    from: readonly string[] | null,
    attempt: number | null,
  ): boolean {
    const fields = Object.keys(patch) as (keyof TaskPatch)[]
    if (fields.length === 0) return true
    const shape = `${fields.join()}|${from?.join() ?? ''}`
    let sql = this.#patches.get(shape)
    if (sql === undefined) {
      const sets = fields.map((field) => `${columns[field]} = ?`).join(', ')
      const guard =
        from === null ? '' : ` AND attempt = ? AND state IN (${from.map((state) => `'${state}'`).join()})`
      sql = `UPDATE tasks SET ${sets} WHERE run = ? AND node = ?${guard}`
      this.#patches.set(shape, sql)
    }
    const values: unknown[] = fields.map((field) => toColumn(field, patch[field]))
    values.push(seq, node)
    if (from !== null) values.push(attempt)
    return this.#db.run(sql, ...values).changes === 1
  }

  /** Appends to what happened. */
  event(
    seq: number,
    node: number | null,
    attempt: number | null,
    event: string,
    at: number,
    detail: JsonObject | null,
  ): void {
    this.#db.run(
      'INSERT INTO events (run, node, attempt, event, at, detail) VALUES (?, ?, ?, ?, ?, ?)',
      seq,
      node,
      attempt,
      event,
      at,
      detail === null ? null : JSON.stringify(detail),
    )
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

const jsonFields: ReadonlySet<string> = new Set<keyof TaskPatch>([
  'carry',
  'failure',
  'outputs',
  'wakeOn',
  'expansion',
  'recovery',
])

function toColumn(field: string, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (jsonFields.has(field)) return JSON.stringify(value)
  return typeof value === 'boolean' ? Number(value) : value
}
