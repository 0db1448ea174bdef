/** The SQLite store: what it keeps and how it is read. How batches are written is sqlite-commit.ts. */
import type { AuditEntry, AuditHead, Note } from '../audit/log.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Batch, CommitResult } from './batch.ts'
import type { RunRecord, TaskRecord } from './records.ts'
import { toEngine, toEvent, toHeld, toRequest, toRun, toTask, toValue } from './rows.ts'
import { SqliteAudit } from './sqlite-audit.ts'
import { SqliteWriter } from './sqlite-commit.ts'
import { Connection, type SqliteOptions } from './sqlite-connection.ts'
import { SqliteCreator } from './sqlite-create.ts'
import { SqlitePlans } from './sqlite-plans.ts'
import { SqlitePruner } from './sqlite-prune.ts'
import { SqliteRows } from './sqlite-rows.ts'
import type {
  EngineRecord,
  EventRecord,
  HeldSlot,
  ManifestDue,
  NewRun,
  NotedManifest,
  RequestRecord,
  RunFilter,
  RunLimits,
  Store,
  Wish,
} from './store.ts'

/** Opens, or makes, a SQLite store and brings its tables up to date. */
export function openSqlite(options: SqliteOptions): Store {
  return new SqliteStore(options)
}

class SqliteStore extends SqlitePlans implements Store {
  readonly #db: Connection
  readonly #writer: SqliteWriter
  readonly #creator: SqliteCreator
  readonly #pruner: SqlitePruner
  readonly #audit: SqliteAudit

  constructor(options: SqliteOptions) {
    const db = new Connection(options)
    const audit = new SqliteAudit(db, options.signer ?? null)
    super(db, audit)
    this.#db = db
    this.#audit = audit
    const rows = new SqliteRows(db)
    this.#writer = new SqliteWriter(db, rows, audit)
    this.#creator = new SqliteCreator(db, rows, audit)
    this.#pruner = new SqlitePruner(db)
  }

  async commit(batch: Batch): Promise<CommitResult> {
    return this.#writer.commit(batch)
  }

  createRun(run: NewRun, engine: string, at: number): Promise<RunRecord> {
    return this.#creator.create(run, engine, at)
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

  async events(run: string, after = 0, event: string | null = null): Promise<readonly EventRecord[]> {
    return this.#db
      .all(
        `SELECT events.*, runs.id AS run_id FROM events JOIN runs ON runs.seq = events.run
       WHERE events.run = (SELECT seq FROM runs WHERE id = @run) AND events.seq > @after AND (@event IS NULL OR event = @event) ORDER BY events.seq`,
        { run, after, event },
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

  async prunable(limits: RunLimits): Promise<readonly string[]> {
    return this.#pruner.prunable(limits)
  }

  async forgetRuns(ids: readonly string[]): Promise<readonly string[]> {
    return this.#pruner.forgetRuns(ids)
  }

  async prunedRuns(): Promise<readonly string[]> {
    return this.#pruner.prunedRuns()
  }

  async filesRemoved(ids: readonly string[]): Promise<void> {
    this.#pruner.filesRemoved(ids)
  }

  async runsEnded(before: number, which: 'all' | 'with events' | 'not cited'): Promise<readonly string[]> {
    return this.#pruner.runsEnded(before, which)
  }

  async forgetEvents(ids: readonly string[]): Promise<void> {
    this.#pruner.forgetEvents(ids)
  }

  async forgetUnused(before: number): Promise<void> {
    this.#pruner.forgetUnused(before)
  }

  async note(note: Note): Promise<void> {
    this.#db.transaction(() => this.#audit.note(note))
  }

  async manifestsDue(engine: string, at: number, most: number): Promise<readonly ManifestDue[]> {
    return this.#audit.manifestsDue(engine, at, most)
  }

  async noteManifests(manifests: readonly NotedManifest[], chain: string, at: number): Promise<void> {
    this.#db.transaction(() => this.#audit.noteManifests(manifests, chain, at))
  }

  async auditEntries(after: number, most: number): Promise<readonly AuditEntry[]> {
    return this.#audit.entries(after, most)
  }

  async auditLog(): Promise<{ entries: readonly AuditEntry[]; heads: readonly AuditHead[] }> {
    return this.#db.snapshot(() => ({ entries: this.#audit.entries(0, -1), heads: this.#audit.heads() }))
  }

  async close(): Promise<void> {
    this.#db.close()
  }
}
