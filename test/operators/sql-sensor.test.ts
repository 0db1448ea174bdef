import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { sqlSensor } from '../../operators/data/sql-sensor.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { postgresPrograms, startPostgres } from '../support/postgres.ts'
import { freePort, required } from '../support/requirement.ts'
import { runOperator } from '../support/task-context.ts'

function look(dir: string, input: JsonObject, env: { readonly [name: string]: string } = {}) {
  return runOperator(sqlSensor, input, { dir, env, clock: { now: () => 0 } })
}

t.test('SQLite: it sleeps until a row begins with something true, and gives the row', async (t) => {
  const dir = t.testdir()
  const db = new Database(join(dir, 'lake.db'))
  t.teardown(() => db.close())
  db.exec('CREATE TABLE loads (day TEXT, rows INTEGER, sum BLOB)')
  const input = {
    url: 'sqlite:lake.db',
    query: "SELECT rows, day, sum FROM loads WHERE day = '2026-05-01'",
    every: '1m',
  }
  const none = await look(dir, input)
  t.strictSame(none.outcome, { type: 'sleep', until: 60_000, state: 'the query has no row' })
  db.exec("INSERT INTO loads VALUES ('2026-05-01', 0, x'00ff')")
  t.match((await look(dir, input)).outcome, { type: 'sleep', state: 'the first column is 0' })
  db.exec('UPDATE loads SET rows = 9007199254740993')
  t.strictSame((await look(dir, input)).outcome, {
    type: 'succeeded',
    outputs: { row: { rows: '9007199254740993', day: '2026-05-01', sum: 'AP8=' } },
  })
  const absolute = { ...input, url: `sqlite://${join(dir, 'lake.db')}` }
  t.match((await look(dir, absolute)).outcome, { type: 'succeeded' })
})

t.test('SQLite: what no waiting mends is refused, and a query that takes too long is given up', async (t) => {
  const dir = t.testdir({ 'no.db': 'this is no database, however long one reads it'.repeat(100) })
  new Database(join(dir, 'a.db')).exec('CREATE TABLE t (n)').close()
  for (const [input, kind, message] of [
    [
      { url: 'sqlite:absent.db', query: 'SELECT 1' },
      'invalid_input',
      /absent\.db: unable to open.*check the path/,
    ],
    [
      { url: 'sqlite:a.db', query: 'SELECT * FROM loads' },
      'invalid_input',
      /no such table: loads; check `query`/,
    ],
    [{ url: 'sqlite:a.db', query: 'INSERT INTO t VALUES (1)' }, 'invalid_input', /only read/],
    [{ url: 'sqlite:a.db', query: 'INSERT INTO t VALUES (1) RETURNING n' }, 'invalid_input', /readonly/],
    [{ url: 'sqlite:a.db', query: 'SELECT 1; SELECT 2' }, 'invalid_input', /more than one statement/],
    [{ url: 'sqlite:no.db', query: 'SELECT 1 FROM sqlite_master' }, 'data_corruption', /not a database/],
    [
      { url: 'mysql://a:secret@b/c', query: 'SELECT 1' },
      'invalid_input',
      /^the input of SqlSensor does not fit: \/url must be `sqlite:PATH` or `postgres:\/\/HOST\/NAME`$/,
    ],
  ] as const)
    t.match((await look(dir, input)).outcome, { type: 'failed', kind, message }, JSON.stringify(input))
  const endless =
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000000) SELECT max(i) FROM n'
  t.match((await look(dir, { url: 'sqlite:a.db', query: endless, timeout: '100ms' })).outcome, {
    type: 'failed',
    kind: 'timeout',
    message: /longer than 0\.1 s/,
  })
})

t.test('PostgreSQL: the same, against a real server', async (t) => {
  const programs = required(t, postgresPrograms(), 'PostgreSQL (package postgresql)')
  if (programs === null) return
  const server = await startPostgres(programs)
  t.teardown(() => server.close())
  const dir = t.testdir()
  const url = `postgres://${server.user}@127.0.0.1:${server.port}/postgres`
  const env = { PGPASSWORD: server.password }
  await server.execute('CREATE TABLE loads (day date, rows bigint, at timestamptz, about jsonb)')
  const query = "SELECT count(*), max(at) AS at, max(rows) AS rows FROM loads WHERE day = '2026-05-01'"
  t.match((await look(dir, { url, query }, env)).outcome, { type: 'sleep', state: 'the first column is "0"' })
  await server.execute(`INSERT INTO loads VALUES ('2026-05-01', 5, '2026-05-01T02:00:00Z', '{"a":[1]}')`)
  t.strictSame((await look(dir, { url, query }, env)).outcome, {
    type: 'succeeded',
    outputs: { row: { count: '1', at: '2026-05-01T02:00:00.000Z', rows: '5' } },
  })
  t.match((await look(dir, { url: server.url, query: 'SELECT true, about FROM loads' })).outcome, {
    outputs: { row: { about: { a: [1] } } },
  })
  for (const [input, as, kind, message] of [
    [
      { url, query: 'DELETE FROM loads RETURNING 1' },
      env,
      'invalid_input',
      /read-only transaction; `query` may only read/,
    ],
    [{ url, query: 'COMMIT; DELETE FROM loads' }, env, 'invalid_input', /check `query`/],
    [
      { url, query: 'SELECT nothing' },
      env,
      'invalid_input',
      /column "nothing" does not exist; check `query`/,
    ],
    [
      { url, query: 'SELECT 1' },
      { PGPASSWORD: 'wrong' },
      'invalid_input',
      /authentication failed.*PGPASSWORD/,
    ],
    [{ url: `${url}x`, query: 'SELECT 1' }, env, 'invalid_input', /database "postgresx" does not exist/],
    [{ url, query: 'SELECT pg_sleep(20)', timeout: '200ms' }, env, 'timeout', /longer than 0\.2 s/],
  ] as const) {
    const { outcome } = await look(dir, input, as)
    t.match(outcome, { type: 'failed', kind, message }, JSON.stringify(input))
    t.notMatch(JSON.stringify(outcome), server.password)
  }
})

t.test('a PostgreSQL that is down is a failure of the network', async (t) => {
  const url = `postgres://a:secret@127.0.0.1:${await freePort()}/b`
  const { outcome } = await look(t.testdir(), { url, query: 'SELECT 1' })
  t.match(outcome, { type: 'failed', kind: 'network', message: /127\.0\.0\.1:\d+\/b: .*ECONNREFUSED/ })
  t.notMatch(JSON.stringify(outcome), 'secret')
})

t.test('bad input is refused', async (t) => {
  const dir = t.testdir()
  writeFileSync(join(dir, 'a'), '')
  for (const input of [
    {},
    { url: 'sqlite:a' },
    { url: 'sqlite:a', query: '' },
    { url: '', query: 'SELECT 1' },
  ])
    t.match(
      (await look(dir, input)).outcome,
      { type: 'failed', kind: 'invalid_input' },
      JSON.stringify(input),
    )
})
