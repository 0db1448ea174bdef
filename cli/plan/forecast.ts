/** How long a run takes whose tasks take so long: its critical path, and its end under limits. Pure. */

/** A task that is to run. */
export interface Work {
  /** Milliseconds. */
  readonly duration: number
  /** Indices of what it waits for, all smaller or larger than its own. */
  readonly needs: readonly number[]
  readonly pool: string | null
  readonly slots: number
  readonly priority: number
  /** It takes no slot and no time: reused, skipped. */
  readonly free: boolean
}

/** What tasks share: how many run at once, and the slots of pools; null and absent are no limit. */
export interface Limits {
  readonly tasks: number | null
  readonly pools: { readonly [name: string]: number }
}

/** The longest chain of tasks, first to last, and how long it takes. Without cycles. */
export function criticalPath(works: readonly Work[]): {
  readonly path: readonly number[]
  readonly duration: number
} {
  const ends = new Array<number>(works.length).fill(0)
  const before = new Array<number>(works.length).fill(-1)
  let last = -1
  for (const index of inOrder(works)) {
    const { needs, duration } = works[index] as Work
    for (const need of needs) {
      const better =
        before[index] === -1 || (ends[need] as number) > (ends[before[index] as number] as number)
      if (better) before[index] = need
    }
    const begin = before[index] === -1 ? 0 : (ends[before[index] as number] as number)
    ends[index] = begin + duration
    if (last === -1 || (ends[index] as number) > (ends[last] as number)) last = index
  }
  const path: number[] = []
  for (let index = last; index !== -1; index = before[index] as number) path.unshift(index)
  return { path, duration: last === -1 ? 0 : (ends[last] as number) }
}

/** When the last task ends if each starts as soon as its needs have ended and its limits have room: by priority, then in order. */
export function endUnder(works: readonly Work[], limits: Limits): number {
  const course = new Course(works, limits)
  while (course.step());
  return course.at
}

/** A run on paper. */
class Course {
  at = 0
  readonly #works: readonly Work[]
  readonly #limits: Limits
  /** Needs that have not ended, by task. */
  readonly #open: number[]
  readonly #dependents: readonly (readonly number[])[]
  #ready: number[]
  #running: { readonly index: number; readonly end: number }[] = []
  readonly #used = new Map<string, number>()

  constructor(works: readonly Work[], limits: Limits) {
    this.#works = works
    this.#limits = limits
    this.#open = works.map(({ needs }) => needs.length)
    this.#dependents = dependentsOf(works)
    this.#ready = works.flatMap(({ needs }, index) => (needs.length === 0 ? [index] : []))
  }

  /** Starts what has room and goes on to the next end; false where nothing runs any more. */
  step(): boolean {
    while (this.#startAll());
    if (this.#running.length === 0) return false
    this.at = this.#running.reduce((least, { end }) => Math.min(least, end), Number.POSITIVE_INFINITY)
    const ended = this.#running.filter(({ end }) => end === this.at)
    this.#running = this.#running.filter(({ end }) => end > this.at)
    for (const { index } of ended) {
      this.#take(this.#works[index] as Work, -1)
      this.#end(index)
    }
    return true
  }

  /** Whether anything started or ended, so that there may be more to start. */
  #startAll(): boolean {
    const ready = this.#ready.sort((a, b) => this.#priority(b) - this.#priority(a) || a - b)
    this.#ready = []
    let changed = false
    for (const index of ready) {
      const work = this.#works[index] as Work
      if (work.free) this.#end(index)
      else if (this.#fits(work)) {
        this.#take(work, 1)
        this.#running.push({ index, end: this.at + work.duration })
      } else {
        this.#ready.push(index)
        continue
      }
      changed = true
    }
    return changed
  }

  #end(index: number): void {
    for (const dependent of this.#dependents[index] as readonly number[]) {
      this.#open[dependent] = (this.#open[dependent] as number) - 1
      if (this.#open[dependent] === 0) this.#ready.push(dependent)
    }
  }

  #fits(work: Work): boolean {
    const { tasks, pools } = this.#limits
    if (tasks !== null && this.#running.length >= tasks) return false
    const most = work.pool === null ? undefined : pools[work.pool]
    return most === undefined || (this.#used.get(work.pool as string) ?? 0) + this.#slots(work) <= most
  }

  #take(work: Work, sign: 1 | -1): void {
    if (work.pool === null) return
    this.#used.set(work.pool, (this.#used.get(work.pool) ?? 0) + sign * this.#slots(work))
  }

  /** What takes more than there is would never start; here it takes all. */
  #slots({ pool, slots }: Work): number {
    return Math.min(slots, (pool === null ? undefined : this.#limits.pools[pool]) ?? slots)
  }

  #priority(index: number): number {
    return (this.#works[index] as Work).priority
  }
}

/** Indices so that each comes after what it needs (Kahn), ties in order. */
export function inOrder(works: readonly { readonly needs: readonly number[] }[]): readonly number[] {
  const open = works.map(({ needs }) => needs.length)
  const dependents = dependentsOf(works)
  const order = open.flatMap((count, index) => (count === 0 ? [index] : []))
  for (let place = 0; place < order.length; place++)
    for (const dependent of dependents[order[place] as number] ?? []) {
      open[dependent] = (open[dependent] as number) - 1
      if (open[dependent] === 0) order.push(dependent)
    }
  return order
}

function dependentsOf(works: readonly { readonly needs: readonly number[] }[]): readonly number[][] {
  const dependents = works.map((): number[] => [])
  for (const [index, { needs }] of works.entries()) for (const need of needs) dependents[need]?.push(index)
  return dependents
}
