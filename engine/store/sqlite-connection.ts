/** A connection to a SQLite file: opening, migrating, prepared statements, errors. The only file that imports better-sqlite3. */
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import type { Signer } from '../audit/log.ts'
import { DagctlError } from '../errors.ts'
import { makeFolder } from '../folders.ts'
import { migrations } from './migrations/sqlite.ts'
import type { Row } from './rows.ts'

/** How a SQLite store is opened. */
export interface SqliteOptions {
  /** A file, or `:memory:`. Its folder is made. */
  readonly path: string
  /** FULL survives a loss of power, NORMAL a crash of the process. FULL when absent. */
  readonly synchronous?: 'FULL' | 'NORMAL'
  /** Signs the heads of the audit log; asked for when there is one to sign. They are not signed when absent. */
  readonly signer?: () => Signer
}

/** What a write did. */
export interface Written {
  readonly changes: number
  readonly lastInsertRowid: number | bigint
}

/** Statements over one database. Every method throws a DagctlError of kind `infrastructure` where SQLite fails. */
export class Connection {
  readonly #db: Database.Database
  readonly #statements = new Map<string, Database.Statement>()
  readonly #begin: Database.Statement
  readonly #commit: Database.Statement
  readonly #rollback: Database.Statement

  constructor(options: SqliteOptions) {
    this.#db = translated(() => open(options))
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE')
    this.#commit = this.#db.prepare('COMMIT')
    this.#rollback = this.#db.prepare('ROLLBACK')
  }

  run(sql: string, ...values: unknown[]): Written {
    return patiently(() => this.#prepare(sql).run(...values))
  }

  get(sql: string, ...values: unknown[]): Row | undefined {
    return patiently(() => this.#prepare(sql).get(...values) as Row | undefined)
  }

  all(sql: string, ...values: unknown[]): Row[] {
    return patiently(() => this.#prepare(sql).all(...values) as Row[])
  }

  /** All of `work` or nothing, durable when it returns. */
  transaction<Result>(work: () => Result): Result {
    patiently(() => this.#begin.run())
    return translated(() => {
      try {
        const result = work()
        this.#commit.run()
        return result
      } catch (error) {
        // A full disk has rolled back by itself.
        if (this.#db.inTransaction) this.#rollback.run()
        throw error
      }
    })
  }

  /** All that `work` reads is of one moment, whatever others write meanwhile; nobody waits for it. */
  snapshot<Result>(work: () => Result): Result {
    return translated(() => this.#db.transaction(work).deferred())
  }

  close(): void {
    this.#db.close()
  }

  #prepare(sql: string): Database.Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** A database in memory with all its tables, as bytes: simulations open thousands, and making tables costs most of it. */
let emptied: Buffer | null = null

function inMemory(): Database.Database {
  if (emptied !== null) return new Database(emptied)
  const db = new Database(':memory:')
  migrate(db)
  emptied = db.serialize()
  return db
}

function open({ path, synchronous = 'FULL' }: SqliteOptions): Database.Database {
  if (path === ':memory:') return inMemory()
  makeFolder(dirname(path))
  // Waiting is ours: SQLite's own would let a hundred that open at once starve each other.
  const db = new Database(path, { timeout: 0 })
  enterWal(db)
  db.pragma(`synchronous = ${synchronous}`)
  db.pragma('temp_store = MEMORY')
  db.pragma('cache_size = -8000')
  // Whoever finds it up to date takes no lock.
  if (whileBusy(() => versionOf(db), patience) !== migrations.length)
    whileBusy(() => db.transaction(() => migrate(db)).immediate(), patience)
  return db
}

/** How many migrations the database has had. */
function versionOf(db: Database.Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

function migrate(db: Database.Database): void {
  const version = versionOf(db)
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
  whileBusy(() => db.pragma('journal_mode = WAL'), patience)
}

/** Milliseconds for which another process may hold the database. */
const patience = 30_000

/**
 * What SQLite answers once no other process writes. SQLite's own waiting grows to 100 ms between looks, in which a process
 * that commits all the time is always seen at it, and whoever commits once a second starves.
 */
function patiently<Result>(work: () => Result): Result {
  return translated(() => whileBusy(work, patience))
}

/**
 * Does it again for about so many milliseconds while SQLite answers that it is busy, which means that nothing was done. After
 * the first looks it waits a little longer, and not always the same: a hundred that look each millisecond leave nobody a
 * processor to get done.
 */
function whileBusy<Result>(work: () => Result, most: number): Result {
  for (let looks = 0, waited = 0; ; looks++) {
    try {
      return work()
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (waited >= most || !code.startsWith('SQLITE_BUSY')) throw error
      const wait = looks < 20 ? 1 : 1 + ((process.pid + looks) % 16)
      Atomics.wait(still, 0, 0, wait)
      waited += wait
    }
  }
}

const still = new Int32Array(new SharedArrayBuffer(4))

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
