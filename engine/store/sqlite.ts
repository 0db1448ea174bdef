/** The SQLite store: one file, WAL, group commit. The only file that imports better-sqlite3. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { bug, DagctlError } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Pipeline } from '../pipeline.ts'
import { taskTransitions } from '../state.ts'
import { migrations } from './migrations/sqlite.ts'
import { type Row, toBackfill, toEngine, toEvent, toRun, toTask, toValue } from './rows.ts'
import type {
  BackfillRecord,
  Batch,
  CommitResult,
  EngineRecord,
  EventRecord,
  NewRun,
  RequestRecord,
  RunClaim,
  RunFilter,
  RunRecord,
  RunWrite,
  Store,
  TaskClaim,
  TaskPatch,
  TaskRecord,
  TaskWrite,
} from './store.ts'

/** How a SQLite store is opened. */
export interface SqliteOptions {
  /** A file, or `:memory:`. Its folder is made. */
  readonly path: string
  /** FULL survives a loss of power, NORMAL a crash of the process. FULL when absent. */
  readonly synchronous?: 'FULL' | 'NORMAL'
}

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

/** Opens, or makes, a SQLite store and brings its tables up to date. */
export function openSqlite(options: SqliteOptions): Store {
  return translated(() => new SqliteStore(options))
}

class SqliteStore implements Store {
  readonly #db: Database.Database
  readonly #statements = new Map<string, Database.Statement>()
  readonly #patches = new Map<string, string>()

  constructor({ path, synchronous = 'FULL' }: SqliteOptions) {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
    this.#db = new Database(path, { timeout: 30_000 })
    enterWal(this.#db)
    this.#db.pragma(`synchronous = ${synchronous}`)
    this.#db.pragma('temp_store = MEMORY')
    this.#db.pragma('cache_size = -32000')
    this.#db.transaction(() => migrate(this.#db)).immediate()
  }

  async commit(batch: Batch): Promise<CommitResult> {
    return this.#transaction(() => {
      const lost: string[] = []
      const denied = new Map<string, readonly number[]>()
      for (const write of batch.runs) {
        const seq = this.#owned(write.run, batch.engine, write.fence)
        if (seq === null) lost.push(write.run)
        else denied.set(write.run, this.#writeRun(seq, write, batch.at))
      }
      const started = batch.starts.filter((claim) => this.#start(claim, batch)).map((claim) => claim.run)
      return { lost, denied, started }
    })
  }

  async createRun(run: NewRun, engine: string, at: number): Promise<RunRecord> {
    return this.#transaction(() => {
      const { pipeline } = run
      this.#run(
        'INSERT INTO versions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        pipeline.version,
        pipeline.name,
        JSON.stringify(pipeline),
        at,
      )
      const { lastInsertRowid: seq } = this.#run(
        `INSERT INTO runs (id, pipeline, version, folder, params, trigger, interval_start, interval_end, backfill, state, created_at, owner, fence)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, ?, 1)`,
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
      )
      const insert = this.#prepare(
        'INSERT INTO tasks (run, node, task, state, ended_at) VALUES (?, ?, ?, ?, ?)',
      )
      const omitted = new Set(run.omit)
      for (let node = 0; node < pipeline.tasks.length; node++) {
        const omit = omitted.has(node)
        insert.run(seq, node, node, omit ? 'skipped' : 'waiting', omit ? at : null)
      }
      this.#event(Number(seq), null, null, 'create', at, null)
      return toRun(this.#get('SELECT * FROM runs WHERE seq = ?', seq) as Row)
    })
  }

  async run(id: string): Promise<RunRecord | null> {
    const row = this.#get('SELECT * FROM runs WHERE id = ?', id)
    return row === undefined ? null : toRun(row)
  }

  async runs({ pipeline, backfill, owner, active, limit }: RunFilter): Promise<readonly RunRecord[]> {
    const conditions: string[] = []
    const values: unknown[] = []
    const where = (condition: string, ...more: unknown[]) => {
      conditions.push(condition)
      values.push(...more)
    }
    if (pipeline !== undefined) where('pipeline = ?', pipeline)
    if (backfill !== undefined) where('backfill = ?', backfill)
    if (owner !== undefined) where('owner = ?', owner)
    if (active === true) where("state IN ('queued', 'running', 'paused')")
    if (active === false) where("state NOT IN ('queued', 'running', 'paused')")
    const clause = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    return this.#all(`SELECT * FROM runs ${clause} ORDER BY seq DESC LIMIT ?`, ...values, limit ?? -1).map(
      toRun,
    )
  }

  async pipeline(version: string): Promise<Pipeline | null> {
    const row = this.#get('SELECT compiled FROM versions WHERE version = ?', version)
    return row === undefined ? null : JSON.parse(row.compiled as string)
  }

  async latest(pipeline: string): Promise<{ pipeline: Pipeline; folder: string } | null> {
    const row = this.#get(
      `SELECT folder, compiled FROM runs JOIN versions USING (version)
       WHERE runs.pipeline = ? ORDER BY runs.seq DESC LIMIT 1`,
      pipeline,
    )
    return row === undefined
      ? null
      : { pipeline: JSON.parse(row.compiled as string), folder: row.folder as string }
  }

  async tasks(run: string): Promise<readonly TaskRecord[]> {
    return this.#all(
      'SELECT * FROM tasks WHERE run = (SELECT seq FROM runs WHERE id = ?) ORDER BY node',
      run,
    ).map(toTask)
  }

  async events(run: string, after = 0): Promise<readonly EventRecord[]> {
    return this.#all(
      `SELECT events.*, runs.id AS run_id FROM events JOIN runs ON runs.seq = events.run
       WHERE events.run = (SELECT seq FROM runs WHERE id = ?) AND events.seq > ? ORDER BY events.seq`,
      run,
      after,
    ).map(toEvent)
  }

  async baseline(pipeline: string, task: string): Promise<Json> {
    const run = this.#get(
      `SELECT seq, compiled FROM runs JOIN versions USING (version)
       WHERE runs.pipeline = ? AND state = 'succeeded' ORDER BY ended_at DESC, seq DESC LIMIT 1`,
      pipeline,
    )
    if (run === undefined) return null
    const node = (JSON.parse(run.compiled as string) as Pipeline).tasks.findIndex(({ id }) => id === task)
    const row = this.#get(
      "SELECT outputs FROM tasks WHERE run = ? AND node = ? AND state = 'succeeded'",
      run.seq,
      node,
    )
    return row === undefined ? null : toValue(row.outputs)
  }

  async cached(key: string, since: number): Promise<{ run: string; outputs: JsonObject } | null> {
    const row = this.#get('SELECT run, outputs FROM cache WHERE key = ? AND created_at >= ?', key, since)
    return row === undefined ? null : { run: row.run as string, outputs: JSON.parse(row.outputs as string) }
  }

  async renew({ id, host, pid, startTime, bootId, leaseUntil }: EngineRecord): Promise<void> {
    this.#run(
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
    return this.#all('SELECT * FROM engines').map(toEngine)
  }

  async takeOver(
    run: string,
    from: { owner: string | null; fence: number },
    engine: string,
  ): Promise<number | null> {
    const { changes } = this.#run(
      'UPDATE runs SET owner = ?, fence = fence + 1 WHERE id = ? AND owner IS ? AND fence = ?',
      engine,
      run,
      from.owner,
      from.fence,
    )
    return changes === 1 ? from.fence + 1 : null
  }

  async leave(engine: string): Promise<void> {
    this.#run('DELETE FROM engines WHERE id = ?', engine)
  }

  async request(run: string, kind: RequestRecord['kind'], at: number): Promise<void> {
    this.#run('INSERT INTO requests (run, kind, at) SELECT seq, ?, ? FROM runs WHERE id = ?', kind, at, run)
  }

  async requests(engine: string): Promise<readonly RequestRecord[]> {
    const rows = this.#all(
      `SELECT requests.id, runs.id AS run, kind, at FROM requests JOIN runs ON runs.seq = requests.run
       WHERE runs.owner = ? ORDER BY requests.id`,
      engine,
    )
    return rows.map((row) => ({
      id: row.id as number,
      run: row.run as string,
      kind: 'cancel',
      at: row.at as number,
    }))
  }

  async createBackfill(b: BackfillRecord): Promise<void> {
    this.#run(
      'INSERT INTO backfills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      b.id,
      b.pipeline,
      b.version,
      b.from,
      b.to,
      b.mode,
      b.maxActive,
      b.reverse ? 1 : 0,
      JSON.stringify(b.params),
      b.state,
      b.createdAt,
    )
  }

  async backfills({ pipeline, id }: { pipeline?: string; id?: string }): Promise<readonly BackfillRecord[]> {
    return this.#all(
      `SELECT * FROM backfills WHERE pipeline = coalesce(?, pipeline) AND id = coalesce(?, id)
       ORDER BY created_at DESC, id DESC`,
      pipeline ?? null,
      id ?? null,
    ).map(toBackfill)
  }

  async endBackfill(id: string, state: BackfillRecord['state']): Promise<void> {
    this.#run('UPDATE backfills SET state = ? WHERE id = ?', state, id)
  }

  async close(): Promise<void> {
    this.#db.close()
  }

  /** The run's number where `engine` owns it by this fence, else null. */
  #owned(run: string, engine: string, fence: number): number | null {
    const row = this.#get('SELECT seq FROM runs WHERE id = ? AND owner = ? AND fence = ?', run, engine, fence)
    return row === undefined ? null : (row.seq as number)
  }

  #writeRun(seq: number, write: RunWrite, at: number): number[] {
    for (const { node, task, key } of write.grow) {
      this.#run(
        'INSERT INTO tasks (run, node, task, key, state) VALUES (?, ?, ?, ?, ?)',
        seq,
        node,
        task,
        key,
        'waiting',
      )
    }
    for (const task of write.tasks) this.#writeTask(seq, task, at)
    const denied = write.claims
      .filter((claim) => !this.#claim(seq, write.run, claim, at))
      .map(({ node }) => node)
    for (const { key, task, outputs } of write.cache ?? []) {
      this.#run(
        'INSERT INTO cache VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET run = excluded.run, outputs = excluded.outputs, created_at = excluded.created_at',
        key,
        write.run,
        task,
        JSON.stringify(outputs),
        at,
      )
    }
    for (const id of write.answered ?? []) this.#run('DELETE FROM requests WHERE id = ?', id)
    if (write.state !== undefined) {
      const { event, to, startedAt, endedAt } = write.state
      this.#run(
        'UPDATE runs SET state = ?, started_at = coalesce(?, started_at), ended_at = coalesce(?, ended_at) WHERE seq = ?',
        to,
        startedAt ?? null,
        endedAt ?? null,
        seq,
      )
      this.#event(seq, null, null, event, at, null)
    }
    return denied
  }

  #writeTask(seq: number, { node, events, patch }: TaskWrite, at: number): void {
    const first = events[0]
    const guard = first === undefined || first.event === 'grow' ? null : taskTransitions[first.event].from
    if (!this.#patch(seq, node, patch, guard, first?.attempt ?? null)) {
      throw bug(
        `task ${node} of run ${seq} is not in a state that '${first?.event}' of attempt ${first?.attempt} starts from`,
      )
    }
    for (const { event, attempt, detail } of events)
      this.#event(seq, node, attempt, event, at, detail ?? null)
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
    this.#event(seq, claim.node, claim.attempt, 'claim', at, { try: claim.try })
    return true
  }

  /** Attempts that may still run, over all runs of the same pipeline. */
  #holding(run: string): number {
    const row = this.#get(
      `SELECT count(*) AS used FROM tasks INDEXED BY tasks_holding JOIN runs ON runs.seq = tasks.run
       WHERE tasks.holding = 1 AND runs.pipeline = (SELECT pipeline FROM runs WHERE id = ?)`,
      run,
    )
    return row?.used as number
  }

  #start({ run, fence, limit, backfillLimit }: RunClaim, batch: Batch): boolean {
    const { changes } = this.#run(
      `UPDATE runs SET state = 'running', started_at = coalesce(started_at, @at)
       WHERE id = @run AND owner = @engine AND fence = @fence AND state = 'queued'
         AND (@limit IS NULL OR backfill IS NOT NULL OR
           (SELECT count(*) FROM runs o WHERE o.pipeline = runs.pipeline AND o.state IN ('running', 'paused') AND o.backfill IS NULL) < @limit)
         AND (@backfillLimit IS NULL OR
           (SELECT count(*) FROM runs o WHERE o.backfill = runs.backfill AND o.state IN ('running', 'paused')) < @backfillLimit)`,
      { at: batch.at, run, engine: batch.engine, fence, limit, backfillLimit },
    )
    if (changes === 0) return false
    const seq = this.#owned(run, batch.engine, fence) as number
    this.#event(seq, null, null, 'start', batch.at, null)
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
    return this.#prepare(sql).run(...values).changes === 1
  }

  #event(
    seq: number,
    node: number | null,
    attempt: number | null,
    event: string,
    at: number,
    detail: JsonObject | null,
  ): void {
    this.#prepare('INSERT INTO events (run, node, attempt, event, at, detail) VALUES (?, ?, ?, ?, ?, ?)').run(
      seq,
      node,
      attempt,
      event,
      at,
      detail === null ? null : JSON.stringify(detail),
    )
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #transaction<Result>(work: () => Result): Result {
    return translated(() => this.#db.transaction(work).immediate())
  }

  #run(sql: string, ...values: unknown[]): Database.RunResult {
    return translated(() => this.#prepare(sql).run(...values))
  }

  #get(sql: string, ...values: unknown[]): Row | undefined {
    return translated(() => this.#prepare(sql).get(...values) as Row | undefined)
  }

  #all(sql: string, ...values: unknown[]): Row[] {
    return translated(() => this.#prepare(sql).all(...values) as Row[])
  }
}

const jsonFields: ReadonlySet<string> = new Set<keyof TaskPatch>(['carry', 'failure', 'outputs'])

function toColumn(field: string, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (jsonFields.has(field)) return JSON.stringify(value)
  return typeof value === 'boolean' ? Number(value) : value
}

function migrate(db: Database.Database): void {
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > migrations.length) {
    throw new DagctlError('E502', 'the database was made by a newer dagctl', {
      kind: 'infrastructure',
      hint: 'use that version, or another --data folder',
    })
  }
  for (const step of migrations.slice(version)) db.exec(step)
  db.pragma(`user_version = ${migrations.length}`)
}

/** WAL is a lasting property of the file; while another process switches it on, SQLite answers busy without waiting. */
function enterWal(db: Database.Database): void {
  for (let left = 200; ; left--) {
    try {
      db.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (left === 0 || (error as { code?: string }).code !== 'SQLITE_BUSY') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/** SQLite's errors as what they mean to the person at the terminal. */
function translated<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof DagctlError) throw error
    const { code = '', message } = error as { code?: string; message: string }
    if (
      !code.startsWith('SQLITE_') &&
      !['EACCES', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EEXIST'].includes(code)
    )
      throw error
    throw new DagctlError('E501', `the database cannot be used: ${message}`, {
      kind: 'infrastructure',
      hint:
        hints[code.split('_').slice(0, 2).join('_')] ??
        'look at the disk and the permissions of the --data folder',
      cause: error,
    })
  }
}

const hints: { readonly [code: string]: string } = {
  SQLITE_FULL: 'the disk is full: make room and run the same command again, nothing is lost',
  SQLITE_READONLY: 'the --data folder cannot be written: choose another or mend its permissions',
  SQLITE_BUSY: 'another process has held the database for over 30 seconds',
  SQLITE_NOTADB: 'the file is not a dagctl database: choose another --data folder',
  SQLITE_CORRUPT: 'the file is damaged: restore it from a backup',
}
