/** Many wake-up calls on one timer, in order of time. Ten thousand sleeping tasks cost one timer. */
import type { Clock, Timer } from './clock.ts'
import { type Due, DueHeap } from './due-heap.ts'

/**
 * Calls functions at their times, in order of time and then of asking. A call is due when as much time has passed as lay
 * before it when it was asked for: a clock that is set back does not make anybody wait for the same hour again. It is due
 * earlier where the clock reaches its instant before, since it was set forward; but for calls that are about how long
 * something has lasted.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #counts: 'instants' | 'time'
  /** By what will have elapsed. */
  readonly #calls = new DueHeap<Due>()
  /** The same calls by what the clock will say. */
  readonly #instants = new DueHeap<Due>()
  #order = 0
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY

  /** @param counts what its calls are about: an instant, or how much time has passed */
  constructor(clock: Clock, counts: 'instants' | 'time' = 'instants') {
    this.#clock = clock
    this.#counts = counts
  }

  /** How many calls are waiting. */
  get size(): number {
    return this.#calls.size
  }

  /** Calls `fire` once at `at` (epoch ms), unless it is called off before. */
  at(at: number, fire: () => void): Timer {
    // In this order: should the process stand still in between, a call comes later, not earlier.
    const wait = at - this.#clock.now()
    const order = this.#order++
    const call: Due = { at: this.#clock.elapsed() + wait, order, fire: null }
    const instant: Due = { at, order, fire: null }
    const cancel = () => {
      this.#calls.cancel(call)
      this.#instants.cancel(instant)
    }
    const once = () => {
      cancel()
      fire()
    }
    call.fire = once
    this.#calls.push(call)
    if (this.#counts === 'instants') {
      instant.fire = once
      this.#instants.push(instant)
    }
    this.#arm()
    return { cancel }
  }

  /** Rings at once where the clock was set forward past a call: the timer itself counts time as it passes. */
  look(): void {
    const next = this.#instants.peek()
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
    this.#instants.clear()
  }

  #arm(): void {
    const next = this.#calls.peek()
    if (next === undefined || next.at >= this.#armedFor) return
    this.#timer?.cancel()
    this.#armedFor = next.at
    const wait = next.at - this.#clock.elapsed()
    this.#timer = this.#clock.at(this.#clock.now() + wait, () => this.#ring())
  }

  #ring(): void {
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#fire(this.#calls, this.#clock.elapsed())
    this.#fire(this.#instants, this.#clock.now())
    this.#arm()
  }

  #fire(calls: DueHeap<Due>, due: number): void {
    for (let next = calls.peek(); next !== undefined && next.at <= due; next = calls.peek()) {
      calls.pop()
      const { fire } = next
      next.fire = null
      fire?.()
    }
  }
}
