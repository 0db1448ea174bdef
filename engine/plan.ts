/**
 * What follows from an event: which tasks become ready, which end without starting, when the run is over.
 * Pure but for the run it is given: no clock, no store, no processes. What is many is windows.ts and containers.ts.
 */
import { type LiveRun, needCounter } from './live-run.ts'
import { endInside, type Particulars, transition } from './moves.ts'
import type { Node } from './node.ts'
import { isEnded, type RunEvent, type TaskEvent, type TaskState } from './state.ts'
import { triggerVerdict } from './trigger-rule.ts'
import { settleParent, widen } from './windows.ts'

/**
 * Puts every task that waits for nothing on its way, and takes up containers where they stood. Called when the run
 * starts, is taken over, or goes on after a person's retry.
 */
export function begin(run: LiveRun, at: number): void {
  const ended: Node[] = []
  endInsides(run, at)
  for (const node of run.nodes) {
    // What is left out or given has ended already: what needs it may end here, and what needs that in turn.
    if (isEnded(node.state)) continue
    if (decide(run, node, at)) ended.push(node)
    else if (node.state === 'running' && node.role === 'mapped') run.widening.add(node)
    else if (node.state === 'running' && node.role === 'group' && node.inside?.open === 0)
      run.closing.push(node)
  }
  follow(run, ended, at)
}

/** The event that a container's ended state stands for, for what is in it. */
const endings: { readonly [state in TaskState]?: TaskEvent } = {
  failed: 'fail',
  upstream_failed: 'block',
  cancelled: 'cancel',
}

/** What stands in a container that has ended, as one that is left out or given has from the first, ends as that did. */
function endInsides(run: LiveRun, at: number): void {
  for (const node of run.nodes)
    if (isEnded(node.state)) endInside(run, node, endings[node.state] ?? 'skip', at)
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
  follow(run, isEnded(node.state) ? [node] : [], at)
}

/** Settles what follows from the end of these nodes, and from the ends that this brings. */
export function follow(run: LiveRun, ended: Node[], at: number): void {
  for (;;) {
    const done = ended.pop()
    if (done === undefined) {
      const [mapped] = run.widening
      if (mapped === undefined) return
      run.widening.delete(mapped)
      widen(run, mapped, at, ended)
      continue
    }
    const counter = needCounter(done.state)
    settleParent(run, done, at, ended)
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
  endInsides(run, at)
  for (const node of run.nodes) if (!isEnded(node.state)) transition(run, node, 'cancel', at, {})
  run.widening.clear()
  return running
}

/**
 * Ends a run that is over its deadline or budget: what is active fails, what waits is cancelled. Gives the nodes whose
 * attempts still run.
 */
export function failAll(
  run: LiveRun,
  failure: { kind: 'deadline' | 'budget'; message: string },
  at: number,
): Node[] {
  const running = run.nodes.filter((node) => node.holding)
  run.doomed = true
  endInsides(run, at)
  // Backwards, so that what stands in a container fails by itself and is not ended with it.
  for (const node of run.nodes.toReversed()) {
    if (isEnded(node.state)) continue
    if (node.state === 'waiting' || node.state === 'ready') transition(run, node, 'cancel', at, {})
    else transition(run, node, 'fail', at, { patch: { failure }, detail: failure })
  }
  run.widening.clear()
  return running
}

/** The event that ends the run, or null while a task has not ended. */
export function runEnding(run: LiveRun): Extract<RunEvent, 'succeed' | 'fail' | 'cancel'> | null {
  if (run.open > 0) return null
  if (run.cancelled) return 'cancel'
  if (run.doomed) return 'fail'
  let cancelled = false
  for (const { state, parent } of run.nodes) {
    if (parent !== null) continue
    if (state === 'failed' || state === 'upstream_failed') return 'fail'
    if (state === 'cancelled') cancelled = true
  }
  return cancelled ? 'cancel' : 'succeed'
}

/** Whether the trigger of a waiting node now ends it; where it may start, it becomes ready. */
export function decide(run: LiveRun, node: Node, at: number): boolean {
  // Instances start as their mapped task's window allows, aggregates with their mapped group.
  if (node.state !== 'waiting' || node.key !== null || node.role === 'aggregate') return false
  if (node.parent !== null && node.parent.state !== 'running') return false
  const verdict = triggerVerdict(run.task(node).trigger, node.needs)
  if (verdict === null) return false
  transition(run, node, verdict, at, {})
  return verdict !== 'unblock'
}
