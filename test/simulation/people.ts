/** The people of a simulated world: they answer what is asked, pause runs and let them go on, and try again what failed. */
import type { Engine } from '../../engine/engine.ts'
import { type Random, seededRandom } from '../../engine/random.ts'
import { isEnded } from '../../engine/state.ts'
import type { RunRecord, TaskRecord } from '../../engine/store/records.ts'
import type { Store, Wish } from '../../engine/store/store.ts'
import { pick } from './random-pipeline.ts'

/** What people see and do. */
export interface Surroundings {
  readonly store: Store
  readonly random: Random
  readonly seed: number
  /** The name of a row. */
  name(row: TaskRecord, rows: readonly TaskRecord[]): string
  /** Engines that live. */
  engines(): readonly Engine[]
  now(): number
}

/** The people. */
export class People {
  readonly #around: Surroundings
  /** Runs that somebody is taking up again. */
  readonly #reopening = new Set<string>()

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Answers whatever is asked in these runs, the same each time it is asked; whether anything was. */
  async answer(ids: readonly string[]): Promise<boolean> {
    const { store, seed, name, now } = this.#around
    let asked = 0
    for (const id of ids) {
      const rows = await store.tasks(id)
      const asking = rows.filter(({ state, wakeOn }) => state === 'sleeping' && wakeOn?.person !== undefined)
      asked += asking.length
      for (const row of asking) {
        const text = name(row, rows)
        const draw = seededRandom(
          seed * 41 + row.tries * 3 + text.length * 7 + text.charCodeAt(text.length - 1),
        ).next()
        // Nobody lets the same failure be tried again for ever.
        const decision = draw < 0.5 && row.tries < 4 ? 'approve' : 'reject'
        const answered = (await store.requests((await store.run(id))?.owner ?? '')).some(
          ({ run, wish }) => run === id && wish.kind === 'answer' && wish.node === row.node,
        )
        if (answered) continue
        const wish: Wish = { kind: 'answer', node: row.node, attempt: row.attempt, decision, values: {} }
        await store.request(id, wish, 'somebody', now())
      }
    }
    return asked > 0
  }

  /** Pauses a run, or lets a paused one go on. */
  async pauseOrResume(ids: readonly string[]): Promise<void> {
    const { store, random, now } = this.#around
    const id = ids[pick(random, ids.length)]
    const run = id === undefined ? null : await store.run(id)
    if (run === null || isEnded(run.state)) return
    await store.request(run.id, { kind: run.state === 'paused' ? 'resume' : 'pause' }, 'somebody', now())
  }

  /** Lets every paused run go on. */
  async resumeAll(ids: readonly string[]): Promise<void> {
    const { store, now } = this.#around
    for (const id of ids) {
      if ((await store.run(id))?.state === 'paused')
        await store.request(id, { kind: 'resume' }, 'somebody', now())
    }
  }

  /** Takes runs up again that did not succeed; `adopted` hears which engine has one then. */
  retry(runs: readonly RunRecord[], adopted: (engine: Engine, run: string) => void): void {
    const { engines, random } = this.#around
    const living = engines()
    const engine = living[pick(random, living.length)]
    if (engine === undefined) return
    for (const { id, state } of runs) {
      if (!isEnded(state) || state === 'succeeded' || this.#reopening.has(id)) continue
      this.#reopening.add(id)
      engine.reopen(id, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'somebody').then(
        (how) => {
          this.#reopening.delete(id)
          if (how !== 'alive') adopted(engine, id)
        },
        () => this.#reopening.delete(id),
      )
    }
  }

  /** Whoever was about to take runs up died. */
  forget(): void {
    this.#reopening.clear()
  }
}
