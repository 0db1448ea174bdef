/** The stores under test, and what is written to them. Knows nothing of the tests. A new store is a line in `stores`. */
import t, { type Test } from 'tap'
import type { DeniedBy, PoolClaim, RunWrite, TaskClaim } from '../../engine/store/batch.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { BackfillRecord, NewRun, Store } from '../../engine/store/store.ts'
import { pipelineOf } from './pipelines.ts'

const stores: { readonly [name: string]: (folder: string) => Store } = {
  sqlite: (folder) => openSqlite({ path: `${folder}/dagctl.db` }),
}

/** A fresh store, and what engine `e1` commits to it. */
interface UnderTest {
  readonly store: Store
  commit(runs: readonly RunWrite[], claims?: readonly TaskClaim[]): ReturnType<Store['commit']>
  /** Commits claims of runs of which nothing else is written; gives those that were denied, and by what. */
  claims(...all: readonly TaskClaim[]): Promise<readonly (readonly [place: number, by: DeniedBy])[]>
}

/** A test of what every store must do: one for each, on a fresh store. */
export function everyStore(behaviour: string, test: (t: Test, underTest: UnderTest) => Promise<void>): void {
  for (const [name, open] of Object.entries(stores))
    t.test(`${name}: ${behaviour}`, async (t) => {
      const store = open(t.testdir())
      t.teardown(() => store.close())
      const commit: UnderTest['commit'] = (runs, claims = []) =>
        store.commit({ engine: 'e1', at: 10, runs, claims, starts: [] })
      const claims: UnderTest['claims'] = async (...all) => {
        const runs = [...new Set(all.map(({ run }) => run))].map((run) => writeTo(run, {}))
        return [...(await commit(runs, all)).denied]
      }
      await test(t, { store, commit, claims })
    })
}

/** Notes the manifest of every run that has ended. */
export async function noteManifests(store: Store): Promise<void> {
  const due = await store.manifestsDue('e1', Number.MAX_SAFE_INTEGER, 1000)
  await store.noteManifests(
    due.map((one) => ({ due: one, digest: 'd', reason: null })),
    'e1',
    10,
  )
}

/** The pipeline of the runs: task 1 needs task 0. */
export const pipeline = pipelineOf({ a: {}, b: { needs: ['a'] } })

/** A run that somebody made by hand. */
export function newRun(id: string, more: Partial<NewRun> = {}): NewRun {
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

/** A backfill that goes on. */
export function backfillOf(id: string): BackfillRecord {
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
export function claim(run: string, more: Partial<TaskClaim> = {}): TaskClaim {
  const { attempt = 1 } = more
  const patch = { state: 'running', holding: true, tries: attempt } as const
  return { run, node: 0, attempt, try: attempt, patch, limit: null, pool: null, ...more }
}

/** A claim of slots of the pool `gpu`. */
export function claimOfPool(run: string, pool: Partial<PoolClaim>): TaskClaim {
  const whole = { name: 'gpu', slots: 1, limit: null, share: null, ...pool }
  const patch = { state: 'running', holding: true, tries: 1, pool: 'gpu', slots: whole.slots } as const
  return claim(run, { pool: whole, patch })
}

/** What the first owner of a run writes to it. */
export function writeTo(run: string, more: Partial<RunWrite>): RunWrite {
  return { run, fence: 1, tasks: [], grow: [], ...more }
}

/** Task 0 becomes ready. */
export const unblockA = {
  node: 0,
  events: [{ event: 'unblock', attempt: 0 }],
  patch: { state: 'ready' },
} as const
