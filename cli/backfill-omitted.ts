/** What the runs of a backfill leave out: tasks that deploy, and what is certainly skipped below them. Pure. */
import { graphOf } from '../engine/graph.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { triggerVerdict } from '../engine/trigger-rule.ts'

/** A task that a run of the backfill does not start. */
export interface LeftOut {
  readonly task: string
  /** It deploys itself, or it stands below what does. */
  readonly why: 'deploys' | 'below'
}

/** Indices of tasks that deploy. */
export function deployTasks({ tasks }: Pipeline): readonly number[] {
  return tasks.flatMap(({ effects }, index) => (effects === 'deploy' ? [index] : []))
}

/** Every task that no run of the backfill starts, in the order of the file. */
export function leftOut(pipeline: Pipeline): readonly LeftOut[] {
  const { tasks } = pipeline
  const deploys = deployTasks(pipeline)
  const graph = graphOf(tasks)
  const skipped = new Map<number, LeftOut['why']>(deploys.map((index) => [index, 'deploys']))
  const counts = new Map<number, number>()
  const ended = [...deploys]
  for (let done = ended.pop(); done !== undefined; done = ended.pop()) {
    graph.eachDependent(done, (index) => {
      const count = (counts.get(index) ?? 0) + 1
      counts.set(index, count)
      const trigger = tasks[index]?.trigger ?? 'all_success'
      // Its other needs are open: only what is certain already is said.
      const needs = { total: graph.needs(index), succeeded: 0, failed: 0, skipped: count }
      if (skipped.has(index) || triggerVerdict(trigger, needs) !== 'skip') return
      skipped.set(index, 'below')
      ended.push(index)
    })
  }
  return tasks.flatMap(({ id }, index) => {
    const why = skipped.get(index)
    return why === undefined ? [] : [{ task: id, why }]
  })
}
