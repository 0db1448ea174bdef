/** How single rows change in SQLite: the fields of a task or a run, and what happened. Knows nothing of batches. */
import type { JsonObject } from '../json.ts'
import type { RunPatch, TaskPatch } from './batch.ts'
import type { Connection } from './sqlite-connection.ts'

/** The condition of rows of `runs` that have ended. */
export const ended = "state NOT IN ('queued', 'running', 'paused')"

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
  claimedAt: 'claimed_at',
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

/** Writes rows over one connection. Statements are made once per set of fields. */
export class SqliteRows {
  readonly #db: Connection
  readonly #patches = new Map<string, string>()

  constructor(db: Connection) {
    this.#db = db
  }

  /**
   * Gives a task's row new values; false where it is in none of the states `from`, or not at this attempt. `from` null asks
   * for neither.
   */
  patchTask(
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

  /** Gives a run's row new values. */
  patchRun(seq: number, patch: RunPatch): void {
    for (const [field, value] of Object.entries(patch) as [keyof RunPatch, unknown][])
      this.#db.run(`UPDATE runs SET ${runColumns[field]} = ? WHERE seq = ?`, toColumn(field, value), seq)
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
