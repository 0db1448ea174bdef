/** What every store must do: schedules, datasets and backfills, and the one run that each of them makes. */
import { backfillOf, everyStore, newRun, pipeline, writeTo } from '../support/stores.ts'

everyStore(
  'of runs that are made at the same time one that is refused keeps no other back',
  async (t, { store }) => {
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
  },
)

everyStore('of an origin there is one run, whoever makes it first', async (t, { store }) => {
  const first = await store.createRun(newRun('r1', { origin: 'schedule:test:2' }), 'e1', 5)
  t.strictSame(await store.createRun(newRun('r2', { origin: 'schedule:test:2' }), 'e2', 6), first)
  t.strictSame(await store.runs({ origin: 'schedule:test:2' }), [first])
})

everyStore('updates of datasets are kept in order, with the newest of each', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await store.updateDataset('s3://b/x', 1)
  await commit([writeTo('r1', { datasets: [{ uri: 's3://b/y', task: 'a' }] })])
  await store.updateDataset('s3://b/x', 3)
  t.strictSame(await store.datasetUpdates(1), [
    { seq: 2, uri: 's3://b/y', run: 'r1', task: 'a', at: 10 },
    { seq: 3, uri: 's3://b/x', run: null, task: null, at: 3 },
  ])
  t.strictSame(
    (await store.datasetUpdates(0, 's3://b/x')).map(({ seq }) => seq),
    [1, 3],
  )
  t.strictSame(
    (await store.datasetUpdatesBy('r1')).map(({ seq }) => seq),
    [2],
  )
  t.equal(await store.newestDatasetUpdate(), 3)
  t.strictSame(
    (await store.datasets()).map(({ uri, seq }) => [uri, seq]),
    [
      ['s3://b/x', 3],
      ['s3://b/y', 2],
    ],
  )
})

everyStore(
  'a scheduled pipeline keeps its cursors and when it was first seen through new versions',
  async (t, { store }) => {
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

everyStore('a backfill has one run per interval, whoever makes it first', async (t, { store }) => {
  const first = await store.createRun(newRun('b1', { backfill: 'b' }), 'e1', 5)
  t.strictSame(await store.createRun(newRun('b2', { backfill: 'b' }), 'e2', 6), first)
  t.equal(await store.run('b2'), null)
  t.equal((await store.createRun(newRun('c1', { backfill: 'c' }), 'e2', 6)).id, 'c1')
})

everyStore('a backfill is found by its pipeline, newest first, and ends once', async (t, { store }) => {
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

everyStore(
  'whoever cancels a backfill asks its runs to be cancelled in the same transaction',
  async (t, { store }) => {
    await store.createBackfill(backfillOf('b'), pipeline)
    await store.createRun(newRun('r1', { backfill: 'b' }), 'e1', 5)
    await store.createRun(newRun('r2'), 'e1', 5)
    t.equal(await store.moveBackfill('b', ['paused'], 'cancelled'), false)
    t.strictSame(await store.requests('e1'), [])
    const drafts = [{ what: 'backfill.cancel', who: 'ann', subject: {}, detail: {} }]
    t.equal(await store.moveBackfill('b', ['running'], 'cancelled', { chain: 'c', drafts, at: 7 }), true)
    t.hasStrict(
      (await store.requests('e1')).map(({ run, wish, by, at }) => ({ run, wish, by, at })),
      [{ run: 'r1', wish: { kind: 'cancel' }, by: 'ann', at: 7 }],
    )
  },
)
