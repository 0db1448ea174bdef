/** Whether a backfill may make another run, as the store says: another process may pause, resume or cancel it. */
import type { Timer } from '../engine/clock.ts'
import type { BackfillRecord } from '../engine/store/store.ts'
import { isUnfinished } from './backfill.ts'
import { bellAt, type Stage } from './stage.ts'

/** Milliseconds between looks where no bell is heard. */
const looksApart = 2000

/** Follows the state of one backfill: by the bell, and by a look now and then. */
export class BackfillGate {
  readonly #stage: Stage
  readonly #id: string
  readonly #told: (state: BackfillRecord['state']) => void
  readonly #waiting: PromiseWithResolvers<void>[] = []
  #state: BackfillRecord['state'] = 'running'
  #closed = false
  #looking = false
  #again = false
  #timer: Timer | null = null
  #silence: () => void = () => {}

  /** @param told is told of each new state. */
  static async of(
    stage: Stage,
    id: string,
    told: (state: BackfillRecord['state']) => void,
  ): Promise<BackfillGate> {
    const gate = new BackfillGate(stage, id, told)
    const bell = await bellAt(stage)
    gate.#silence = bell.listen(() => gate.#look())
    gate.#look()
    return gate
  }

  private constructor(stage: Stage, id: string, told: (state: BackfillRecord['state']) => void) {
    this.#stage = stage
    this.#id = id
    this.#told = told
  }

  /** Waits while the backfill is paused. False when no run is to be made any more. Rejects where the store fails. */
  async pass(): Promise<boolean> {
    while (!this.#closed && this.#state === 'paused') {
      const wait = Promise.withResolvers<void>()
      this.#waiting.push(wait)
      await wait.promise
    }
    return !this.#closed && this.#state === 'running'
  }

  /** A person leaves: nothing passes any more, whatever becomes of the backfill. */
  get closed(): boolean {
    return this.#closed
  }

  /** Lets nothing pass any more. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#silence()
    this.#wake()
  }

  #look(): void {
    this.#again = this.#looking
    if (this.#looking || this.#closed) return
    this.#looking = true
    this.#timer?.cancel()
    this.#stage.store.backfills({ id: this.#id }).then(
      ([record]) => {
        this.#looking = false
        if (this.#closed) return
        if (record !== undefined && record.state !== this.#state) this.#enter(record.state)
        if (this.#again) this.#look()
        else this.#arm()
      },
      (error) => {
        for (const { reject } of this.#waiting.splice(0)) reject(error)
        this.close()
      },
    )
  }

  #enter(state: BackfillRecord['state']): void {
    this.#state = state
    this.#told(state)
    if (state === 'running' || !isUnfinished({ state })) this.#wake()
  }

  #arm(): void {
    const { clock } = this.#stage.terminal
    this.#timer = clock.at(clock.now() + looksApart, () => this.#look())
  }

  #wake(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}
