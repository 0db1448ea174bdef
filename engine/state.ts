/** The states of tasks and runs and the only ways between them. Data and one function; no clock, no store. */
import { bug } from './errors.ts'

/**
 * waiting: a need has not ended. ready: may start, has no slot yet. running: an attempt is claimed.
 * sleeping: holds no slot, wakes by time, an event or a person. retrying: a try failed, the next one waits for its delay.
 * The rest are ends: nothing leads out of them but a person's `runs retry` and `runs mark`.
 */
export const taskStates = [
  'waiting',
  'ready',
  'running',
  'sleeping',
  'retrying',
  'succeeded',
  'failed',
  'upstream_failed',
  'skipped',
  'cancelled',
] as const

/** The state of a task. */
export type TaskState = (typeof taskStates)[number]

/** A way from states to a state. */
interface Transition<State extends string> {
  readonly from: readonly State[]
  readonly to: State
}

/** Every event of a task and where it leads. */
export const taskTransitions = {
  unblock: { from: ['waiting'], to: 'ready' },
  // A claim takes the next attempt number: the fence. A wake and the end of a retry's delay are claims too.
  claim: { from: ['ready'], to: 'running' },
  // A mapped task becomes its instances, a group its tasks; it runs while they do, without an attempt of its own.
  // From `waiting`: a task of a mapped group stands for its copies, which are what runs.
  expand: { from: ['waiting', 'ready'], to: 'running' },
  sleep: { from: ['running'], to: 'sleeping' },
  wake: { from: ['sleeping'], to: 'ready' },
  retry: { from: ['ready', 'running', 'sleeping'], to: 'retrying' },
  retry_due: { from: ['retrying'], to: 'ready' },
  // A failure that `recover` has an answer to: the next try runs with what it changes.
  recover: { from: ['ready', 'running', 'sleeping'], to: 'retrying' },
  // A failure that a person is to decide on (`then: hold`). The answer is `resume_hold` or `fail`.
  hold: { from: ['ready', 'running', 'sleeping'], to: 'sleeping' },
  resume_hold: { from: ['sleeping'], to: 'ready' },
  // The worker stopped, vanished or lost its lease, or a task of higher priority took the slot: no try is counted.
  release: { from: ['running'], to: 'ready' },
  succeed: { from: ['running'], to: 'succeeded' },
  // From `ready`: its inputs did not resolve, or its timeout passed between two attempts. From `sleeping`: a timeout.
  // A run over its deadline or budget fails its active tasks, also those that wait for their next try.
  fail: { from: ['ready', 'running', 'sleeping', 'retrying'], to: 'failed' },
  // `when`, a cached result and triggers act before a claim; an operator's own skip after one.
  skip: { from: ['waiting', 'ready', 'running'], to: 'skipped' },
  reuse: { from: ['ready'], to: 'succeeded' },
  block: { from: ['waiting'], to: 'upstream_failed' },
  cancel: { from: ['waiting', 'ready', 'running', 'sleeping', 'retrying'], to: 'cancelled' },
  // A person's `runs retry`: what did not succeed has another chance, and what was to start after its end waits for that anew.
  reset: { from: ['ready', 'failed', 'upstream_failed', 'cancelled', 'skipped'], to: 'waiting' },
  // A person's `runs mark`: the task is what the person says.
  mark_succeeded: {
    from: [
      'waiting',
      'ready',
      'running',
      'sleeping',
      'retrying',
      'failed',
      'upstream_failed',
      'skipped',
      'cancelled',
    ],
    to: 'succeeded',
  },
  mark_failed: { from: ['waiting', 'ready', 'running', 'sleeping', 'retrying'], to: 'failed' },
} as const satisfies { readonly [event: string]: Transition<TaskState> }

/** What takes a task from one state to another. */
export type TaskEvent = keyof typeof taskTransitions

/** queued: waits for `concurrency.runs`. cancelling shows as `running` until the last attempt has ended. */
export const runStates = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const
/** The state of a run. */
export type RunState = (typeof runStates)[number]

/** Every event of a run and where it leads. */
export const runTransitions = {
  start: { from: ['queued'], to: 'running' },
  pause: { from: ['running', 'queued'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  // Resumed before it ever started: it waits for its limits again.
  requeue: { from: ['paused'], to: 'queued' },
  succeed: { from: ['running', 'paused'], to: 'succeeded' },
  // From `queued`: its deadline passed before it started.
  fail: { from: ['queued', 'running', 'paused'], to: 'failed' },
  cancel: { from: ['queued', 'running', 'paused'], to: 'cancelled' },
  // A person's `runs retry` or `runs mark`: it goes on, when its limits allow.
  retry: { from: ['failed', 'cancelled'], to: 'queued' },
} as const satisfies { readonly [event: string]: Transition<RunState> }

/** What takes a run from one state to another. */
export type RunEvent = keyof typeof runTransitions

const ended: ReadonlySet<string> = new Set<TaskState>([
  'succeeded',
  'failed',
  'upstream_failed',
  'skipped',
  'cancelled',
])

/** Whether nothing leads out of this state, for a task or a run. */
export function isEnded(state: TaskState | RunState): boolean {
  return ended.has(state)
}

/** The state after `event`; a way that the table does not have is a bug, not a case to ignore. */
export function nextTaskState(state: TaskState, event: TaskEvent): TaskState {
  const { from, to }: Transition<TaskState> = taskTransitions[event]
  if (!from.includes(state)) throw bug(`task event '${event}' is impossible in state '${state}'`)
  return to
}

/** The state of a run after `event`. */
export function nextRunState(state: RunState, event: RunEvent): RunState {
  const { from, to }: Transition<RunState> = runTransitions[event]
  if (!from.includes(state)) throw bug(`run event '${event}' is impossible in state '${state}'`)
  return to
}
