/** Which instances, and tasks in instances of groups, a run takes from an earlier one as they were. Pure. */
import { itemCount, keyOf } from '../engine/expansion.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { shapeOf } from '../engine/shape.ts'
import type { Expansion, TaskRecord } from '../engine/store/records.ts'
import type { GivenNode, GivenNodes } from '../engine/store/store.ts'
import { withDependents } from './task-selection.ts'

/** A run as it was. */
export interface EarlierRun {
  readonly id: string
  readonly pipeline: Pipeline
  /** Every node, in order. */
  readonly rows: readonly TaskRecord[]
}

/** What runs again. */
export interface Again {
  /** Tasks of the pipeline: all but these keep what they had. */
  readonly tasks: ReadonlySet<number>
  /** Instances, or tasks in instances, of the earlier run: beside these the others in their tasks keep what they had. */
  readonly nodes: ReadonlySet<number>
}

/** A node of the new run whose children are still to be told. */
interface Holder {
  readonly node: number
  readonly task: number
  readonly was: TaskRecord
  /** Nothing in it runs again. */
  readonly kept: boolean
}

/** The nodes that the new run has from the first, in the order of their numbers. */
export function nodesTaken(pipeline: Pipeline, earlier: EarlierRun, again: Again): GivenNodes {
  return new Taking(pipeline, earlier, again).taken()
}

class Taking {
  readonly #pipeline: Pipeline
  readonly #earlier: EarlierRun
  readonly #again: Again
  /** Nodes of the earlier run in which something runs again. */
  readonly #around: ReadonlySet<number>
  readonly #children: ReadonlyMap<number | null, readonly TaskRecord[]>
  readonly #nodes: GivenNode[] = []
  readonly #expansions: { readonly node: number; readonly expansion: Expansion }[] = []
  readonly #open: Holder[] = []

  constructor(pipeline: Pipeline, earlier: EarlierRun, again: Again) {
    this.#pipeline = pipeline
    this.#earlier = earlier
    this.#again = again
    this.#around = aroundOf(earlier.rows, again.nodes)
    const beyond = earlier.rows.filter(({ node }) => node >= earlier.pipeline.tasks.length)
    this.#children = Map.groupBy(beyond, ({ parent }) => parent)
  }

  taken(): GivenNodes {
    const { tasks } = this.#pipeline
    const was = new Map(this.#earlier.pipeline.tasks.map(({ id }, node) => [id, this.#earlier.rows[node]]))
    const { isAggregate } = shapeOf(this.#pipeline)
    for (const [task, { id, foreach }] of tasks.entries()) {
      const row = was.get(id)
      if (foreach !== undefined && row !== undefined && !isAggregate(task)) this.#hold(task, task, row)
    }
    for (let holder = this.#open.shift(); holder !== undefined; holder = this.#open.shift()) {
      if (holder.was.expansion === null) this.#takeMembers(holder)
      else this.#takeInstances(holder, holder.was.expansion)
    }
    return { run: this.#earlier.id, nodes: this.#nodes, expansions: this.#expansions }
  }

  /** What is in the node is told later: where something in it runs again, or where all of it is kept. */
  #hold(node: number, task: number, was: TaskRecord): void {
    const around = this.#around.has(was.node)
    const kept = !around && was.state === 'succeeded' && was.expansion !== null && this.#isKept(node)
    if (around || kept) this.#open.push({ node, task, was, kept })
  }

  #isKept(node: number): boolean {
    const { tasks } = this.#pipeline
    return node < tasks.length
      ? !this.#again.tasks.has(node)
      : this.#nodes[node - tasks.length]?.state === 'succeeded'
  }

  #takeInstances({ node, task, was, kept }: Holder, expansion: Expansion): void {
    this.#expansions.push({ node, expansion })
    const children = this.#children.get(was.node) ?? []
    for (let index = 0; index < itemCount(expansion); index++) {
      const child = children[index]
      const added = this.#add(
        { task, key: keyOf(expansion, index), parent: node },
        child,
        kept ? 'skipped' : 'waiting',
      )
      if (child !== undefined && this.#around.has(child.node))
        this.#open.push({ node: added, task, was: child, kept: false })
    }
  }

  #takeMembers({ node, task, was }: Holder): void {
    const { tasks } = this.#pipeline
    const copies = new Map(
      this.#children.get(was.node)?.map((row) => [this.#earlier.pipeline.tasks[row.task]?.id, row]),
    )
    const copyOf = (member: number) => copies.get(tasks[member]?.id)
    const members = shapeOf(this.#pipeline).members(task)
    const begun = members.filter((member) => this.#runsAgain(copyOf(member)))
    const again = withDependents(tasks, begun)
    // All at once: what is in them comes after them.
    const added = members.map((member) => {
      const copy = copyOf(member)
      const rest = copy?.state === 'skipped' && !again.has(member) ? 'skipped' : 'waiting'
      return this.#add({ task: member, key: null, parent: node }, again.has(member) ? undefined : copy, rest)
    })
    for (const [place, member] of members.entries()) {
      const copy = copyOf(member)
      if (copy !== undefined && !this.#again.nodes.has(copy.node))
        this.#hold(added[place] as number, member, copy)
    }
  }

  #runsAgain(row: TaskRecord | undefined): boolean {
    return row !== undefined && (this.#again.nodes.has(row.node) || this.#around.has(row.node))
  }

  /** A node as it was where it had succeeded and does not run again, else in the state `rest`; gives its number. */
  #add(
    place: Pick<GivenNode, 'task' | 'key' | 'parent'>,
    was: TaskRecord | undefined,
    rest: 'waiting' | 'skipped',
  ): number {
    const kept = was?.state === 'succeeded' && !this.#runsAgain(was)
    this.#nodes.push({
      ...place,
      ...(kept ? { state: 'succeeded', outputs: was.outputs } : { state: rest, outputs: null }),
    })
    return this.#pipeline.tasks.length + this.#nodes.length - 1
  }
}

function aroundOf(rows: readonly TaskRecord[], nodes: ReadonlySet<number>): ReadonlySet<number> {
  const around = new Set<number>()
  for (const node of nodes)
    for (let at = rows[node]?.parent ?? null; at !== null; at = rows[at]?.parent ?? null) around.add(at)
  return around
}
