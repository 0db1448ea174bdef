/** Many wake-up calls on one timer, in order of time. Ten thousand sleeping tasks cost one timer. */
import type { Clock, Timer } from './clock.ts'
import { type Due, DueHeap } from './due-heap.ts'

/**
 * Calls functions at their times, in order of time and then of asking. A clock that is set back does not make anybody wait
 * for the same hour again: calls stand in a time of their own, which goes on as it went. One that is set forward brings
 * about what is due by then; where calls are for what has lasted too long, it does not.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #leaps: boolean
  readonly #calls = new DueHeap<Due>()
  #order = 0
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY
  /** By how much the time of calls is before what has elapsed: by what the clock was, when it was furthest. */
  #offset: number

  /** @param counts what its calls are for: an instant, or how much time has passed */
  constructor(clock: Clock, counts: 'instants' | 'time' = 'instants') {
    this.#clock = clock
    this.#leaps = counts === 'instants'
    this.#offset = clock.now() - clock.elapsed()
  }

  /** How many calls are waiting. */
  get size(): number {
    return this.#calls.size
  }

  /** Calls `fire` once at `at` (epoch ms), unless it is called off before. */
  at(at: number, fire: () => void): Timer {
    const ahead = this.#time() - this.#clock.now()
    const call: Due = { at: at + ahead, order: this.#order++, fire }
    this.#calls.push(call)
    this.#arm()
    return { cancel: () => this.#calls.cancel(call) }
  }

  /** Rings at once where the clock was set forward past a call: the timer itself counts time as it passes. */
  look(): void {
    const next = this.#calls.peek()
    if (next === undefined || next.at > this.#time()) return
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

  /** The time of calls: the clock's, but that it never goes back, nor forward where it counts how much has passed. */
  #time(): number {
    const elapsed = this.#clock.elapsed()
    if (this.#leaps) this.#offset = Math.max(this.#offset, this.#clock.now() - elapsed)
    return elapsed + this.#offset
  }

  #arm(): void {
    const next = this.#calls.peek()
    if (next === undefined || next.at >= this.#armedFor) return
    this.#timer?.cancel()
    this.#armedFor = next.at
    const wait = next.at - this.#time()
    this.#timer = this.#clock.at(this.#clock.now() + wait, () => this.#ring())
  }

  #ring(): void {
    const due = this.#time()
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
