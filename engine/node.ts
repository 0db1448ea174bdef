/** A node of a run: a task, an instance of a mapped task, or a copy of a task in a group's instance. Values only. */
import type { Failure } from './errors.ts'
import type { Json } from './json.ts'
import type { WakeOn } from './outcome.ts'
import type { RecoveryState } from './recovery.ts'
import type { TaskState } from './state.ts'
import type { Expansion } from './store/records.ts'

/**
 * What a node does. work: it has attempts. mapped: it stands for its instances. group: it stands for the tasks in it.
 * aggregate: a task of a mapped group, which stands for its copies; it has no life of its own.
 */
export type Role = 'work' | 'mapped' | 'group' | 'aggregate'

/** What a mapped task or a group holds. */
export interface Inside {
  /** Instances in the order of items, as far as they are made; or the tasks of a group. */
  readonly children: Node[]
  /** Children that have not ended. */
  open: number
  /** Instances that are ready or running: the window. */
  active: number
  /** Every instance before this one has left `waiting`. */
  scanned: number
  /** Instances that hold a slot, or are about to: what `maxParallel` limits. */
  busy: number
  /** Ready instances for which there was no room under `maxParallel`. */
  readonly parked: Node[]
}

const noNeeds = Object.freeze({ total: 0, succeeded: 0, failed: 0, skipped: 0 })

/** A task, or an instance of a mapped task, while its run is active. */
export class Node {
  readonly index: number
  /** Index into the pipeline's tasks. */
  readonly task: number
  readonly key: string | null
  readonly role: Role
  /** The mapped task of an instance, or the group of a task. */
  readonly parent: Node | null
  /** Where it stands among the children of its parent. */
  readonly position: number
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
  wakeOn: WakeOn | null = null
  failure: Failure | null = null
  outputs: Json = null
  cached: string | null = null
  expansion: Expansion | null = null
  recovery: RecoveryState | null = null
  preemptions = 0
  pool: string | null = null
  slots = 1
  /** How this node's needs have ended so far. */
  needs: { total: number; succeeded: number; failed: number; skipped: number } = noNeeds
  readonly inside: Inside | null
  /** It stands in a lane, once; what stands there when it no longer is ready is passed over. */
  inLane = false
  /** When it became ready, as this engine knows it (epoch ms): its age in lanes. */
  readySince = 0
  /** It counts in its mapped task's `busy`. */
  counted = false
  /** When its running attempt was claimed, for what it costs. */
  claimedAt: number | null = null
  /** Where its running attempt stands among all of them; -1 while there is none. */
  place = -1

  constructor(index: number, task: number, key: string | null, role: Role, parent: Node | null) {
    this.index = index
    this.task = task
    this.key = key
    this.role = role
    this.parent = parent
    this.inside =
      role === 'work' || role === 'aggregate'
        ? null
        : { children: [], open: 0, active: 0, scanned: 0, busy: 0, parked: [] }
    // The children of a mapped group are its instances, not the tasks that stand for the copies in them.
    const siblings = role === 'aggregate' ? undefined : parent?.inside?.children
    this.position = siblings?.length ?? 0
    siblings?.push(this)
  }

  /** The keys of the instances that it stands in, outermost first, its own last. */
  get keys(): readonly string[] {
    const keys: string[] = []
    for (const { key } of this.upwards) if (key !== null) keys.unshift(key)
    return keys
  }

  /** The node itself, and then each that it stands in, up to the top. */
  get upwards(): readonly Node[] {
    const nodes: Node[] = []
    for (let node: Node | null = this; node !== null; node = node.parent) nodes.push(node)
    return nodes
  }

  /** The group that it stands in, past the mapped task that it is an instance of; null at the top. */
  get container(): Node | null {
    return this.key === null ? this.parent : (this.parent?.parent ?? null)
  }
}

/** Whether an instance counts in the window of its mapped task. */
export function isActive(state: TaskState): boolean {
  return state === 'ready' || state === 'running'
}
