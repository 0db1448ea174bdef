/** What every store must do: runs and tasks, and what it keeps of them. Limits and schedules have files of their own. */
import t from 'tap'
import type { Json } from '../../engine/json.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { Connection, type SqliteOptions } from '../../engine/store/sqlite-connection.ts'
import type { GivenNode, Store } from '../../engine/store/store.ts'
import { claim, everyStore, newRun, pipeline, unblockA, writeTo } from '../support/stores.ts'

everyStore('a new run is queued, owned, pinned to its version, and its tasks wait', async (t, { store }) => {
  const record = await store.createRun(newRun('r1'), 'e1', 5)
  t.match(record, {
    state: 'queued',
    owner: 'e1',
    fence: 1,
    runtime: null,
    createdAt: 5,
    params: { n: 1 },
    interval: { start: 1, end: 2 },
  })
  t.strictSame(await store.pipeline(record.version), pipeline)
  t.strictSame(
    (await store.tasks('r1')).map(({ state }) => state),
    ['waiting', 'waiting'],
  )
  t.strictSame(await store.run('r1'), record)
  t.equal(await store.run('r2'), null)
})

everyStore('a queued run of another owner is lost to whoever would start it', async (t, { store }) => {
  const record = await store.createRun(newRun('r1'), 'e1', 5)
  await store.takeOver('r1', record, 'e2')
  const starts = [{ run: 'r1', fence: 1, limit: 1, scheduledLimit: null, backfillLimit: null }]
  t.strictSame(await store.commit({ engine: 'e1', at: 6, runs: [], claims: [], starts }), {
    lost: ['r1'],
    denied: new Map(),
    started: [],
  })
  const own = [{ run: 'r1', fence: 2, limit: 1, scheduledLimit: null, backfillLimit: null }]
  t.strictSame(await store.commit({ engine: 'e2', at: 6, runs: [], claims: [], starts: own }), {
    lost: [],
    denied: new Map(),
    started: ['r1'],
  })
})

everyStore('nothing is asked of a run that has ended', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await store.request('r1', { kind: 'cancel' }, 'ann', 6)
  t.equal((await store.requests('e1')).length, 1)
  await commit([writeTo('r1', { state: { event: 'succeed', to: 'succeeded', endedAt: 7 } })])
  t.strictSame(await store.requests('e1'), [], 'what was asked before')
  await store.request('r1', { kind: 'cancel' }, 'ann', 8)
  t.strictSame(await store.requests('e1'), [], 'what is asked after')
})

everyStore('tasks that a run leaves out start as skipped', async (t, { store }) => {
  await store.createRun(newRun('r1', { omit: [1] }), 'e1', 5)
  t.strictSame(
    (await store.tasks('r1')).map(({ state, endedAt }) => [state, endedAt]),
    [
      ['waiting', null],
      ['skipped', 5],
    ],
  )
})

everyStore(
  'a claim takes the next attempt number, and a second claim of the same attempt is a bug',
  async (t, { store, commit, claims }) => {
    await store.createRun(newRun('r1'), 'e1', 5)
    await commit([writeTo('r1', { tasks: [unblockA] })], [claim('r1')])
    t.match((await store.tasks('r1'))[0], { state: 'running', attempt: 1, holding: true })
    await t.rejects(claims(claim('r1')), { code: 'E700' })
  },
)

everyStore('a batch that cannot be written whole is not written at all', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await t.rejects(commit([writeTo('r1', { tasks: [unblockA] })], [claim('r1', { node: 1 })]), {
    code: 'E700',
  })
  t.equal((await store.tasks('r1'))[0]?.state, 'waiting')
  t.strictSame(
    (await store.events('r1')).map(({ event }) => event),
    ['create'],
  )
})

everyStore(
  'an outcome of an attempt that is no longer the current one is refused',
  async (t, { store, commit }) => {
    await store.createRun(newRun('r1'), 'e1', 5)
    await commit([writeTo('r1', { tasks: [unblockA] })], [claim('r1')])
    const late = {
      node: 0,
      events: [{ event: 'succeed', attempt: 0 }],
      patch: { state: 'succeeded' },
    } as const
    await t.rejects(commit([writeTo('r1', { tasks: [late] })]), { code: 'E700' })
  },
)

everyStore(
  'what an engine writes that no longer owns the run is refused, and the rest of the batch is kept',
  async (t, { store, commit }) => {
    await store.createRun(newRun('r1'), 'e1', 5)
    await store.createRun(newRun('r2'), 'e1', 5)
    t.equal(await store.takeOver('r1', { owner: 'e1', fence: 1 }, 'e2'), 2)
    t.equal(await store.takeOver('r1', { owner: 'e1', fence: 1 }, 'e3'), null, 'only one takes it over')
    const result = await commit([writeTo('r1', { tasks: [unblockA] }), writeTo('r2', { tasks: [unblockA] })])
    t.strictSame(result.lost, ['r1'])
    t.equal((await store.tasks('r1'))[0]?.state, 'waiting')
    t.equal((await store.tasks('r2'))[0]?.state, 'ready')
  },
)

everyStore('nodes of an earlier run stand in the new one as they are given', async (t, { store }) => {
  const expansion = { items: [1, 2], keys: ['x', 'y'] }
  const instance = (key: string, state: GivenNode['state'], outputs: Json) =>
    ({ task: 0, key, parent: 0, state, outputs }) as const
  const taken = instance('x', 'succeeded', { n: 1 })
  const expansions = [{ node: 0, expansion }]
  const instances = { run: 'old', nodes: [taken, instance('y', 'waiting', null)], expansions }
  await store.createRun(newRun('r1', { instances }), 'e1', 5)
  const tasks = await store.tasks('r1')
  t.equal(tasks.length, 4)
  t.match(tasks, [
    { node: 0, state: 'waiting', expansion },
    { node: 1, state: 'waiting' },
    { node: 2, task: 0, key: 'x', parent: 0, state: 'succeeded', outputs: { n: 1 }, cached: 'old' },
    { node: 3, task: 0, key: 'y', parent: 0, state: 'waiting', outputs: null },
  ])
  const given = [{ node: 0, run: 'old', outputs: [{ n: 1 }, null] }]
  const rest = { ...instances, nodes: [taken, instance('y', 'skipped', null)] }
  await store.createRun(newRun('r2', { instances: rest, given }), 'e1', 5)
  t.match((await store.tasks('r2'))[3], { state: 'skipped', endedAt: 5 })
})

everyStore(
  'a run keeps what it spent, why it is paused, and what happened to it as a whole',
  async (t, { store, commit }) => {
    await store.createRun(newRun('r1', { dueAt: 3, provenance: { dagctl: '1' } }), 'e1', 5)
    t.match(await store.run('r1'), { dueAt: 3, spentUsd: 0, pausedFor: null, provenance: { dagctl: '1' } })
    const patch = { spentUsd: 0.5, spentGpuSeconds: 3, pausedFor: 'budget', overBudget: true } as const
    await commit([writeTo('r1', { patch, events: [{ event: 'over_budget', detail: { usd: 0.5 } }] })])
    t.match(await store.run('r1'), patch)
    t.match((await store.events('r1')).at(-1), { event: 'over_budget', node: null, detail: { usd: 0.5 } })
  },
)

everyStore('an end that is taken back is no end, and a start no start', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await commit([writeTo('r1', { state: { event: 'fail', to: 'failed', startedAt: 6, endedAt: 7 } })])
  await commit([writeTo('r1', { state: { event: 'retry', to: 'queued', endedAt: null } })])
  t.match(await store.run('r1'), { state: 'queued', startedAt: 6, endedAt: null })
  await commit([writeTo('r1', { state: { event: 'pause', to: 'paused', startedAt: null } })])
  t.match(await store.run('r1'), { state: 'paused', startedAt: null })
})

everyStore('nodes that a run grows get rows of their own', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  const grown = {
    node: 2,
    events: [{ event: 'unblock', attempt: 0 }],
    patch: { state: 'ready' },
  } as const
  await commit([writeTo('r1', { grow: [{ node: 2, task: 0, key: 'x', parent: 0 }], tasks: [grown] })])
  t.match((await store.tasks('r1'))[2], { node: 2, task: 0, key: 'x', parent: 0, state: 'ready' })
})

everyStore('JSON columns hold any value, also a bare string', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  for (const carry of ['text', 5, false, [1, null], { a: 'ä\u0000' }]) {
    await commit([writeTo('r1', { tasks: [{ node: 0, events: [], patch: { carry, outputs: carry } }] })])
    t.strictSame((await store.tasks('r1'))[0]?.carry, carry)
  }
})

everyStore('the cache gives outputs no older than asked for', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await commit([writeTo('r1', { cache: [{ key: 'k', task: 'a', outputs: { n: 1 } }] })])
  t.strictSame(await store.cached('k', 10), { run: 'r1', outputs: { n: 1 } })
  t.equal(await store.cached('k', 11), null)
  t.equal(await store.cached('other', 0), null)
})

everyStore('requests reach the owner of the run until they are answered', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await store.request('r1', { kind: 'cancel' }, 'ann', 6)
  const [request] = await store.requests('e1')
  t.match(request, { run: 'r1', wish: { kind: 'cancel' }, by: 'ann', at: 6 })
  t.strictSame(await store.requests('e2'), [])
  await commit([writeTo('r1', { answered: [request?.id as number] })])
  t.strictSame(await store.requests('e1'), [])
  await store.request('r1', { kind: 'pause' }, 'ann', 9)
  t.not((await store.requests('e1'))[0]?.id, request?.id, 'a number is given once')
})

everyStore('runs are listed newest first, by any of their traits', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await store.createRun(newRun('r2', { backfill: 'b' }), 'e2', 6)
  const state = { event: 'succeed', to: 'succeeded', endedAt: 9 } as const
  await commit([writeTo('r1', { state })])
  const ids = async (filter: Parameters<Store['runs']>[0]) => (await store.runs(filter)).map(({ id }) => id)
  t.strictSame(await ids({}), ['r2', 'r1'])
  t.strictSame(await ids({ active: true }), ['r2'])
  t.strictSame(await ids({ active: false }), ['r1'])
  t.strictSame(await ids({ backfill: 'b' }), ['r2'])
  t.strictSame(await ids({ owner: 'e1' }), ['r1'])
  t.strictSame(await ids({ pipeline: 'test', limit: 1 }), ['r2'])
})

everyStore(
  'the baseline is the task of the last succeeded run, under whatever version',
  async (t, { store, commit }) => {
    t.equal(await store.baseline('test', 'a'), null)
    await store.createRun(newRun('r1'), 'e1', 5)
    const done = { node: 0, events: [], patch: { state: 'succeeded', outputs: { n: 1 } } } as const
    await commit([writeTo('r1', { tasks: [done], state: { event: 'succeed', to: 'succeeded', endedAt: 9 } })])
    await store.createRun(newRun('r2'), 'e1', 6)
    t.strictSame(await store.baseline('test', 'a'), { n: 1 })
    t.equal(await store.baseline('test', 'b'), null)
    t.equal(await store.baseline('test', 'nothing'), null)
  },
)

everyStore('engines come, renew and leave', async (t, { store }) => {
  const engine = { id: 'e1', host: 'h', pid: 1, startTime: 's', bootId: 'b', leaseUntil: 10 }
  await store.renew(engine)
  await store.renew({ ...engine, leaseUntil: 20 })
  t.strictSame(await store.engines(), [{ ...engine, leaseUntil: 20 }])
  await store.leave('e1')
  t.strictSame(await store.engines(), [])
})

t.test('sqlite: what one connection committed, another reads after it is opened anew', async (t) => {
  const path = `${t.testdir()}/dagctl.db`
  const first = openSqlite({ path })
  await first.createRun(newRun('r1'), 'e1', 5)
  const second = openSqlite({ path })
  t.equal((await second.run('r1'))?.id, 'r1')
  await first.close()
  await second.close()
})

t.test('sqlite: what is committed survives a loss of power unless that is not asked for', (t) => {
  const path = `${t.testdir()}/dagctl.db`
  const asked = (options: SqliteOptions) => {
    const db = new Connection(options)
    const { synchronous } = db.get('PRAGMA synchronous') ?? {}
    const { journal_mode: journal } = db.get('PRAGMA journal_mode') ?? {}
    db.close()
    return [journal, synchronous]
  }
  // 2 is FULL, 1 NORMAL.
  t.strictSame(asked({ path }), ['wal', 2])
  t.strictSame(asked({ path, synchronous: 'NORMAL' }), ['wal', 1])
  t.end()
})

t.test('sqlite: a file that is no database is said to be none', async (t) => {
  const folder = t.testdir({ 'text.db': 'this is not a database, it is a text of some length\n'.repeat(50) })
  t.throws(() => openSqlite({ path: `${folder}/text.db` }), { code: 'E501', hint: /not a dagctl database/ })
})
