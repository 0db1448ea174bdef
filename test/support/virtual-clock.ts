/** A clock that stands still until the simulation moves it, shared by engines that can die and stall. */
import type { Clock, Timer } from '../../engine/clock.ts'

interface Due {
  readonly at: number
  readonly order: number
  fire: (() => void) | null
  readonly owner: ClockFace
}

/** The time of a simulated world. */
export class VirtualClock {
  /** Milliseconds that have passed since the epoch: what timers count. Only ever grows. */
  time: number
  /** By how much the clock on the wall, which `now()` tells, was set wrong: positive is fast. */
  offset = 0
  #due: Due[] = []
  #order = 0

  constructor(time = Date.UTC(2026, 0, 1)) {
    this.time = time
  }

  /** The clock as one engine sees it. */
  face(): ClockFace {
    return new ClockFace(this)
  }

  enter(owner: ClockFace, at: number, fire: () => void): Timer {
    const due: Due = { at: Math.max(at - this.offset, this.time), order: this.#order++, fire, owner }
    this.#due.push(due)
    return {
      cancel: () => {
        due.fire = null
      },
    }
  }

  /** When the next call is due; Infinity where none is. */
  nextAt(): number {
    const live = this.#due.filter((due) => due.fire !== null && !due.owner.dead)
    return live.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
  }

  /** Fires what is due next, moving the time there; false where nothing is. Then everything at hand is worked off. */
  async step(): Promise<boolean> {
    this.#due = this.#due.filter((due) => due.fire !== null && !due.owner.dead)
    let next: Due | undefined
    for (const due of this.#due) {
      if (due.owner.stalledUntil > this.time && due.owner.stalledUntil > due.at) continue
      if (next === undefined || due.at < next.at || (due.at === next.at && due.order < next.order)) next = due
    }
    // Everything belongs to stalled engines: go on to the first that wakes.
    next ??= this.#due.toSorted((a, b) => a.owner.stalledUntil - b.owner.stalledUntil)[0]
    if (next === undefined) return false
    this.time = Math.max(this.time, next.at, next.owner.stalledUntil > next.at ? next.owner.stalledUntil : 0)
    const { fire } = next
    next.fire = null
    fire?.()
    await new Promise((resolve) => setImmediate(resolve))
    return true
  }
}

/** One engine's view of the virtual clock: dead engines hear nothing, stalled ones hear it late. */
export class ClockFace implements Clock {
  dead = false
  stalledUntil = 0
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.time + this.#clock.offset
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
