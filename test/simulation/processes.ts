/** The attempts of a simulated world: they outlive engines, vanish, end late, leave when they are asked. Knows no store. */
import type { Outcome } from '../../engine/outcome.ts'
import type { Queue } from '../../engine/queue/queue.ts'
import type { Random } from '../../engine/random.ts'
import type { Attempt, RunningAttempt, StopReason } from '../../engine/runtime/runtime.ts'
import type { ClockFace } from '../../simulation/virtual-clock.ts'
import type { Process as Started } from './invariants.ts'
import { pick } from './random-pipeline.ts'

/** Probabilities per attempt. */
export interface ProcessHazards {
  readonly vanish: number
  /** An outcome reaches the engine long after the end. */
  readonly late: number
}

/** What attempts are told of the world, and may do in it. */
export interface Surroundings {
  readonly hazards: ProcessHazards
  readonly random: Random
  readonly clock: ClockFace
  /** Calls `then` after so many milliseconds, whoever lives then; until it has, something is under way. */
  after(ms: number, then: () => void): void
  check(holds: boolean, message: string): void
  /** What was thrown where nobody waits for it. */
  broken(error: unknown): void
  /** Looks at an attempt as it starts; how it ends, unless something befalls it. */
  begun(process: Started): Promise<Outcome>
}

/** An attempt as the world knows it: the process, whoever listens to it. */
interface Process extends Started {
  readonly inline: boolean
  /** The engine that started it. */
  readonly engine: object
  outcome: Outcome | null
  /** Why it was asked to leave: it is kept where the next engine finds it. */
  asked: StopReason | null
  readonly heard: ((outcome: Outcome) => void)[]
}

const lost: Outcome = { type: 'released', kind: 'node_lost', message: 'vanished without a trace' }

/** The attempts. */
export class Processes {
  readonly #around: Surroundings
  readonly #all = new Map<string, Process>()

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Every attempt that ever started, by its id. */
  get all(): ReadonlyMap<string, Started> {
    return this.#all
  }

  /** What an engine submits its attempts to. `engine` is only compared. */
  queue(engine: () => object): Queue {
    return {
      free: (runtime) =>
        (runtime === 'inline' ? 64 : 4) -
        this.#live((one) => one.engine === engine() && one.inline === (runtime === 'inline')),
      submit: (attempt) => this.#submit(engine(), attempt),
      attach: (attempt) => this.#attach(attempt),
      close: async () => {},
    }
  }

  /** An engine died, and with it what ran inside it. */
  die(engine: object): void {
    for (const process of this.#all.values()) {
      if (process.engine === engine && process.inline) process.outcome ??= lost
    }
  }

  #submit(engine: object, attempt: Attempt): RunningAttempt {
    const { random, hazards, check } = this.#around
    const node = Number(attempt.id.split('-').at(-2))
    check(!this.#all.has(attempt.id), `attempt ${attempt.id} was started twice`)
    const process: Process = {
      attempt,
      node,
      inline: attempt.runtime === 'inline',
      engine,
      outcome: null,
      asked: null,
      heard: [],
    }
    const rival = [...this.#all.values()].find(
      (other) =>
        other.outcome === null &&
        other.attempt.run.id === attempt.run.id &&
        other.node === node &&
        !other.inline,
    )
    check(rival === undefined, `attempts ${rival?.attempt.id} and ${attempt.id} run at once`)
    this.#all.set(attempt.id, process)
    const usual = random.next() < 0.3 ? 0 : pick(random, 10_000)
    const duration = Number(attempt.input.takes ?? usual)
    const vanishes = random.next() < hazards.vanish
    this.#begin(process, duration, vanishes).catch(this.#around.broken)
    return this.#listenTo(process)
  }

  async #begin(process: Process, duration: number, vanishes: boolean): Promise<void> {
    const { clock, begun } = this.#around
    const raw = await begun(process)
    clock.soonAfter(duration, () => {
      const until = clock.now() + 3000
      this.#settle(
        process,
        vanishes ? lost : raw.type === 'sleep' && raw.until !== null ? { ...raw, until } : raw,
      )
    })
  }

  #attach(attempt: Attempt): RunningAttempt {
    const process = this.#all.get(attempt.id)
    if (process === undefined) return { outcome: Promise.resolve(lost), stop() {} }
    // What ran inside an engine that is gone is gone; inside one that only stalls it cannot be found.
    if (process.inline) return { outcome: Promise.resolve(lost), stop() {} }
    return this.#listenTo(process)
  }

  #listenTo(process: Process): RunningAttempt {
    const { random, hazards, clock, after } = this.#around
    const outcome = new Promise<Outcome>((resolve) => {
      const late = random.next() < hazards.late
      const hear = (ended: Outcome) =>
        late ? after(pick(random, 20_000), () => resolve(ended)) : resolve(ended)
      if (process.outcome === null) process.heard.push(hear)
      else hear(process.outcome)
    })
    const { asked } = process
    const stop = (reason: StopReason) => {
      if (process.asked !== null) return
      process.asked = reason
      clock.soonAfter(500, () => this.#settle(process, { type: 'failed', kind: 'crash', message: 'SIGTERM' }))
    }
    return { outcome, asked, stop }
  }

  #settle(process: Process, outcome: Outcome): void {
    if (process.outcome !== null) return
    process.outcome = outcome
    for (const hear of process.heard) hear(outcome)
  }

  #live(which: (process: Process) => boolean): number {
    let live = 0
    for (const process of this.#all.values()) if (process.outcome === null && which(process)) live++
    return live
  }
}
