/** Why a task that has ended ended as it did, in a sentence. Pure. */
import { isEnded } from '../state.ts'
import type { TaskRecord } from '../store/records.ts'
import type { EventRecord } from '../store/store.ts'
import type { Facts } from './facts.ts'
import type { Nodes } from './nodes.ts'
import { listed } from './words.ts'

/** The sentence for a node that has ended. */
export function endOf(nodes: Nodes, node: TaskRecord, facts: Facts): string {
  const marked = nodes.change(node)
  if (marked?.event === 'mark_succeeded' || marked?.event === 'mark_failed') return markOf(marked)
  switch (node.state) {
    case 'succeeded':
      return successOf(nodes, node)
    case 'failed':
      return failureOf(nodes, node)
    case 'upstream_failed':
      return blockOf(nodes, node)
    case 'skipped':
      return skipOf(nodes, node)
    default:
      return cancelOf(facts)
  }
}

function markOf({ event, detail }: EventRecord): string {
  const by = detail?.by === undefined ? 'somebody' : String(detail.by)
  const reason = detail?.reason === undefined ? '' : `: ${String(detail.reason)}`
  return `${by} marked it as ${event === 'mark_failed' ? 'failed' : 'succeeded'}${reason}`
}

function successOf(nodes: Nodes, node: TaskRecord): string {
  if (node.cached !== null) return `it reused the outputs of run ${node.cached}`
  const copies = nodes.copies(node)
  if (copies.length > 0) return `all of it has ended well enough (${tally(copies)})`
  const inside = nodes.inside(node)
  if (inside.length > 0) return `all in it has ended well enough (${tally(inside)})`
  return node.attempt === 0 ? 'there was nothing to do' : `attempt ${node.attempt} succeeded`
}

function failureOf(nodes: Nodes, node: TaskRecord): string {
  const spoiled = nodes.children(node).filter(isSpoiled)
  if (spoiled.length > 0) return `of what stands in it, ${listed(spoiled.map((one) => told(nodes, one)))}`
  const { kind, message } = node.failure ?? { kind: 'user', message: 'no reason was noted' }
  const tries = node.tries > 1 ? ` after ${node.tries} tries` : ''
  return `it failed${tries} (${kind}): ${message}`
}

function blockOf(nodes: Nodes, node: TaskRecord): string {
  const around = endedAround(nodes, node)
  if (around !== null) return around
  const spoiled = nodes.needs(node).filter(isSpoiled)
  const { trigger } = nodes.task(node)
  if (spoiled.length === 0) return `its trigger ${trigger} could not hold any more`
  const first = origins(nodes, spoiled)
  const whence = first.every((one) => spoiled.includes(one))
    ? ''
    : `; it began with ${listed(first.map((one) => told(nodes, one)))}`
  return `its trigger ${trigger} could not hold: ${listed(spoiled.map((one) => told(nodes, one)))}${whence}`
}

function skipOf(nodes: Nodes, node: TaskRecord): string {
  const change = nodes.change(node)
  const reason = change?.event === 'skip' ? change.detail?.reason : undefined
  if (typeof reason === 'string') return `it was skipped by ${reason}`
  const around = endedAround(nodes, node)
  if (around !== null) return around
  const needs = nodes.needs(node)
  if (change === undefined && needs.every(({ state }) => isEnded(state) && state !== 'skipped'))
    return 'it was left out of this run'
  const { trigger } = nodes.task(node)
  const how = needs.map((need) => `${nodes.name(need)} is ${need.state}`)
  return how.length === 0
    ? 'it was left out of this run'
    : `its trigger ${trigger} could not hold: ${listed(how)}`
}

/** What stands in a group, or is an instance, ends with what it stands in. */
function endedAround(nodes: Nodes, node: TaskRecord): string | null {
  const around = nodes.parent(node)
  if (around === undefined || !isEnded(around.state) || around.state === 'succeeded') return null
  return `${nodes.name(around)}, which it stands in, ended before it began (${around.state})`
}

function cancelOf({ events, run }: Facts): string {
  const cancel = events.findLast(({ node, event }) => node === null && event === 'cancel')
  if (cancel === undefined) return `the run ended (${run.state}) before the task had begun`
  const by = cancel?.detail?.by
  return `the run was cancelled${by === undefined ? '' : ` by ${String(by)}`} before the task had ended`
}

/** The failures at the top of the chains of upstream_failed tasks. */
function origins(nodes: Nodes, spoiled: readonly TaskRecord[]): readonly TaskRecord[] {
  const seen = new Set<TaskRecord>()
  const found: TaskRecord[] = []
  const open = [...spoiled]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    const above = node.state === 'upstream_failed' ? nodes.needs(node).filter(isSpoiled) : []
    if (above.length === 0) found.push(node)
    else open.push(...above)
  }
  return found.toSorted((a, b) => a.node - b.node)
}

function told(nodes: Nodes, node: TaskRecord): string {
  const kind = node.failure === null ? '' : ` (${node.failure.kind})`
  return `${nodes.name(node)} ${node.state === 'failed' ? 'failed' : `is ${node.state}`}${kind}`
}

function tally(nodes: readonly TaskRecord[]): string {
  const states = Map.groupBy(nodes, ({ state }) => state)
  return [...states].map(([state, { length }]) => `${length} ${state}`).join(', ')
}

function isSpoiled({ state }: TaskRecord): boolean {
  return state === 'failed' || state === 'upstream_failed' || state === 'cancelled'
}
