/** Orders tasks and finds cycles, on arrays of indices, without recursion. Knows nothing of files and names. */

/** The needs of each task, as indices. */
export type Needs = readonly (readonly number[])[]

/** All tasks, each after its needs, ties by index; tasks of cycles, and what stands behind them, are missing. */
export function topologicalOrder(needs: Needs): readonly number[] {
  return new Sorting(needs).run()
}

/** One cycle for each knot of tasks that wait for each other, at most `limit`: indices in the order of running. */
export function findCycles(needs: Needs, limit = 20): readonly (readonly number[])[] {
  const sorting = new Sorting(needs)
  sorting.run()
  const cycles: (readonly number[])[] = []
  for (let task = 0; task < needs.length && cycles.length < limit; task += 1) {
    if (sorting.done(task)) continue
    const cycle = cycleAbove(task, needs, sorting)
    cycles.push(fromLowest(cycle))
    sorting.release(cycle)
  }
  return cycles
}

/** Each task's level: 0 without needs, else one more than the highest of its needs. The graph has no cycle. */
export function levels(needs: Needs): Int32Array {
  const result = new Int32Array(needs.length)
  for (const task of topologicalOrder(needs)) {
    let level = 0
    for (const need of needs[task] ?? []) level = Math.max(level, (result[need] ?? 0) + 1)
    result[task] = level
  }
  return result
}

/** Kahn's algorithm (1962): what has no unmet need is next, and meets one need of each of its dependents. */
class Sorting {
  readonly #needs: Needs
  readonly #unmet: Int32Array
  /** Dependents of task i: `#dependents` from `#starts[i]` to `#starts[i + 1]`. */
  readonly #starts: Int32Array
  readonly #dependents: Int32Array
  readonly #done: Uint8Array
  readonly #queue: number[] = []
  #next = 0

  constructor(needs: Needs) {
    const count = needs.length
    this.#needs = needs
    this.#unmet = new Int32Array(count)
    this.#starts = new Int32Array(count + 1)
    this.#done = new Uint8Array(count)
    for (const list of needs)
      for (const need of list) this.#starts[need + 1] = (this.#starts[need + 1] ?? 0) + 1
    for (let task = 0; task < count; task += 1)
      this.#starts[task + 1] = (this.#starts[task + 1] ?? 0) + (this.#starts[task] ?? 0)
    this.#dependents = new Int32Array(this.#starts[count] ?? 0)
    this.#fill()
  }

  #fill(): void {
    const at = this.#starts.slice()
    this.#needs.forEach((list, task) => {
      this.#unmet[task] = list.length
      if (list.length === 0) this.#push(task)
      for (const need of list) {
        const place = at[need] ?? 0
        this.#dependents[place] = task
        at[need] = place + 1
      }
    })
  }

  done(task: number): boolean {
    return this.#done[task] === 1
  }

  run(): readonly number[] {
    while (this.#next < this.#queue.length) {
      const task = this.#queue[this.#next] as number
      this.#next += 1
      this.#meet(task)
    }
    return this.#queue
  }

  /** Treats these tasks as done, so that only other cycles are left. */
  release(tasks: readonly number[]): void {
    for (const task of tasks) this.#push(task)
    this.run()
  }

  #push(task: number): void {
    if (this.#done[task] === 1) return
    this.#done[task] = 1
    this.#queue.push(task)
  }

  #meet(task: number): void {
    const end = this.#starts[task + 1] ?? 0
    for (let place = this.#starts[task] ?? 0; place < end; place += 1) {
      const dependent = this.#dependents[place] as number
      const left = (this.#unmet[dependent] ?? 0) - 1
      this.#unmet[dependent] = left
      if (left === 0) this.#push(dependent)
    }
  }
}

/** Goes from need to unmet need until one comes again. */
function cycleAbove(start: number, needs: Needs, sorting: Sorting): readonly number[] {
  const places = new Map<number, number>()
  const path: number[] = []
  let task = start
  while (!places.has(task)) {
    places.set(task, path.length)
    path.push(task)
    task = (needs[task] ?? []).find((need) => !sorting.done(need)) as number
  }
  return path.slice(places.get(task)).reverse()
}

function fromLowest(cycle: readonly number[]): readonly number[] {
  let lowest = 0
  for (let place = 1; place < cycle.length; place += 1)
    if ((cycle[place] ?? 0) < (cycle[lowest] ?? 0)) lowest = place
  return [...cycle.slice(lowest), ...cycle.slice(0, lowest)]
}
