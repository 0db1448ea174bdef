/** Whether tasks that are to be tried again have the checkpoint that they are to go on from. Changes nothing. */
import { join } from 'node:path'
import { quote } from '../dsl/words.ts'
import type { DagctlError } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { checkpointSteps } from '../engine/runtime/checkpoint-folder.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import { TaskNames } from '../engine/task-names.ts'
import { wrongOption } from './settings.ts'
import type { Stage } from './stage.ts'
import { settledBy } from './task-words.ts'

/** What is to be tried again, and from where. */
export interface Restart {
  /** null: all that did not succeed. */
  readonly nodes: readonly number[] | null
  readonly step: number
}

/** Throws E206 where a task whose attempts failed has no checkpoint of the step, and names those that it has. */
export async function requireStep(
  { store, settings }: Stage,
  run: RunRecord,
  { nodes, step }: Restart,
): Promise<void> {
  const rows = await store.tasks(run.id)
  const meant = nodes === null ? null : new Set(nodes)
  const pipeline = (await store.pipeline(run.version)) as Pipeline
  const again = rows.filter(
    (row) => hasFailed(row) && isMeant(rows, row, meant) && settledBy(rows, row.node) === null,
  )
  for (const row of again) {
    const { uses, version } = pipeline.tasks[row.task] as Pipeline['tasks'][number]
    const folder = join(settings.data, 'checkpoints', run.id, String(row.node))
    const steps = await checkpointSteps(folder, `${uses}@${version}`)
    if (!steps.includes(step)) throw noSuchStep(step, new TaskNames(pipeline, rows).name(row), steps)
  }
  if (again.length === 0)
    throw wrongOption(`--from-checkpoint ${step}: nothing that is tried again has a checkpoint`)
}

/** By an attempt of its own, which may have left checkpoints. */
function hasFailed({ state, attempt }: TaskRecord): boolean {
  return attempt > 0 && (state === 'failed' || state === 'cancelled')
}

/** Whether a node is named, or what it stands in. */
function isMeant(rows: readonly TaskRecord[], row: TaskRecord, nodes: ReadonlySet<number> | null): boolean {
  if (nodes === null || nodes.has(row.task)) return true
  for (let at: TaskRecord | undefined = row; at !== undefined; at = rows[at.parent ?? -1])
    if (nodes.has(at.node)) return true
  return false
}

function noSuchStep(step: number, task: string, steps: readonly number[]): DagctlError {
  const hint =
    steps.length === 0
      ? 'it has none of any step; --task names the tasks that go on from one'
      : `it has those of ${steps.join(', ')}`
  return wrongOption(`--from-checkpoint ${step}: task ${quote(task)} has no checkpoint of this step`, hint)
}
