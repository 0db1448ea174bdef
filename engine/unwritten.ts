/** What changed in a run since it was last written: rows, events, new nodes. Knows nothing of what follows from them. */
import type { AuditDraft } from './audit/log.ts'
import type { JsonObject } from './json.ts'
import type { Node } from './node.ts'
import type { RunEvent } from './state.ts'
import type { Growth, RowEvent, RunPatch, RunWrite, TaskPatch } from './store/batch.ts'

/** What has to be written of one node: its events in order, and its row's new values. */
export interface PendingWrite {
  readonly node: number
  readonly events: { readonly event: RowEvent; readonly attempt: number; readonly detail?: JsonObject }[]
  readonly patch: { -readonly [field in keyof TaskPatch]: TaskPatch[field] }
}

/** What has to be written of a run since the last time. */
export interface Pending {
  readonly tasks: PendingWrite[]
  readonly grow: Growth[]
  readonly datasets: { readonly uri: string; readonly task: string }[]
  readonly events: { readonly event: string; readonly detail: JsonObject | null }[]
  readonly patch: { -readonly [field in keyof RunPatch]: RunPatch[field] }
  /** A person's doing to the state of the run itself, with who and why. */
  state: { readonly event: RunEvent; readonly detail: JsonObject } | null
  readonly audit: AuditDraft[]
  /** Requests that are hereby done. */
  readonly answered: number[]
  /** The run, ended, as it was before this engine took it up; the first write makes it this engine's. */
  takes: RunWrite['takes'] | null
}

const nothing = (): Pending => ({
  tasks: [],
  grow: [],
  datasets: [],
  events: [],
  patch: {},
  state: null,
  audit: [],
  answered: [],
  takes: null,
})

/** The changes of one run. */
export class Unwritten {
  #pending = nothing()
  #writes = new Map<number, PendingWrite>()

  /** A node, which has the values of `patch` already, went through `event`. */
  note(node: Node, event: RowEvent, patch: TaskPatch, detail?: JsonObject): void {
    const { attempt } = node
    const { events } = this.#of(node, patch)
    events.push(detail === undefined ? { event, attempt } : { event, attempt, detail })
  }

  /** A row has new values for which there is no event. */
  amend(node: Node, patch: TaskPatch): void {
    this.#of(node, patch)
  }

  /** The run's own row has new values, and something happened to it. */
  amendRun(patch: RunPatch, event: string | undefined, detail: JsonObject | null): void {
    Object.assign(this.#pending.patch, patch)
    if (event !== undefined) this.#pending.events.push({ event, detail })
  }

  /** A person takes the run itself through `event`. */
  move(event: RunEvent, detail: JsonObject): void {
    this.#pending.state = { event, detail }
  }

  /** The audit log is to say this of it. */
  audit(draft: AuditDraft): void {
    this.#pending.audit.push(draft)
  }

  /** What was requested is done with this. */
  answer(request: number): void {
    this.#pending.answered.push(request)
  }

  /** The run is taken up by the first write. */
  takeUp(takes: NonNullable<RunWrite['takes']>): void {
    this.#pending.takes = takes
  }

  /** A task updated datasets. */
  produce(task: string, uris: readonly string[]): void {
    for (const uri of uris) this.#pending.datasets.push({ uri, task })
  }

  /** A node is new. */
  grow({ index, task, key, parent }: Node): void {
    this.#pending.grow.push({ node: index, task, key, parent: (parent as Node).index })
  }

  /** All of it; nothing is left then. */
  take(): Pending {
    const taken = { ...this.#pending, tasks: [...this.#writes.values()] }
    this.#pending = nothing()
    this.#writes = new Map()
    return taken
  }

  /** The nodes whose rows changed, by index. */
  get nodes(): Iterable<number> {
    return this.#writes.keys()
  }

  /** Whether the node went through the event. */
  has(node: Node, event: RowEvent): boolean {
    return this.#writes.get(node.index)?.events.some((one) => one.event === event) === true
  }

  get isEmpty(): boolean {
    const { grow, events, patch, state, audit, answered } = this.#pending
    return (
      this.#writes.size === 0 &&
      grow.length === 0 &&
      events.length === 0 &&
      audit.length === 0 &&
      answered.length === 0 &&
      state === null &&
      Object.keys(patch).length === 0
    )
  }

  #of(node: Node, patch: TaskPatch): PendingWrite {
    let write = this.#writes.get(node.index)
    if (write === undefined) {
      write = { node: node.index, events: [], patch: {} }
      this.#writes.set(node.index, write)
    }
    Object.assign(write.patch, patch)
    return write
  }
}
