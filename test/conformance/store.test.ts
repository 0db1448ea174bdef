/** What every store must do. A new store is a line in `stores`. */
import t from 'tap'
import type { PoolClaim, RunWrite, TaskClaim } from '../../engine/store/batch.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { BackfillRecord, NewRun, Store } from '../../engine/store/store.ts'
import { pipelineOf } from '../support/pipelines.ts'

const stores: { [name: string]: (folder: string) => Store } = {
  sqlite: (folder) => openSqlite({ path: `${folder}/dagctl.db` }),
}

const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } })

function newRun(id: string, more: Partial<NewRun> = {}): NewRun {
  const interval = { start: 1, end: 2 }
  return {
    id,
    pipeline,
    folder: '/f',
    params: { n: 1 },
    trigger: 'manual',
    interval,
    backfill: null,
    omit: [],
    ...more,
  }
}

function backfillOf(id: string): BackfillRecord {
  return {
    id,
    pipeline: 'test',
    version: pipeline.version,
    from: 1,
    to: 2,
    mode: 'missing',
    maxActive: 3,
    reverse: true,
    params: {},
    folder: '/f',
    includeDeploy: false,
    state: 'running',
    createdAt: 1,
  }
}

/** A claim of task 0, or of what `more` says. */
function claim(run: string, more: Partial<TaskClaim> = {}): TaskClaim {
  const { attempt = 1 } = more
  const patch = { state: 'running', holding: true, tries: attempt } as const
  return { run, node: 0, attempt, try: attempt, patch, limit: null, pool: null, ...more }
}

/** A claim of slots of the pool `gpu`. */
function claimOfPool(run: string, pool: Partial<PoolClaim>): TaskClaim {
  const whole = { name: 'gpu', slots: 1, limit: null, share: null, ...pool }
  const patch = { state: 'running', holding: true, tries: 1, pool: 'gpu', slots: whole.slots } as const
  return claim(run, { pool: whole, patch })
}

function writeTo(run: string, more: Partial<RunWrite>): RunWrite {
  return { run, fence: 1, tasks: [], grow: [], ...more }
}

const freeing = { state: 'succeeded', holding: false } as const
const unblockA = { node: 0, events: [{ event: 'unblock', attempt: 0 }], patch: { state: 'ready' } } as const

for (const [name, open] of Object.entries(stores)) {
  t.test(name, async (t) => {
    let store: Store
    const commit = (runs: RunWrite[], claims: TaskClaim[] = []) =>
      store.commit({ engine: 'e1', at: 10, runs, claims, starts: [] })
    /** Commits claims of runs of which nothing else is written; gives those that were denied, and by what. */
    const claims = async (...all: TaskClaim[]) => [
      ...(
        await commit(
          [...new Set(all.map(({ run }) => run))].map((run) => writeTo(run, {})),
          all,
        )
      ).denied,
    ]
    t.beforeEach((t) => {
      store = open(t.testdir())
    })
    t.afterEach(() => store.close())

    t.test('a new run is queued, owned, pinned to its version, and its tasks wait', async (t) => {
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

    t.test('the `max-active` that stands in the store holds for every engine', async (t) => {
      await store.createBackfill({ ...backfillOf('b'), maxActive: 2 }, pipeline)
      const ids = ['r1', 'r2', 'r3', 'r4']
      for (const [start, id] of ids.entries())
        await store.createRun(newRun(id, { backfill: 'b', interval: { start, end: start + 1 } }), 'e1', 5)
      const start = async (backfillLimit: number) => {
        const limits = { limit: null, scheduledLimit: null, backfillLimit }
        const starts = ids.map((run) => ({ run, fence: 1, ...limits }))
        return (await store.commit({ engine: 'e1', at: 10, runs: [], claims: [], starts })).started
      }
      t.strictSame(await start(9), ['r1', 'r2'])
      await store.limitBackfill('b', 3)
      t.strictSame(await start(1), ['r3'])
    })

    t.test('of runs that are made at the same time one that is refused keeps no other back', async (t) => {
      await store.createBackfill({ ...backfillOf('b'), state: 'cancelled' }, pipeline)
      const made = await Promise.allSettled([
        store.createRun(newRun('r1'), 'e1', 5),
        store.createRun(newRun('r2', { backfill: 'b' }), 'e1', 5),
        store.createRun(newRun('r3', { origin: 'same' }), 'e1', 5),
        store.createRun(newRun('r4', { origin: 'same' }), 'e1', 5),
      ])
      t.strictSame(
        made.map((one) => (one.status === 'fulfilled' ? one.value.id : one.reason.code)),
        ['r1', 'E232', 'r3', 'r3'],
      )
      t.strictSame(
        (await store.runs({})).map(({ id }) => id),
        ['r3', 'r1'],
      )
    })

    t.test('a claim finds the slot that the same batch frees, whichever run comes first', async (t) => {
      for (const id of ['r1', 'r2']) await store.createRun(newRun(id), 'e1', 5)
      await commit(['r1', 'r2'].map((id) => writeTo(id, { tasks: [unblockA] })))
      t.strictSame(await claims(claim('r2', { limit: 1 })), [])
      const freed = { node: 0, events: [{ event: 'succeed', attempt: 1 }], patch: freeing } as const
      const { denied } = await commit(
        [writeTo('r1', {}), writeTo('r2', { tasks: [freed] })],
        [claim('r1', { limit: 1 })],
      )
      t.strictSame([...denied], [])
    })

    t.test('a queued run of another owner is lost to whoever would start it', async (t) => {
      const record = await store.createRun(newRun('r1'), 'e1', 5)
      await store.takeOver('r1', record, 'e2')
      const starts = [{ run: 'r1', fence: 1, limit: 1, scheduledLimit: null, backfillLimit: null }]
      const late = await store.commit({ engine: 'e1', at: 6, runs: [], claims: [], starts })
      t.strictSame([late.lost, late.started], [['r1'], []])
      const own = [{ run: 'r1', fence: 2, limit: 1, scheduledLimit: null, backfillLimit: null }]
      const owned = await store.commit({ engine: 'e2', at: 6, runs: [], claims: [], starts: own })
      t.strictSame([owned.lost, owned.started], [[], ['r1']])
    })

    t.test('nothing is asked of a run that has ended', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await store.request('r1', { kind: 'cancel' }, 'ann', 6)
      t.equal((await store.requests('e1')).length, 1)
      await commit([writeTo('r1', { state: { event: 'succeed', to: 'succeeded', endedAt: 7 } })])
      t.strictSame(await store.requests('e1'), [], 'what was asked before')
      await store.request('r1', { kind: 'cancel' }, 'ann', 8)
      t.strictSame(await store.requests('e1'), [], 'what is asked after')
    })

    t.test('ended runs that still hold a slot are found', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await commit([writeTo('r1', { tasks: [unblockA] })])
      await claims(claim('r1'))
      t.strictSame(await store.leftovers(), [], 'a run that goes on')
      await commit([writeTo('r1', { state: { event: 'cancel', to: 'cancelled', endedAt: 7 } })])
      t.strictSame(await store.leftovers(), ['r1'])
      await commit([writeTo('r1', { tasks: [{ node: 0, events: [], patch: { holding: false } }] })])
      t.strictSame(await store.leftovers(), [])
    })

    t.test('tasks that a run leaves out start as skipped', async (t) => {
      await store.createRun(newRun('r1', { omit: [1] }), 'e1', 5)
      t.strictSame(
        (await store.tasks('r1')).map(({ state, endedAt }) => [state, endedAt]),
        [
          ['waiting', null],
          ['skipped', 5],
        ],
      )
    })

    t.test(
      'a claim takes the next attempt number, and a second claim of the same attempt is a bug',
      async (t) => {
        await store.createRun(newRun('r1'), 'e1', 5)
        await commit([writeTo('r1', { tasks: [unblockA] })], [claim('r1')])
        t.match((await store.tasks('r1'))[0], { state: 'running', attempt: 1, holding: true })
        await t.rejects(claims(claim('r1')), { code: 'E700' })
      },
    )

    t.test('a batch that cannot be written whole is not written at all', async (t) => {
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

    t.test('an outcome of an attempt that is no longer the current one is refused', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await commit([writeTo('r1', { tasks: [unblockA] })], [claim('r1')])
      const late = {
        node: 0,
        events: [{ event: 'succeed', attempt: 0 }],
        patch: { state: 'succeeded' },
      } as const
      await t.rejects(commit([writeTo('r1', { tasks: [late] })]), { code: 'E700' })
    })

    t.test(
      'what an engine writes that no longer owns the run is refused, and the rest of the batch is kept',
      async (t) => {
        await store.createRun(newRun('r1'), 'e1', 5)
        await store.createRun(newRun('r2'), 'e1', 5)
        t.equal(await store.takeOver('r1', { owner: 'e1', fence: 1 }, 'e2'), 2)
        t.equal(await store.takeOver('r1', { owner: 'e1', fence: 1 }, 'e3'), null, 'only one takes it over')
        const result = await commit([
          writeTo('r1', { tasks: [unblockA] }),
          writeTo('r2', { tasks: [unblockA] }),
        ])
        t.strictSame(result.lost, ['r1'])
        t.equal((await store.tasks('r1'))[0]?.state, 'waiting')
        t.equal((await store.tasks('r2'))[0]?.state, 'ready')
      },
    )

    t.test(
      'claims beyond the limit are denied, over all runs of the pipeline, within one batch too',
      async (t) => {
        for (const id of ['r1', 'r2', 'r3']) await store.createRun(newRun(id), 'e1', 5)
        const runs = ['r1', 'r2', 'r3'].map((id) => writeTo(id, { tasks: [unblockA] }))
        const all = ['r1', 'r2', 'r3'].map((id) => claim(id, { limit: 2 }))
        t.strictSame([...(await commit(runs, all)).denied], [[2, 'tasks']])
        t.match((await store.tasks('r3'))[0], { state: 'ready', attempt: 0 })
        const cancelled = {
          node: 0,
          events: [{ event: 'cancel', attempt: 1 }],
          patch: { state: 'cancelled' },
        } as const
        await commit([writeTo('r1', { tasks: [cancelled] })])
        t.strictSame(await claims(claim('r3', { limit: 2 })), [[0, 'tasks']], 'it still holds')
        await commit([writeTo('r1', { tasks: [{ node: 0, events: [], patch: { holding: false } }] })])
        t.strictSame(await claims(claim('r3', { limit: 2 })), [])
      },
    )

    t.test('queued runs start within the limit of their pipeline, or of their backfill', async (t) => {
      const starts = (ids: string[], limit: number | null, backfillLimit: number | null) =>
        store.commit({
          engine: 'e1',
          at: 9,
          runs: [],
          claims: [],
          starts: ids.map((run) => ({ run, fence: 1, limit, scheduledLimit: null, backfillLimit })),
        })
      for (const id of ['r1', 'r2']) await store.createRun(newRun(id), 'e1', 5)
      for (const [start, id] of ['b1', 'b2', 'b3'].entries())
        await store.createRun(newRun(id, { backfill: 'b', interval: { start, end: start + 1 } }), 'e1', 5)
      t.strictSame((await starts(['r1', 'r2'], 1, null)).started, ['r1'])
      t.strictSame((await starts(['b1', 'b2', 'b3'], 1, 2)).started, ['b1', 'b2'])
      t.match(await store.run('r1'), { state: 'running', startedAt: 9 })
    })

    t.test('slots of a pool are counted over all runs; backfills have their share of them', async (t) => {
      for (const id of ['r1', 'r2', 'r3', 'r4']) await store.createRun(newRun(id), 'e1', 5)
      await store.createRun(newRun('b1', { backfill: 'b' }), 'e1', 5)
      await store.createRun(newRun('b2', { backfill: 'b', interval: { start: 2, end: 3 } }), 'e1', 5)
      const all = ['r1', 'r2', 'r3', 'r4', 'b1', 'b2']
      await commit(all.map((id) => writeTo(id, { tasks: [unblockA] })))
      t.strictSame(await claims(claimOfPool('b1', { limit: 4, share: 2, slots: 2 })), [])
      t.strictSame(await claims(claimOfPool('b2', { limit: 4, share: 2 })), [[0, 'share']])
      t.strictSame(
        await claims(
          claimOfPool('r1', { limit: 4 }),
          claimOfPool('r2', { limit: 4, slots: 2 }),
          claimOfPool('r3', { limit: 4 }),
          claim('r4'),
        ),
        [
          [1, 'pool'],
          [2, 'pool'],
        ],
        'nothing small passes what is large and stands before it',
      )
      t.match(
        (await store.held()).map(({ run, pool, slots, backfill }) => [run, pool, slots, backfill]),
        [
          ['r1', 'gpu', 1, null],
          ['r4', null, 1, null],
          ['b1', 'gpu', 2, 'b'],
        ],
      )
    })

    t.test('scheduled runs wait for the one before, whatever else runs', async (t) => {
      await store.createRun(newRun('manual'), 'e1', 5)
      for (const id of ['s1', 's2']) await store.createRun(newRun(id, { trigger: 'schedule' }), 'e1', 5)
      const starts = ['manual', 's1', 's2'].map((run) => ({
        run,
        fence: 1,
        limit: null,
        scheduledLimit: run === 'manual' ? null : 1,
        backfillLimit: null,
      }))
      const { started } = await store.commit({ engine: 'e1', at: 9, runs: [], claims: [], starts })
      t.strictSame(started, ['manual', 's1'])
    })

    t.test(
      'instances of an earlier run stand in the new one, those without outputs as their task does',
      async (t) => {
        const expansion = { items: [1, 2], keys: ['x', 'y'] }
        const instances = [{ node: 0, run: 'old', expansion, outputs: [{ n: 1 }, null] }]
        await store.createRun(newRun('r1', { instances }), 'e1', 5)
        t.match(await store.tasks('r1'), [
          { node: 0, state: 'waiting', expansion },
          { node: 1, state: 'waiting' },
          { node: 2, task: 0, key: 'x', parent: 0, state: 'succeeded', outputs: { n: 1 }, cached: 'old' },
          { node: 3, task: 0, key: 'y', parent: 0, state: 'waiting', outputs: null },
        ])
        const given = [{ node: 0, run: 'old', outputs: [{ n: 1 }, null] }]
        await store.createRun(newRun('r2', { instances, given }), 'e1', 5)
        t.match((await store.tasks('r2'))[3], { state: 'skipped', endedAt: 5 })
      },
    )

    t.test('of an origin there is one run, whoever makes it first', async (t) => {
      const first = await store.createRun(newRun('r1', { origin: 'schedule:test:2' }), 'e1', 5)
      t.strictSame(await store.createRun(newRun('r2', { origin: 'schedule:test:2' }), 'e2', 6), first)
      t.strictSame(await store.runs({ origin: 'schedule:test:2' }), [first])
    })

    t.test('a run keeps what it spent, why it is paused, and what happened to it as a whole', async (t) => {
      await store.createRun(newRun('r1', { dueAt: 3, provenance: { dagctl: '1' } }), 'e1', 5)
      t.match(await store.run('r1'), { dueAt: 3, spentUsd: 0, pausedFor: null, provenance: { dagctl: '1' } })
      const patch = { spentUsd: 0.5, spentGpuSeconds: 3, pausedFor: 'budget', overBudget: true } as const
      await commit([writeTo('r1', { patch, events: [{ event: 'over_budget', detail: { usd: 0.5 } }] })])
      t.match(await store.run('r1'), patch)
      t.match((await store.events('r1')).at(-1), { event: 'over_budget', node: null, detail: { usd: 0.5 } })
    })

    t.test('an end that is taken back is no end, and a start no start', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await commit([writeTo('r1', { state: { event: 'fail', to: 'failed', startedAt: 6, endedAt: 7 } })])
      await commit([writeTo('r1', { state: { event: 'retry', to: 'queued', endedAt: null } })])
      t.match(await store.run('r1'), { state: 'queued', startedAt: 6, endedAt: null })
      await commit([writeTo('r1', { state: { event: 'pause', to: 'paused', startedAt: null } })])
      t.match(await store.run('r1'), { state: 'paused', startedAt: null })
    })

    t.test('updates of datasets are kept in order, with the newest of each', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await store.updateDataset('s3://b/x', 1)
      await commit([writeTo('r1', { datasets: [{ uri: 's3://b/y', task: 'a' }] })])
      await store.updateDataset('s3://b/x', 3)
      t.match(await store.datasetUpdates(1), [
        { seq: 2, uri: 's3://b/y', run: 'r1', task: 'a', at: 10 },
        { seq: 3, uri: 's3://b/x', run: null, task: null, at: 3 },
      ])
      t.match(await store.datasetUpdates(0, 's3://b/x'), [{ seq: 1 }, { seq: 3 }])
      t.strictSame(
        (await store.datasets()).map(({ uri, seq }) => [uri, seq]),
        [
          ['s3://b/x', 3],
          ['s3://b/y', 2],
        ],
      )
    })

    t.test(
      'a scheduled pipeline keeps its cursors and when it was first seen through new versions',
      async (t) => {
        await store.updateDataset('s3://b/x', 1)
        const place = { file: '/f/test.yaml', folder: '/f' }
        const first = await store.schedulePipeline(pipeline, place, 5)
        t.match(first, { name: 'test', ...place, firstSeenAt: 5, cursor: null, datasetCursor: 1 })
        await store.moveCursors('test', { cursor: 8 })
        await store.moveCursors('test', { cursor: 7, datasetCursor: 4 })
        const newer = { ...pipeline, version: 'newer' }
        await store.schedulePipeline(newer, { ...place, folder: '/g' }, 9)
        t.strictSame(await store.scheduledPipelines(), [
          { ...first, version: 'newer', folder: '/g', cursor: 8, datasetCursor: 4 },
        ])
        t.strictSame(await store.latest('test'), { pipeline: newer, folder: '/g' })
      },
    )

    t.test('a backfill has one run per interval, whoever makes it first', async (t) => {
      const first = await store.createRun(newRun('b1', { backfill: 'b' }), 'e1', 5)
      t.strictSame(await store.createRun(newRun('b2', { backfill: 'b' }), 'e2', 6), first)
      t.equal(await store.run('b2'), null)
      t.equal((await store.createRun(newRun('c1', { backfill: 'c' }), 'e2', 6)).id, 'c1')
    })

    t.test('nodes that a run grows get rows of their own', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      const grown = {
        node: 2,
        events: [{ event: 'unblock', attempt: 0 }],
        patch: { state: 'ready' },
      } as const
      await commit([writeTo('r1', { grow: [{ node: 2, task: 0, key: 'x', parent: 0 }], tasks: [grown] })])
      t.match((await store.tasks('r1'))[2], { node: 2, task: 0, key: 'x', parent: 0, state: 'ready' })
    })

    t.test('JSON columns hold any value, also a bare string', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      for (const carry of ['text', 5, false, [1, null], { a: 'ä\u0000' }]) {
        await commit([writeTo('r1', { tasks: [{ node: 0, events: [], patch: { carry, outputs: carry } }] })])
        t.strictSame((await store.tasks('r1'))[0]?.carry, carry)
      }
    })

    t.test('the cache gives outputs no older than asked for', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await commit([writeTo('r1', { cache: [{ key: 'k', task: 'a', outputs: { n: 1 } }] })])
      t.strictSame(await store.cached('k', 10), { run: 'r1', outputs: { n: 1 } })
      t.equal(await store.cached('k', 11), null)
      t.equal(await store.cached('other', 0), null)
    })

    t.test('requests reach the owner of the run until they are answered', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await store.request('r1', { kind: 'cancel' }, 'ann', 6)
      const [request] = await store.requests('e1')
      t.match(request, { run: 'r1', wish: { kind: 'cancel' }, by: 'ann', at: 6 })
      t.strictSame(await store.requests('e2'), [])
      await commit([writeTo('r1', { answered: [request?.id as number] })])
      t.strictSame(await store.requests('e1'), [])
    })

    t.test('runs are listed newest first, by any of their traits', async (t) => {
      await store.createRun(newRun('r1'), 'e1', 5)
      await store.createRun(newRun('r2', { backfill: 'b' }), 'e2', 6)
      const state = { event: 'succeed', to: 'succeeded', endedAt: 9 } as const
      await commit([writeTo('r1', { state })])
      const ids = async (filter: Parameters<Store['runs']>[0]) =>
        (await store.runs(filter)).map(({ id }) => id)
      t.strictSame(await ids({}), ['r2', 'r1'])
      t.strictSame(await ids({ active: true }), ['r2'])
      t.strictSame(await ids({ active: false }), ['r1'])
      t.strictSame(await ids({ backfill: 'b' }), ['r2'])
      t.strictSame(await ids({ owner: 'e1' }), ['r1'])
      t.strictSame(await ids({ pipeline: 'test', limit: 1 }), ['r2'])
    })

    t.test('the baseline is the task of the last succeeded run, under whatever version', async (t) => {
      t.equal(await store.baseline('test', 'a'), null)
      await store.createRun(newRun('r1'), 'e1', 5)
      const done = { node: 0, events: [], patch: { state: 'succeeded', outputs: { n: 1 } } } as const
      await commit([
        writeTo('r1', { tasks: [done], state: { event: 'succeed', to: 'succeeded', endedAt: 9 } }),
      ])
      await store.createRun(newRun('r2'), 'e1', 6)
      t.strictSame(await store.baseline('test', 'a'), { n: 1 })
      t.equal(await store.baseline('test', 'b'), null)
      t.equal(await store.baseline('test', 'nothing'), null)
    })

    t.test('engines come, renew and leave', async (t) => {
      const engine = { id: 'e1', host: 'h', pid: 1, startTime: 's', bootId: 'b', leaseUntil: 10 }
      await store.renew(engine)
      await store.renew({ ...engine, leaseUntil: 20 })
      t.strictSame(await store.engines(), [{ ...engine, leaseUntil: 20 }])
      await store.leave('e1')
      t.strictSame(await store.engines(), [])
    })

    t.test('a backfill is found by its pipeline, newest first, and ends once', async (t) => {
      const one = backfillOf('b1')
      await store.createBackfill(one, pipeline)
      t.strictSame(
        await store.pipeline(pipeline.version),
        pipeline,
        'its pipeline is kept before any run is made',
      )
      const same = { ...one, id: 'b2', createdAt: 2 }
      t.strictSame(
        await store.createBackfill(same, pipeline),
        one,
        'while it is unfinished the same is not begun again',
      )
      t.equal(await store.moveBackfill('b1', ['running'], 'paused'), true)
      t.equal(await store.moveBackfill('b1', ['running'], 'paused'), false, 'it is paused already')
      t.strictSame(
        await store.createBackfill(same, pipeline),
        { ...one, state: 'paused' },
        'a paused one is unfinished',
      )
      t.equal(await store.moveBackfill('b1', ['running', 'paused'], 'succeeded'), true)
      t.strictSame(await store.createBackfill(same, pipeline), same)
      t.strictSame(
        (await store.backfills({ pipeline: 'test' })).map(({ id, state }) => [id, state]),
        [
          ['b2', 'running'],
          ['b1', 'succeeded'],
        ],
      )
      await store.limitBackfill('b1', 7)
      t.strictSame(await store.backfills({ id: 'b1' }), [{ ...one, maxActive: 7, state: 'succeeded' }])
    })

    t.test('of a paused backfill no queued run starts; of a cancelled one none is made', async (t) => {
      await store.createBackfill(backfillOf('b'), pipeline)
      await store.createRun(newRun('r1', { backfill: 'b' }), 'e1', 5)
      const start = async () => {
        const starts = [{ run: 'r1', fence: 1, limit: null, scheduledLimit: null, backfillLimit: 9 }]
        return (await store.commit({ engine: 'e1', at: 10, runs: [], claims: [], starts })).started
      }
      await store.moveBackfill('b', ['running'], 'paused')
      t.strictSame(await start(), [])
      await store.moveBackfill('b', ['paused'], 'running')
      t.strictSame(await start(), ['r1'])
      await store.moveBackfill('b', ['running'], 'cancelled')
      await t.rejects(
        store.createRun(newRun('r2', { backfill: 'b', interval: { start: 2, end: 3 } }), 'e1', 5),
        {
          code: 'E232',
        },
      )
      t.equal(await store.run('r2'), null)
    })
  })
}

t.test('sqlite: what one connection committed, another reads after it is opened anew', async (t) => {
  const path = `${t.testdir()}/dagctl.db`
  const first = openSqlite({ path })
  await first.createRun(newRun('r1'), 'e1', 5)
  const second = openSqlite({ path })
  t.equal((await second.run('r1'))?.id, 'r1')
  await first.close()
  await second.close()
})

t.test('sqlite: a file that is no database is said to be none', async (t) => {
  const folder = t.testdir({ 'text.db': 'this is not a database, it is a text of some length\n'.repeat(50) })
  t.throws(() => openSqlite({ path: `${folder}/text.db` }), { code: 'E501', hint: /not a dagctl database/ })
})
