/** The `process` runtime: commands under a supervisor, operators' code in warm workers. Both outlive the engine. */
import { adopt } from './attached.ts'
import { stoppedBefore } from './classify.ts'
import { startCommand } from './command.ts'
import type { Attempt, AttemptEvent, RunningAttempt, Runtime } from './runtime.ts'
import { SupervisorPool } from './supervisor-pool.ts'
import { type ProcessWorld, WatchedAttempt } from './watched-attempt.ts'
import { WorkerPool, type WorkerProgram } from './worker-pool.ts'

/** What is needed to start processes. */
export interface ProcessRuntimeOptions extends ProcessWorld {
  readonly worker: WorkerProgram
  /** Perl's name, in which commands are supervised where it is on the path; `perl` when absent. */
  readonly perl?: string
}

/** Runs attempts in processes. */
export class ProcessRuntime implements Runtime {
  readonly #world: ProcessWorld
  readonly #pool: WorkerPool
  readonly #supervisors: SupervisorPool
  /** How to let go of each attempt that runs. */
  readonly #running = new Map<WatchedAttempt, () => void>()

  constructor({ worker, perl = 'perl', ...world }: ProcessRuntimeOptions) {
    this.#world = world
    this.#pool = new WorkerPool(worker, world.clock)
    this.#supervisors = new SupervisorPool(perl)
  }

  start(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt {
    const watched = this.#watch(attempt, listen)
    void this.#launch(watched).catch((error: Error) => watched.settle(cannotStart(error)))
    const stop: RunningAttempt['stop'] = (reason, grace) => {
      this.#pool.stop(watched, reason)
      watched.stop(reason, grace)
    }
    return { outcome: watched.outcome, stop }
  }

  attach(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt {
    const watched = this.#watch(attempt, listen)
    this.#letGo(watched, adopt(watched, this.#world.clock))
    return watched
  }

  async close(): Promise<void> {
    for (const [watched, release] of this.#running) {
      watched.release()
      release()
    }
    this.#running.clear()
    this.#pool.close()
    this.#supervisors.close()
  }

  async #launch(watched: WatchedAttempt): Promise<void> {
    const { operator, input } = watched.attempt
    const argv = await this.#world.host.command(operator, input)
    if (watched.released) return
    if (watched.stopping !== null) watched.settle(stoppedBefore(watched.stopping))
    else if (argv === null) this.#pool.start(watched)
    else this.#letGo(watched, await startCommand(watched, argv, this.#supervisors, this.#world.clock))
  }

  #watch(attempt: Attempt, listen: (event: AttemptEvent) => void): WatchedAttempt {
    const watched = new WatchedAttempt(this.#world, attempt, listen)
    this.#running.set(watched, () => {})
    void watched.outcome.then(() => this.#running.delete(watched))
    return watched
  }

  #letGo(watched: WatchedAttempt, release: () => void): void {
    if (this.#running.has(watched)) this.#running.set(watched, release)
    else release()
  }
}

/** What kept an attempt from starting. A host's failure has a kind; the system's lack of something is worth another try. */
function cannotStart(error: Error & { kind?: unknown; code?: unknown }) {
  const { kind } = error
  if (kind === 'invalid_input') return { type: 'failed', kind, message: error.message } as const
  const lacking =
    error.code === 'EAGAIN' || error.code === 'ENOMEM' || error.code === 'EMFILE' || error.code === 'ENFILE'
  return {
    type: 'failed',
    kind: lacking ? 'crash' : 'user',
    message: `it cannot start: ${error.message}`,
  } as const
}
