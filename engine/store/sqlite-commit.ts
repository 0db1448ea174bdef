/** How a batch is written to SQLite: one transaction of conditional updates, and then claims. Knows nothing of reads. */
import { bug } from '../errors.ts'
import { taskTransitions } from '../state.ts'
import type { Batch, CommitResult, RunWrite, TaskWrite } from './batch.ts'
import type { SqliteAudit } from './sqlite-audit.ts'
import { SqliteClaims } from './sqlite-claims.ts'
import type { Connection } from './sqlite-connection.ts'
import type { SqliteRows } from './sqlite-rows.ts'

/** Writes batches over one connection. */
export class SqliteWriter {
  readonly #db: Connection
  readonly #rows: SqliteRows
  readonly #audit: SqliteAudit
  readonly #claims: SqliteClaims

  constructor(db: Connection, rows: SqliteRows, audit: SqliteAudit) {
    this.#db = db
    this.#rows = rows
    this.#audit = audit
    this.#claims = new SqliteClaims(db, rows)
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
        if (write.takes !== undefined) this.#take(write.run, write.takes, batch.engine)
        const seq = owned(write)
        if (seq === null) continue
        seqs.set(write.run, seq)
        this.#writeRun(seq, write, batch.at)
      }
      const noted = batch.runs.filter(({ run }) => seqs.has(run)).flatMap(({ audit = [] }) => audit)
      this.#audit.append(batch.engine, noted, batch.at)
      // After all that frees a slot, in whatever run.
      const denied = this.#claims.claimAll(batch, seqs)
      const started: string[] = []
      for (const claim of batch.starts) {
        const seq = owned(claim)
        if (seq !== null && this.#claims.start(seq, claim, batch)) started.push(claim.run)
      }
      return { lost, denied, started }
    })
  }

  /** Makes `engine` the owner of a run that is as it was seen; else changes nothing. */
  #take(run: string, { owner, fence, state }: NonNullable<RunWrite['takes']>, engine: string): void {
    this.#db.run(
      'UPDATE runs SET owner = ?, fence = fence + 1 WHERE id = ? AND owner IS ? AND fence = ? AND state = ?',
      engine,
      run,
      owner,
      fence,
      state,
    )
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
    for (const { event, detail } of write.events ?? []) this.#rows.event(seq, null, null, event, at, detail)
    if (write.patch !== undefined) this.#rows.patchRun(seq, write.patch)
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
    this.#rows.event(seq, null, null, event, at, detail ?? null)
    if (typeof endedAt === 'number') {
      this.#db.run('DELETE FROM requests WHERE run = ?', seq)
      this.#db.run('INSERT OR IGNORE INTO manifests_due VALUES (?)', seq)
    }
  }

  #writeTask(seq: number, { node, events, patch }: TaskWrite, at: number): void {
    const first = events[0]
    const guard = first === undefined || first.event === 'breaker' ? null : taskTransitions[first.event].from
    if (!this.#rows.patchTask(seq, node, patch, guard, first?.attempt ?? null)) {
      throw bug(
        `task ${node} of run ${seq} is not in a state that '${first?.event}' of attempt ${first?.attempt} starts from`,
      )
    }
    for (const { event, attempt, detail } of events)
      this.#rows.event(seq, node, attempt, event, at, detail ?? null)
  }
}
