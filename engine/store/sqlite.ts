/** The SQLite store: what it keeps and how it is read. How batches are written is sqlite-commit.ts. */

import { bug, DagctlError } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Batch, CommitResult } from './batch.ts'
import type { RunRecord, TaskRecord } from './records.ts'
import { type Row, toEngine, toEvent, toHeld, toRequest, toRun, toTask, toValue } from './rows.ts'
import { SqliteWriter } from './sqlite-commit.ts'
import { Connection, type SqliteOptions } from './sqlite-connection.ts'
import { keepVersion, SqlitePlans } from './sqlite-plans.ts'
import type {
  EngineRecord,
  EventRecord,
  HeldSlot,
  NewRun,
  RequestRecord,
  RunFilter,
  Store,
  Wish,
} from './store.ts'
import { Together } from './together.ts'

/** Opens, or makes, a SQLite store and brings its tables up to date. */
export function openSqlite(options: SqliteOptions): Store {
  return new SqliteStore(options)
}

const insertTask =
  'INSERT INTO tasks (run, node, task, parent, state, ended_at, outputs, cached) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'

/** A run that is to be made, by which engine, and when. */
interface Creation {
  readonly run: NewRun
  readonly engine: string
  readonly at: number
}

class SqliteStore extends SqlitePlans implements Store {
  readonly #db: Connection
  readonly #writer: SqliteWriter
  /** A backfill makes several runs at a time. */
  readonly #creating = new Together((asked: readonly Creation[]) =>
    this.#db.transaction(() => asked.map((one) => this.#create(one))),
  )

  constructor(options: SqliteOptions) {
    const db = new Connection(options)
    super(db)
    this.#db = db
    this.#writer = new SqliteWriter(db)
  }

  async commit(batch: Batch): Promise<CommitResult> {
    return this.#writer.commit(batch)
  }

  createRun(run: NewRun, engine: string, at: number): Promise<RunRecord> {
    return this.#creating.ask({ run, engine, at })
  }

  #create({ run, engine, at }: Creation): () => RunRecord {
    if (this.#isCancelled(run.backfill)) {
      return () => {
        throw new DagctlError('E232', `backfill ${run.backfill} was cancelled`, { kind: 'usage' })
      }
    }
    const { pipeline } = run
    keepVersion(this.#db, pipeline, at)
    const { changes, lastInsertRowid: seq } = this.#db.run(
      `INSERT INTO runs (id, pipeline, version, folder, params, trigger, interval_start, interval_end, backfill, state, created_at, owner, fence, runtime, origin, due_at, provenance, omit)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, 1, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
      run.id,
      pipeline.name,
      pipeline.version,
      run.folder,
      JSON.stringify(run.params),
      run.trigger,
      run.interval.start,
      run.interval.end,
      run.backfill,
      at,
      engine,
      run.runtime ?? null,
      run.origin ?? null,
      run.dueAt ?? at,
      run.provenance === undefined ? null : JSON.stringify(run.provenance),
      run.omit.length === 0 ? null : JSON.stringify(run.omit),
    )
    if (changes === 0) {
      const before = this.#madeBefore(run)
      return () => before
    }
    const omitted = new Set(run.omit)
    const given = new Map(run.given?.map((one) => [one.node, one]))
    for (let node = 0; node < pipeline.tasks.length; node++) {
      const { outputs, run: from } = given.get(node) ?? { outputs: null, run: null }
      const state = from !== null ? 'succeeded' : omitted.has(node) ? 'skipped' : 'waiting'
      const ended = state === 'waiting' ? null : at
      const parent = pipeline.tasks[node]?.group ?? null
      this.#db.run(insertTask, seq, node, node, parent, state, ended, from && JSON.stringify(outputs), from)
    }
    this.#writer.event(Number(seq), null, null, 'create', at, null)
    const made = toRun(this.#db.get('SELECT * FROM runs WHERE seq = ?', seq) as Row)
    return () => made
  }

  /** In the run's own transaction: of a backfill that was cancelled nothing is left that could start later. */
  #isCancelled(backfill: string | null): boolean {
    if (backfill === null) return false
    return (
      this.#db.get("SELECT 1 FROM backfills WHERE id = ? AND state = 'cancelled'", backfill) !== undefined
    )
  }

  /** The run that there is for the same interval of the backfill, or of the same origin. */
  #madeBefore({ id, backfill, interval: { start, end }, origin }: NewRun): RunRecord {
    const row = this.#db.get(
      `SELECT * FROM runs WHERE origin = ? OR (backfill = ? AND interval_start = ? AND interval_end = ?)`,
      origin ?? null,
      backfill,
      start,
      end,
    )
    if (row === undefined) throw bug(`run ${id} was neither made nor made before`)
    return toRun(row)
  }

  async run(id: string): Promise<RunRecord | null> {
    const row = this.#db.get('SELECT * FROM runs WHERE id = ?', id)
    return row === undefined ? null : toRun(row)
  }

  async runs({
    pipeline,
    backfill,
    owner,
    trigger,
    origin,
    active,
    limit,
  }: RunFilter): Promise<readonly RunRecord[]> {
    const conditions: string[] = []
    const values: unknown[] = []
    const where = (condition: string, ...more: unknown[]) => {
      conditions.push(condition)
      values.push(...more)
    }
    if (pipeline !== undefined) where('pipeline = ?', pipeline)
    if (backfill !== undefined) where('backfill = ?', backfill)
    if (owner !== undefined) where('owner = ?', owner)
    if (trigger !== undefined) where('trigger = ?', trigger)
    if (origin !== undefined) where('origin = ?', origin)
    if (active === true) where("state IN ('queued', 'running', 'paused')")
    if (active === false) where("state NOT IN ('queued', 'running', 'paused')")
    const clause = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    return this.#db
      .all(`SELECT * FROM runs ${clause} ORDER BY seq DESC LIMIT ?`, ...values, limit ?? -1)
      .map(toRun)
  }

  async pipeline(version: string): Promise<Pipeline | null> {
    const row = this.#db.get('SELECT compiled FROM versions WHERE version = ?', version)
    return row === undefined ? null : JSON.parse(row.compiled as string)
  }

  async latest(pipeline: string): Promise<{ pipeline: Pipeline; folder: string } | null> {
    const row =
      this.#db.get(
        'SELECT folder, compiled FROM pipelines JOIN versions USING (version) WHERE name = ?',
        pipeline,
      ) ??
      this.#db.get(
        `SELECT folder, compiled FROM runs JOIN versions USING (version)
       WHERE runs.pipeline = ? ORDER BY runs.seq DESC LIMIT 1`,
        pipeline,
      )
    return row === undefined
      ? null
      : { pipeline: JSON.parse(row.compiled as string), folder: row.folder as string }
  }

  async tasks(run: string): Promise<readonly TaskRecord[]> {
    return this.#db
      .all('SELECT * FROM tasks WHERE run = (SELECT seq FROM runs WHERE id = ?) ORDER BY node', run)
      .map(toTask)
  }

  async events(run: string, after = 0): Promise<readonly EventRecord[]> {
    return this.#db
      .all(
        `SELECT events.*, runs.id AS run_id FROM events JOIN runs ON runs.seq = events.run
       WHERE events.run = (SELECT seq FROM runs WHERE id = ?) AND events.seq > ? ORDER BY events.seq`,
        run,
        after,
      )
      .map(toEvent)
  }

  async baseline(pipeline: string, task: string): Promise<Json> {
    const run = this.#db.get(
      `SELECT seq, compiled FROM runs JOIN versions USING (version)
       WHERE runs.pipeline = ? AND state = 'succeeded' ORDER BY ended_at DESC, seq DESC LIMIT 1`,
      pipeline,
    )
    if (run === undefined) return null
    const node = (JSON.parse(run.compiled as string) as Pipeline).tasks.findIndex(({ id }) => id === task)
    const row = this.#db.get(
      "SELECT outputs FROM tasks WHERE run = ? AND node = ? AND state = 'succeeded'",
      run.seq,
      node,
    )
    return row === undefined ? null : toValue(row.outputs)
  }

  async cached(key: string, since: number): Promise<{ run: string; outputs: JsonObject } | null> {
    const row = this.#db.get('SELECT run, outputs FROM cache WHERE key = ? AND created_at >= ?', key, since)
    return row === undefined ? null : { run: row.run as string, outputs: JSON.parse(row.outputs as string) }
  }

  async renew({ id, host, pid, startTime, bootId, leaseUntil }: EngineRecord): Promise<void> {
    this.#db.run(
      `INSERT INTO engines VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until`,
      id,
      host,
      pid,
      startTime,
      bootId,
      leaseUntil,
    )
  }

  async engines(): Promise<readonly EngineRecord[]> {
    return this.#db.all('SELECT * FROM engines').map(toEngine)
  }

  async owned(engine: string): Promise<readonly string[]> {
    return this.#db
      .all("SELECT id FROM runs WHERE owner = ? AND state IN ('queued', 'running', 'paused')", engine)
      .map(({ id }) => id as string)
  }

  async takeOver(
    run: string,
    from: { owner: string | null; fence: number },
    engine: string,
  ): Promise<number | null> {
    const { changes } = this.#db.run(
      'UPDATE runs SET owner = ?, fence = fence + 1 WHERE id = ? AND owner IS ? AND fence = ?',
      engine,
      run,
      from.owner,
      from.fence,
    )
    return changes === 1 ? from.fence + 1 : null
  }

  async leftovers(): Promise<readonly string[]> {
    const rows = this.#db.all(
      `SELECT DISTINCT runs.id FROM tasks INDEXED BY tasks_holding JOIN runs ON runs.seq = tasks.run
       WHERE tasks.holding = 1 AND runs.state NOT IN ('queued', 'running', 'paused')`,
    )
    return rows.map(({ id }) => id as string)
  }

  async leave(engine: string): Promise<void> {
    this.#db.run('DELETE FROM engines WHERE id = ?', engine)
  }

  async request(run: string, wish: Wish, by: string, at: number): Promise<void> {
    this.#db.run(
      `INSERT INTO requests (run, wish, asked_by, at)
       SELECT seq, ?, ?, ? FROM runs WHERE id = ? AND state IN ('queued', 'running', 'paused')`,
      JSON.stringify(wish),
      by,
      at,
      run,
    )
  }

  async requests(engine: string): Promise<readonly RequestRecord[]> {
    return this.#db
      .all(
        `SELECT requests.*, runs.id AS run_id FROM requests JOIN runs ON runs.seq = requests.run
       WHERE runs.owner = ? ORDER BY requests.id`,
        engine,
      )
      .map(toRequest)
  }

  async held(): Promise<readonly HeldSlot[]> {
    return this.#db
      .all(
        `SELECT tasks.*, runs.id AS run_id, runs.pipeline, runs.backfill
       FROM tasks INDEXED BY tasks_holding JOIN runs ON runs.seq = tasks.run WHERE tasks.holding = 1`,
      )
      .map(toHeld)
  }

  async close(): Promise<void> {
    this.#db.close()
  }
}
