/** Reads from the store what the reasons of a run's tasks are told from, whoever owns the run. Decides nothing. */
import type { Pipeline } from '../pipeline.ts'
import type { Resources } from '../resources.ts'
import { isEnded } from '../state.ts'
import type { RunRecord } from '../store/records.ts'
import type { EngineRecord, HeldSlot, Store } from '../store/store.ts'
import type { Facts, Holder, Owner, Rival } from './facts.ts'

/** Running runs that are looked through for ready tasks, the oldest first: what stands before a task is mostly there. */
const looked = 200

/** What is known outside of the store. */
export interface Surroundings {
  /** Epoch milliseconds. */
  readonly at: number
  readonly resources: Resources
  readonly slots?: NonNullable<Facts['slots']>
  /** Whether an engine of this host is certainly gone. */
  readonly isGone: (engine: EngineRecord) => boolean
}

/** The facts of a run as the store has them now. */
export async function factsOf(store: Store, run: RunRecord, around: Surroundings): Promise<Facts> {
  const known = new Map<string, Pipeline>()
  const pipelineOf = async (version: string) => {
    const found = known.get(version) ?? (await store.pipeline(version))
    if (found !== null) known.set(version, found)
    return found
  }
  const [pipeline, tasks, events, held, engines, backfills, active] = await Promise.all([
    pipelineOf(run.version) as Promise<Pipeline>,
    store.tasks(run.id),
    store.events(run.id),
    store.held(),
    store.engines(),
    run.backfill === null ? [] : store.backfills({ id: run.backfill }),
    store.runs({ active: true }),
  ])
  const limited = (task: { readonly pool?: string }) =>
    task.pool !== undefined && around.resources.pools[task.pool] !== undefined
  const shares = pipeline.tasks.some(limited)
  const rivals = active.filter(
    ({ id, state, pipeline: name }) =>
      id !== run.id &&
      state === 'running' &&
      (shares || (name === run.pipeline && pipeline.concurrency.tasks !== null)),
  )
  return {
    at: around.at,
    run,
    pipeline,
    tasks,
    events,
    others: active.filter(
      ({ id, pipeline: name, backfill }) =>
        id !== run.id && (name === run.pipeline || (backfill !== null && backfill === run.backfill)),
    ),
    holders: await holdersOf(store, held, active, pipelineOf),
    rivals: await rivalsOf(store, rivals.slice(-looked), pipelineOf),
    owner: ownerOf(run, engines, around),
    backfill: backfills[0] ?? null,
    resources: around.resources,
    ...(around.slots && { slots: around.slots }),
  }
}

type PipelineOf = (version: string) => Promise<Pipeline | null>

async function holdersOf(
  store: Store,
  held: readonly HeldSlot[],
  active: readonly RunRecord[],
  pipelineOf: PipelineOf,
): Promise<readonly Holder[]> {
  const runs = new Map(active.map((run) => [run.id, run]))
  const holders: Holder[] = []
  for (const { run: id, task: index, tryStartedAt, ...slot } of held) {
    // Of a cancelled run an attempt may be left.
    const run = runs.get(id) ?? (await store.run(id))
    if (run === null) continue
    runs.set(id, run)
    const task = (await pipelineOf(run.version))?.tasks[index]
    if (task === undefined) continue
    holders.push({
      ...slot,
      run: id,
      owner: run.owner,
      task: task.id,
      runtime: run.runtime ?? task.runtime,
      preemptible: task.preemptible ?? false,
      since: tryStartedAt,
    })
  }
  return holders
}

async function rivalsOf(
  store: Store,
  runs: readonly RunRecord[],
  pipelineOf: PipelineOf,
): Promise<readonly Rival[]> {
  const rivals: Rival[] = []
  for (const run of runs) {
    const pipeline = await pipelineOf(run.version)
    for (const { state, task: index } of await store.tasks(run.id)) {
      const task = state === 'ready' ? pipeline?.tasks[index] : undefined
      if (task === undefined) continue
      const { id, pool = null, slots = 1, priority = 0 } = task
      rivals.push({
        run: run.id,
        pipeline: run.pipeline,
        backfill: run.backfill,
        task: id,
        pool,
        slots,
        priority,
        since: null,
      })
    }
  }
  return rivals
}

function ownerOf(
  { owner, state }: RunRecord,
  engines: readonly EngineRecord[],
  { at, isGone }: Surroundings,
): Owner {
  const engine = engines.find(({ id }) => id === owner)
  if (isEnded(state)) return { id: owner, lives: true, place: null }
  if (engine === undefined) return { id: owner, lives: false, place: null }
  const lives = engine.leaseUntil >= at && !isGone(engine)
  return { id: owner, lives, place: `${engine.host}, process ${engine.pid}` }
}
