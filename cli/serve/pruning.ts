/** Prunes while it serves: at the start, and then once an hour, one after the other. */
import type { Clock, Timer } from '../../engine/clock.ts'
import type { Pruned } from '../../engine/retention.ts'
import { limitsAnything, pruneAt, removedAnything } from '../pruned.ts'
import type { Stage } from '../stage.ts'

/** Milliseconds between two prunings. */
const every = 3_600_000

/** What is told of each pruning that removed something. */
type Told = (pruned: Pruned) => void

/** Prunes by the limits of the installation; never where it has none. */
export class Pruning {
  readonly #stage: Stage
  readonly #clock: Clock
  readonly #told: Told
  readonly #failed: (error: unknown) => void
  #timer: Timer | null = null
  #isClosed = false
  #work: Promise<void> = Promise.resolve()

  constructor(stage: Stage, told: Told, failed: (error: unknown) => void) {
    this.#stage = stage
    this.#clock = stage.terminal.clock
    this.#told = told
    this.#failed = failed
  }

  begin(): void {
    if (limitsAnything(this.#stage.settings.installation.retention)) this.#prune()
  }

  /** Prunes no more; resolves when what was begun is done. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#work
  }

  #prune(): void {
    this.#work = this.#pruneOnce().then(
      () => {
        if (!this.#isClosed) this.#timer = this.#clock.at(this.#clock.now() + every, () => this.#prune())
      },
      (error) => this.#failed(error),
    )
  }

  async #pruneOnce(): Promise<void> {
    const pruned = await pruneAt(this.#stage, { who: 'engine' })
    if (removedAnything(pruned)) this.#told(pruned)
  }
}
