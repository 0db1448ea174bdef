/** What SQLite forgets, and what it must not: runs that something still needs. Knows no files and no clock. */
import type { Connection } from './sqlite-connection.ts'
import { ended } from './sqlite-rows.ts'
import type { RunLimits } from './store.ts'

/** Runs `r` in whose tasks an attempt may still run. */
const holding = 'EXISTS (SELECT 1 FROM tasks t WHERE t.run = r.seq AND t.holding = 1)'

/** Runs `r` whose manifest is still to be made of what there is of them. */
const due = 'EXISTS (SELECT 1 FROM manifests_due d WHERE d.run = r.seq)'

/** Runs `r` whose outputs, and so files, a task of another run took. */
const cited = 'EXISTS (SELECT 1 FROM tasks t WHERE t.cached = r.id AND t.run <> r.seq)'

/**
 * Runs beyond the limits, but for: the last that succeeded of each pipeline, which gates compare with; those of a backfill
 * that goes on, which are what it has done; those that an active run triggered; those that others took outputs of.
 */
const prunable = `
  SELECT r.id FROM (
    SELECT *, row_number() OVER (PARTITION BY pipeline ORDER BY seq DESC) AS place FROM runs
  ) r
  WHERE r.${ended}
    AND (r.ended_at < @endedBefore OR r.place > @newest)
    AND NOT ${holding}
    AND NOT ${due}
    AND NOT ${cited}
    AND r.seq NOT IN (
      SELECT seq FROM (
        SELECT seq, row_number() OVER (PARTITION BY pipeline ORDER BY ended_at DESC, seq DESC) AS place
        FROM runs WHERE state = 'succeeded'
      ) WHERE place = 1)
    AND NOT EXISTS (SELECT 1 FROM backfills b WHERE b.id = r.backfill AND b.state IN ('running', 'paused'))
    AND NOT EXISTS (
      SELECT 1 FROM runs p
      WHERE p.state IN ('queued', 'running', 'paused') AND r.origin LIKE 'task:' || p.id || '/%')
  ORDER BY r.seq`

/** Forgets over one connection. */
export class SqlitePruner {
  readonly #db: Connection

  constructor(db: Connection) {
    this.#db = db
  }

  prunable({ endedBefore, newest }: RunLimits): readonly string[] {
    return this.#db.all(prunable, { endedBefore, newest }).map(({ id }) => id as string)
  }

  /** Gives those that are forgotten: one that goes on by now, or was taken outputs of, stays. */
  forgetRuns(ids: readonly string[]): readonly string[] {
    return this.#db.transaction(() => ids.filter((id) => this.#forgetRun(id)))
  }

  #forgetRun(id: string): boolean {
    const row = this.#db.get(
      `SELECT seq FROM runs r WHERE id = ? AND ${ended} AND NOT ${holding} AND NOT ${due} AND NOT ${cited}`,
      id,
    )
    if (row === undefined) return false
    for (const table of ['tasks', 'events', 'requests'])
      this.#db.run(`DELETE FROM ${table} WHERE run = ?`, row.seq)
    this.#db.run('DELETE FROM cache WHERE run = ?', id)
    this.#db.run('DELETE FROM runs WHERE seq = ?', row.seq)
    this.#db.run('INSERT INTO pruned VALUES (?)', id)
    return true
  }

  prunedRuns(): readonly string[] {
    return this.#db.all('SELECT run FROM pruned').map(({ run }) => run as string)
  }

  filesRemoved(ids: readonly string[]): void {
    this.#db.transaction(() => {
      for (const id of ids) this.#db.run('DELETE FROM pruned WHERE run = ?', id)
    })
  }

  runsEnded(before: number, which: 'all' | 'with events' | 'not cited'): readonly string[] {
    const condition = {
      all: '',
      'with events': 'AND EXISTS (SELECT 1 FROM events e WHERE e.run = r.seq)',
      'not cited': `AND NOT ${cited}`,
    }[which]
    return this.#db
      .all(
        `SELECT id FROM runs r WHERE ${ended} AND ended_at < ? AND NOT ${holding} AND NOT ${due} ${condition} ORDER BY seq`,
        before,
      )
      .map(({ id }) => id as string)
  }

  forgetEvents(ids: readonly string[]): void {
    this.#db.transaction(() => {
      for (const id of ids)
        this.#db.run(
          `DELETE FROM events WHERE run = (SELECT seq FROM runs r WHERE id = ? AND ${ended} AND NOT ${due})`,
          id,
        )
    })
  }

  forgetUnused(before: number): void {
    this.#db.transaction(() => {
      this.#db.run(
        `DELETE FROM backfills WHERE state NOT IN ('running', 'paused') AND created_at < ?
         AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.backfill = backfills.id)`,
        before,
      )
      // The newest of each says when it was updated; what a schedule has not seen yet still makes a run.
      this.#db.run(
        `DELETE FROM datasets WHERE at < ? AND seq NOT IN (SELECT max(seq) FROM datasets GROUP BY uri)
         AND seq <= coalesce((SELECT min(dataset_cursor) FROM pipelines), seq)`,
        before,
      )
      this.#db.run(
        `DELETE FROM versions WHERE created_at < ? AND version NOT IN
           (SELECT version FROM runs UNION SELECT version FROM pipelines UNION SELECT version FROM backfills)`,
        before,
      )
    })
  }
}
