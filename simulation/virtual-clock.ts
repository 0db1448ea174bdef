/** A clock that stands still until the simulation moves it, shared by engines that can die and stall. */
import { type Clock, systemClock, type Timer } from '../engine/clock.ts'
import { type Due, DueHeap } from '../engine/due-heap.ts'

interface FaceDue extends Due {
  readonly owner: ClockFace
}

/** The time of a simulated world. */
export class VirtualClock {
  /** Milliseconds that have passed since the epoch: what timers count. Only ever grows. */
  time: number
  /** By how much the clock on the wall, which `now()` tells, was set wrong: positive is fast. */
  offset = 0
  readonly #due = new DueHeap<FaceDue>()
  #order = 0

  constructor(time = Date.UTC(2026, 0, 1)) {
    this.time = time
  }

  /** The clock as one engine sees it. */
  face(): ClockFace {
    return new ClockFace(this)
  }

  enter(owner: ClockFace, at: number, fire: () => void): Timer {
    const due: FaceDue = { at: Math.max(at - this.offset, this.time), order: this.#order++, fire, owner }
    this.#due.push(due)
    return { cancel: () => this.#due.cancel(due) }
  }

  /** When the next call is due; Infinity where none is. */
  nextAt(): number {
    return this.#peek()?.at ?? Number.POSITIVE_INFINITY
  }

  /** Fires what is due next, moving the time there; false where nothing is. Then everything at hand is worked off. */
  async step(): Promise<boolean> {
    const next = this.#take()
    if (next === undefined) return false
    const { stalledUntil } = next.owner
    this.time = Math.max(this.time, next.at, stalledUntil > next.at ? stalledUntil : next.at)
    const { fire } = next
    next.fire = null
    fire?.()
    await new Promise<void>((resolve) => systemClock.soon(resolve))
    return true
  }

  /** The first call whose engine hears it; where all belong to stalled engines, the first of the one that wakes first. */
  #take(): FaceDue | undefined {
    const stalled: FaceDue[] = []
    let next = this.#pop()
    for (; next !== undefined && this.#isStalled(next); next = this.#pop()) stalled.push(next)
    next ??= stalled.toSorted((a, b) => a.owner.stalledUntil - b.owner.stalledUntil || a.order - b.order)[0]
    for (const due of stalled) if (due !== next) this.#due.push(due)
    return next
  }

  #isStalled({ owner, at }: FaceDue): boolean {
    return owner.stalledUntil > this.time && owner.stalledUntil > at
  }

  #pop(): FaceDue | undefined {
    return this.#peek() === undefined ? undefined : this.#due.pop()
  }

  /** The first call that is left; those of the dead are forgotten. */
  #peek(): FaceDue | undefined {
    let first = this.#due.peek()
    for (; first?.owner.dead; first = this.#due.peek()) this.#due.pop()
    return first
  }
}

/** One engine's view of the virtual clock: dead engines hear nothing, stalled ones hear it late. */
export class ClockFace implements Clock {
  dead = false
  stalledUntil = Number.NEGATIVE_INFINITY
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.time + this.#clock.offset
  }

  elapsed(): number {
    return this.#clock.time
  }

  at(at: number, fire: () => void): Timer {
    return this.#clock.enter(this, at, fire)
  }

  /** Calls `fire` once `ms` milliseconds have passed, whatever the clock on the wall tells. */
  soonAfter(ms: number, fire: () => void): void {
    this.at(this.now() + ms, fire)
  }

  soon(fire: () => void): void {
    this.#clock.enter(this, this.now(), fire)
  }
}
