/** Many wake-up calls on one timer, in order of time. Ten thousand sleeping tasks cost one timer. */
import type { Clock, Timer } from './clock.ts'
import { type Due, DueHeap } from './due-heap.ts'

/** Milliseconds by which a timer may ring early; where it is more, the clock was set back meanwhile. */
const early = 1000

/** Calls functions at their times, in order of time and then of asking. */
export class Alarm {
  readonly #clock: Clock
  readonly #calls = new DueHeap<Due>()
  #order = 0
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many calls are waiting. */
  get size(): number {
    return this.#calls.size
  }

  /** Calls `fire` once at `at` (epoch ms), unless it is called off before. */
  at(at: number, fire: () => void): Timer {
    const call: Due = { at, order: this.#order++, fire }
    this.#calls.push(call)
    this.#arm()
    return { cancel: () => this.#calls.cancel(call) }
  }

  /** Rings at once where the clock was set forward past a call: the timer itself counts time as it passes. */
  look(): void {
    const next = this.#calls.peek()
    if (next === undefined || next.at > this.#clock.now()) return
    this.#timer?.cancel()
    this.#ring()
  }

  /** Forgets every call. */
  clear(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#calls.clear()
  }

  #arm(): void {
    const next = this.#calls.peek()
    if (next === undefined || next.at >= this.#armedFor) return
    this.#timer?.cancel()
    this.#armedFor = next.at
    this.#timer = this.#clock.at(next.at, () => this.#ring())
  }

  #ring(): void {
    const now = this.#clock.now()
    // A clock that was set back does not make anybody wait for the same hour again.
    const due = this.#armedFor - now > early ? this.#armedFor : now
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
    for (let next = this.#calls.peek(); next !== undefined && next.at <= due; next = this.#calls.peek()) {
      this.#calls.pop()
      const { fire } = next
      next.fire = null
      fire?.()
    }
    this.#arm()
  }
}
