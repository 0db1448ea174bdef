/** How every store keeps which ended runs have no manifest noted yet. */
import type { RunWrite } from '../../engine/store/batch.ts'
import type { ManifestDue, Store } from '../../engine/store/store.ts'
import { everyStore, newRun, writeTo } from '../support/stores.ts'

const ended = (run: string, more: Partial<RunWrite> = {}) =>
  writeTo(run, { state: { event: 'fail', to: 'failed', endedAt: 10 }, ...more })

const due = async (store: Store, engine = 'e1', most = 9) =>
  (await store.manifestsDue(engine, 100, most)).map(({ run }) => run)

const noted = (one: ManifestDue) => ({ due: one, digest: `digest of ${one.run}`, reason: null })

const entries = async (store: Store) =>
  (await store.auditEntries(0, 99)).map(({ content }) => JSON.parse(content))

everyStore('an ended run is due until its manifest is noted, once', async (t, { store, commit }) => {
  for (const id of ['r1', 'r2', 'r3']) await store.createRun(newRun(id), 'e1', 5)
  t.strictSame(await due(store), [])
  await commit([ended('r1'), ended('r2')])
  t.strictSame(await due(store), ['r1', 'r2'])
  t.strictSame(await due(store, 'e1', 1), ['r1'])
  const [first] = (await store.manifestsDue('e1', 100, 1)) as [ManifestDue]
  t.strictSame(first, {
    run: 'r1',
    pipeline: 'test',
    state: 'failed',
    fence: 1,
    endedAt: 10,
    own: true,
    tasks: 2,
    bytes: 0,
  })
  await store.noteManifests([noted(first)], 'e1', 20)
  await store.noteManifests([noted(first)], 'e2', 30)
  t.strictSame(await due(store), ['r2'])
  t.hasStrict(await entries(store), [
    {
      chain: 'e1',
      what: 'run.manifest',
      who: 'engine',
      subject: { run: 'r1', pipeline: 'test' },
      detail: { state: 'failed', digest: 'digest of r1' },
    },
  ])
  t.equal((await entries(store)).length, 1)
})

everyStore('a run that is taken up again is due when it has ended again', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await commit([ended('r1')])
  const [first] = (await store.manifestsDue('e1', 100, 1)) as [ManifestDue]
  const takes = { owner: 'e1', fence: 1, state: 'failed' } as const
  const state = { event: 'reopen', to: 'queued', endedAt: null } as const
  await commit([writeTo('r1', { fence: 2, takes, state })])
  t.strictSame(await due(store), [], 'it goes on')
  await store.noteManifests([noted(first)], 'e1', 20)
  t.strictSame(await entries(store), [], 'what was made of it before is not what it is')
  await commit([ended('r1', { fence: 2 })])
  await store.noteManifests([noted(first)], 'e1', 20)
  t.strictSame(await due(store), ['r1'])
  const [second] = (await store.manifestsDue('e1', 100, 1)) as [ManifestDue]
  await store.noteManifests([{ due: second, digest: null, reason: 'why' }], 'e1', 20)
  t.hasStrict(await entries(store), [{ detail: { digest: null, reason: 'why' } }])
})

everyStore("a run is due for another engine once its owner's lease is over", async (t, { store, commit }) => {
  const engine = { id: 'e1', host: 'h', pid: 1, startTime: '1', bootId: 'b', leaseUntil: 101 }
  await store.renew(engine)
  await store.createRun(newRun('r1'), 'e1', 5)
  await commit([ended('r1')])
  t.strictSame(await due(store, 'e2'), [])
  await store.renew({ ...engine, leaseUntil: 100 })
  t.strictSame(await due(store, 'e2'), ['r1'])
  await store.renew(engine)
  await store.leave('e1')
  t.strictSame(await due(store, 'e2'), ['r1'])
  await store.createRun(newRun('r2'), 'e2', 5)
  await store.commit({ engine: 'e2', at: 10, runs: [ended('r2')], claims: [], starts: [] })
  t.strictSame(await due(store, 'e2'), ['r2', 'r1'], 'its own come first')
})

everyStore('a run is kept until its manifest is noted', async (t, { store, commit }) => {
  await store.createRun(newRun('r1'), 'e1', 5)
  await commit([ended('r1')])
  const limits = { endedBefore: 1000, newest: null }
  t.strictSame(await store.prunable(limits), [])
  t.strictSame(await store.runsEnded(1000, 'all'), [])
  t.strictSame(await store.forgetRuns(['r1']), [])
  const [first] = (await store.manifestsDue('e1', 100, 1)) as [ManifestDue]
  await store.noteManifests([noted(first)], 'e1', 20)
  t.strictSame(await store.prunable(limits), ['r1'])
  t.strictSame(await store.runsEnded(1000, 'all'), ['r1'])
  t.strictSame(await store.forgetRuns(['r1']), ['r1'])
})
