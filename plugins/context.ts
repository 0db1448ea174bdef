/** The TaskContext that an operator is given, made from an attempt. Knows nothing of where the operator runs. */
import { mkdirSync } from 'node:fs'
import { systemClock } from '../engine/clock.ts'
import { fileOf } from '../engine/runtime/attempt-folder.ts'
import type { Attempt, AttemptEvent, HostHooks } from '../engine/runtime/runtime.ts'
import type { Checkpoints, JsonObject, TaskContext } from './api.ts'
import { checkpointsOf } from './checkpoints.ts'
import { type LocalObjects, localObjects } from './objects.ts'
import { spawnCommand } from './spawn.ts'

/** Shortest time between two progress events of one attempt, milliseconds: loops report per record. */
const defaultPace = 100

/** What a host is given, and what tests replace. */
export interface ContextHooks extends HostHooks {
  readonly clock?: { now(): number }
  /** Milliseconds between progress events; 0 lets all through. */
  readonly pace?: number
}

/** A TaskContext; `dispose` ends it: the last progress is told, uncommitted writes are removed. */
export interface DisposableContext extends TaskContext {
  dispose(): Promise<void>
}

/** Makes the context of one attempt. Folders are made when they are first asked for. */
export function makeContext(attempt: Attempt, hooks: ContextHooks): DisposableContext {
  return new AttemptContext(attempt, hooks)
}

/**
 * A class, as getters of an object literal make V8 a hidden class for each object, which keeps all that the getters
 * see until the next full collection. Functions are fields, so that operators may take them out of it.
 */
class AttemptContext implements DisposableContext {
  readonly log: TaskContext['log']
  readonly progress: TaskContext['progress']
  readonly cwd: string
  readonly id: string
  readonly key: string | null
  readonly attempt: number
  readonly run: TaskContext['run']
  readonly interval: TaskContext['interval']
  readonly state: TaskContext['state']
  readonly clock: NonNullable<ContextHooks['clock']>
  readonly #attempt: Attempt
  readonly #hooks: ContextHooks
  readonly #flush: () => void
  #objects: LocalObjects | undefined
  #checkpoint: Checkpoints | undefined

  constructor(attempt: Attempt, hooks: ContextHooks) {
    this.#attempt = attempt
    this.#hooks = hooks
    this.cwd = attempt.cwd
    this.id = attempt.task.id
    this.key = attempt.task.key
    this.attempt = attempt.task.attempt
    this.run = attempt.run
    this.interval = attempt.run.interval
    this.state = attempt.state
    this.clock = hooks.clock ?? systemClock
    this.log = logTo(hooks)
    const paced = pacedProgress(hooks, this.clock)
    this.progress = paced.progress
    this.#flush = paced.flush
  }

  get signal(): AbortSignal {
    return this.#hooks.signal
  }

  readonly metric: TaskContext['metric'] = (name, value, labels = {}) => {
    if (Number.isFinite(value)) this.#hooks.listen({ type: 'metric', name, value, labels })
    else this.log.warn(`metric ${name} has no finite value (${value}), so it is left out`)
  }

  readonly heartbeat = (): void => this.#hooks.listen({ type: 'heartbeat' })

  get checkpoint(): Checkpoints {
    this.#checkpoint ??= checkpointsOf(this.#attempt, {
      warn: (message) => this.log.warn(message),
      saved: (step) => this.#hooks.listen({ type: 'checkpoint', step }),
      clock: this.clock,
    })
    return this.#checkpoint
  }

  get objects(): LocalObjects {
    const { cwd, id, checkpoints } = this.#attempt
    this.#objects ??= localObjects({ cwd, attempt: id, owner: checkpoints })
    return this.#objects
  }

  get artifacts(): string {
    mkdirSync(this.#attempt.artifacts, { recursive: true })
    return this.#attempt.artifacts
  }

  get work(): string {
    const folder = fileOf(this.#attempt, 'work')
    mkdirSync(folder, { recursive: true })
    return folder
  }

  readonly spawn: TaskContext['spawn'] = (command, args) =>
    spawnCommand(this.#attempt, this.#hooks, command, args)

  readonly dispose = async (): Promise<void> => {
    this.#flush()
    await this.#objects?.dispose()
  }
}

function logTo({ listen }: ContextHooks): TaskContext['log'] {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: JsonObject) =>
    listen(fields === undefined ? { type: 'log', level, message } : { type: 'log', level, message, fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Lets one progress event through per `pace`; `flush` tells the last one that was held back. */
function pacedProgress({ listen, pace = defaultPace }: ContextHooks, clock: { now(): number }) {
  let held: AttemptEvent | null = null
  let next = 0
  const flush = () => {
    if (held !== null) listen(held)
    held = null
  }
  const progress = (done: number, total: number | null, unit: string) => {
    held = { type: 'progress', done, total, unit }
    const now = clock.now()
    // A clock that was set back silences nobody.
    if (now < next && next - now <= pace) return
    next = now + pace
    flush()
  }
  return { progress, flush }
}
