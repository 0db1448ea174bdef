/** `--from TASK --of RUN`: which tasks run again, and which take the outputs that they had in an earlier run. */
import { DagctlError } from '../engine/errors.ts'
import { itemCount } from '../engine/expansion.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Interval, Pipeline } from '../engine/pipeline.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Given, GivenInstances, Store } from '../engine/store/store.ts'
import { withDependents } from './task-selection.ts'
import { taskIndex } from './task-words.ts'
import { noSuchRun } from './wiring.ts'

/** What a run takes from an earlier one. */
export interface Taken {
  /** The earlier run's, unless others are asked for. */
  readonly interval: Interval
  readonly params: JsonObject
  readonly given: readonly Given[]
  readonly instances: readonly GivenInstances[]
  /** Tasks that neither run again nor have outputs: they ended otherwise, and nothing that runs needs them. */
  readonly omit: readonly number[]
}

/** A task of the earlier run that took outputs or had instances. */
interface Earlier {
  readonly row: TaskRecord
  readonly children: readonly TaskRecord[]
}

/**
 * The named task and all below it run again; of all others the outputs are taken. Of `mask[KEY]` only that instance runs
 * again, and those that had not succeeded. Throws usage errors: an unknown run, task or instance, another pipeline's run,
 * a need that did not succeed in it.
 */
export async function takeFrom(store: Store, pipeline: Pipeline, from: string, of: string): Promise<Taken> {
  const run = await store.run(of)
  if (run === null) throw noSuchRun(of)
  if (run.pipeline !== pipeline.name)
    throw refused(`run ${of} is one of ${run.pipeline}, not of ${pipeline.name}`, 'see `dagctl runs list`')
  const earlier = await tasksOf(store, run)
  const [, id = from, key] = /^([^[]+)\[(.*)\]$/s.exec(from) ?? []
  const first = taskIndex(pipeline, id)
  const again = withDependents(pipeline.tasks, [first])
  const given: Given[] = []
  const instances: GivenInstances[] =
    key === undefined ? [] : [instanceAgain(pipeline, first, key, { run, earlier })]
  const omit: number[] = []
  for (const [node, task] of pipeline.tasks.entries()) {
    if (again.has(node)) continue
    const kept = earlier.get(task.id)
    if (kept?.row.state !== 'succeeded') {
      omit.push(node)
      continue
    }
    given.push({ node, outputs: kept.row.outputs, run: kept.row.cached ?? run.id })
    if (task.foreach !== undefined && task.group === undefined)
      instances.push(...instancesOf(node, kept, run))
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
  return { interval: run.interval, params: run.params, given, instances, omit }
}

/** The instances of a mapped task as they were, but for the one that runs again. */
function instanceAgain(
  pipeline: Pipeline,
  node: number,
  key: string,
  { run, earlier }: { readonly run: RunRecord; readonly earlier: ReadonlyMap<string, Earlier> },
): GivenInstances {
  const { id = '', foreach, group } = pipeline.tasks[node] ?? {}
  if (foreach === undefined || group !== undefined)
    throw refused(`${id} has no instances that can run by themselves`, `begin with --from ${id}`)
  const [all] = instancesOf(node, earlier.get(id), run)
  const place = earlier.get(id)?.children.findIndex((child) => child.key === key) ?? -1
  if (all === undefined || place < 0)
    throw refused(`${id} had no instance [${key}] in run ${run.id}`, `dagctl runs show ${run.id} --instances`)
  return { ...all, outputs: all.outputs.map((outputs, index) => (index === place ? null : outputs)) }
}

/** Nothing where the task was never expanded, or not all of its instances were made. */
function instancesOf(node: number, earlier: Earlier | undefined, run: RunRecord): GivenInstances[] {
  const expansion = earlier?.row.expansion ?? null
  if (earlier === undefined || expansion === null) return []
  const outputs = Array.from({ length: itemCount(expansion) }, (_, index) => {
    const child = earlier.children[index]
    return child?.state === 'succeeded' ? child.outputs : null
  })
  return [{ node, run: run.id, expansion, outputs }]
}

/** The tasks of the file as the run had them, by id; the instances of mapped ones in order. */
async function tasksOf(store: Store, run: RunRecord): Promise<ReadonlyMap<string, Earlier>> {
  const { tasks } = (await store.pipeline(run.version)) as Pipeline
  const rows = await store.tasks(run.id)
  const children = Map.groupBy(
    rows.filter(({ key }) => key !== null),
    ({ parent }) => parent,
  )
  return new Map(
    tasks.map(({ id }, node) => [id, { row: rows[node] as TaskRecord, children: children.get(node) ?? [] }]),
  )
}

function refused(message: string, hint: string): DagctlError {
  return new DagctlError('E212', message, { kind: 'usage', hint })
}
