/** The nodes of one run as a tree: names, needs, what stands in what. Knows nothing of limits and of time. */
import type { Pipeline, RuntimeName, Task } from '../pipeline.ts'
import { isEnded, taskTransitions } from '../state.ts'
import type { TaskRecord } from '../store/records.ts'
import type { EventRecord } from '../store/store.ts'
import { TaskNames } from '../task-names.ts'

/** The nodes of a run, for whoever asks about them. */
export class Nodes {
  readonly #pipeline: Pipeline
  readonly #runtime: RuntimeName | null
  readonly #nodes: readonly TaskRecord[]
  readonly #names: TaskNames
  readonly #children = new Map<number, TaskRecord[]>()
  readonly #changed = new Map<number, EventRecord>()

  /** @param runtime the runtime of all tasks of the run; null is what the file says */
  constructor(
    pipeline: Pipeline,
    nodes: readonly TaskRecord[],
    events: readonly EventRecord[] = [],
    runtime: RuntimeName | null = null,
  ) {
    this.#pipeline = pipeline
    this.#runtime = runtime
    this.#nodes = nodes
    this.#names = new TaskNames(pipeline, nodes)
    for (const node of nodes) {
      if (node.parent === null) continue
      const siblings = this.#children.get(node.parent)
      if (siblings === undefined) this.#children.set(node.parent, [node])
      else siblings.push(node)
    }
    for (const event of events)
      if (event.node !== null && Object.hasOwn(taskTransitions, event.event))
        this.#changed.set(event.node, event)
  }

  task(node: TaskRecord): Task {
    return this.#pipeline.tasks[node.task] as Task
  }

  /** The runtime of its attempts: recovery may have changed it, and the run may say it for all. */
  runtime(node: TaskRecord): RuntimeName {
    return node.recovery?.runtime ?? this.#runtime ?? this.task(node).runtime
  }

  parent({ parent }: TaskRecord): TaskRecord | undefined {
    return parent === null ? undefined : this.#nodes[parent]
  }

  /** Instances of a mapped task; tasks in a group or in one of its instances. */
  children({ node }: TaskRecord): readonly TaskRecord[] {
    return this.#children.get(node) ?? []
  }

  /** The same, without the tasks of a mapped group that stand beside its instances, which have copies of them. */
  inside(node: TaskRecord): readonly TaskRecord[] {
    return this.children(node).filter((child) => this.copies(child).length === 0)
  }

  /** The copies, one per instance of its group, that a task of a mapped group stands for. */
  copies({ node, task, key }: TaskRecord): readonly TaskRecord[] {
    if (key !== null || node !== task) return []
    return this.#nodes.filter((other) => other.task === task && other.key === null && other.node !== node)
  }

  /** The last event that gave the node the state that it has, where that is known. */
  change({ node }: TaskRecord): EventRecord | undefined {
    return this.#changed.get(node)
  }

  /** Since when the node has its state, epoch milliseconds. */
  since(node: TaskRecord): number | null {
    return this.change(node)?.at ?? null
  }

  /** The nodes that it needs: beside it, in the same instance of its group. Instances need nothing of their own. */
  needs(node: TaskRecord): readonly TaskRecord[] {
    if (node.key !== null) return []
    const beside = node.parent === null ? [] : this.children(this.#nodes[node.parent] as TaskRecord)
    return this.task(node).needs.flatMap((task) => {
      const near = node.node === node.task ? undefined : beside.find((other) => other.task === task)
      return near ?? this.#nodes[task] ?? []
    })
  }

  /** The nodes with open needs at the end of the chains that lead up from `node`: what everything above waits for. */
  roots(node: TaskRecord): readonly TaskRecord[] {
    const seen = new Set<TaskRecord>()
    const roots: TaskRecord[] = []
    const open = this.openNeeds(node).filter((need) => need.state === 'waiting')
    for (let above = open.pop(); above !== undefined; above = open.pop()) {
      if (seen.has(above)) continue
      seen.add(above)
      for (const need of this.openNeeds(above)) {
        if (need.state === 'waiting') open.push(need)
        else if (!roots.includes(need)) roots.push(need)
      }
    }
    return roots.toSorted((a, b) => a.node - b.node)
  }

  openNeeds(node: TaskRecord): readonly TaskRecord[] {
    return this.needs(node).filter(({ state }) => !isEnded(state))
  }

  /** As commands name it: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. */
  name(node: TaskRecord): string {
    return this.#names.name(node)
  }
}
