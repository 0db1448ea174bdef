/** What a task waits for that could start: an hour, an endpoint, the limits that it shares with others. Pure. */
import { opensAt } from '../hours.ts'
import { agingPeriod } from '../lanes.ts'
import type { Task } from '../pipeline.ts'
import { shareOf } from '../resources.ts'
import type { TaskRecord } from '../store/records.ts'
import type { Facts, Holder, Reason, Rival } from './facts.ts'
import type { Nodes } from './nodes.ts'
import { counted, listed } from './words.ts'

/** A ready task, and what is known around it. */
interface Case {
  readonly facts: Facts
  readonly nodes: Nodes
  readonly node: TaskRecord
  readonly task: Task
  /** Since when it is ready. */
  readonly since: number | null
}

/** Everything that a ready task waits for; where that is nothing, its turn. */
export function readyReasons(facts: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const one = { facts, nodes, node, task: nodes.task(node), since: nodes.since(node) }
  const reasons = [
    ...leaving(one),
    ...backoff(one),
    ...windowReasons(one),
    ...endpointReasons(facts, node),
    ...taskLimit(one),
    ...poolLimits(one),
    ...parallelReasons(facts, nodes, node),
    ...before(one),
  ]
  return reasons.length > 0 ? reasons : [lastly(one)]
}

/** The circuit breaker that stands in the way of a task, if one does. */
export function endpointReasons({ events, at }: Facts, { node }: TaskRecord): Reason[] {
  const open = events.findLast((event) => event.node === node && event.event === 'breaker')
  const { endpoint, until } = open?.detail ?? {}
  if (open === undefined || typeof until !== 'number' || until <= at) return []
  const what = `too many failures of ${String(endpoint)}: it is left alone until then, and tried once after`
  return [{ kind: 'endpoint', what, since: open.at, until }]
}

/** After a person's retry an attempt of before may still be there. */
function leaving({ node, since }: Case): Reason[] {
  if (!node.holding) return []
  const what = `attempt ${node.attempt}, of before it was taken up again, has not left yet`
  return [{ kind: 'attempt', what, since, until: null }]
}

function backoff({ facts, nodes, node, since }: Case): Reason[] {
  if (node.wakeAt === null || node.wakeAt <= facts.at) return []
  const { kind = 'given back', message } = nodes.change(node)?.detail ?? {}
  const why = `${String(kind)}${message === undefined ? '' : `: ${String(message)}`}`
  const what = `it was released ${counted(node.releases, 'time')} (${why}), and starts again after a delay`
  return [{ kind: 'time', what, since, until: node.wakeAt }]
}

/** What slept, or was released, goes on at any hour. */
function windowReasons({ facts, node, since }: Case): Reason[] {
  const { run, pipeline, at } = facts
  const { schedule } = pipeline
  if (schedule === null || run.trigger !== 'schedule' || node.continues) return []
  const until = opensAt(schedule, at)
  if (until === null) return []
  const what = `tasks of scheduled runs start only within the window of the schedule (${schedule.timezone})`
  return [{ kind: 'window', what, since, until }]
}

function taskLimit({ facts, since }: Case): Reason[] {
  const { run, pipeline, holders } = facts
  const limit = pipeline.concurrency.tasks
  const holding = holders.filter((holder) => holder.pipeline === run.pipeline)
  if (limit === null || holding.length < limit) return []
  const what = `concurrency.tasks of ${run.pipeline} is ${limit}, and taken by ${tell(holding, run.id)}`
  return [{ kind: 'tasks', what, since, until: null }]
}

function poolLimits({ facts, task, since }: Case): Reason[] {
  const { run, holders, resources } = facts
  const name = task.pool
  const pool = name === undefined ? undefined : resources.pools[name]
  if (name === undefined || pool === undefined) return []
  const wanted = task.slots ?? 1
  if (wanted > pool.slots) {
    const what = `it takes ${wanted} slots of pool ${name}, which has only ${pool.slots}: change dagctl.yaml or the task`
    return [{ kind: 'pool', what, since, until: null }]
  }
  const holding = holders.filter((holder) => holder.pool === name)
  const backfills = holding.filter(({ backfill }) => backfill !== null)
  const reasons: Reason[] = []
  if (used(holding) + wanted > pool.slots) {
    const needs = wanted === 1 ? '' : `, of which it takes ${wanted}`
    const what = `${used(holding)} of ${counted(pool.slots, 'slot')} of pool ${name} are taken${needs}: ${tell(holding, run.id)}${yielding(facts, holding)}`
    reasons.push({ kind: 'pool', what, since, until: null })
  }
  const share = shareOf(pool.slots, wanted)
  if (run.backfill !== null && used(backfills) + wanted > share) {
    const what = `backfills may take ${share} of ${counted(pool.slots, 'slot')} of pool ${name}, and have ${used(backfills)}: ${tell(backfills, run.id)}`
    reasons.push({ kind: 'share', what, since, until: null })
  }
  return reasons
}

/** What a live task may count on where backfills are in its way. */
function yielding({ run }: Facts, holding: readonly Holder[]): string {
  if (run.backfill !== null) return ''
  const firm = holding.filter(({ backfill, preemptible }) => backfill !== null && !preemptible)
  if (firm.length === 0) return ''
  return '; of attempts of backfills it waits for at most one to end: they rank below it'
}

/** The limit of instances at once: those count that hold a slot, of groups those that run. */
export function parallelReasons({ run }: Facts, nodes: Nodes, node: TaskRecord): Reason[] {
  const parent = nodes.parent(node)
  const limit = node.key === null ? null : (nodes.task(node).foreach?.maxParallel ?? null)
  if (parent === undefined || limit === null) return []
  const running = nodes
    .children(parent)
    .filter((other) => other !== node && (other.holding || other.state === 'running'))
  if (running.length < limit) return []
  const names = listed(running.map((other) => nodes.name(other)))
  const what = `maxParallel of ${nodes.name(parent)} is ${limit}, and taken by ${names} of run ${run.id}`
  return [{ kind: 'maxParallel', what, since: nodes.since(node), until: null }]
}

/** Ready tasks that come first where both wait for the same limit, and those that slots are kept for. */
function before({ facts, nodes, node, task, since }: Case): Reason[] {
  const { run, resources, pipeline } = facts
  const pool = task.pool === undefined ? undefined : resources.pools[task.pool]
  const inPool = (rival: Rival) => pool !== undefined && rival.pool === task.pool
  const rivals = rivalsOf(facts, nodes, node).filter(
    (rival) => inPool(rival) || (pipeline.concurrency.tasks !== null && rival.pipeline === run.pipeline),
  )
  const own = { backfill: run.backfill, priority: task.priority ?? 0, since }
  const first = rivals.filter((rival) => ranksBefore(rival, own))
  const free =
    pool === undefined ? 0 : pool.slots - used(facts.holders.filter(({ pool }) => pool === task.pool))
  const large = rivals.filter(
    (rival) =>
      inPool(rival) &&
      rival.slots > free &&
      !first.includes(rival) &&
      (rival.backfill === null || run.backfill !== null),
  )
  const names = (found: readonly Rival[]) => listed(found.map((one) => `${one.task} of run ${one.run}`))
  const reasons: Reason[] = []
  if (first.length > 0) {
    const what = `${counted(first.length, 'ready task')} before it: ${names(first)}`
    reasons.push({ kind: 'priority', what, since, until: null })
  }
  // A task that takes many slots would starve if those that take few were always let past it.
  if (large.length > 0 && free >= (task.slots ?? 1)) {
    const what = `free slots of pool ${task.pool} may be kept for what takes more: ${names(large)}`
    reasons.push({ kind: 'pool', what, since, until: null })
  }
  return reasons
}

/** Ready tasks of this run and of others. */
function rivalsOf({ run, tasks, rivals }: Facts, nodes: Nodes, node: TaskRecord): readonly Rival[] {
  const own = { run: run.id, pipeline: run.pipeline, backfill: run.backfill }
  const beside = tasks
    .filter((other) => other.state === 'ready' && other.node !== node.node)
    .map((other) => {
      const { pool = null, slots = 1, priority = 0 } = nodes.task(other)
      return { ...own, task: nodes.name(other), pool, slots, priority, since: nodes.since(other) }
    })
  return [...beside, ...rivals]
}

/** Live before backfill, then by priority and age together, where both ages are known. */
function ranksBefore(
  rival: Pick<Rival, 'backfill' | 'priority' | 'since'>,
  own: Pick<Rival, 'backfill' | 'priority' | 'since'>,
): boolean {
  if ((rival.backfill === null) !== (own.backfill === null)) return rival.backfill === null
  const age = own.since === null || rival.since === null ? 0 : own.since - rival.since
  return (rival.priority - own.priority) * agingPeriod + age > 0
}

/** No limit that the store knows is in the way: room on its engine, or only the engine's next turn. */
function lastly({ facts, nodes, node, since }: Case): Reason {
  const { holders, owner } = facts
  const runtime = nodes.runtime(node)
  const running = holders.filter((other) => other.owner === owner.id && other.runtime === runtime)
  const room = facts.slots?.[runtime] ?? 1
  if (running.length < room)
    return { kind: 'turn', what: 'nothing is in its way: its engine starts it next', since, until: null }
  const what = `a slot for an attempt (${runtime}) of its engine, which runs ${tell(running, facts.run.id)}`
  return { kind: 'slot', what, since, until: null }
}

function used(holders: readonly Holder[]): number {
  return holders.reduce((sum, { slots }) => sum + slots, 0)
}

function tell(holders: readonly Holder[], own: string): string {
  if (holders.length === 0) return 'nobody'
  return listed(
    holders.map(({ run, task, backfill, preemptible }) => {
      const marks = [...(backfill === null ? [] : ['backfill']), ...(preemptible ? ['preemptible'] : [])]
      const of = run === own ? 'this run' : `run ${run}`
      return `${task} of ${of}${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`
    }),
  )
}
