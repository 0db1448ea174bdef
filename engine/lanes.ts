/** Ready tasks in the order in which they may start, in one lane per kind of slot and limit. Knows nothing of stores. */
import type { LiveRun, Node } from './live-run.ts'
import type { RuntimeName } from './pipeline.ts'

/** A ready task of a run. */
export interface Ready {
  readonly run: LiveRun
  readonly node: Node
}

/** Tasks that wait for the same kind of slot under the same limit: first in, first out. */
export interface Lane {
  readonly runtime: RuntimeName
  /** The pipeline whose `concurrency.tasks` holds here; null where there is none. */
  readonly pipeline: string | null
  /** Most claims that one turn may grant: the limit of the pipeline; Infinity where there is none. */
  most: number
  /** Its limit had no room at the last look; cleared when an attempt of the pipeline ends. */
  full: boolean
  readonly queue: Fifo<Ready>
}

/** All lanes. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>()

  /** Enters a task, once: a second time while it still stands there changes nothing. */
  push(ready: Ready): void {
    if (ready.node.inLane) return
    ready.node.inLane = true
    this.#laneOf(ready).queue.push(ready)
  }

  /** Enters a task before all others. */
  pushFirst(ready: Ready): void {
    if (ready.node.inLane) return
    ready.node.inLane = true
    this.#laneOf(ready).queue.unshift(ready)
  }

  /** Takes the first task out of a lane that holds one. */
  take(lane: Lane): Ready {
    const ready = lane.queue.shift() as Ready
    ready.node.inLane = false
    return ready
  }

  /** Puts tasks whose claim had no room back where they stood, and closes their lane until there is room. */
  putBack(denied: readonly Ready[]): void {
    for (const ready of denied.toReversed()) {
      const lane = this.#laneOf(ready)
      ready.node.inLane = true
      lane.queue.unshift(ready)
      lane.full = true
    }
  }

  /** An attempt of the pipeline ended (or, without a name, anything may have): look at its limit again. */
  reopen(pipeline?: string): void {
    for (const lane of this.#lanes.values())
      if (pipeline === undefined || lane.pipeline === pipeline) lane.full = false
  }

  /** Lanes that hold tasks and are not full, in the order in which they came to be. */
  *open(): Generator<Lane> {
    for (const lane of this.#lanes.values()) if (!lane.full && lane.queue.length > 0) yield lane
  }

  #laneOf({ run, node }: Ready): Lane {
    const { runtime } = run.task(node)
    const most = run.pipeline.concurrency.tasks ?? Number.POSITIVE_INFINITY
    const pipeline = run.pipeline.concurrency.tasks === null ? null : run.pipeline.name
    const key = `${runtime}/${pipeline ?? ''}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { runtime, pipeline, most, full: false, queue: new Fifo() }
      this.#lanes.set(key, lane)
    }
    // Runs of several versions may stand here.
    lane.most = Math.max(lane.most, most)
    return lane
  }
}

/** A queue whose ends cost the same at any length. */
export class Fifo<Item> {
  #front: Item[] = []
  #back: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#front.length + this.#back.length - this.#head
  }

  push(item: Item): void {
    this.#back.push(item)
  }

  unshift(item: Item): void {
    this.#front.push(item)
  }

  shift(): Item | undefined {
    if (this.#front.length > 0) return this.#front.pop()
    const item = this.#back[this.#head]
    if (item === undefined) return undefined
    // What was taken is not kept from being freed.
    this.#back[this.#head++] = undefined
    if (this.#head > 1024 && this.#head * 2 > this.#back.length) {
      this.#back = this.#back.slice(this.#head)
      this.#head = 0
    }
    return item
  }
}
