/** What every store must do: attempts and runs start only where every limit has room, over all runs and engines. */
import {
  backfillOf,
  claim,
  claimOfPool,
  everyStore,
  newRun,
  pipeline,
  unblockA,
  writeTo,
} from '../support/stores.ts'

everyStore('the `max-active` that stands in the store holds for every engine', async (t, { store }) => {
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

everyStore(
  'a claim finds the slot that the same batch frees, whichever run comes first',
  async (t, { store, commit, claims }) => {
    for (const id of ['r1', 'r2']) await store.createRun(newRun(id), 'e1', 5)
    await commit(['r1', 'r2'].map((id) => writeTo(id, { tasks: [unblockA] })))
    t.strictSame(await claims(claim('r2', { limit: 1 })), [])
    const freed = {
      node: 0,
      events: [{ event: 'succeed', attempt: 1 }],
      patch: { state: 'succeeded', holding: false },
    } as const
    const { denied } = await commit(
      [writeTo('r1', {}), writeTo('r2', { tasks: [freed] })],
      [claim('r1', { limit: 1 })],
    )
    t.strictSame([...denied], [])
  },
)

everyStore('ended runs that still hold a slot are found', async (t, { store, commit, claims }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await commit([writeTo('r1', { tasks: [unblockA] })])
  await claims(claim('r1'))
  t.strictSame(await store.leftovers(), [], 'a run that goes on')
  await commit([writeTo('r1', { state: { event: 'cancel', to: 'cancelled', endedAt: 7 } })])
  t.strictSame(await store.leftovers(), ['r1'])
  await commit([writeTo('r1', { tasks: [{ node: 0, events: [], patch: { holding: false } }] })])
  t.strictSame(await store.leftovers(), [])
})

everyStore(
  'claims beyond the limit are denied, over all runs of the pipeline, within one batch too',
  async (t, { store, commit, claims }) => {
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

everyStore(
  'queued runs start within the limit of their pipeline, or of their backfill',
  async (t, { store }) => {
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
  },
)

everyStore(
  'slots of a pool are counted over all runs; backfills have their share of them',
  async (t, { store, commit, claims }) => {
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
    t.strictSame(
      (await store.held()).map(({ run, pool, slots, backfill }) => [run, pool, slots, backfill]),
      [
        ['r1', 'gpu', 1, null],
        ['r4', null, 1, null],
        ['b1', 'gpu', 2, 'b'],
      ],
    )
  },
)

everyStore('scheduled runs wait for the one before, whatever else runs', async (t, { store }) => {
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

everyStore(
  'of a paused backfill no queued run starts; of a cancelled one none is made',
  async (t, { store }) => {
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
  },
)
