/** How tasks become many: a mapped task its instances, a group its tasks; and how a group closes. Pure. */
import type { Failure } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { LiveRun } from './live-run.ts'
import { aggregatesIn, summary, transition } from './moves.ts'
import type { Node } from './node.ts'
import { apply, decide, follow } from './plan.ts'
import type { Expansion } from './store/records.ts'
import { settleGroup } from './windows.ts'

/** Makes a ready mapped task into its instances, as far as its window goes; without items it succeeds at once. */
export function expand(run: LiveRun, node: Node, expansion: Expansion, at: number): void {
  transition(run, node, 'expand', at, { patch: { expansion, startedAt: node.startedAt ?? at } })
  for (const aggregate of aggregatesIn(run, node))
    if (aggregate.state === 'waiting') transition(run, aggregate, 'expand', at, { patch: { startedAt: at } })
  run.widening.add(node)
  follow(run, [], at)
}

/** Opens a ready group: its tasks start by their own triggers. */
export function open(run: LiveRun, node: Node, at: number): void {
  transition(run, node, 'expand', at, { patch: { startedAt: node.startedAt ?? at } })
  const children = node.inside?.children ?? []
  if (children.length === 0) run.growMembers(node)
  const ended = children.filter((child) => leaveOut(run, child, at) || decide(run, child, at))
  // After a retry all of them may have ended before, and not all of them well.
  if (node.inside?.open === 0 && ended.length === 0) {
    if (summary(children) === 'fail' || summary(children) === 'cancel') settleGroup(run, node, at, ended)
    else run.closing.push(node)
  }
  follow(run, ended, at)
}

/** Skips a task of a group's instance that the run leaves out; true where it did. */
function leaveOut(run: LiveRun, child: Node, at: number): boolean {
  if (child.state !== 'waiting' || !run.omits(child)) return false
  transition(run, child, 'skip', at, {})
  return true
}

/** Ends a group whose tasks have all ended well, with its outputs or with why there are none. */
export function close(
  run: LiveRun,
  node: Node,
  result: { readonly outputs: JsonObject } | { readonly failure: Failure },
  at: number,
): void {
  if (node.state !== 'running') return
  if ('outputs' in result) apply(run, node, 'succeed', at, { patch: { outputs: result.outputs } })
  else {
    const { failure } = result
    apply(run, node, 'fail', at, { patch: { failure }, detail: { ...failure } })
  }
}
