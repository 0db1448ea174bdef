/** What is pruned of runs and their folders, over a real store and folders that a test sees. */
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import {
  type FolderKind,
  folderKinds,
  prune,
  type Retention,
  type RunFolders,
} from '../../engine/retention.ts'
import { runFolders } from '../../engine/run-folders.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { noteManifests } from '../support/stores.ts'
import { testEngine } from '../support/test-engine.ts'

const hour = 3_600_000
const failure = { type: 'failed', kind: 'network', message: 'broken' } as const
/** Nothing else waits for its turn. */
const pause = async () => {}
const nothing = { runs: 0, logs: 0, events: 0, artifacts: 0, checkpoints: 0, bytes: 0 }

/** Folders of which only the names are kept; each takes ten bytes. */
function folders(runs: readonly string[]): RunFolders & { readonly left: Set<string> } {
  const left = new Set(folderKinds.flatMap((kind) => runs.map((run) => `${kind}/${run}`)))
  const size = async (kind: FolderKind, run: string) => (left.has(`${kind}/${run}`) ? 10 : 0)
  return {
    left,
    runs: async (kind) =>
      [...left].flatMap((path) => (path.startsWith(kind) ? [path.slice(kind.length + 1)] : [])),
    size,
    remove: async (kind, run) => {
      const bytes = await size(kind, run)
      left.delete(`${kind}/${run}`)
      return bytes
    },
  }
}

/** Three failed runs, an hour apart, and one that goes on. */
async function world() {
  const lease = { holds: 99 * hour, renewed: 99 * hour }
  const it = await testEngine({ lease })
  const pipeline = pipelineOf({ a: {} })
  const runs: string[] = []
  for (let i = 0; i < 3; i++) {
    runs.push(await it.run(pipeline))
    await it.end('a', failure)
    await it.pass(hour)
  }
  runs.push(await it.run(pipeline))
  await noteManifests(it.store)
  const disk = folders(runs)
  const pruned = (retention: Retention, dry = false) =>
    prune({ store: it.store, folders: disk, retention, now: it.clock.time, pause, dry })
  return { ...it, runs, disk, pruned }
}

t.test('without limits everything is kept', async (t) => {
  const { pruned } = await world()
  t.strictSame(await pruned({}), nothing)
})

t.test('runs go by age with their folders, and a dry run says the same and removes nothing', async (t) => {
  const { pruned, runs, disk, store } = await world()
  const retention = { runs: { age: 1.5 * hour } }
  const expected = { ...nothing, runs: 2, bytes: 60 }
  t.strictSame(await pruned(retention, true), expected)
  t.equal(disk.left.size, 12)
  t.strictSame(await pruned(retention), expected)
  t.equal(disk.left.size, 6)
  t.strictSame(
    (await store.runs({})).map(({ id }) => id),
    [runs[3], runs[2]],
  )
  t.strictSame(await pruned(retention), nothing)
})

t.test('what is pruned is forgotten a part at a time, and others have their turn between', async (t) => {
  const { store, runs, disk, clock } = await world()
  let pauses = 0
  const counted = async () => {
    pauses++
  }
  const retention = { runs: { age: 1.5 * hour }, events: 0 }
  const parts = { store, folders: disk, retention, now: clock.time, pause: counted }
  t.strictSame(await prune(parts), { ...nothing, runs: 2, events: 1, bytes: 60 })
  t.equal(pauses, 2)
  t.equal(runs.length, 4)
})

t.test('parts of runs go before the runs; of a run that goes on nothing goes', async (t) => {
  const { pruned, runs, disk, store } = await world()
  const retention = { logs: 0, events: 1.5 * hour, artifacts: 0.5 * hour, checkpoints: 2.5 * hour }
  const expected = { runs: 0, logs: 3, events: 2, artifacts: 3, checkpoints: 1, bytes: 70 }
  t.strictSame(await pruned(retention, true), expected)
  t.equal(disk.left.size, 12, 'a dry run removes nothing')
  t.not((await store.events(runs[1] as string)).length, 0)
  t.strictSame(await pruned(retention), expected)
  t.ok(disk.left.has(`attempts/${runs[3]}`))
  t.strictSame(await store.events(runs[1] as string), [])
  t.not((await store.events(runs[2] as string)).length, 0)
})

t.test('what a crash left of the files of forgotten runs is removed the next time', async (t) => {
  const { disk, runs, store, clock } = await world()
  const retention = { runs: { age: 0 } }
  let removals = 0
  const failing: RunFolders = {
    ...disk,
    remove: (kind, run) => {
      if (++removals > 4) throw new Error('the process is gone')
      return disk.remove(kind, run)
    },
  }
  const parts = { store, retention, now: clock.time, pause }
  await t.rejects(prune({ ...parts, folders: failing }), { message: 'the process is gone' })
  t.equal(disk.left.size, 8)
  t.strictSame(await prune({ ...parts, folders: disk }), { ...nothing, bytes: 50 })
  t.strictSame(
    [...disk.left],
    folderKinds.map((kind) => `${kind}/${runs[3]}`),
  )
})

t.test('on disk what comes while a folder is removed stays, and links are not followed', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`a${i}`, { log: '12345' }]))
  const dir = t.testdir({ data: { attempts: { r1: many, r2: {} } }, precious: { file: 'kept' } })
  const folder = join(dir, 'data/attempts/r1')
  symlinkSync(join(dir, 'precious'), join(folder, 'link'))
  const disk = runFolders(join(dir, 'data'))
  t.strictSame((await disk.runs('attempts')).toSorted(), ['r1', 'r2'])
  t.strictSame(await disk.runs('checkpoints'), [])
  t.ok((await disk.size('attempts', 'r1')) >= 2500)
  const removing = disk.remove('attempts', 'r1')
  // Some of it is gone: what there was is listed.
  while (readdirSync(folder).length === 501) await setImmediate()
  mkdirSync(join(folder, 'two'))
  t.ok((await removing) >= 2500)
  t.strictSame(readdirSync(folder), ['two'])
  t.strictSame(readdirSync(join(dir, 'precious')), ['file'])
  await disk.remove('attempts', 'r2')
  t.strictSame(await disk.runs('attempts'), ['r1'])
  t.equal(await disk.remove('attempts', 'nothing'), 0)
})
