/** The audit log as SQLite keeps it: appended in the transaction of what it tells, and never changed. */
import {
  type AuditDraft,
  type AuditEntry,
  type AuditHead,
  type ChainEnd,
  continued,
  headOf,
  type Note,
  type Signer,
} from '../audit/log.ts'
import type { Connection } from './sqlite-connection.ts'
import { ended } from './sqlite-rows.ts'
import type { ManifestDue, NotedManifest } from './store.ts'

/** Appends over one connection. */
export class SqliteAudit {
  readonly #db: Connection
  readonly #signer: (() => Signer) | null

  /** @param signer signs the heads, asked for when there is one to sign; without it there are none */
  constructor(db: Connection, signer: (() => Signer) | null) {
    this.#db = db
    this.#signer = signer
  }

  /** In the transaction that is open: entries that continue the chain, and its signed head. @param at epoch milliseconds */
  append(chain: string, drafts: readonly AuditDraft[], at: number): void {
    if (drafts.length === 0) return
    const before = this.#endOf(chain)
    const added = continued(chain, before, drafts, at)
    let { number } = before
    for (const { content, hash } of added)
      this.#db.run(
        'INSERT INTO audit (chain, number, content, hash) VALUES (?, ?, ?, ?)',
        chain,
        ++number,
        content,
        hash,
      )
    if (this.#signer === null) return
    const head = this.#db.get('SELECT content FROM audit_heads ORDER BY seq DESC LIMIT 1')
    const end = { number, hash: added.at(-1)?.hash ?? null }
    const { content, signature } = headOf(chain, end, {
      before: head === undefined ? null : (head.content as string),
      at,
      signer: this.#signer(),
    })
    this.#db.run('INSERT INTO audit_heads (content, signature) VALUES (?, ?)', content, signature)
  }

  /** In the transaction that is open; nothing where there is no note. */
  note(note: Note | undefined): void {
    if (note !== undefined) this.append(note.chain, note.drafts, note.at)
  }

  manifestsDue(engine: string, at: number, most: number): readonly ManifestDue[] {
    return this.#db
      .all(
        `SELECT id, pipeline, state, fence, ended_at, owner IS @engine AS own,
           (SELECT count(*) FROM tasks WHERE tasks.run = seq) AS tasks,
           (SELECT total(octet_length(outputs)) FROM tasks WHERE tasks.run = seq) AS bytes
         FROM manifests_due CROSS JOIN runs ON seq = manifests_due.run
         WHERE ${ended} AND (own OR owner IS NULL OR owner NOT IN (SELECT id FROM engines WHERE lease_until > @at))
         ORDER BY own DESC, manifests_due.run LIMIT @most`,
        { engine, at, most },
      )
      .map((row) => ({
        run: row.id as string,
        pipeline: row.pipeline as string,
        state: row.state as string,
        fence: row.fence as number,
        endedAt: row.ended_at as number,
        own: row.own === 1,
        tasks: row.tasks as number,
        bytes: row.bytes as number,
      }))
  }

  /** In the transaction that is open. */
  noteManifests(manifests: readonly NotedManifest[], chain: string, at: number): void {
    const drafts = manifests
      .filter(({ due }) => this.#isDone(due))
      .map(({ due: { run, pipeline, state }, digest, reason }) => ({
        what: 'run.manifest',
        who: 'engine',
        subject: { run, pipeline },
        detail: { digest, state, ...(reason !== null && { reason }) },
      }))
    this.append(chain, drafts, at)
  }

  /** Takes the run from what is due, where it is as it was. */
  #isDone({ run, fence, endedAt }: ManifestDue): boolean {
    const { changes } = this.#db.run(
      `DELETE FROM manifests_due WHERE run = (SELECT seq FROM runs WHERE id = ? AND fence = ? AND ended_at = ? AND ${ended})`,
      run,
      fence,
      endedAt,
    )
    return changes > 0
  }

  entries(after: number, most: number): readonly AuditEntry[] {
    return this.#db
      .all('SELECT seq, content, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?', after, most)
      .map((row) => ({ seq: row.seq as number, content: row.content as string, hash: row.hash as string }))
  }

  heads(): readonly AuditHead[] {
    return this.#db.all('SELECT seq, content, signature FROM audit_heads ORDER BY seq').map((row) => ({
      seq: row.seq as number,
      content: row.content as string,
      signature: row.signature as string,
    }))
  }

  #endOf(chain: string): ChainEnd {
    const row = this.#db.get(
      'SELECT number, hash FROM audit WHERE chain = ? ORDER BY number DESC LIMIT 1',
      chain,
    )
    return row === undefined
      ? { number: 0, hash: null }
      : { number: row.number as number, hash: row.hash as string }
  }
}
