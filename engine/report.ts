/** What an engine tells whoever looks on, after it is durable: the live display, tests, later the page. */
import type { Failure } from './errors.ts'
import type { LiveRun, Node } from './live-run.ts'
import type { AttemptEvent } from './runtime/runtime.ts'
import type { RunState, TaskState } from './state.ts'

/** A change of a task or run, or something that a running attempt said. */
export type Report =
  | { readonly type: 'run'; readonly run: string; readonly state: RunState; readonly at: number }
  | {
      readonly type: 'task'
      readonly run: string
      readonly task: string
      readonly key: string | null
      readonly event: string
      readonly state: TaskState
      readonly attempt: number
      readonly at: number
      readonly failure: Failure | null
    }
  | {
      readonly type: 'attempt'
      readonly run: string
      readonly task: string
      readonly key: string | null
      readonly attempt: number
      readonly event: AttemptEvent
    }

/** The report of a task's event, as the node stands now. */
export function taskReport(run: LiveRun, node: Node, event: string, at: number): Report {
  const { key, state, attempt, failure } = node
  return {
    type: 'task',
    run: run.record.id,
    task: run.task(node).id,
    key,
    event,
    state,
    attempt,
    at,
    failure,
  }
}

/** The report of something that the node's attempt said. */
export function attemptReport(run: LiveRun, node: Node, event: AttemptEvent): Report {
  const { key, attempt } = node
  return { type: 'attempt', run: run.record.id, task: run.task(node).id, key, attempt, event }
}
