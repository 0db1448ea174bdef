/**
 * Ready tasks in the order in which they may start: one lane per kind of slot, limits and rank, within it first in, first
 * out. Knows nothing of stores.
 */
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { RuntimeName } from './pipeline.ts'
import type { Rank } from './preemption.ts'
import type { PoolClaim } from './store/batch.ts'

/** A ready task of a run. */
export interface Ready {
  readonly run: LiveRun
  readonly node: Node
}

/**
 * Milliseconds of waiting that weigh as much as one point of priority: so nothing starves, however many tasks of higher
 * priority keep coming.
 */
export const agingPeriod = 60_000

/** Tasks that wait for the same kind of slot under the same limits, and rank the same: first in, first out. */
export interface Lane extends Rank {
  readonly runtime: RuntimeName
  /** The pipeline whose `concurrency.tasks` holds here; null where there is none. */
  readonly pipeline: string | null
  readonly pool: PoolClaim | null
  /** Most claims that one turn may grant: the smallest of its limits; Infinity where there is none. */
  most: number
  readonly queue: Fifo<Ready>
}

/** What a limit is called while it has no room: `tasks PIPELINE`, `pool NAME`, `share NAME`. */
type Limit = string

/** All lanes. */
export class Lanes {
  readonly #poolOf: (run: LiveRun, node: Node) => PoolClaim | null
  readonly #lanes = new Map<string, Lane>()
  /** Limits that had no room at the last look. */
  readonly #full = new Set<Limit>()

  /** @param poolOf the slots of a pool that a claim of the node takes */
  constructor(poolOf: (run: LiveRun, node: Node) => PoolClaim | null) {
    this.#poolOf = poolOf
  }

  /** Enters a task, once: a second time while it still stands there changes nothing. */
  push(ready: Ready): void {
    if (ready.node.inLane) return
    ready.node.inLane = true
    this.#laneOf(ready).queue.push(ready)
  }

  /** Enters a task before all others of its lane. */
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

  /** Puts a task whose claim had no room back where it stood, and closes what is under that limit until there is room. */
  putBack(ready: Ready, by: 'tasks' | 'pool' | 'share'): void {
    this.pushFirst(ready)
    const lane = this.#laneOf(ready)
    this.#full.add(`${by} ${by === 'tasks' ? lane.pipeline : lane.pool?.name}`)
  }

  /** An attempt of the pipeline, with slots of the pool, ended (or, without names, any may have): look again. */
  reopen(pipeline?: string, pool?: string | null): void {
    if (pipeline === undefined) this.#full.clear()
    if (this.#full.size === 0) return
    this.#full.delete(`tasks ${pipeline}`)
    if (pool == null) return
    this.#full.delete(`pool ${pool}`)
    this.#full.delete(`share ${pool}`)
  }

  /** Lanes that hold tasks and are under no full limit. */
  open(): Lane[] {
    const open: Lane[] = []
    for (const lane of this.#lanes.values()) if (lane.queue.length > 0 && !this.#isFull(lane)) open.push(lane)
    return open
  }

  /** Of these lanes the one whose first task starts first: live before backfill, then by priority and age together. */
  best(lanes: readonly Lane[]): Lane | undefined {
    let best: Lane | undefined
    for (const lane of lanes) if (best === undefined || comesBefore(lane, best)) best = lane
    return best
  }

  #isFull({ pipeline, pool }: Lane): boolean {
    if (this.#full.size === 0) return false
    return (
      this.#full.has(`tasks ${pipeline}`) ||
      (pool !== null &&
        (this.#full.has(`pool ${pool.name}`) ||
          (pool.share !== null && this.#full.has(`share ${pool.name}`))))
    )
  }

  #laneOf({ run, node }: Ready): Lane {
    const { priority = 0 } = run.task(node)
    const runtime = run.runtime(node)
    const limit = run.pipeline.concurrency.tasks
    const pipeline = limit === null ? null : run.pipeline.name
    const backfill = run.record.backfill !== null
    const pool = this.#poolOf(run, node)
    const key = `${runtime}/${pipeline ?? ''}/${backfill ? 'backfill' : ''}/${priority}/${pool?.slots ?? ''}/${pool?.name ?? ''}`
    const ofPool =
      pool?.limit == null ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(pool.limit / pool.slots))
    const most = Math.min(limit ?? Number.POSITIVE_INFINITY, ofPool)
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { runtime, pipeline, pool, backfill, priority, most, queue: new Fifo() }
      this.#lanes.set(key, lane)
    }
    // Runs of several versions may stand here.
    lane.most = Math.max(lane.most, most)
    return lane
  }
}

function comesBefore(a: Lane, b: Lane): boolean {
  if (a.backfill !== b.backfill) return b.backfill
  return bornAt(a) < bornAt(b)
}

/** Since when the lane's first task waits, with its priority as time that it has waited already. */
function bornAt({ priority, queue }: Lane): number {
  return (queue.first?.node.readySince ?? 0) - priority * agingPeriod
}

/** A queue whose ends cost the same at any length. */
export class Fifo<Item> {
  #front: Item[] = []
  #back: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#front.length + this.#back.length - this.#head
  }

  /** What `shift` would take. */
  get first(): Item | undefined {
    return this.#front.at(-1) ?? this.#back[this.#head]
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
