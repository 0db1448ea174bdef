/** `--from TASK --of RUN`: which tasks run again, and which take the outputs that they had in an earlier run. */
import { DagctlError } from '../engine/errors.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Interval, Pipeline } from '../engine/pipeline.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { Given, Store } from '../engine/store/store.ts'
import { withDependents } from './task-selection.ts'
import { taskIndex } from './task-words.ts'
import { noSuchRun } from './wiring.ts'

/** What a run takes from an earlier one. */
export interface Taken {
  /** The earlier run's, unless others are asked for. */
  readonly interval: Interval
  readonly params: JsonObject
  readonly given: readonly Given[]
  /** Tasks that neither run again nor have outputs: they ended otherwise, and nothing that runs needs them. */
  readonly omit: readonly number[]
}

/**
 * The named task and all below it run again; of all others the outputs are taken. Throws usage errors: an unknown run or
 * task, another pipeline's run, a need that did not succeed in it.
 */
export async function takeFrom(store: Store, pipeline: Pipeline, from: string, of: string): Promise<Taken> {
  const run = await store.run(of)
  if (run === null) throw noSuchRun(of)
  if (run.pipeline !== pipeline.name)
    throw refused(`run ${of} is one of ${run.pipeline}, not of ${pipeline.name}`, 'see `dagctl runs list`')
  const outputs = await outputsOf(store, run)
  const again = withDependents(pipeline.tasks, [taskIndex(pipeline, from)])
  const given: Given[] = []
  const omit: number[] = []
  for (const [node, { id }] of pipeline.tasks.entries()) {
    if (again.has(node)) continue
    const kept = outputs.get(id)
    if (kept === undefined) omit.push(node)
    else given.push({ node, ...kept })
  }
  for (const node of again) {
    const lacking = pipeline.tasks[node]?.needs.find((need) => omit.includes(need))
    if (lacking === undefined) continue
    const name = pipeline.tasks[lacking]?.id
    throw refused(
      `task ${name} did not succeed in run ${of}, so there are no outputs of it`,
      `begin with --from ${name}`,
    )
  }
  return { interval: run.interval, params: run.params, given, omit }
}

/** The outputs of the tasks that succeeded, by id; the run is the one that made them. */
async function outputsOf(store: Store, run: RunRecord): Promise<ReadonlyMap<string, Omit<Given, 'node'>>> {
  const pipeline = (await store.pipeline(run.version)) as Pipeline
  const rows = (await store.tasks(run.id)).filter(({ key, state }) => key === null && state === 'succeeded')
  return new Map(
    rows.map(({ task, outputs, cached }) => [
      pipeline.tasks[task]?.id ?? '',
      { outputs, run: cached ?? run.id },
    ]),
  )
}

function refused(message: string, hint: string): DagctlError {
  return new DagctlError('E212', message, { kind: 'usage', hint })
}
