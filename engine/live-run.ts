/** An active run in memory: its graph and the state of each node. Holds values; what follows from an event is plan.ts. */
import type { TaskView } from './evaluator.ts'
import { Graph } from './graph.ts'
import type { Json, JsonObject } from './json.ts'
import { isActive, Node, type Role } from './node.ts'
import type { Pipeline, RuntimeName, Task } from './pipeline.ts'
import { type Shape, shapeOf, top } from './shape.ts'
import { isEnded, type RunEvent, type TaskState } from './state.ts'
import type { RowEvent, RunPatch, TaskPatch } from './store/batch.ts'
import type { RunRecord, TaskRecord } from './store/records.ts'
import { nameOf, partsOf } from './task-names.ts'
import { type Pending, Unwritten } from './unwritten.ts'

/** A run that this engine owns. */
export class LiveRun {
  readonly record: RunRecord
  readonly pipeline: Pipeline
  readonly shape: Shape
  readonly nodes: Node[] = []
  readonly graph = new Graph()
  /** Nodes that became ready and that nobody has taken up yet. */
  readonly readied: Node[] = []
  /** Mapped tasks whose window may have room. */
  readonly widening = new Set<Node>()
  /** Groups whose tasks have all ended well; their outputs are still to be made. */
  readonly closing: Node[] = []
  /** Nodes that have not ended. */
  open = 0
  state: RunRecord['state']
  startedAt: number | null
  /** A person cancelled it: it ends cancelled, whatever failed before. */
  cancelled = false
  /** It is over its deadline or budget: it ends failed, whatever else. */
  doomed = false
  spentUsd: number
  spentGpuSeconds: number
  pausedFor: RunRecord['pausedFor']
  overdue: boolean
  overBudget: boolean
  /** Another engine owns it by now: nothing that is decided of it here counts. */
  lost = false
  /** How many runs of its backfill may be active at once; null where it is no backfill's. */
  maxActive: number | null = null
  readonly #unwritten = new Unwritten()

  constructor(record: RunRecord, pipeline: Pipeline) {
    this.record = record
    this.pipeline = inRuntime(pipeline, record.runtime)
    this.shape = shapeOf(this.pipeline)
    this.state = record.state
    this.startedAt = record.startedAt
    this.spentUsd = record.spentUsd
    this.spentGpuSeconds = record.spentGpuSeconds
    this.pausedFor = record.pausedFor
    this.overdue = record.overdue
    this.overBudget = record.overBudget
    const { tasks } = this.pipeline
    this.graph.addAll(tasks.map((task) => task.needs))
    for (const [index, { group }] of tasks.entries())
      this.#enter(index, index, null, group === undefined ? null : (this.nodes[group] as Node))
    this.recount()
  }

  /** The run as the store has it: states, counts and all. For runs that this engine takes over. */
  static restore(record: RunRecord, pipeline: Pipeline, rows: readonly TaskRecord[]): LiveRun {
    const run = new LiveRun(record, pipeline)
    for (const row of rows) {
      if (run.nodes[row.node] === undefined) run.#regrow(row)
      const node = run.nodes[row.node] as Node
      const { node: _node, task: _task, key: _key, parent: _parent, ...values } = row
      Object.assign(node, values)
      if (!node.holding) node.claimedAt = null
    }
    run.recount()
    return run
  }

  /** A run that has ended, as the store has it, for the engine whose first write of it takes it up. */
  static takenUp(
    record: RunRecord,
    pipeline: Pipeline,
    rows: readonly TaskRecord[],
    engine: string,
  ): LiveRun {
    const { owner, fence, state } = record
    const run = LiveRun.restore({ ...record, owner: engine, fence: fence + 1 }, pipeline, rows)
    run.#unwritten.takeUp({ owner, fence, state })
    return run
  }

  /** Whether the run leaves the node's task out, from its beginning and for good. */
  omits(node: Node): boolean {
    return this.record.omit?.includes(node.task) === true
  }

  task(node: Node): Task {
    return this.pipeline.tasks[node.task] as Task
  }

  /** What the node's attempts run as: the task's operator, or the one that recovery put in its place. */
  operator(node: Node): { readonly name: string; readonly version: number } {
    const { uses: name, version } = node.recovery?.fallback ?? this.task(node)
    return { name, version }
  }

  runtime(node: Node): RuntimeName {
    return node.recovery?.runtime ?? this.task(node).runtime
  }

  /** The node's name as people write it: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. */
  name(node: Node): string {
    // Most tasks stand at the top, where a name is an id.
    return node.parent === null
      ? this.task(node).id
      : nameOf(partsOf(this.pipeline.tasks, node, node.upwards))
  }

  /** The node that an id means for tasks in this container (null: at the top). */
  find(id: string, container: Node | null): Node | undefined {
    const task = this.shape.local(container?.task ?? top, id)
    if (task === undefined) return undefined
    if (container === null) return this.nodes[task]
    return container.inside?.children[this.shape.members(container.task).indexOf(task)]
  }

  /** A task by its id, as templates and expressions in this container see it. */
  view(id: string, container: Node | null): TaskView | undefined {
    const node = this.find(id, container)
    return node?.role === 'mapped' ? viewOfMapped(node) : node
  }

  /** Adds an instance of a mapped task. */
  grow(parent: Node, key: string): Node {
    const node = this.#enter(this.graph.add([]), parent.task, key, parent)
    this.#grown(node)
    return node
  }

  /** Adds the tasks of a group's instance. */
  growMembers(group: Node): readonly Node[] {
    const nodes = this.#enterMembers(group)
    for (const node of nodes) this.#grown(node)
    return nodes
  }

  /** Notes that `node` went through `event`; the row takes the values of `patch`. */
  note(node: Node, event: RowEvent, patch: TaskPatch, detail?: JsonObject): void {
    Object.assign(node, patch)
    this.#unwritten.note(node, event, patch, detail)
  }

  /** Notes new values of a row for which there is no event. */
  amend(node: Node, patch: TaskPatch): void {
    Object.assign(node, patch)
    this.#unwritten.amend(node, patch)
  }

  /** Notes new values of the run's own row, and what happened to it. */
  amendRun(patch: RunPatch, event?: string, detail: JsonObject | null = null): void {
    this.#unwritten.amendRun(patch, event, detail)
    Object.assign(this, patch)
  }

  /** Notes that a person takes the run itself through `event`. */
  move(event: RunEvent, detail: JsonObject): void {
    this.#unwritten.move(event, detail)
  }

  /** Notes datasets that a task updated. */
  produce(task: string, uris: readonly string[]): void {
    this.#unwritten.produce(task, uris)
  }

  /** Notes for the audit log what somebody did to the run. */
  audit(what: string, who: string, detail: JsonObject): void {
    const { id: run, pipeline } = this.record
    this.#unwritten.audit({ what, who, subject: { run, pipeline }, detail })
  }

  /** Notes that a request is done with. */
  answered(request: number): void {
    this.#unwritten.answer(request)
  }

  /** What has to be written since the last call. */
  takePending(): Pending {
    return this.#unwritten.take()
  }

  /** The nodes of which something has to be written. */
  get changed(): readonly Node[] {
    return [...this.#unwritten.nodes].map((index) => this.nodes[index] as Node)
  }

  /** Whether the node went through the event since that was last written. */
  hasChanged(node: Node, by: RowEvent): boolean {
    return this.#unwritten.has(node, by)
  }

  get hasPending(): boolean {
    return !this.#unwritten.isEmpty
  }

  /** Derives all counts from the states of the nodes. */
  recount(): void {
    this.open = 0
    for (const node of this.nodes) {
      const total = this.graph.needs(node.index)
      if (total > 0) node.needs = { total, succeeded: 0, failed: 0, skipped: 0 }
      if (node.inside !== null) Object.assign(node.inside, { open: 0, active: 0, scanned: 0, busy: 0 })
    }
    for (const node of this.nodes) {
      const ended = isEnded(node.state)
      if (!ended) this.open++
      if (ended) this.#countIn(node)
      const inside = node.role === 'aggregate' ? null : (node.parent?.inside ?? null)
      if (inside === null) continue
      if (!ended) inside.open++
      if (isActive(node.state)) inside.active++
      node.counted = node.key !== null && node.holding
      if (node.counted) inside.busy++
    }
  }

  #countIn(node: Node): void {
    const counter = needCounter(node.state)
    this.graph.eachDependent(node.index, (dependent) => {
      ;(this.nodes[dependent] as Node).needs[counter]++
    })
  }

  #grown(node: Node): void {
    this.open++
    this.#unwritten.grow(node)
  }

  #enter(index: number, task: number, key: string | null, parent: Node | null): Node {
    const node = new Node(index, task, key, this.#roleOf(index, task, key), parent)
    this.nodes.push(node)
    // Those of the file are counted all at once.
    if (parent?.inside && this.nodes.length > this.pipeline.tasks.length) parent.inside.open++
    return node
  }

  #enterMembers(group: Node): readonly Node[] {
    const members = this.shape.members(group.task)
    const first = this.graph.size
    const places = new Map(members.map((task, place) => [task, first + place]))
    const needsOf = (task: number) => this.pipeline.tasks[task]?.needs ?? []
    this.graph.addAll(members.map((task) => needsOf(task).map((need) => places.get(need) as number)))
    return members.map((task, place) => {
      const node = this.#enter(first + place, task, null, group)
      const total = needsOf(task).length
      if (total > 0) node.needs = { total, succeeded: 0, failed: 0, skipped: 0 }
      return node
    })
  }

  /** A node that the store has beyond the tasks of the file; the tasks of a group's instance come all at once. */
  #regrow({ task, key, parent }: TaskRecord): void {
    const holder = this.nodes[parent as number] as Node
    if (key === null) this.#enterMembers(holder)
    else this.#enter(this.graph.add([]), task, key, holder)
  }

  #roleOf(index: number, task: number, key: string | null): Role {
    const { foreach, isGroup } = this.pipeline.tasks[task] as Task
    if (index < this.pipeline.tasks.length && this.shape.isAggregate(task)) return 'aggregate'
    if (foreach !== undefined && key === null) return 'mapped'
    return isGroup === true ? 'group' : 'work'
  }
}

/** A mapped task as a template sees it: its outputs also by the keys of its instances. */
function viewOfMapped(node: Node): TaskView {
  return {
    state: node.state,
    outputs: node.outputs,
    get byKey(): Json {
      const children = node.inside?.children ?? []
      return Object.fromEntries(
        children.map(({ key, state, outputs }) => [key, state === 'succeeded' ? outputs : null]),
      )
    },
  }
}

/** The pipeline with all tasks in one runtime. */
function inRuntime(pipeline: Pipeline, runtime: RunRecord['runtime']): Pipeline {
  if (runtime === null) return pipeline
  const moved = (task: Task) => (task.isGroup === true ? task : { ...task, runtime })
  return { ...pipeline, tasks: pipeline.tasks.map(moved) }
}

/** Which count of a dependent's needs an ended state adds to. */
export function needCounter(state: TaskState): 'succeeded' | 'failed' | 'skipped' {
  return state === 'succeeded' ? 'succeeded' : state === 'skipped' ? 'skipped' : 'failed'
}
