/** The local queue: attempts run on this machine, under this engine's runtimes. Knows nothing of the store. */
import { availableParallelism } from 'node:os'
import type { RuntimeName } from '../pipeline.ts'
import type { Attempt, AttemptEvent, RunningAttempt, Runtime } from '../runtime/runtime.ts'
import type { Queue } from './queue.ts'

/** Inline attempts are mostly waiting for something; they share one thread. */
const inlineSlots = 1024

/** Attempts in processes, and as many in containers, that this machine runs at once unless told otherwise. */
export function processSlots(): number {
  return Math.max(4, 2 * availableParallelism())
}

/** The runtimes that there are, and how many attempts each runs at once. */
export interface LocalQueueOptions {
  readonly runtimes: { readonly [name in RuntimeName]?: Runtime }
  /** Defaults: inline 1,024; process twice the cores, at least 4; docker the same. */
  readonly slots?: { readonly [name in RuntimeName]?: number }
}

/** Counts slots and passes attempts on. */
export class LocalQueue implements Queue {
  readonly #runtimes: LocalQueueOptions['runtimes']
  readonly #slots: { readonly [name in RuntimeName]: number }
  readonly #running: { [name in RuntimeName]: number } = { inline: 0, process: 0, docker: 0 }

  constructor({ runtimes, slots = {} }: LocalQueueOptions) {
    const processes = processSlots()
    this.#runtimes = runtimes
    this.#slots = {
      inline: slots.inline ?? inlineSlots,
      process: slots.process ?? processes,
      docker: slots.docker ?? processes,
    }
  }

  free(runtime: RuntimeName): number {
    if (this.#runtimes[runtime] === undefined) return 0
    return Math.max(0, this.#slots[runtime] - this.#running[runtime])
  }

  submit(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt {
    return this.#take(attempt, (runtime) => runtime.start(attempt, listen))
  }

  /** An adopted attempt takes a slot too, where need be one more than there are. */
  attach(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt {
    return this.#take(attempt, (runtime) => runtime.attach(attempt, listen))
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#runtimes).map((runtime) => runtime.close()))
  }

  #take(attempt: Attempt, begin: (runtime: Runtime) => RunningAttempt): RunningAttempt {
    const name = attempt.runtime
    const runtime = this.#runtimes[name]
    if (runtime === undefined) return missing(name)
    this.#running[name] += 1
    const running = begin(runtime)
    // Before anybody else hears of the outcome, so that who looks then finds the slot free.
    const outcome = running.outcome.then((ended) => {
      this.#running[name] -= 1
      return ended
    })
    return { outcome, asked: running.asked ?? null, stop: (reason, grace) => running.stop(reason, grace) }
  }
}

function missing(name: RuntimeName): RunningAttempt {
  const message = `the runtime '${name}' is not there; this engine cannot run the task`
  return { outcome: Promise.resolve({ type: 'failed', kind: 'invalid_input', message }), stop() {} }
}
