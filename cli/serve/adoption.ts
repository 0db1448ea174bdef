/** Takes over the runs of dead engines, unasked: what they left goes on here. */
import type { Engine } from '../../engine/engine.ts'
import { isGone } from '../../engine/identity.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { EngineRecord, Store } from '../../engine/store/store.ts'

/** Looks between two full ones: most looks ask only for the runs of engines that are known to be dead. */
const fullEvery = 20

/** Looks for what dead engines left. */
export class Adoption {
  readonly #store: Store
  readonly #engine: Engine
  readonly #adopted: (run: RunRecord) => void
  #looks = 0

  /** @param adopted told of each run that is this engine's from now on */
  constructor(store: Store, engine: Engine, adopted: (run: RunRecord) => void) {
    this.#store = store
    this.#engine = engine
    this.#adopted = adopted
  }

  /** Takes over what it finds. */
  async look(now: number): Promise<void> {
    const engines = await this.#store.engines()
    const dead = engines.filter((one) => one.id !== this.#engine.id && isDead(one, now))
    const full = this.#looks++ % fullEvery === 0
    const left = full
      ? await this.#leftByUnknown(new Set(engines.filter((one) => !dead.includes(one)).map(({ id }) => id)))
      : (await Promise.all(dead.map(({ id }) => this.#store.runs({ owner: id, active: true })))).flat()
    // The oldest first: it was to run first.
    for (const run of left.toReversed())
      if ((await this.#engine.adopt(run.id)) === 'adopted') this.#adopted(run)
    for (const engine of dead) if (isGone(engine)) await this.#store.leave(engine.id)
  }

  /** Active runs of engines that are not among the living: dead ones, and those that left in good order. */
  async #leftByUnknown(living: ReadonlySet<string>): Promise<readonly RunRecord[]> {
    const runs = await this.#store.runs({ active: true })
    return runs.filter(({ owner }) => owner === null || !living.has(owner))
  }
}

function isDead(engine: EngineRecord, now: number): boolean {
  return engine.leaseUntil < now || isGone(engine)
}
