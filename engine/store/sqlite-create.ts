/** How a run is made in SQLite, with the rows of its tasks: once per origin, and per interval of a backfill. */
import { bug, DagctlError } from '../errors.ts'
import type { RunRecord } from './records.ts'
import { type Row, toRun } from './rows.ts'
import type { SqliteAudit } from './sqlite-audit.ts'
import type { Connection } from './sqlite-connection.ts'
import { keepVersion, moveCursors } from './sqlite-plans.ts'
import type { SqliteRows } from './sqlite-rows.ts'
import type { NewRun } from './store.ts'
import { Together } from './together.ts'

const insertTask =
  'INSERT INTO tasks (run, node, task, parent, state, ended_at, outputs, cached) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'

const insertInstance =
  'INSERT INTO tasks (run, node, task, key, parent, state, ended_at, outputs, cached) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'

/** A run that is to be made, by which engine, and when. */
interface Creation {
  readonly run: NewRun
  readonly engine: string
  readonly at: number
}

/** Makes runs over one connection. */
export class SqliteCreator {
  readonly #db: Connection
  readonly #rows: SqliteRows
  readonly #audit: SqliteAudit
  /** A backfill makes several runs at a time. */
  readonly #creating = new Together((asked: readonly Creation[]) =>
    this.#db.transaction(() => asked.map((one) => this.#create(one))),
  )

  constructor(db: Connection, rows: SqliteRows, audit: SqliteAudit) {
    this.#db = db
    this.#rows = rows
    this.#audit = audit
  }

  /** The new run, or the one that there is in its place. Throws E232 where its backfill was cancelled. */
  create(run: NewRun, engine: string, at: number): Promise<RunRecord> {
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
    this.#takeNodes(Number(seq), run, at)
    this.#rows.event(Number(seq), null, null, 'create', at, null)
    const { datasetCursor } = run
    this.#audit.append(engine, run.audit ?? [], at)
    if (datasetCursor !== undefined) moveCursors(this.#db, pipeline.name, { datasetCursor })
    const made = toRun(this.#db.get('SELECT * FROM runs WHERE seq = ?', seq) as Row)
    return () => made
  }

  #takeNodes(seq: number, { pipeline, instances }: NewRun, at: number): void {
    if (instances === undefined) return
    const { run: from, nodes, expansions } = instances
    for (const [place, { task, key, parent, state, outputs }] of nodes.entries()) {
      const node = pipeline.tasks.length + place
      const taken = state === 'succeeded' ? [JSON.stringify(outputs), from] : [null, null]
      const ended = state === 'waiting' ? null : at
      this.#db.run(insertInstance, seq, node, task, key, parent, state, ended, ...taken)
    }
    for (const { node, expansion } of expansions)
      this.#db.run(
        'UPDATE tasks SET expansion = ? WHERE run = ? AND node = ?',
        JSON.stringify(expansion),
        seq,
        node,
      )
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
}
