/**
 * Why a task is where it is: facts in, reasons out. Pure. A task that has not ended and of which nothing is known
 * that it waits for would wait for ever: the simulation holds that there is none (RELIABILITY, invariant 4).
 */
import { shellWord } from '../shell-word.ts'
import { isEnded } from '../state.ts'
import type { TaskRecord } from '../store/records.ts'
import { endOf } from './ended.ts'
import type { Answer, Facts, Reason } from './facts.ts'
import { Nodes } from './nodes.ts'
import { endpointReasons, parallelReasons, readyReasons } from './ready.ts'
import { queueReasons, runReasons } from './run.ts'
import { counted, lasting, listed } from './words.ts'

/** Needs, and tasks at the top of what they wait for, that are named one by one; open instances that are looked into. */
const most = { needs: 10, instances: 3 } as const

/** Why the node of this number is where it is. Throws nothing; a node that the run does not have is the caller's bug. */
export function whyOf(facts: Facts, node: number): Answer {
  const nodes = nodesOf(facts)
  const row = facts.tasks[node] as TaskRecord
  if (isEnded(row.state)) return { state: row.state, waitsFor: [], because: endOf(nodes, row, facts) }
  return { state: row.state, waitsFor: reasonsOf(facts, nodes, row), because: null }
}

/**
 * Why an instance of a mapped task is not there: others have their turn before it is made. Null where the mapped task has
 * ended, or has no such item.
 */
export function whyNotMade(facts: Facts, mapped: number, key: string): Answer | null {
  const row = facts.tasks[mapped] as TaskRecord
  const { expansion } = row
  if (isEnded(row.state) || facts.pipeline.tasks[row.task]?.foreach === undefined) return null
  const isItem =
    expansion === null
      ? row.state !== 'running'
      : (expansion.keys?.includes(key) ?? (/^\d+$/.test(key) && Number(key) < itemsOf(row)))
  if (!isItem) return null
  const nodes = nodesOf(facts)
  const what = `${nodes.name(row)}[${key}] is not made yet: ${nodes.name(row)} is ${row.state}, and others come before it`
  const first: Reason = { kind: 'instances', what, since: null, until: null }
  return { state: 'waiting', waitsFor: [first, ...reasonsOf(facts, nodes, row)], because: null }
}

/**
 * The names of tasks that have not ended and wait for nothing: in a run that is as it should be there are none.
 * @param idle the engine has done all that it could: then a task that waits only for its turn waits for nothing
 */
export function unexplained(facts: Facts, idle = false): readonly string[] {
  const nodes = nodesOf(facts)
  return facts.tasks
    .filter(({ state }) => !isEnded(state))
    .filter((node) => reasonsOf(facts, nodes, node).every(({ kind }) => idle && kind === 'turn'))
    .map((node) => nodes.name(node))
}

/** The node of this name, as commands write it: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. */
export function nodeNamed(facts: Facts, name: string): number | null {
  const nodes = nodesOf(facts)
  return facts.tasks.find((node) => nodes.name(node) === name)?.node ?? null
}

function nodesOf({ pipeline, tasks, events, run }: Facts): Nodes {
  return new Nodes(pipeline, tasks, events, run.runtime)
}

function reasonsOf(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const queued = facts.run.state === 'queued'
  if (queued) return [...runReasons(facts), ...queueReasons(facts)]
  const run = runReasons(facts)
  const own = ownReasons(facts, nodes, node)
  // Its turn comes only where the run goes on.
  return distinct([...run, ...own.filter(({ kind }) => kind !== 'turn' || run.length === 0)])
}

/** What the node waits for besides what holds back the whole run. */
function ownReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  switch (node.state) {
    case 'waiting':
      return waitingReasons(facts, nodes, node)
    case 'ready':
      return readyReasons(facts, nodes, node)
    case 'running':
      return node.holding ? [attemptReason(facts, nodes, node)] : insideReasons(facts, nodes, node)
    case 'sleeping':
      return [...endpointReasons(facts, node), ...sleepReasons(facts, nodes, node)]
    case 'retrying':
      return [...endpointReasons(facts, node), ...retryReasons(facts, nodes, node)]
    default:
      return []
  }
}

function waitingReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const group = nodes.parent(node)
  // What stands in a group waits for the group; what an instance's group waits for stands with the group itself.
  if (group !== undefined && group.state !== 'running' && !isEnded(group.state)) {
    const what = `the group ${nodes.name(group)} has not begun (${group.state})`
    const first: Reason = { kind: 'group', what, since: nodes.since(group), until: null }
    return [first, ...ownReasons(facts, nodes, group)]
  }
  if (node.key !== null && group !== undefined) return placeReasons(facts, nodes, node, group)
  const open = nodes.openNeeds(node)
  const { trigger } = nodes.task(node)
  const rule = trigger === 'all_success' ? '' : `; trigger: ${trigger}`
  const needs = open.slice(0, most.needs).map((need): Reason => {
    const what = `${nodes.name(need)} has not ended (${need.state}${rule})`
    return { kind: 'need', what, since: nodes.since(need), until: need.wakeAt }
  })
  const rest = open.length - needs.length
  if (rest > 0)
    needs.push({
      kind: 'need',
      what: `${counted(rest, 'more task')} that it needs`,
      since: null,
      until: null,
    })
  if (needs.length > 0) return [...needs, ...rootReasons(facts, nodes, node)]
  return [turn('nothing is in its way: its engine takes it up next')]
}

/** An instance that has its turn when others of its mapped task have had theirs. */
function placeReasons(facts: Facts, nodes: Nodes, node: TaskRecord, mapped: TaskRecord): Reason[] {
  const limits = parallelReasons(facts, nodes, node)
  const active = nodes.children(mapped).filter(({ state }) => state !== 'waiting' && !isEnded(state))
  if (limits.length > 0) return limits
  if (active.length === 0) return [turn('nothing is in its way: its engine takes it up next')]
  const what = `${counted(active.length, 'instance')} of ${nodes.name(mapped)} before it: so many are taken up at once`
  return [{ kind: 'instances', what, since: nodes.since(node), until: null }]
}

/** What stands at the top of everything that the needs wait for in turn, and why that has not ended. */
function rootReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  return nodes
    .roots(node)
    .slice(0, most.needs)
    .map((root) => {
      const [first] = ownReasons(facts, nodes, root)
      const why = first === undefined ? '' : `: ${first.what}`
      const what = `above them all, ${nodes.name(root)} has not ended (${root.state}${why})`
      return { kind: 'need', what, since: nodes.since(root), until: first?.until ?? root.wakeAt }
    })
}

function attemptReason(facts: Facts, nodes: Nodes, node: TaskRecord): Reason {
  const { owner, run } = facts
  const { timeout } = nodes.task(node)
  const runtime = nodes.runtime(node)
  const where = owner.place === null ? '' : `, on ${owner.place}`
  const fate = owner.lives
    ? ''
    : runtime === 'inline'
      ? '; it ran in its engine and is lost with it: it starts again when the run goes on'
      : '; what runs in a process goes on by itself, and is taken up when the run goes on'
  const what = `attempt ${node.attempt} (${runtime}) of run ${run.id} runs${where}${fate}`
  const until = timeout === null || node.tryStartedAt === null ? null : node.tryStartedAt + timeout
  return { kind: 'attempt', what, since: nodes.since(node) ?? node.tryStartedAt, until }
}

/** A mapped task waits for its instances, a group for its tasks, a task of a mapped group for its copies. */
function insideReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const copies = nodes.copies(node)
  const inside = copies.length > 0 ? copies : nodes.inside(node)
  const open = inside.filter(({ state }) => !isEnded(state))
  const kind = copies.length > 0 || isMapped(nodes, node) ? 'instances' : 'inside'
  const total = Math.max(itemsOf(node), inside.length)
  const thing = kind === 'inside' ? 'task' : 'instance'
  const states = [...Map.groupBy(open, ({ state }) => state)].map(
    ([state, { length }]) => `${length} ${state}`,
  )
  const still = states.length === 0 ? 'its engine goes on with it next' : states.join(', ')
  const what = `${inside.length - open.length} of ${total} ${thing}s have ended; ${still}`
  const first: Reason = { kind, what, since: nodes.since(node) ?? node.startedAt, until: null }
  const few = open.slice(0, most.instances).flatMap((one) =>
    ownReasons(facts, nodes, one)
      .slice(0, 1)
      .map((reason) => ({ ...reason, what: `${nodes.name(one)} (${one.state}): ${reason.what}` })),
  )
  return [first, ...few]
}

function isMapped(nodes: Nodes, node: TaskRecord): boolean {
  return nodes.task(node).foreach !== undefined && node.key === null
}

function itemsOf({ expansion }: TaskRecord): number {
  if (expansion === null) return 0
  if (expansion.items !== undefined) return expansion.items.length
  const lists = Object.values(expansion.lists ?? {})
  return lists.length === 0 ? 0 : lists.reduce((product, { length }) => product * length, 1)
}

function sleepReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const since = nodes.since(node)
  const { paths = [], datasets = [], runs = [], person } = node.wakeOn ?? {}
  const event = (what: string): Reason => ({ kind: 'event', what, since, until: null })
  const reasons: Reason[] = []
  if (person !== undefined) {
    const answer = `answer with \`dagctl approvals answer ${facts.run.id} ${shellWord(nodes.name(node))}\``
    reasons.push({
      kind: 'person',
      what: `${person.kind}: ${person.message} (${answer})`,
      since,
      until: null,
    })
  }
  if (paths.length > 0) reasons.push(event(`something changes at ${listed(paths)}`))
  if (datasets.length > 0) reasons.push(event(`an update of ${listed(datasets)}`))
  if (runs.length > 0) reasons.push(event(`the end of run ${listed(runs)}`))
  if (node.wakeAt !== null) reasons.push(dueReason(facts, node, since, 'it looks again then'))
  if (reasons.length > 0) return reasons
  const { timeout } = nodes.task(node)
  if (timeout === null || node.tryStartedAt === null) return []
  return [{ kind: 'time', what: 'nothing but its timeout', since, until: node.tryStartedAt + timeout }]
}

function retryReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const since = nodes.since(node)
  const { kind, message } = node.failure ?? { kind: 'user', message: 'no reason was noted' }
  const next =
    nodes.change(node)?.event === 'recover' ? 'a try with what recovery changes' : `try ${node.tries + 1}`
  const delay = since === null || node.wakeAt === null ? '' : ` of ${lasting(node.wakeAt - since)}`
  return [dueReason(facts, node, since, `the delay${delay} before ${next}, after ${kind}: ${message}`)]
}

/** Waits for an instant; once that has passed, only for its engine. */
function dueReason(facts: Facts, node: TaskRecord, since: number | null, what: string): Reason {
  if (node.wakeAt !== null && node.wakeAt > facts.at) return { kind: 'time', what, since, until: node.wakeAt }
  return turn('its time has come: its engine takes it up next')
}

function turn(what: string): Reason {
  return { kind: 'turn', what, since: null, until: null }
}

function distinct(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map((reason) => [`${reason.kind} ${reason.what}`, reason])).values()]
}
