/** Runs as a store holds them, made by hand: what the command line shows of runs, without an engine. */
import { join } from 'node:path'
import type { Pipeline } from '../../engine/pipeline.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { NewRun, RunWrite, Store, TaskWrite } from '../../engine/store/store.ts'

/** The store of a folder's default data folder. Close it. */
export function storeIn(folder: string): Store {
  return openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
}

/** Makes a run that an engine which is gone owns, and writes to it as its engine would. */
export async function storedRun(
  store: Store,
  id: string,
  pipeline: Pipeline,
  writes: readonly Partial<RunWrite>[] = [],
): Promise<void> {
  const run: NewRun = {
    id,
    pipeline,
    folder: '/f',
    params: {},
    trigger: 'manual',
    interval: { start: 0, end: 0 },
    backfill: null,
    omit: [],
  }
  await store.createRun(run, 'gone', 1000)
  let at = 1000
  for (const write of writes) {
    at += 1000
    const whole = { run: id, fence: 1, tasks: [], grow: [], ...write }
    await store.commit({ engine: 'gone', at, runs: [whole], claims: [], starts: [] })
  }
}

/** A node that went through events, and what its row holds then. */
export function went(
  node: number,
  events: readonly (TaskWrite['events'][number]['event'] | TaskWrite['events'][number])[],
  patch: TaskWrite['patch'],
): TaskWrite {
  const whole = events.map((event) => (typeof event === 'string' ? { event, attempt: 1 } : event))
  return { node, events: whole, patch }
}

/** The events of a node whose first attempt was claimed. */
export const started = [
  { event: 'unblock', attempt: 0 },
  { event: 'claim', attempt: 1, detail: { try: 1 } },
] as const
