/** Calls by time in a binary heap, the earliest first; what was called off is dropped as it is met. Knows no clock. */

/** Dead calls are swept out once there are this many, and more of them than of live ones. */
const sweepFrom = 1024

/** A call: when, which of several at the same time comes first, and what is called; null once it is called off. */
export interface Due {
  readonly at: number
  readonly order: number
  fire: (() => void) | null
}

/** Calls in order of time, then of `order`. A million of them cost 20 comparisons each. */
export class DueHeap<Call extends Due> {
  #heap: Call[] = []
  #dead = 0

  /** How many calls are waiting. */
  get size(): number {
    return this.#heap.length - this.#dead
  }

  /** The earliest call, left where it is. */
  peek(): Call | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.fire !== null) return first
      this.#take()
      this.#dead--
    }
    return undefined
  }

  /** Takes the earliest call out. */
  pop(): Call | undefined {
    const first = this.peek()
    if (first !== undefined) this.#take()
    return first
  }

  push(call: Call): void {
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

  /** Calls off a call that was pushed and not taken out. Repeatable. */
  cancel(call: Call): void {
    if (call.fire === null) return
    call.fire = null
    this.#dead++
    if (this.#dead >= sweepFrom && this.#dead * 2 >= this.#heap.length) this.#sweep()
  }

  /** Forgets every call. */
  clear(): void {
    for (const call of this.#heap) call.fire = null
    this.#sweep()
  }

  #sweep(): void {
    const live = this.#heap.filter(({ fire }) => fire !== null)
    this.#heap = []
    this.#dead = 0
    for (const call of live) this.push(call)
  }

  #take(): void {
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

function before(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
