/** What every store forgets, and what it keeps because something still needs it. */
import type { Test } from 'tap'
import type { Store } from '../../engine/store/store.ts'
import {
  backfillOf,
  claim,
  everyStore,
  newRun,
  noteManifests,
  pipeline,
  unblockA,
  writeTo,
} from '../support/stores.ts'

/** A test on a store in which the manifest of each run that ends is noted at once. */
function pruning(behaviour: string, test: Parameters<typeof everyStore>[1]): void {
  everyStore(behaviour, (t, { store, commit, claims }) =>
    test(t, {
      store,
      claims,
      commit: async (...batch) => {
        const result = await commit(...batch)
        await noteManifests(store)
        return result
      },
    }),
  )
}

const all = { endedBefore: 1000, newest: null }
const prunable = (store: Store) => store.prunable(all)

/** Ends a run at 10, the time of commits. */
const ended = (run: string, to: 'succeeded' | 'failed' = 'failed') =>
  writeTo(run, { state: { event: to === 'failed' ? 'fail' : 'succeed', to, endedAt: 10 } })

pruning(
  'ended runs are prunable by age, and beyond the newest of their pipeline',
  async (t, { store, commit }) => {
    for (const id of ['r1', 'r2', 'r3']) await store.createRun(newRun(id), 'e1', 5)
    const other = { ...pipeline, name: 'other', version: 'other' }
    await store.createRun(newRun('o1', { pipeline: other }), 'e1', 5)
    await commit([ended('r1'), ended('r2'), ended('o1')])
    t.strictSame(await prunable(store), ['r1', 'r2', 'o1'])
    t.strictSame(await store.prunable({ endedBefore: 10, newest: null }), [], 'at that time is not before it')
    t.strictSame(await store.prunable({ endedBefore: null, newest: 1 }), ['r1', 'r2'])
    t.strictSame(await store.prunable({ endedBefore: null, newest: 2 }), ['r1'])
    t.strictSame(await store.prunable({ endedBefore: null, newest: null }), [])
  },
)

pruning(
  'the last run of a pipeline that succeeded is kept, for its outputs are compared with',
  async (t, { store, commit }) => {
    for (const id of ['r1', 'r2', 'r3']) await store.createRun(newRun(id), 'e1', 5)
    await commit([ended('r1', 'succeeded'), ended('r2', 'succeeded'), ended('r3')])
    t.strictSame(await prunable(store), ['r1', 'r3'])
  },
)

pruning(
  'what still runs, was taken by others, or belongs to what goes on is kept',
  async (t, { store, commit }) => {
    const given = [{ node: 0, run: 'cited', outputs: {} }]
    await store.createBackfill({ ...backfillOf('b'), state: 'running' }, pipeline)
    await store.createRun(newRun('leaving'), 'e1', 5)
    await commit([writeTo('leaving', { tasks: [unblockA] })], [claim('leaving')])
    await store.createRun(newRun('cited'), 'e1', 5)
    await store.createRun(newRun('citing', { given }), 'e1', 5)
    await store.createRun(newRun('of-backfill', { backfill: 'b' }), 'e1', 5)
    await store.createRun(newRun('active'), 'e1', 5)
    await store.createRun(newRun('triggered', { origin: 'task:active/0/1' }), 'e1', 5)
    const runs = ['leaving', 'cited', 'of-backfill', 'triggered']
    await commit(runs.map((run) => ended(run)))
    t.strictSame(await prunable(store), [])
    t.strictSame(await store.forgetRuns(['leaving']), [], 'an attempt of it may still run')
    t.strictSame(await store.runsEnded(1000, 'all'), ['cited', 'of-backfill', 'triggered'])
    t.strictSame(await store.runsEnded(1000, 'not cited'), ['of-backfill', 'triggered'])
    await commit([ended('active'), ended('citing')])
    await store.moveBackfill('b', ['running'], 'succeeded')
    t.strictSame(await prunable(store), ['citing', 'of-backfill', 'active', 'triggered'])
    await store.forgetRuns(['citing'])
    t.strictSame(await prunable(store), ['cited', 'of-backfill', 'active', 'triggered'])
    await store.createRun(newRun('late', { given: [{ node: 0, run: 'active', outputs: {} }] }), 'e1', 5)
    t.strictSame(await store.forgetRuns(['active', 'cited']), ['cited'], 'outputs of one were taken since')
  },
)

pruning(
  'what is forgotten is gone, but for the list of whose files are left',
  async (t, { store, commit }) => {
    await store.createRun(newRun('r1'), 'e1', 5)
    await store.createRun(newRun('r2'), 'e1', 5)
    await store.createRun(newRun('r3'), 'e1', 5)
    const cache = [{ key: 'k', task: 'a', outputs: { n: 1 } }]
    await commit([{ ...ended('r1'), cache }, ended('r2')])
    t.strictSame(await store.forgetRuns(['r1', 'r3', 'nothing']), ['r1'], 'r3 has not ended')
    await isGone(t, store, 'r1')
    t.equal(await store.cached('k', 0), null)
    t.equal((await store.run('r3'))?.state, 'queued')
    t.strictSame(await store.prunedRuns(), ['r1'])
    await store.filesRemoved(['r1'])
    t.strictSame(await store.prunedRuns(), [])
  },
)

async function isGone(t: Test, store: Store, run: string): Promise<void> {
  t.equal(await store.run(run), null)
  t.strictSame(await store.tasks(run), [])
  t.strictSame(await store.events(run), [])
}

pruning('events are forgotten without their runs', async (t, { store, commit }) => {
  for (const id of ['r1', 'r2']) await store.createRun(newRun(id), 'e1', 5)
  await commit([ended('r1')])
  t.strictSame(await store.runsEnded(11, 'with events'), ['r1'])
  await store.forgetEvents(['r1', 'r2'])
  t.strictSame(await store.events('r1'), [])
  t.not((await store.events('r2')).length, 0, 'it has not ended')
  t.strictSame(await store.runsEnded(11, 'with events'), [])
  t.strictSame(await store.runsEnded(11, 'all'), ['r1'])
  t.strictSame(await store.runsEnded(10, 'all'), [])
})

pruning(
  'versions, finished backfills and updates are forgotten when nothing refers to them',
  async (t, { store, commit }) => {
    await store.createBackfill(backfillOf('b'), pipeline)
    await store.createRun(newRun('r1', { backfill: 'b' }), 'e1', 5)
    await commit([ended('r1')])
    await store.moveBackfill('b', ['running'], 'failed')
    for (const uri of ['x', 'x', 'y']) await store.updateDataset(uri, 5)
    await store.forgetUnused(5)
    t.equal((await store.datasetUpdates(0)).length, 3, 'nothing is older than that')
    await store.forgetUnused(1000)
    t.not(await store.pipeline(pipeline.version), null)
    t.equal((await store.backfills({ id: 'b' })).length, 1)
    t.strictSame(
      (await store.datasetUpdates(0)).map(({ seq }) => seq),
      [2, 3],
      'the newest of each',
    )
    await store.forgetRuns(['r1'])
    await store.forgetUnused(1)
    t.not(await store.pipeline(pipeline.version), null, 'it is not older than that')
    t.equal((await store.backfills({ id: 'b' })).length, 1)
    await store.forgetUnused(1000)
    t.equal(await store.pipeline(pipeline.version), null)
    t.strictSame(await store.backfills({ id: 'b' }), [])
  },
)

pruning('an update that a schedule has not seen yet is kept', async (t, { store }) => {
  const place = { file: '/p.yaml', folder: '/' }
  await store.updateDataset('x', 1)
  await store.schedulePipeline(pipeline, place, 2)
  for (const at of [3, 4]) await store.updateDataset('x', at)
  await store.forgetUnused(1000)
  t.strictSame(
    (await store.datasetUpdates(0)).map(({ seq }) => seq),
    [2, 3],
  )
})
