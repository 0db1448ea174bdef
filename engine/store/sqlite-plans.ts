/** What makes runs, as SQLite keeps it: backfills, scheduled pipelines, datasets. Knows nothing of tasks and claims. */
import type { Note } from '../audit/log.ts'
import type { Pipeline } from '../pipeline.ts'
import { type Row, toBackfill, toDatasetUpdate, toScheduled } from './rows.ts'
import type { SqliteAudit } from './sqlite-audit.ts'
import type { Connection } from './sqlite-connection.ts'
import type { BackfillRecord, DatasetUpdate, ScheduledPipeline, Wish } from './store.ts'

/** Keeps a version of a pipeline, for the runs that are pinned to it. */
export function keepVersion(db: Connection, pipeline: Pipeline, at: number): void {
  // Most runs are of a version that is kept: writing a large graph out again for each would cost more than the run.
  if (db.get('SELECT 1 FROM versions WHERE version = ?', pipeline.version) !== undefined) return
  db.run(
    'INSERT INTO versions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    pipeline.version,
    pipeline.name,
    JSON.stringify(pipeline),
    at,
  )
}

interface Cursors {
  readonly cursor?: number
  readonly datasetCursor?: number
}

/** Moves the cursors of a scheduled pipeline forward; never back. */
export function moveCursors(db: Connection, name: string, to: Cursors): void {
  db.run(
    `UPDATE pipelines SET cursor = max(coalesce(cursor, @cursor), coalesce(@cursor, cursor)),
       dataset_cursor = max(dataset_cursor, coalesce(@datasets, dataset_cursor)) WHERE name = @name`,
    { name, cursor: to.cursor ?? null, datasets: to.datasetCursor ?? null },
  )
}

/** The part of the store that is about plans. */
export class SqlitePlans {
  readonly #db: Connection
  readonly #audit: SqliteAudit

  constructor(db: Connection, audit: SqliteAudit) {
    this.#db = db
    this.#audit = audit
  }

  async createBackfill(backfill: BackfillRecord, compiled: Pipeline, note?: Note): Promise<BackfillRecord> {
    const { id, pipeline, version, from, to, mode, maxActive, reverse, folder, includeDeploy } = backfill
    const asked = [
      pipeline,
      from,
      to,
      mode,
      Number(reverse),
      JSON.stringify(backfill.params),
      Number(includeDeploy),
    ]
    return this.#db.transaction(() => {
      const { changes } = this.#db.run(
        `INSERT INTO backfills
           (pipeline, from_time, to_time, mode, reverse, params, include_deploy, id, version, max_active, folder, state, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        ...asked,
        id,
        version,
        maxActive,
        folder,
        backfill.state,
        backfill.createdAt,
      )
      if (changes > 0) {
        keepVersion(this.#db, compiled, backfill.createdAt)
        this.#audit.note(note)
        return backfill
      }
      const same = `SELECT * FROM backfills WHERE state IN ('running', 'paused') AND pipeline = ? AND from_time = ?
        AND to_time = ? AND mode = ? AND reverse = ? AND params = ? AND include_deploy = ?`
      return toBackfill(this.#db.get(same, ...asked) as Row)
    })
  }

  async backfills({ pipeline, id }: { pipeline?: string; id?: string }): Promise<readonly BackfillRecord[]> {
    return this.#db
      .all(
        `SELECT * FROM backfills WHERE pipeline = coalesce(?, pipeline) AND id = coalesce(?, id)
       ORDER BY created_at DESC, id DESC`,
        pipeline ?? null,
        id ?? null,
      )
      .map(toBackfill)
  }

  async moveBackfill(
    id: string,
    from: readonly BackfillRecord['state'][],
    state: BackfillRecord['state'],
    note?: Note,
  ): Promise<boolean> {
    const states = from.map((one) => `'${one}'`).join()
    return this.#db.transaction(() => {
      const sql = `UPDATE backfills SET state = ? WHERE id = ? AND state IN (${states})`
      if (this.#db.run(sql, state, id).changes === 0) return false
      if (state === 'cancelled') this.#cancelRuns(id, note)
      this.#audit.note(note)
      return true
    })
  }

  #cancelRuns(backfill: string, note: Note | undefined): void {
    this.#db.run(
      `INSERT INTO requests (run, wish, asked_by, at)
       SELECT seq, ?, ?, ? FROM runs WHERE backfill = ? AND state IN ('queued', 'running', 'paused')`,
      JSON.stringify({ kind: 'cancel' } satisfies Wish),
      note?.drafts[0]?.who ?? 'engine',
      note?.at ?? 0,
      backfill,
    )
  }

  async limitBackfill(id: string, maxActive: number): Promise<void> {
    this.#db.run('UPDATE backfills SET max_active = ? WHERE id = ?', maxActive, id)
  }

  async datasetUpdates(after: number, uri?: string): Promise<readonly DatasetUpdate[]> {
    return this.#db
      .all('SELECT * FROM datasets WHERE seq > ? AND uri = coalesce(?, uri) ORDER BY seq', after, uri ?? null)
      .map(toDatasetUpdate)
  }

  async datasetUpdatesBy(run: string): Promise<readonly DatasetUpdate[]> {
    return this.#db.all('SELECT * FROM datasets WHERE run = ? ORDER BY seq', run).map(toDatasetUpdate)
  }

  async newestDatasetUpdate(): Promise<number> {
    return this.#db.get('SELECT coalesce(max(seq), 0) AS seq FROM datasets')?.seq as number
  }

  async datasets(): Promise<readonly DatasetUpdate[]> {
    return this.#db
      .all('SELECT * FROM datasets WHERE seq IN (SELECT max(seq) FROM datasets GROUP BY uri) ORDER BY uri')
      .map(toDatasetUpdate)
  }

  async updateDataset(uri: string, at: number, note?: Note): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run('INSERT INTO datasets (uri, at) VALUES (?, ?)', uri, at)
      this.#audit.note(note)
    })
  }

  async schedulePipeline(
    pipeline: Pipeline,
    { file, folder }: { readonly file: string; readonly folder: string },
    at: number,
    note?: Note,
  ): Promise<ScheduledPipeline> {
    const { name, version } = pipeline
    return this.#db.transaction(() => {
      this.#audit.note(note)
      keepVersion(this.#db, pipeline, at)
      // Updates of datasets before it was first seen make no runs.
      this.#db.run(
        `INSERT INTO pipelines VALUES (?, ?, ?, ?, ?, NULL, (SELECT coalesce(max(seq), 0) FROM datasets))
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, file = excluded.file, folder = excluded.folder`,
        name,
        version,
        file,
        folder,
        at,
      )
      return toScheduled(this.#db.get('SELECT * FROM pipelines WHERE name = ?', name) as Row)
    })
  }

  async scheduledPipelines(name?: string): Promise<readonly ScheduledPipeline[]> {
    const one = name === undefined ? '' : 'WHERE name = ?'
    const values = name === undefined ? [] : [name]
    return this.#db.all(`SELECT * FROM pipelines ${one} ORDER BY name`, ...values).map(toScheduled)
  }

  async moveCursors(name: string, to: Cursors): Promise<void> {
    moveCursors(this.#db, name, to)
  }
}
