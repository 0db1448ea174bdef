/** `--from TASK --of RUN`: which tasks run again, and which take the outputs that they had in an earlier run. */
import { DagctlError } from '../engine/errors.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Interval, Pipeline, Task } from '../engine/pipeline.ts'
import { shapeOf } from '../engine/shape.ts'
import type { Given, GivenNodes, Store } from '../engine/store/store.ts'
import { type EarlierRun, nodesTaken } from './earlier-nodes.ts'
import { withDependents } from './task-selection.ts'
import { nodesOf, outermost, taskIndex } from './task-words.ts'
import { noSuchRun } from './wiring.ts'

/** What a run takes from an earlier one. */
export interface Taken {
  /** The earlier run's, unless others are asked for. */
  readonly interval: Interval
  readonly params: JsonObject
  readonly given: readonly Given[]
  readonly instances: GivenNodes
  /** Tasks that neither run again nor have outputs: they ended otherwise, and nothing that runs needs them. */
  readonly omit: readonly number[]
}

/**
 * What the word names runs again, and all below it; of all else the outputs are taken. Of `mask[KEY]` only that instance
 * runs again, of `group[K1].mask` only the task in that instance, and what had not succeeded beside them. Throws usage
 * errors: an unknown run, task or instance, another pipeline's run, a need that did not succeed in it.
 */
export async function takeFrom(store: Store, pipeline: Pipeline, from: string, of: string): Promise<Taken> {
  const run = await store.run(of)
  if (run === null) throw noSuchRun(of)
  if (run.pipeline !== pipeline.name)
    throw refused(`run ${of} is one of ${run.pipeline}, not of ${pipeline.name}`, 'see `dagctl runs list`')
  const earlier = {
    id: run.id,
    pipeline: (await store.pipeline(run.version)) as Pipeline,
    rows: await store.tasks(run.id),
  }
  const nodes = namedNodes(pipeline, earlier, from)
  const tasks = withDependents(pipeline.tasks, [
    ...new Set(
      nodes.length === 0
        ? [taskIndex(pipeline, from)]
        : nodes.map((node) => taskIndex(pipeline, idOf(earlier, node))),
    ),
  ])
  const rows = new Map(earlier.pipeline.tasks.map(({ id }, node) => [id, earlier.rows[node]]))
  const given: Given[] = []
  const omit: number[] = []
  for (const [node, { id }] of pipeline.tasks.entries()) {
    if (tasks.has(node)) continue
    const row = rows.get(id)
    if (row?.state === 'succeeded') given.push({ node, outputs: row.outputs, run: row.cached ?? run.id })
    else omit.push(node)
  }
  for (const node of tasks) {
    const lacking = pipeline.tasks[node]?.needs.find((need) => omit.includes(need))
    if (lacking === undefined) continue
    const name = pipeline.tasks[lacking]?.id
    throw refused(
      `task ${name} did not succeed in run ${of}, so there are no outputs of it`,
      `begin with --from ${name}`,
    )
  }
  const instances = nodesTaken(pipeline, earlier, { tasks, nodes: new Set(nodes) })
  return { interval: run.interval, params: run.params, given, instances, omit }
}

/**
 * The instances, and tasks in instances, that the word names; none where it names a task that stands for itself.
 * Throws usage errors where what they stand in is no longer of the same kind.
 */
function namedNodes(pipeline: Pipeline, earlier: EarlierRun, word: string): readonly number[] {
  const index = pipeline.tasks.findIndex(({ id }) => id === word)
  if (index >= 0 && !shapeOf(pipeline).isAggregate(index)) return []
  const found = nodesOf(earlier.pipeline, earlier.rows, word)
  const nodes = outermost(
    earlier.rows,
    found.filter((node) => node >= earlier.pipeline.tasks.length),
  )
  if (nodes.length === 0)
    throw refused(
      `\`${word}\` has no instances in run ${earlier.id}`,
      `dagctl runs show ${earlier.id} --instances`,
    )
  for (let at = earlier.rows[nodes[0] as number]; at !== undefined; at = earlier.rows[at.parent ?? -1]) {
    const { id, ...then } = earlier.pipeline.tasks[at.task] as Task
    const now = pipeline.tasks[taskIndex(pipeline, id)] as Task
    if ((now.foreach === undefined) === (then.foreach === undefined) && now.isGroup === then.isGroup) continue
    throw refused(`${id} is another kind of task than in run ${earlier.id}`, `begin with --from ${id}`)
  }
  return nodes
}

function idOf({ pipeline, rows }: EarlierRun, node: number): string {
  return pipeline.tasks[rows[node]?.task ?? -1]?.id ?? ''
}

function refused(message: string, hint: string): DagctlError {
  return new DagctlError('E212', message, { kind: 'usage', hint })
}
