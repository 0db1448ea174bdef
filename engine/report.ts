/** What an engine tells whoever looks on, after it is durable: the live display, tests, later the page. */
import type { Failure } from './errors.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { AttemptEvent } from './runtime/runtime.ts'
import type { RunState, TaskState } from './state.ts'

/** A change of a task or run, or something that a running attempt said. */
export type Report =
  | {
      readonly type: 'run'
      readonly run: string
      readonly state: RunState
      readonly at: number
      /** Something that happened to the run besides its state, with a sentence for people. */
      readonly event?: 'overdue' | 'over_budget'
      readonly message?: string
    }
  | {
      readonly type: 'task'
      readonly run: string
      readonly task: string
      /** Its own key, where it is an instance. */
      readonly key: string | null
      /** Its name as people write it: `mask[eu]`, `group[K1].mask[K2]`. */
      readonly name: string
      readonly event: string
      readonly state: TaskState
      readonly attempt: number
      readonly at: number
      readonly failure: Failure | null
      /** What it asks a person, where it sleeps until somebody answers. */
      readonly asks?: string
    }
  | {
      readonly type: 'attempt'
      readonly run: string
      readonly task: string
      readonly key: string | null
      readonly name: string
      readonly attempt: number
      readonly event: AttemptEvent
    }

/** The report of a task's event, as the node stands now. */
export function taskReport(run: LiveRun, node: Node, event: string, at: number): Report {
  const { key, state, attempt, failure } = node
  const asks = node.wakeOn?.person?.message
  return {
    type: 'task',
    run: run.record.id,
    task: run.task(node).id,
    key,
    name: run.name(node),
    event,
    state,
    attempt,
    at,
    failure,
    ...(asks !== undefined && { asks }),
  }
}

/** The report of something that happened to a run as a whole. */
export function runReport(
  run: LiveRun,
  event: 'overdue' | 'over_budget',
  message: string,
  at: number,
): Report {
  return { type: 'run', run: run.record.id, state: run.state, at, event, message }
}

/** The report of something that the node's attempt said. */
export function attemptReport(run: LiveRun, node: Node, event: AttemptEvent): Report {
  const { key, attempt } = node
  const name = run.name(node)
  return { type: 'attempt', run: run.record.id, task: run.task(node).id, key, name, attempt, event }
}
