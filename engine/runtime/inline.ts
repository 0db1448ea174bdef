/** The `inline` runtime: operators in the engine's own process. Knows nothing of other processes; nothing outlives it. */
import type { Clock, Timer } from '../clock.ts'
import type { Outcome } from '../outcome.ts'
import { EventWriter } from './attempt-events.ts'
import { vanished } from './classify.ts'
import { groupGone, signalGroup } from './process-identity.ts'
import type {
  Attempt,
  AttemptEvent,
  HostHooks,
  OperatorHost,
  RunningAttempt,
  Runtime,
  StopReason,
} from './runtime.ts'

/** Runs attempts here. Cheap: no folder, no signal and no timer is made unless somebody asks for it. */
export class InlineRuntime implements Runtime {
  readonly #host: Pick<OperatorHost, 'run'>
  readonly #clock: Clock

  constructor(host: Pick<OperatorHost, 'run'>, clock: Clock) {
    this.#host = host
    this.#clock = clock
  }

  start(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt {
    return new InlineAttempt(this.#host, this.#clock, attempt, listen)
  }

  /** What ran in an engine went with it. */
  attach(attempt: Attempt): RunningAttempt {
    return { outcome: Promise.resolve(vanished(attempt)), stop() {} }
  }

  async close(): Promise<void> {}
}

class InlineAttempt implements RunningAttempt, HostHooks {
  readonly outcome: Promise<Outcome>
  readonly #attempt: Attempt
  readonly #clock: Clock
  readonly #tell: (event: AttemptEvent) => void
  #controller: AbortController | null = null
  #events: EventWriter | null = null
  /** Of each command: whether it still runs. */
  #groups: Map<number, boolean> | null = null
  #kill: Timer | null = null
  #settle: (outcome: Outcome) => void = () => {}
  #ended = false

  constructor(
    host: Pick<OperatorHost, 'run'>,
    clock: Clock,
    attempt: Attempt,
    listen: (event: AttemptEvent) => void,
  ) {
    this.#attempt = attempt
    this.#clock = clock
    this.#tell = listen
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
    void host.run(attempt, this).then((outcome) => this.#end(outcome))
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  /** Called by the host; arrow functions because hooks are handed on by name. */
  readonly listen = (event: AttemptEvent): void => {
    if (this.#ended) return
    try {
      this.#events ??= new EventWriter(this.#attempt.folder, this.#clock)
      this.#events.append(event)
    } catch (error) {
      const message = `the attempt's log cannot be written: ${(error as Error).message}`
      this.#tell({ type: 'log', level: 'warn', message })
    }
    this.#tell(event)
  }

  readonly group = (pid: number): (() => void) => {
    this.#groups ??= new Map()
    this.#groups.set(pid, true)
    return () => {
      // At once, while the number cannot have gone to anybody else.
      this.#groups?.set(pid, false)
      signalGroup(pid, 'SIGKILL')
    }
  }

  stop(reason: StopReason, grace: number): void {
    if (this.#ended) return
    this.#controller ??= new AbortController()
    this.#controller.abort(new Error(`asked to stop (${reason})`))
    this.#kill?.cancel()
    this.#kill = this.#clock.at(this.#clock.now() + grace, () => {
      const message = `abandoned: it did not end within ${grace / 1000} s of being asked to (${reason})`
      this.#end({ type: 'failed', kind: 'crash', message })
    })
  }

  /** The first end counts. What the operator's commands left running goes with it. */
  #end(outcome: Outcome): void {
    if (this.#ended) return
    this.#ended = true
    this.#kill?.cancel()
    this.#events?.close()
    if (this.#groups === null) this.#settle(outcome)
    else void this.#killed(this.#groups).then(() => this.#settle(outcome))
  }

  /** Kills what commands still run, and waits until nothing of any of them does. */
  async #killed(groups: ReadonlyMap<number, boolean>): Promise<void> {
    for (const [group, runs] of groups) if (runs) signalGroup(group, 'SIGKILL')
    for (const group of groups.keys()) await groupGone(group, this.#clock)
  }
}
