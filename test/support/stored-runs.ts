/** Runs as a store holds them, made by hand: what the command line shows of runs, without an engine. */
import { join } from 'node:path'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { RunWrite, TaskWrite } from '../../engine/store/batch.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { NewRun, Store } from '../../engine/store/store.ts'
import { pipelineOf, type Sketch } from './pipelines.ts'

/** The store of a folder's default data folder. Close it. */
export function storeIn(folder: string): Store {
  return openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
}

/**
 * Makes a run that an engine which is gone owns, and writes to it as its engine would.
 * @param folder of the pipeline file, absolute: where its commands run
 */
export async function storedRun(
  store: Store,
  id: string,
  pipeline: Pipeline,
  writes: readonly Partial<RunWrite>[] = [],
  folder = '/f',
): Promise<void> {
  const run: NewRun = {
    id,
    pipeline,
    folder,
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

/** A task that runs a shell command, with any other field. */
export function shell(command: string, more: Sketch = {}): Sketch {
  return { uses: 'Shell', runtime: 'process', with: { command }, timeout: 60_000, ...more }
}

/** A folder with a run that nobody has, for `runs resume`: what a file cannot say yet can be said by hand. */
export async function ownerlessRun(
  folder: string,
  id: string,
  sketches: { readonly [id: string]: Sketch },
): Promise<void> {
  const store = storeIn(folder)
  await storedRun(store, id, pipelineOf(sketches), [], folder)
  await store.close()
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
