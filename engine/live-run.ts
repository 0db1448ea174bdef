/**
 * An active run in memory: its graph, the state of each node, and what of it still has to be written.
 * Holds values; what follows from an event is plan.ts.
 */
import type { Failure } from './errors.ts'
import type { TaskView } from './evaluator.ts'
import { type Graph, graphOf } from './graph.ts'
import type { Json, JsonObject } from './json.ts'
import type { Pipeline, Task } from './pipeline.ts'
import { isEnded, type TaskEvent, type TaskState } from './state.ts'
import type { Growth, RunRecord, TaskPatch, TaskRecord } from './store/store.ts'

/** A task, or an instance of a mapped task, while its run is active. */
export class Node {
  readonly index: number
  /** Index into the pipeline's tasks. */
  readonly task: number
  readonly key: string | null
  state: TaskState = 'waiting'
  attempt = 0
  tries = 0
  releases = 0
  continues = false
  holding = false
  startedAt: number | null = null
  tryStartedAt: number | null = null
  endedAt: number | null = null
  wakeAt: number | null = null
  carry: Json = null
  failure: Failure | null = null
  outputs: Json = null
  cached: string | null = null
  /** How this node's needs have ended so far. */
  readonly needs = { total: 0, succeeded: 0, failed: 0, skipped: 0 }
  /** It stands in a lane, once; what stands there when it no longer is ready is passed over. */
  inLane = false
  /** Where its running attempt stands among all of them; -1 while there is none. */
  place = -1
  /** Instances of a mapped task that have not ended; -1 while it is not expanded. */
  openInstances = -1

  constructor(index: number, task: number, key: string | null) {
    this.index = index
    this.task = task
    this.key = key
  }
}

/** What has to be written of one node: its events in order, and its row's new values. */
export interface PendingWrite {
  readonly node: number
  readonly events: {
    readonly event: TaskEvent | 'grow'
    readonly attempt: number
    readonly detail?: JsonObject
  }[]
  readonly patch: { -readonly [field in keyof TaskPatch]: TaskPatch[field] }
}

/** A run that this engine owns. */
export class LiveRun {
  readonly record: RunRecord
  readonly pipeline: Pipeline
  readonly nodes: Node[] = []
  readonly graph: Graph
  /** Nodes that became ready and that nobody has taken up yet. */
  readonly readied: Node[] = []
  /** Nodes that have not ended. */
  open: number
  state: RunRecord['state']
  startedAt: number | null
  /** A person cancelled it: it ends cancelled, whatever failed before. */
  cancelled = false
  #pending = new Map<number, PendingWrite>()
  #byId: Map<string, number> | null = null
  #grown: Growth[] = []

  constructor(record: RunRecord, pipeline: Pipeline) {
    this.record = record
    this.pipeline = inRuntime(pipeline, record.runtime)
    this.state = record.state
    this.startedAt = record.startedAt
    this.graph = graphOf(pipeline.tasks)
    for (let i = 0; i < pipeline.tasks.length; i++) this.#enter(new Node(i, i, null))
    this.open = this.nodes.length
  }

  /** The run as the store has it: states, counts and all. For runs that this engine takes over. */
  static restore(record: RunRecord, pipeline: Pipeline, rows: readonly TaskRecord[]): LiveRun {
    const run = new LiveRun(record, pipeline)
    for (const row of rows) {
      const node = run.nodes[row.node] ?? run.#enter(new Node(run.graph.add([]), row.task, row.key))
      const { node: _index, task: _task, key: _key, ...values } = row
      Object.assign(node, values)
    }
    run.open = run.nodes.length
    for (const node of run.nodes) {
      if (node.key !== null) run.#countInstance(node)
      if (isEnded(node.state)) run.#recount(node)
    }
    return run
  }

  task(node: Node): Task {
    return this.pipeline.tasks[node.task] as Task
  }

  /** A task by its id, as templates and expressions see it. */
  view(id: string): TaskView | undefined {
    this.#byId ??= new Map(this.pipeline.tasks.map((task, index) => [task.id, index]))
    const index = this.#byId.get(id)
    return index === undefined ? undefined : this.nodes[index]
  }

  /** Adds an instance of a mapped task: ready to be, needed by nobody but its parent. */
  grow(parent: Node, key: string): Node {
    const node = this.#enter(new Node(this.graph.add([]), parent.index, key))
    this.open++
    this.#grown.push({ node: node.index, task: parent.index, key, parent: parent.index })
    return node
  }

  /** Notes that `node` went through `event`; the row takes the values of `patch`. */
  note(node: Node, event: TaskEvent | 'grow', patch: TaskPatch, detail?: JsonObject): void {
    let write = this.#pending.get(node.index)
    if (write === undefined) {
      write = { node: node.index, events: [], patch: {} }
      this.#pending.set(node.index, write)
    }
    write.events.push(
      detail === undefined ? { event, attempt: node.attempt } : { event, attempt: node.attempt, detail },
    )
    Object.assign(write.patch, patch)
    Object.assign(node, patch)
  }

  /** Notes new values of a row for which there is no event. */
  amend(node: Node, patch: TaskPatch): void {
    const write = this.#pending.get(node.index) ?? { node: node.index, events: [], patch: {} }
    this.#pending.set(node.index, write)
    Object.assign(write.patch, patch)
    Object.assign(node, patch)
  }

  /** What has to be written since the last call. */
  takePending(): { tasks: PendingWrite[]; grow: Growth[] } {
    const taken = { tasks: [...this.#pending.values()], grow: this.#grown }
    this.#pending = new Map()
    this.#grown = []
    return taken
  }

  /** The nodes of which something has to be written. */
  get changed(): readonly Node[] {
    return [...this.#pending.keys()].map((index) => this.nodes[index] as Node)
  }

  get hasPending(): boolean {
    return this.#pending.size > 0 || this.#grown.length > 0
  }

  #enter(node: Node): Node {
    this.nodes.push(node)
    node.needs.total = this.graph.needs(node.index)
    return node
  }

  #countInstance(instance: Node): void {
    const parent = this.nodes[instance.task] as Node
    parent.openInstances = Math.max(0, parent.openInstances) + (isEnded(instance.state) ? 0 : 1)
  }

  #recount(node: Node): void {
    this.open--
    const counter = needCounter(node.state)
    this.graph.eachDependent(node.index, (dependent) => {
      ;(this.nodes[dependent] as Node).needs[counter]++
    })
  }
}

/** The pipeline with all tasks in one runtime. */
function inRuntime(pipeline: Pipeline, runtime: RunRecord['runtime']): Pipeline {
  if (runtime === null) return pipeline
  return { ...pipeline, tasks: pipeline.tasks.map((task) => ({ ...task, runtime })) }
}

/** Which count of a dependent's needs an ended state adds to. */
export function needCounter(state: TaskState): 'succeeded' | 'failed' | 'skipped' {
  return state === 'succeeded' ? 'succeeded' : state === 'skipped' ? 'skipped' : 'failed'
}
