/** Many wake-up calls on one timer: a binary heap by time. Ten thousand sleeping tasks cost one timer. */
import type { Clock, Timer } from './clock.ts'

/** Dead calls are swept out once there are this many, and more of them than of live ones. */
const sweepFrom = 1024
/** Milliseconds by which a timer may ring early; where it is more, the clock was set back meanwhile. */
const early = 1000

interface Call {
  readonly at: number
  readonly order: number
  fire: (() => void) | null
}

/** Calls functions at their times, in order of time and then of asking. */
export class Alarm {
  readonly #clock: Clock
  readonly #heap: Call[] = []
  #order = 0
  #dead = 0
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many calls are waiting. */
  get size(): number {
    return this.#heap.length - this.#dead
  }

  /** Calls `fire` once at `at` (epoch ms), unless it is called off before. */
  at(at: number, fire: () => void): Timer {
    const call: Call = { at, order: this.#order++, fire }
    this.#push(call)
    this.#arm()
    return { cancel: () => this.#cancel(call) }
  }

  /** Rings at once where the clock was set forward past a call: the timer itself counts time as it passes. */
  look(): void {
    const next = this.#heap[0]
    if (next === undefined || next.at > this.#clock.now()) return
    this.#timer?.cancel()
    this.#ring()
  }

  /** Forgets every call. */
  clear(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#heap.length = 0
    this.#dead = 0
  }

  #cancel(call: Call): void {
    if (call.fire === null) return
    call.fire = null
    this.#dead++
    if (this.#dead < sweepFrom || this.#dead * 2 < this.#heap.length) return
    const live = this.#heap.filter((entry) => entry.fire !== null)
    this.#heap.length = 0
    this.#dead = 0
    for (const entry of live) this.#push(entry)
  }

  #arm(): void {
    const next = this.#heap[0]
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
    for (let next = this.#heap[0]; next !== undefined && next.at <= due; next = this.#heap[0]) {
      this.#pop()
      const { fire } = next
      next.fire = null
      if (fire === null) this.#dead--
      else fire()
    }
    this.#arm()
  }

  #push(call: Call): void {
    const heap = this.#heap
    let at = heap.push(call) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(call, heap[parent] as Call)) break
      heap[at] = heap[parent] as Call
      at = parent
    }
    heap[at] = call
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Call
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Call, heap[child] as Call)) child++
      if (!before(heap[child] as Call, last)) break
      heap[at] = heap[child] as Call
      at = child
    }
    heap[at] = last
  }
}

function before(a: Call, b: Call): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
