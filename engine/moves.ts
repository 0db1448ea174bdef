/** The one function that every transition of a node passes, with the counts and the inner nodes that hang on it. Pure. */
import type { Failure } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { LiveRun } from './live-run.ts'
import { isActive, type Node } from './node.ts'
import { isEnded, nextTaskState, type TaskEvent, type TaskState } from './state.ts'
import type { TaskPatch } from './store/batch.ts'

/** What else an event brings: new values for the row, and words for the event's record. */
export interface Particulars {
  readonly patch?: TaskPatch
  readonly detail?: JsonObject
}

/** Takes a node from state to state, with the counts that hang on it. What follows from an end is `follow`. */
export function transition(
  run: LiveRun,
  node: Node,
  event: TaskEvent,
  at: number,
  { patch, detail }: Particulars,
): void {
  const before = node.state
  const state = nextTaskState(before, event)
  const over = isEnded(state)
  if (over && !isEnded(before)) run.open--
  else if (!over && isEnded(before)) run.open++
  run.note(
    node,
    event,
    over ? { state, endedAt: at, wakeAt: null, wakeOn: null, ...patch } : { state, ...patch },
    detail,
  )
  const holder = node.parent
  if (node.key !== null && holder?.inside) {
    const change = Number(isActive(state)) - Number(isActive(before))
    holder.inside.active += change
    if (change < 0) run.widening.add(holder)
  }
  if (over) endInside(run, node, event, at)
  if (state === 'ready') run.readied.push(node)
}

/** Ends what stands in a container that has ended: nothing in it starts or goes on without it. */
export function endInside(run: LiveRun, node: Node, event: TaskEvent, at: number): void {
  if (node.inside === null) return
  for (const child of node.inside.children) {
    if (isEnded(child.state)) continue
    node.inside.open--
    transition(run, child, child.state === 'waiting' ? unstarted(event) : 'cancel', at, {})
  }
  for (const aggregate of aggregatesIn(run, node)) settleAggregate(run, aggregate, node, event, at)
}

/** How a task ends that never starts, since what it stands in ended by this event. */
function unstarted(event: TaskEvent): 'skip' | 'block' | 'cancel' {
  if (event === 'block' || event === 'fail' || event === 'mark_failed') return 'block'
  return event === 'cancel' ? 'cancel' : 'skip'
}

/** The tasks of the file that stand in a mapped group: one row each, whatever the number of instances. */
export function aggregatesIn(run: LiveRun, mapped: Node): readonly Node[] {
  // Copies of mapped groups in mapped groups: the outermost one speaks for all of them.
  if (mapped.role !== 'mapped' || mapped.index >= run.pipeline.tasks.length) return []
  if (run.task(mapped).isGroup !== true) return []
  const found: Node[] = []
  const open = [...run.shape.members(mapped.task)]
  for (let task = open.shift(); task !== undefined; task = open.shift()) {
    const node = run.nodes[task] as Node
    if (node.role === 'aggregate') found.push(node)
    open.push(...run.shape.members(task))
  }
  return found
}

/** The end of what stands for these nodes: failed, cancelled, succeeded, skipped: the first that any of them is. */
export function summary(nodes: readonly Node[]): 'fail' | 'cancel' | 'succeed' | 'skip' {
  const has = (...states: readonly TaskState[]) => nodes.some(({ state }) => states.includes(state))
  return has('failed', 'upstream_failed')
    ? 'fail'
    : has('cancelled')
      ? 'cancel'
      : has('succeeded')
        ? 'succeed'
        : 'skip'
}

/** Of the same kind as the first failure in it, with how many there are. */
export function failureOf(run: LiveRun, children: readonly Node[]): Failure {
  const failed = children.filter(({ state }) => state === 'failed')
  const [first] = failed
  const why = first?.failure
  const kind = why?.kind ?? 'user'
  if (first === undefined) return { kind, message: 'a task in it could not run' }
  const count = `${failed.length} of ${children.length} failed`
  return {
    kind,
    message: `${count}; the first, ${run.name(first)}: ${why?.message ?? 'no reason was given'}`,
  }
}

/** A task of a mapped group stands for its copies. */
function settleAggregate(run: LiveRun, aggregate: Node, mapped: Node, event: TaskEvent, at: number): void {
  if (isEnded(aggregate.state)) return
  if (aggregate.state === 'waiting') {
    transition(run, aggregate, unstarted(event), at, {})
    return
  }
  const copies = copiesOf(aggregate, mapped)
  transition(run, aggregate, event === 'cancel' ? 'cancel' : summary(copies), at, {})
}

function copiesOf(aggregate: Node, mapped: Node): Node[] {
  const found: Node[] = []
  const look = (node: Node): void => {
    for (const child of node.inside?.children ?? []) {
      if (child.task === aggregate.task && child.key === null && child.role !== 'aggregate') found.push(child)
      else if (child.inside !== null) look(child)
    }
  }
  look(mapped)
  return found
}
