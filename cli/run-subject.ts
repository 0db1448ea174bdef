/** A run with everything that manifests and comparisons are made of: what the store has, and its inputs resolved again. */
import { DagctlError } from '../engine/errors.ts'
import { inputsOf, type Surroundings } from '../engine/executor.ts'
import type { JsonObject } from '../engine/json.ts'
import { LiveRun } from '../engine/live-run.ts'
import type { RunSubject } from '../engine/manifest.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { scopeOf } from '../engine/scope.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import { noSuchRun } from './wiring.ts'

/**
 * Reads a run. Throws E205 where the store does not know it.
 * @param env allow-listed variables of the environment, as they are now
 */
export async function subjectOf(
  store: Store,
  id: string,
  env: { readonly [name: string]: string },
): Promise<RunSubject> {
  const run = await store.run(id)
  if (run === null) throw noSuchRun(id)
  const [{ createEvaluator }, pipeline, nodes, events, updates] = await Promise.all([
    import('../dsl/evaluator.ts'),
    store.pipeline(run.version) as Promise<Pipeline>,
    store.tasks(id),
    store.events(id, 0, 'recover'),
    store.datasetUpdatesBy(id),
  ])
  const datasets = updates.flatMap(({ uri, task }) => (task === null ? [] : [{ uri, task }]))
  const inputs = resolvedInputs(run, pipeline, nodes, { evaluator: createEvaluator(), env })
  return { run, pipeline, nodes, events, inputs, datasets }
}

/** The inputs of every node that began: its templates over the outputs that the run has. */
function resolvedInputs(
  run: RunRecord,
  pipeline: Pipeline,
  rows: readonly TaskRecord[],
  around: Surroundings,
): ReadonlyMap<number, JsonObject> {
  const live = LiveRun.restore(run, pipeline, rows)
  const inputs = new Map<number, JsonObject>()
  for (const { node: index, attempt, cached } of rows) {
    const node = live.nodes[index]
    if (node?.role !== 'work' || (attempt === 0 && cached === null)) continue
    const input = resolved(() => inputsOf(live, node, scopeOf(live, node, around), around).input)
    if (input !== null) inputs.set(index, input)
  }
  return inputs
}

/** What does not resolve (a need that a person's retry took back) is not known any more. */
function resolved(work: () => JsonObject): JsonObject | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof DagctlError && error.kind === 'failed') return null
    throw error
  }
}
