/** A person's second chance for tasks that did not succeed: which they are, and how they go back to waiting. Pure. */
import type { LiveRun } from './live-run.ts'
import { aggregatesIn, transition } from './moves.ts'
import type { Node } from './node.ts'
import { isEnded } from './state.ts'
import type { TaskPatch } from './store/batch.ts'

/** Counts of tries, recoveries and releases start at 0; attempt numbers go on. */
const fresh: TaskPatch = {
  tries: 0,
  releases: 0,
  preemptions: 0,
  continues: false,
  startedAt: null,
  tryStartedAt: null,
  endedAt: null,
  wakeAt: null,
  wakeOn: null,
  carry: null,
  failure: null,
  outputs: null,
  recovery: null,
}

/**
 * Takes back the unsuccessful ends of `nodes` (null: of all) and of what stands below them: failed, upstream_failed and
 * cancelled tasks, and skipped ones below those. What succeeded stays. Gives the nodes that wait again; the run's counts
 * are those of before until `recount`.
 * @param fromCheckpoint the step that those go on from whose attempts failed; what never began has none
 */
export function reset(
  run: LiveRun,
  nodes: readonly number[] | null,
  at: number,
  fromCheckpoint: number | null = null,
): Node[] {
  const wanted = new Set(nodes ?? run.nodes.map(({ index }) => index))
  const chosen = new Chosen(run)
  const own = new Set<Node>()
  for (const node of run.nodes) {
    if (!isUnsuccessful(node) || !isWanted(node, wanted) || isSettled(node)) continue
    chosen.add(node)
    if (node.attempt > 0 && node.state !== 'upstream_failed' && node.role === 'work') own.add(node)
  }
  for (const node of chosen.nodes) {
    const recovery =
      fromCheckpoint === null || !own.has(node) ? null : { counts: {}, restore: fromCheckpoint }
    // The items of a mapped task stay: they are resolved once per run.
    transition(run, node, 'reset', at, { patch: { ...fresh, recovery } })
  }
  return [...chosen.nodes]
}

/** Takes back the unsuccessful ends of what stands below `node`, and of what it stands in: it succeeded after all. */
export function resetBelow(run: LiveRun, node: Node, at: number): void {
  const chosen = new Chosen(run)
  if (node.parent !== null) chosen.add(node.parent, false)
  run.graph.eachDependent(node.index, (dependent) => chosen.add(run.nodes[dependent] as Node))
  for (const below of chosen.nodes) transition(run, below, 'reset', at, { patch: fresh })
}

/** Nodes whose ends are taken back. What was looked below once is not looked below again, however many lead there. */
class Chosen {
  readonly nodes = new Set<Node>()
  readonly #run: LiveRun
  readonly #entered = new Set<Node>()

  constructor(run: LiveRun) {
    this.#run = run
  }

  /** The node with what is in it (where `whole`), what it stands in, and what below it ended because of it. */
  add(first: Node, whole = true): void {
    const open = [{ node: first, whole }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { node, whole } = next
      if (whole ? this.#entered.has(node) : this.nodes.has(node)) continue
      if (!this.#mayEndAnew(node)) continue
      this.nodes.add(node)
      if (whole) this.#entered.add(node)
      // What it stands in has to end anew; what else stands there keeps its end.
      if (node.parent !== null) open.push({ node: node.parent, whole: false })
      // What stands for the copies in it ends anew with them.
      for (const aggregate of aggregatesIn(this.#run, node))
        if (this.#mayEndAnew(aggregate)) this.nodes.add(aggregate)
      // Tasks in a group ended with it; one that was skipped by itself stays so.
      const inside = whole ? (node.inside?.children ?? []) : []
      for (const child of inside)
        if (child.state !== 'skipped' || node.state === 'skipped') open.push({ node: child, whole })
      this.#run.graph.eachDependent(node.index, (dependent) => {
        open.push({ node: this.#run.nodes[dependent] as Node, whole: true })
      })
    }
  }

  #mayEndAnew(node: Node): boolean {
    if (this.#run.omits(node)) return false
    // Ready by the end of what has another chance now: it waits for that again.
    if (node.state === 'ready') return node.tries === 0 && node.key === null
    return isEnded(node.state) && node.state !== 'succeeded'
  }
}

/** Whether something that it stands in has succeeded, as a person may say: its own end counts for nothing then. */
export function isSettled({ parent }: Node): boolean {
  for (let at = parent; at !== null; at = at.parent) if (at.state === 'succeeded') return true
  return false
}

function isUnsuccessful({ state }: Node): boolean {
  return state === 'failed' || state === 'upstream_failed' || state === 'cancelled'
}

/** Named itself, or standing in what is named. */
function isWanted(node: Node, wanted: ReadonlySet<number>): boolean {
  for (let at: Node | null = node; at !== null; at = at.parent) if (wanted.has(at.index)) return true
  return wanted.has(node.task)
}
