/**
 * One read-only query of SQLite or PostgreSQL, with a limit of time. The one importer of the drivers among the operators.
 * Passwords are in no message.
 */
import { isAbsolute, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type FailureKind,
  type Json,
  type JsonObject,
  OperatorFailure,
  type TaskContext,
} from '../../plugins/api.ts'

/** A query and how long it may take, milliseconds. */
export interface Query {
  readonly url: string
  readonly query: string
  readonly timeout: number
}

/** A row, and its first column. */
export interface Row {
  readonly row: JsonObject
  readonly first: Json
}

/** The query's first row, or null where it has none. Throws an OperatorFailure. */
export async function firstRow(query: Query, task: TaskContext): Promise<Row | null> {
  const { url } = query
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(url)?.[1]
  if (path !== undefined) return sqliteRow(isAbsolute(path) ? path : resolve(task.cwd, path), query, task)
  if (/^postgres(ql)?:\/\//.test(url) && URL.parse(url) !== null) return postgresRow(query, task)
  const shown = url.replace(/\/\/[^/]*@/, '//…@')
  throw new OperatorFailure(
    'invalid_input',
    `\`${shown}\` is no database; write sqlite:PATH or postgres://HOST/NAME`,
  )
}

/**
 * SQLite's driver works in the calling thread and cannot be interrupted. So it has one of its own: when the time is up
 * that is left to itself, and ends with the process of the attempt.
 */
const sqliteThread = `
const { parentPort, workerData: { driver, path, query } } = require('node:worker_threads')
const Database = require(driver)
try {
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: 5000 })
  const statement = db.prepare(query)
  if (!statement.reader) throw Object.assign(new Error('it is no query'), { code: 'NO_QUERY' })
  const names = statement.columns().map(({ name }) => name)
  const values = statement.safeIntegers().raw().get()
  parentPort.postMessage({ names, values: values ?? null })
} catch ({ code, message }) {
  parentPort.postMessage({ code, message })
}`

type FromThread =
  | { readonly names: readonly string[]; readonly values: readonly unknown[] | null }
  | { readonly code: string; readonly message: string }

async function sqliteRow(path: string, { query, timeout }: Query, task: TaskContext): Promise<Row | null> {
  const { createRequire } = await import('node:module')
  const driver = createRequire(import.meta.url).resolve('better-sqlite3')
  const worker = new Worker(sqliteThread, { eval: true, workerData: { driver, path, query } })
  const late = AbortSignal.timeout(timeout)
  const signal = AbortSignal.any([late, task.signal])
  try {
    const said = await new Promise<FromThread>((answer, refuse) => {
      worker.once('message', answer)
      worker.once('error', refuse)
      signal.addEventListener('abort', () => refuse(signal.reason))
    })
    if ('message' in said) throw sqliteFailure(path, said)
    return said.values === null ? null : rowOf(said.names, said.values)
  } catch (error) {
    if (late.aborted) throw tooLate(path, timeout)
    throw error
  } finally {
    worker.unref()
    void worker.terminate()
  }
}

function sqliteFailure(path: string, { code, message }: { code: string; message: string }): OperatorFailure {
  if (code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED')
    return new OperatorFailure('crash', `${path} is locked by another program (${code})`)
  const kind: FailureKind =
    code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB' ? 'data_corruption' : 'invalid_input'
  const hint =
    code === 'SQLITE_CANTOPEN' ? '; check the path in `url`' : '; check `query`, which may only read'
  return new OperatorFailure(kind, `${path}: ${message}${kind === 'invalid_input' ? hint : ''}`)
}

async function postgresRow({ url, query, timeout }: Query, task: TaskContext): Promise<Row | null> {
  const { default: pg } = await import('pg')
  const at = hostOf(url)
  const client = new pg.Client({
    connectionString: withPassword(url, task.env.PGPASSWORD),
    connectionTimeoutMillis: 10_000,
    statement_timeout: timeout,
    // For a server that no longer answers at all.
    query_timeout: timeout + 5000,
    application_name: 'dagctl',
  })
  // A connection that breaks later is told by the query; without a listener it would end the process.
  client.on('error', () => {})
  const leave = () => void client.end()
  task.signal.addEventListener('abort', leave)
  try {
    await client.connect()
    await client.query('BEGIN TRANSACTION READ ONLY')
    // Extended, so that it is one statement and cannot leave the transaction and go on.
    const { fields, rows } = await client.query({
      text: query,
      rowMode: 'array',
      queryMode: 'extended',
      values: [],
    } as {
      text: string
      rowMode: 'array'
    })
    const [values] = rows as unknown[][]
    return values === undefined
      ? null
      : rowOf(
          fields.map(({ name }) => name),
          values,
        )
  } catch (error) {
    if (task.signal.aborted) throw error
    throw postgresFailure(error as Error & { readonly code?: string }, at, timeout)
  } finally {
    task.signal.removeEventListener('abort', leave)
    await client.end().catch(() => {})
  }
}

/** The URL with the password of the task's environment, where it has none of its own. */
function withPassword(url: string, password: string | undefined): string {
  const parsed = new URL(url)
  if (parsed.password === '' && password) parsed.password = password
  return parsed.href
}

/** The server and the database of a URL, for people. */
function hostOf(url: string): string {
  const { hostname, port, pathname, searchParams } = new URL(url)
  const host = hostname || searchParams.get('host') || 'localhost'
  return `${host}${port === '' ? '' : `:${port}`}${pathname}`
}

/** By the class of SQLSTATE (PostgreSQL's appendix A), else by what the connection met. */
function postgresFailure(
  { code = '', message }: { readonly code?: string; readonly message: string },
  at: string,
  timeout: number,
): OperatorFailure {
  if (code === '57014' || message === 'Query read timeout') return tooLate(at, timeout)
  const wrong: { readonly [sqlClass: string]: string } = {
    28: 'check the user and the password: in `url`, or PGPASSWORD',
    '3D': 'check the name of the database in `url`',
    42: 'check `query`',
    22: 'check `query`',
    25: '`query` may only read',
  }
  const hint = /^[0-9A-Z]{5}$/.test(code) ? wrong[code.slice(0, 2)] : undefined
  if (hint !== undefined) return new OperatorFailure('invalid_input', `${at}: ${message}; ${hint}`)
  if (/password must be a string|no password/i.test(message))
    return new OperatorFailure('invalid_input', `${at}: it wants a password; set PGPASSWORD`)
  const met = code === 'ECONNREFUSED' ? 'nothing listens there; is the server up?' : message || 'no answer'
  return new OperatorFailure('network', `${at}: ${met}${code === '' ? '' : ` (${code})`}`)
}

function tooLate(at: string, timeout: number): OperatorFailure {
  return new OperatorFailure('timeout', `${at}: the query took longer than ${timeout / 1000} s`)
}

function rowOf(names: readonly string[], values: readonly unknown[]): Row {
  const json = values.map(jsonOf)
  return { row: Object.fromEntries(names.map((name, i) => [name, json[i] ?? null])), first: json[0] ?? null }
}

/** A value of a database as JSON has it: large integers and binary data as text, times as RFC 3339. */
function jsonOf(value: unknown): Json {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === undefined) return null
  return JSON.parse(JSON.stringify(value)) as Json
}
