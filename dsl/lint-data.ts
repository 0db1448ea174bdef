/**
 * Lint: personal data that comes to training, evaluation or deployment without a PIIMasker on every path.
 *
 * Data goes along what is referred to (`tasks.X.outputs`, and through a group its `inputs` and `outputs`), and along
 * `needs`, for what stands behind another task may read the files that it left. It does not go along what only `when`,
 * `gate` or `tasks.X.state` mention, nor along `needs` of a sensor, which leaves nothing.
 */
import type { OperatorInfo } from '../engine/pipeline.ts'
import { DominatorTree, root } from './dominators.ts'
import { topologicalOrder } from './graph.ts'
import type { LocalTask, PlacedTask } from './inline.ts'
import type { Read } from './task-references.ts'
import { quote } from './words.ts'

const guarded: ReadonlySet<string> = new Set(['training', 'evaluation', 'deployment'])

/** Whether personal data must not come to the task: by its operator's stage, or because it deploys. */
export function isGuarded({ task, operator }: LocalTask): boolean {
  return guarded.has(operator.stage) || task.effects === 'deploy'
}

/** Whether data enters by the operator, or goes through it. */
function handlesData({ stage, sensor }: OperatorInfo): boolean {
  return stage === 'data' && !sensor
}

/** Reports each task that unmasked data comes to, once in its file (W101). */
export function lintPersonalData(placed: readonly PlacedTask[]): void {
  const unmasked = new Unmasked(new DataGraph(placed), placed)
  const told = new Set<LocalTask>()
  placed.forEach(({ task, local, home }, index) => {
    const from = unmasked.sourceOf(index)
    if (from === undefined || !isGuarded(local) || told.has(local)) return
    told.add(local)
    const place = unmasked.narrowOf(index)
    const stage = guarded.has(local.operator.stage) ? local.operator.stage : 'deployment'
    home.report.atKey(['tasks', local.task.id], {
      code: 'W101',
      severity: 'warning',
      message: `data of ${quote(from.id)} reaches ${quote(task.id)} (${stage}) without \`PIIMasker\` on the way`,
      hint:
        place === undefined
          ? 'put a `PIIMasker` between them, on every path'
          : `put a \`PIIMasker\` behind ${quote(place.id)}, which all of it passes`,
    })
  })
}

/** The part of the graph that unmasked data comes to, with what all of it passes. */
class Unmasked {
  readonly #placed: readonly PlacedTask[]
  readonly #tree = new DominatorTree()
  /** By node of the graph: its node in the tree, 0 where no unmasked data comes; and the task that brings it in. */
  readonly #nodes: Int32Array
  readonly #sources: Int32Array
  /** By node of the tree: the first task that all unmasked data on the way there passes; -1 where there is none. */
  readonly #narrow: number[] = [-1]

  constructor({ from }: DataGraph, placed: readonly PlacedTask[]) {
    this.#placed = placed
    this.#nodes = new Int32Array(from.length)
    this.#sources = new Int32Array(from.length).fill(-1)
    const belowData = new Uint8Array(from.length)
    for (const node of topologicalOrder(from)) {
      const operator = placed[node]?.local.operator
      const before = from[node] ?? []
      const enters = operator !== undefined && handlesData(operator)
      const above = before.some((other) => belowData[other] === 1)
      belowData[node] = enters || above ? 1 : 0
      if (operator?.name !== 'PIIMasker') this.#visit(node, before, enters && !above)
    }
  }

  #visit(node: number, before: readonly number[], isSource: boolean): void {
    const dirty = before.filter((other) => this.#nodes[other] !== root)
    if (dirty.length === 0 && !isSource) return
    const made = this.#tree.add(isSource ? [root] : dirty.map((other) => this.#nodes[other] as number))
    this.#nodes[node] = made
    this.#sources[node] = isSource ? node : (this.#sources[dirty[0] ?? -1] ?? -1)
    const narrow = this.#narrow[this.#tree.above(made)] ?? -1
    const isTask = node < this.#placed.length && this.#placed[node]?.local.uses === null
    this.#narrow.push(narrow === -1 && isTask ? node : narrow)
  }

  /** A task that brings in unmasked data that comes to this one. */
  sourceOf(task: number): PlacedTask['task'] | undefined {
    return this.#placed[this.#sources[task] ?? -1]?.task
  }

  /** The first task that all of it passes on its way, if there is one besides this. */
  narrowOf(task: number): PlacedTask['task'] | undefined {
    const above = this.#tree.above(this.#nodes[task] ?? root)
    return this.#placed[this.#narrow[above] ?? -1]?.task
  }
}

/**
 * Which nodes data comes from, by node. Tasks are nodes by their index (of a group: its start); behind them stand each
 * input and output of a group, and its end.
 */
class DataGraph {
  readonly from: number[][]
  readonly #placed: readonly PlacedTask[]
  readonly #inputs = new Map<number, Map<string, number>>()
  readonly #outputs = new Map<number, Map<string, number>>()
  readonly #ends = new Map<number, number>()

  constructor(placed: readonly PlacedTask[]) {
    this.#placed = placed
    this.from = placed.map(() => [])
    placed.forEach(({ local, task }, index) => {
      if (!local.uses) return
      this.#inputs.set(index, this.#nodesFor(Object.keys(task.with)))
      this.#outputs.set(index, this.#nodesFor(Object.keys(task.outputs ?? {})))
      this.#ends.set(index, this.from.push([]) - 1)
    })
    placed.forEach(({ local }, index) => {
      this.#addTask(index)
      if (local.uses) this.#addGroup(index, local.uses.reads)
    })
  }

  #nodesFor(names: readonly string[]): Map<string, number> {
    return new Map(names.map((name) => [name, this.from.push([]) - 1]))
  }

  #addTask(index: number): void {
    const { local, task } = this.#placed[index] as PlacedTask
    const into = this.from[index] as number[]
    for (const id of local.after) into.push(...this.#behind(this.#sibling(index, id)))
    // The first tasks of a group stand behind what the group stands behind.
    if (task.needs.length === 0 && task.group !== undefined) into.push(task.group)
    for (const read of local.reads) {
      if (!carries(read)) continue
      const given = read.at[2] === 'with' ? this.#inputs.get(index)?.get(String(read.at[3])) : undefined
      // What the items of a mapped group hold may come in by any of its inputs.
      const targets = given === undefined ? [index, ...(this.#inputs.get(index)?.values() ?? [])] : [given]
      const nodes = this.#readBy(index, read)
      for (const target of targets) this.from[target]?.push(...nodes)
    }
  }

  #addGroup(group: number, reads: readonly Read[]): void {
    const first = group + 1
    const { siblings: inside = [] } = this.#placed[first] ?? {}
    for (const read of reads)
      if (carries(read)) {
        const output = this.#outputs.get(group)?.get(String(read.at[1]))
        this.from[output ?? -1]?.push(...this.#readBy(first, read))
      }
    const needed = new Set(inside.flatMap((index) => this.#placed[index]?.task.needs ?? []))
    const last = inside.filter((index) => !needed.has(index))
    this.from[this.#ends.get(group) ?? -1]?.push(...last.flatMap((index) => this.#behind(index)))
  }

  /** What a task that only stands behind this one may find. */
  #behind(index: number): readonly number[] {
    if (this.#placed[index]?.local.operator.sensor) return []
    return [this.#ends.get(index) ?? index]
  }

  /** The nodes that a use means, for a task of the same file. */
  #readBy(reader: number, { parts }: Read): readonly number[] {
    const [root, name = '', , output = ''] = parts
    if (root === 'inputs') {
      const inputs = this.#inputs.get(this.#placed[reader]?.task.group ?? -1)
      return oneOrAll(inputs, name)
    }
    const index = this.#sibling(reader, name)
    return this.#outputs.has(index) ? oneOrAll(this.#outputs.get(index), output) : [index]
  }

  #sibling(of: number, id: string): number {
    const { home, siblings } = this.#placed[of] as PlacedTask
    return siblings[home.indices.get(id) ?? -1] as number
  }
}

/** The node of a name; of a name that is no single one (an item of a list, the whole), all. */
function oneOrAll(nodes: ReadonlyMap<string, number> | undefined, name: string): readonly number[] {
  const one = nodes?.get(name)
  return one === undefined ? [...(nodes?.values() ?? [])] : [one]
}

/** Whether a use takes data, not just a decision. */
function carries({ parts, place }: Read): boolean {
  return place !== 'when' && place !== 'gate' && !(parts[0] === 'tasks' && parts[2] === 'state')
}
