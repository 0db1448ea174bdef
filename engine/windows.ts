/** The window of a mapped task, and how mapped tasks and groups end with what stands in them. Pure. */
import { itemCount, keyOf } from './expansion.ts'
import type { LiveRun } from './live-run.ts'
import { failureOf, summary, transition } from './moves.ts'
import type { Node } from './node.ts'
import type { Expansion } from './store/records.ts'

/** Most instances of a mapped task that are ready or running at once: so many are made before there is room for them. */
const widest = 1000

/** Makes and unblocks instances while the window has room; the last one's end ends the mapped task. */
export function widen(run: LiveRun, node: Node, at: number, ended: Node[]): void {
  const { inside, expansion } = node
  if (node.state !== 'running' || inside === null || expansion === null) return
  const most = windowOf(run, node)
  while (inside.active < most) {
    const instance = nextInstance(run, node, expansion)
    if (instance === null) break
    transition(run, instance, 'unblock', at, {})
  }
  if (inside.open === 0 && nextWaiting(node) === null && inside.children.length === itemCount(expansion))
    settleMapped(run, node, at, ended)
}

/** What the end of a node does to the mapped task or the group that it stands in. */
export function settleParent(run: LiveRun, node: Node, at: number, ended: Node[]): void {
  const { parent } = node
  if (parent?.inside === null || parent === null || node.role === 'aggregate') return
  parent.inside.open--
  if (parent.state !== 'running') return
  if (parent.role === 'mapped') run.widening.add(parent)
  else if (parent.inside.open === 0) settleGroup(run, parent, at, ended)
}

function windowOf(run: LiveRun, node: Node): number {
  const { foreach, isGroup } = run.task(node)
  const most = foreach?.maxParallel ?? null
  if (most === null) return widest
  // Groups hold no slot of their own, so that the window itself is the limit; tasks count while they hold one.
  return isGroup === true ? most : Math.min(widest, Math.max(16, 2 * most))
}

/** The next instance to start: one that a retry has put back, or a new one. */
function nextInstance(run: LiveRun, node: Node, expansion: Expansion): Node | null {
  const waiting = nextWaiting(node)
  if (waiting !== null) return waiting
  const index = node.inside?.children.length ?? 0
  return index < itemCount(expansion) ? run.grow(node, keyOf(expansion, index)) : null
}

function nextWaiting({ inside }: Node): Node | null {
  if (inside === null) return null
  const { children } = inside
  while (inside.scanned < children.length && children[inside.scanned]?.state !== 'waiting') inside.scanned++
  return children[inside.scanned] ?? null
}

/** A mapped task ends with its last instance: failed, cancelled, succeeded, skipped: the first that any instance is. */
function settleMapped(run: LiveRun, node: Node, at: number, ended: Node[]): void {
  const children = node.inside?.children ?? []
  const event = children.length === 0 ? 'succeed' : summary(children)
  const failure = event === 'fail' ? failureOf(run, children) : null
  const outputs = children.map((child) => (child.state === 'succeeded' ? child.outputs : null))
  transition(run, node, event, at, {
    patch: { outputs, failure },
    ...(failure && { detail: { ...failure } }),
  })
  ended.push(node)
}

/** Ends a group in which nothing is open any more; one whose tasks have ended well has its outputs made first. */
export function settleGroup(run: LiveRun, node: Node, at: number, ended: Node[]): void {
  const children = node.inside?.children ?? []
  const event = summary(children)
  if (event === 'succeed') {
    run.closing.push(node)
    return
  }
  const failure = event === 'fail' ? failureOf(run, children) : null
  transition(run, node, event, at, { patch: { failure }, ...(failure && { detail: { ...failure } }) })
  ended.push(node)
}
