/**
 * Lint: a deployment that can start although no evaluation gate has passed.
 *
 * In the tree of dominators, a task stands below what has surely succeeded before it starts. By `all_success` that is
 * every need, of which one is followed: one that stands below a gate, if any does. By `one_success` and
 * `none_failed_min_one_success` it is what all needs have in common. The other triggers let a task start whatever the
 * gate said, so nothing but the start of its group is sure. All gates are one node, as it does not matter which of them
 * guards a way. A `when` that reads an evaluation's outputs decides as a gate does; one that reads a state does not.
 * What a command does nobody knows, but one with a `gate` is taken for an evaluation.
 */
import { DominatorTree, root } from './dominators.ts'
import { topologicalOrder } from './graph.ts'
import type { Inlinable, LocalTask, PlacedTask } from './inline.ts'
import type { Read } from './task-references.ts'
import { quote } from './words.ts'

/** Reports each deployment that no gate guards, once in its file (W102). */
export function lintDeploys(placed: readonly PlacedTask[]): void {
  const guards = new Guards(placed)
  const told = new Set<LocalTask>()
  placed.forEach(({ task, local, home }, index) => {
    if (task.effects !== 'deploy' || local.operator.name === 'Rollback') return
    if (guards.isGuarded(index) || told.has(local)) return
    told.add(local)
    const evaluation = guards.evaluationAbove(index)
    home.report.atKey(['tasks', local.task.id], {
      code: 'W102',
      severity: 'warning',
      message: `${quote(task.id)} deploys without an evaluation gate above it`,
      hint:
        evaluation === undefined
          ? 'let it need an evaluation with a `gate:`'
          : `give ${quote(evaluation.id)}, which it always follows, a \`gate:\``,
    })
  })
}

/** What has surely happened before each task starts. */
class Guards {
  readonly #placed: readonly PlacedTask[]
  readonly #tree = new DominatorTree()
  /** The node that says that some gate has passed. */
  readonly #passed: number
  /** By task: its start, and that it (or all of the group) has succeeded, as nodes of the tree. */
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  /** By node of the tree: the nearest evaluation that has surely succeeded, -1 where there is none. */
  readonly #evaluations: number[] = [-1]

  constructor(placed: readonly PlacedTask[]) {
    this.#placed = placed
    this.#starts = new Int32Array(placed.length)
    this.#ends = new Int32Array(placed.length)
    this.#passed = this.#add([root])
    const { needs, groupOf } = spread(placed)
    for (const node of topologicalOrder(needs)) {
      const group = groupOf[node - placed.length]
      if (group === undefined) this.#visit(node)
      else this.#ends[group] = this.#endOf(group)
    }
  }

  isGuarded(task: number): boolean {
    return this.#isBelowGate(this.#starts[task] as number)
  }

  evaluationAbove(task: number): PlacedTask['task'] | undefined {
    return this.#placed[this.#evaluations[this.#starts[task] as number] ?? -1]?.task
  }

  #add(above: readonly number[], evaluation = -1): number {
    const node = this.#tree.add(above)
    this.#evaluations.push(evaluation === -1 ? (this.#evaluations[this.#tree.above(node)] ?? -1) : evaluation)
    return node
  }

  #isBelowGate(node: number): boolean {
    return this.#tree.dominates(this.#passed, node)
  }

  #visit(index: number): void {
    const { task, local } = this.#placed[index] as PlacedTask
    const decides = local.reads.some((read) => read.place === 'when' && this.#readsEvaluation(index, read))
    const start = this.#add(decides ? [this.#passed] : this.#sureBefore(index))
    const { stage, name } = local.operator
    const evaluates = stage === 'evaluation'
    const isGate = task.gate.length > 0 ? evaluates || name === 'Shell' : evaluates && name === 'Gate'
    this.#starts[index] = start
    this.#ends[index] = this.#add([isGate ? this.#passed : start], evaluates ? index : -1)
  }

  #sureBefore(index: number): readonly number[] {
    const { task } = this.#placed[index] as PlacedTask
    const base = task.group === undefined ? root : (this.#starts[task.group] as number)
    const needs = task.needs.map((need) => this.#ends[need] as number)
    if (needs.length === 0) return [base]
    switch (task.trigger) {
      case 'all_success':
        return [this.#surest([base, ...needs])]
      case 'one_success':
      case 'none_failed_min_one_success':
        return this.#isBelowGate(base) ? [base] : needs
      default:
        return [base]
    }
  }

  /** A group succeeds when none in it fails and one succeeds: what cannot be skipped has then succeeded. */
  #endOf(group: number): number {
    const { siblings = [], home } = this.#placed[group + 1] ?? {}
    const ends = siblings.map((index) => this.#ends[index] as number)
    if (ends.length > 0 && ends.every((end) => this.#isBelowGate(end))) return this.#add(ends)
    const sure = ends.filter((_, local) => !home?.maySkip.has(local))
    return this.#add([this.#surest([this.#starts[group] as number, ...sure])])
  }

  /** Of nodes that are all sure, the one that says most. */
  #surest(nodes: readonly number[]): number {
    const gated = nodes.find((node) => this.#isBelowGate(node))
    const evaluated = nodes.find((node) => this.#evaluations[node] !== -1)
    return gated ?? evaluated ?? nodes.at(-1) ?? root
  }

  /** Whether what is read is an output of an evaluation, or of a group that has it from one, or an input that is given one. */
  #readsEvaluation(index: number, { parts }: Read): boolean {
    const [kind, name = '', what, output] = parts
    const { task, home } = this.#placed[index] as PlacedTask
    if (kind === 'tasks') return what !== 'state' && givesEvaluation(home, name, output)
    const group = task.group
    if (group === undefined) return false
    const given = this.#placed[group]?.local.reads ?? []
    return given.some(
      (read) => read.at[2] === 'with' && read.at[3] === name && this.#readsEvaluation(group, read),
    )
  }
}

/** Whether an output of a task of this file comes from an evaluation. Calls itself as deeply as files are nested. */
function givesEvaluation(home: Inlinable, id: string, output: string | undefined): boolean {
  const local = home.tasks[home.indices.get(id) ?? -1]
  if (!local?.uses) return local?.operator.stage === 'evaluation'
  const { uses } = local
  return uses.reads.some(
    ({ at, parts: [kind, inner = '', what, further] }) =>
      at[1] === output && kind === 'tasks' && what !== 'state' && givesEvaluation(uses, inner, further),
  )
}

/** The needs of the starts of all tasks, and behind them of the ends of all groups. */
function spread(placed: readonly PlacedTask[]): {
  readonly needs: readonly (readonly number[])[]
  readonly groupOf: readonly number[]
} {
  const groupOf = placed.flatMap(({ local }, index) => (local.uses ? [index] : []))
  const ends = new Map(groupOf.map((group, place) => [group, placed.length + place]))
  const endOf = (index: number) => ends.get(index) ?? index
  const starts = placed.map(({ task }) => {
    const needs = task.needs.map(endOf)
    return task.group === undefined ? needs : [...needs, task.group]
  })
  const inside = groupOf.map((group) => [group, ...(placed[group + 1]?.siblings ?? []).map(endOf)])
  return { needs: [...starts, ...inside], groupOf }
}
