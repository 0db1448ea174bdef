/** Whether the data that a run read at its beginning changed since: by the time of files, and by updates of datasets. */
import { toInstant } from '../engine/clock.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Evaluator, Scope } from '../engine/evaluator.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import type { Pipeline, Task } from '../engine/pipeline.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import { OperatorFailure } from '../plugins/api.ts'
import { localObjects } from '../plugins/objects.ts'
import { markedStrings } from '../plugins/uri-marks.ts'
import type { BackfillOrder } from './backfill.ts'

/**
 * By the id of each run of which it is so: a URI that changed after the run began. Looked at are the inputs marked as
 * data (`x-uri`), and `cache.files`, of tasks that need no other, as the pipeline names them now. Like `make` it compares
 * times and reads nothing; what cannot be looked at (not local, not resolvable before the run) counts as unchanged.
 */
export async function changedData(
  store: Store,
  { pipeline, folder, params }: Pick<BackfillOrder, 'pipeline' | 'folder' | 'params'>,
  runs: readonly RunRecord[],
): Promise<ReadonlyMap<string, string>> {
  const [{ createEvaluator }, { catalogue }] = await Promise.all([
    import('../dsl/evaluator.ts'),
    import('./catalogue.ts'),
  ])
  const evaluator = createEvaluator()
  const first = pipeline.tasks.filter(({ needs, foreach, group }) => {
    return needs.length === 0 && foreach === undefined && group === undefined
  })
  const schemas = await Promise.all(first.map(async ({ uses }) => (await catalogue.find(uses))?.input ?? {}))
  const newest = timesIn(folder, await store.datasets())
  const changed = new Map<string, string>()
  for (const run of runs) {
    const scope = scopeOf(run, pipeline, params)
    for (const [place, task] of first.entries()) {
      const input = resolved(task, scope, evaluator)
      const marked = markedStrings(schemas[place] ?? {}, input, 'input').map(({ uri }) => uri)
      for (const uri of [...marked, ...filesOf(task, scope, evaluator)]) {
        if (changed.has(run.id)) break
        if ((await newest(uri, run)) > (run.startedAt ?? run.createdAt)) changed.set(run.id, uri)
      }
    }
  }
  return changed
}

/** The newest change of what a URI names, epoch milliseconds; 0 where it is not known. */
function timesIn(folder: string, updates: Awaited<ReturnType<Store['datasets']>>) {
  const objects = localObjects({ cwd: folder, attempt: 'stale', owner: 'stale' })
  const known = new Map<string, Promise<number>>()
  const dataset = new Map(updates.map((update) => [update.uri, update]))
  const look = async (uri: string) => {
    try {
      // A folder's own time tells of files that came and went.
      const found = [await objects.stat(uri), ...(await objects.list(uri))]
      return found.reduce((latest, info) => Math.max(latest, info?.modified ?? 0), 0)
    } catch (error) {
      if (error instanceof OperatorFailure) return 0
      throw error
    }
  }
  return async (uri: string, run: RunRecord): Promise<number> => {
    const time = known.get(uri) ?? look(uri)
    known.set(uri, time)
    const update = dataset.get(uri)
    const told = update === undefined || update.run === run.id ? 0 : update.at
    return Math.max(told, await time)
  }
}

/** The inputs of a task as far as they can be said before its run. */
function resolved(task: Task, scope: Scope, evaluator: Evaluator): JsonObject {
  const entries = Object.entries(task.with).flatMap(([name, value]): [string, Json][] => {
    const rendered = attempted(() => evaluator.render(value, scope))
    return rendered === undefined ? [] : [[name, rendered]]
  })
  return Object.fromEntries(entries)
}

function filesOf(task: Task, scope: Scope, evaluator: Evaluator): readonly string[] {
  return (task.cache?.files ?? []).flatMap((pattern) => {
    const rendered = attempted(() => evaluator.render(pattern, scope))
    return typeof rendered === 'string' ? [rendered] : []
  })
}

/** What refers to something that only a run has cannot be said. */
function attempted(render: () => Json): Json | undefined {
  try {
    return render()
  } catch (error) {
    if (error instanceof DagctlError) return undefined
    throw error
  }
}

function scopeOf({ id, interval, trigger }: RunRecord, pipeline: Pipeline, params: JsonObject): Scope {
  const [start, end] = [toInstant(interval.start), toInstant(interval.end)]
  return {
    params,
    run: { id, pipeline: pipeline.name, logicalTime: start, interval: { start, end }, trigger },
    timezone: pipeline.schedule?.timezone ?? 'UTC',
    task: () => undefined,
  }
}
