/** How a batch is written to SQLite: conditional updates, claims within their limits, events. Knows nothing of reads. */
import { bug } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { taskTransitions } from '../state.ts'
import type { Connection } from './sqlite-connection.ts'
import type { Batch, CommitResult, RunClaim, RunWrite, TaskClaim, TaskPatch, TaskWrite } from './store.ts'

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
  failure: 'failure',
  outputs: 'outputs',
  cached: 'cached',
}

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
      const denied = new Map<string, readonly number[]>()
      const owned = ({ run, fence }: { readonly run: string; readonly fence: number }) => {
        const seq = this.#owned(run, batch.engine, fence)
        if (seq === null) lost.push(run)
        return seq === null ? [] : [seq]
      }
      const writes = batch.runs.flatMap((write) => owned(write).map((seq) => ({ seq, write })))
      for (const { seq, write } of writes) this.#writeRun(seq, write, batch.at)
      // After all that frees a slot, in whatever run.
      for (const { seq, write } of writes) denied.set(write.run, this.#claimAll(seq, write, batch.at))
      const started = batch.starts
        .filter((claim) => owned(claim).some((seq) => this.#start(seq, claim, batch)))
        .map((claim) => claim.run)
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
    for (const { node, task, key } of write.grow) {
      this.#db.run(
        'INSERT INTO tasks (run, node, task, key, state) VALUES (?, ?, ?, ?, ?)',
        seq,
        node,
        task,
        key,
        'waiting',
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
    if (write.state !== undefined) {
      const { event, to, startedAt, endedAt } = write.state
      this.#db.run(
        'UPDATE runs SET state = ?, started_at = coalesce(?, started_at), ended_at = coalesce(?, ended_at) WHERE seq = ?',
        to,
        startedAt ?? null,
        endedAt ?? null,
        seq,
      )
      this.event(seq, null, null, event, at, null)
      if (endedAt !== undefined) this.#db.run('DELETE FROM requests WHERE run = ?', seq)
    }
  }

  /** The nodes whose claims had no room: from the first one on, since nothing frees a slot in between. */
  #claimAll(seq: number, { run, claims }: RunWrite, at: number): number[] {
    const granted = claims.findIndex((claim) => !this.#claim(seq, run, claim, at))
    return granted < 0 ? [] : claims.slice(granted).map(({ node }) => node)
  }

  #writeTask(seq: number, { node, events, patch }: TaskWrite, at: number): void {
    const first = events[0]
    const guard = first === undefined || first.event === 'grow' ? null : taskTransitions[first.event].from
    if (!this.#patch(seq, node, patch, guard, first?.attempt ?? null)) {
      throw bug(
        `task ${node} of run ${seq} is not in a state that '${first?.event}' of attempt ${first?.attempt} starts from`,
      )
    }
    for (const { event, attempt, detail } of events) this.event(seq, node, attempt, event, at, detail ?? null)
  }

  #claim(seq: number, run: string, claim: TaskClaim, at: number): boolean {
    if (claim.limit !== null && this.#holding(run) >= claim.limit) return false
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
    return true
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

  #start(seq: number, { limit, backfillLimit }: RunClaim, batch: Batch): boolean {
    const { changes } = this.#db.run(
      `UPDATE runs SET state = 'running', started_at = coalesce(started_at, @at)
       WHERE seq = @seq AND state = 'queued'
         AND (@limit IS NULL OR backfill IS NOT NULL OR
           (SELECT count(*) FROM runs o WHERE o.pipeline = runs.pipeline AND o.state IN ('running', 'paused') AND o.backfill IS NULL) < @limit)
         AND (@backfillLimit IS NULL OR
           (SELECT count(*) FROM runs o WHERE o.backfill = runs.backfill AND o.state IN ('running', 'paused')) < @backfillLimit)`,
      { at: batch.at, seq, limit, backfillLimit },
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

const jsonFields: ReadonlySet<string> = new Set<keyof TaskPatch>(['carry', 'failure', 'outputs'])

function toColumn(field: string, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (jsonFields.has(field)) return JSON.stringify(value)
  return typeof value === 'boolean' ? Number(value) : value
}
