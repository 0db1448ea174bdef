/**
 * What follows from an event: which tasks become ready, which end without starting, when the run is over.
 * Pure but for the run it is given: no clock, no store, no processes.
 */
import type { JsonObject } from './json.ts'
import { type LiveRun, type Node, needCounter } from './live-run.ts'
import { isEnded, nextTaskState, type RunEvent, type TaskEvent } from './state.ts'
import type { TaskPatch } from './store/store.ts'
import { triggerVerdict } from './trigger-rule.ts'

/** What else an event brings: new values for the row, and words for the event's record. */
export interface Particulars {
  readonly patch?: TaskPatch
  readonly detail?: JsonObject
}

/** Puts every task that waits for nothing on its way. Called once, when the run starts or is taken over. */
export function begin(run: LiveRun, at: number): void {
  // What is left out or given has ended already: what needs it may end here, and what needs that in turn.
  const ended = run.nodes.filter((node) => node.key === null && decide(run, node, at))
  follow(run, ended, at)
}

/**
 * Takes `node` through `event` and settles everything that follows at once, without recursion.
 * Newly ready nodes are appended to `run.readied`.
 */
export function apply(
  run: LiveRun,
  node: Node,
  event: TaskEvent,
  at: number,
  particulars: Particulars = {},
): void {
  transition(run, node, event, at, particulars)
  if (isEnded(node.state)) follow(run, [node], at)
}

/** Settles what follows from the end of these nodes, and from the ends that this brings. */
function follow(run: LiveRun, ended: Node[], at: number): void {
  for (let done = ended.pop(); done !== undefined; done = ended.pop()) {
    const counter = needCounter(done.state)
    if (done.key !== null) settleInstance(run, done, at, ended)
    run.graph.eachDependent(done.index, (index) => {
      const dependent = run.nodes[index] as Node
      dependent.needs[counter]++
      if (decide(run, dependent, at)) ended.push(dependent)
    })
  }
}

/** Cancels every task that has not ended, without looking at triggers; gives the nodes whose attempts still run. */
export function cancelAll(run: LiveRun, at: number): Node[] {
  const running = run.nodes.filter((node) => node.holding)
  run.cancelled = true
  for (const node of run.nodes) if (!isEnded(node.state)) transition(run, node, 'cancel', at, {})
  return running
}

/** The event that ends the run, or null while a task has not ended. */
export function runEnding(run: LiveRun): Extract<RunEvent, 'succeed' | 'fail' | 'cancel'> | null {
  if (run.open > 0) return null
  if (run.cancelled) return 'cancel'
  let cancelled = false
  for (const { state } of run.nodes) {
    if (state === 'failed' || state === 'upstream_failed') return 'fail'
    if (state === 'cancelled') cancelled = true
  }
  return cancelled ? 'cancel' : 'succeed'
}

/** Makes a ready mapped task into its instances, one per key; without keys it succeeds at once. */
export function expand(run: LiveRun, node: Node, keys: readonly string[], at: number): void {
  transition(run, node, 'expand', at, { patch: { startedAt: at } })
  node.openInstances = keys.length
  for (const key of keys) {
    const instance = run.grow(node, key)
    run.note(instance, 'grow', {})
    transition(run, instance, 'unblock', at, {})
  }
  if (keys.length === 0) apply(run, node, 'succeed', at, { patch: { outputs: [] } })
}

function transition(
  run: LiveRun,
  node: Node,
  event: TaskEvent,
  at: number,
  { patch, detail }: Particulars,
): void {
  const state = nextTaskState(node.state, event)
  if (isEnded(state)) {
    run.open--
    run.note(node, event, { state, endedAt: at, wakeAt: null, ...patch }, detail)
  } else {
    run.note(node, event, { state, ...patch }, detail)
  }
  if (state === 'ready') run.readied.push(node)
}

/** Whether the trigger of a waiting node now ends it; where it may start, it becomes ready. */
function decide(run: LiveRun, node: Node, at: number): boolean {
  if (node.state !== 'waiting') return false
  const verdict = triggerVerdict(run.task(node).trigger, node.needs)
  if (verdict === null) return false
  transition(run, node, verdict, at, {})
  return verdict !== 'unblock'
}

/** A mapped task ends with its last instance: failed, cancelled, succeeded, skipped: the first that any instance is. */
function settleInstance(run: LiveRun, instance: Node, at: number, ended: Node[]): void {
  const parent = run.nodes[instance.task] as Node
  parent.openInstances--
  if (parent.openInstances > 0 || isEnded(parent.state)) return
  const instances = run.nodes.filter((node) => node.key !== null && node.task === parent.index)
  const has = (state: string) => instances.some((node) => node.state === state)
  const event = has('failed') ? 'fail' : has('cancelled') ? 'cancel' : has('succeeded') ? 'succeed' : 'skip'
  const outputs = instances.map((node) => (node.state === 'succeeded' ? node.outputs : null))
  transition(run, parent, event, at, { patch: { outputs } })
  ended.push(parent)
}
