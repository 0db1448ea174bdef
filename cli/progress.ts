/** What a run's tasks are doing right now, gathered from the engine's reports. Knows no terminal. */
import type { Failure } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { Report } from '../engine/report.ts'
import { isEnded, type TaskState } from '../engine/state.ts'
import type { TaskRecord } from '../engine/store/records.ts'

/** A task as the live display shows it. Instants are epoch milliseconds. */
export interface TaskProgress {
  readonly id: string
  state: TaskState
  attempt: number
  cached: boolean
  startedAt: number | null
  endedAt: number | null
  failure: Failure | null
  amount: { readonly done: number; readonly total: number | null; readonly unit: string } | null
}

/** All tasks of one run. */
export class RunProgress {
  readonly tasks: readonly TaskProgress[]
  readonly #byId: ReadonlyMap<string, TaskProgress>

  /** @param rows the tasks as stored, for a run that is already under way */
  constructor(pipeline: Pipeline, rows: readonly TaskRecord[] = []) {
    this.tasks = pipeline.tasks.map(({ id }, index) => {
      const row = rows[index]
      return {
        id,
        state: row?.state ?? 'waiting',
        attempt: row?.attempt ?? 0,
        cached: row?.cached != null,
        startedAt: row?.startedAt ?? null,
        endedAt: row?.endedAt ?? null,
        failure: row?.failure ?? null,
        amount: null,
      }
    })
    this.#byId = new Map(this.tasks.map((task) => [task.id, task]))
  }

  /** Takes a report in; gives the task that it changed. Of instances, and of what stands in them, only their number shows. */
  take(report: Report): TaskProgress | null {
    if (report.type === 'run') return null
    const task = this.#byId.get(report.task)
    if (task === undefined) return null
    if (report.name !== report.task) return report.type === 'task' ? counted(task, report) : null
    if (report.type === 'attempt') {
      const { event } = report
      if (event.type === 'progress') task.amount = { done: event.done, total: event.total, unit: event.unit }
      return task
    }
    if (report.event === 'claim') {
      task.startedAt = report.at
      task.amount = null
    }
    if (report.event === 'reuse') task.cached = true
    task.state = report.state
    task.attempt = report.attempt
    task.failure = report.failure
    task.endedAt = isEnded(report.state) ? report.at : null
    return task
  }

  /** How many tasks are in each state, in the order in which states follow each other. */
  counts(): ReadonlyMap<TaskState, number> {
    const counts = new Map<TaskState, number>()
    for (const { state } of this.tasks) counts.set(state, (counts.get(state) ?? 0) + 1)
    return counts
  }
}

/** The task with the instance counted that was made or has ended; null where neither is. A retry opens ended ones again. */
function counted(
  task: TaskProgress,
  { event, state, attempt }: Report & { type: 'task' },
): TaskProgress | null {
  const made = event === 'unblock' && attempt === 0 ? 1 : 0
  const ended = isEnded(state) ? 1 : event === 'reset' ? -1 : 0
  if (made + ended === 0) return null
  const { done, total } = task.amount ?? { done: 0, total: 0 }
  task.amount = { done: done + ended, total: (total ?? 0) + made, unit: 'instances' }
  return task
}
