/** Looks at what open tasks wait for while a simulated world of several engines stands still (RELIABILITY.md, invariant 4). */
import type { Random } from '../../engine/random.ts'
import type { Resources } from '../../engine/resources.ts'
import type { Store } from '../../engine/store/store.ts'
import { factsOf } from '../../engine/why/read.ts'
import { unexplained } from '../../engine/why/why.ts'
import type { VirtualClock } from '../../simulation/virtual-clock.ts'

/** Milliseconds within which an idle engine takes up what has room: it looks every 3 s at what others left free. */
const turnWithin = 8000
/** Milliseconds between two looks where something waits for its turn, and how often else it is looked, per step. */
const looks = { apart: 1000, chance: 0.02 } as const

/** What is looked at. */
export interface Surroundings {
  readonly store: Store
  readonly resources: Resources
  readonly clock: VirtualClock
  readonly random: Random
  isGone(pid: number): boolean
  check(holds: boolean, message: string): void
}

/** The looks at one world. */
export class Standstill {
  readonly #around: Surroundings
  #lookedAt = 0
  /** What waits for nothing but its turn, and since when. */
  #idle = new Map<string, number>()
  count = 0

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Looks now and then; again and again where something waits for its turn. @param busy whether an answer is on its way */
  async look(busy: boolean): Promise<void> {
    const { clock, random } = this.#around
    if (busy) this.#idle.clear()
    if (busy || clock.nextAt() <= clock.time) return
    const again = this.#idle.size > 0 && clock.time >= this.#lookedAt + looks.apart
    if (again || random.next() < looks.chance) await this.#look()
  }

  async #look(): Promise<void> {
    const { store, resources, clock, isGone, check } = this.#around
    this.count++
    this.#lookedAt = clock.time
    const idle = new Map<string, number>()
    for (const run of await store.runs({ active: true })) {
      const facts = await factsOf(store, run, {
        at: clock.time,
        resources,
        isGone: ({ pid }) => isGone(pid),
      })
      const names = unexplained(facts)
      check(names.length === 0, `${names.join()} of ${run.id} (${run.state}) wait for nothing`)
      for (const name of unexplained(facts, true)) {
        const since = this.#idle.get(`${run.id} ${name}`) ?? clock.time
        idle.set(`${run.id} ${name}`, since)
        const soon = clock.time - since < turnWithin
        check(soon, `${name} of ${run.id} (${run.state}) waits for its turn since ${since}`)
      }
    }
    this.#idle = idle
  }
}
