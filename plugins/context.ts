/** The TaskContext that an operator is given, made from an attempt. Knows nothing of where the operator runs. */
import { mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { systemClock } from '../engine/clock.ts'
import { fileOf } from '../engine/runtime/attempt-folder.ts'
import { baseEnvironment } from '../engine/runtime/base-environment.ts'
import type { Attempt, AttemptEvent, HostHooks } from '../engine/runtime/runtime.ts'
import type { Checkpoints, EngineServices, JsonObject, TaskContext } from './api.ts'
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

/**
 * Makes the context of one attempt. Folders are made when they are first asked for.
 * @param services what the engine does for operators in its own process; null elsewhere
 */
export function makeContext(
  attempt: Attempt,
  hooks: ContextHooks,
  services: EngineServices | null = null,
): DisposableContext {
  return new AttemptContext(attempt, hooks, services)
}

/** What a context is made from, and what of it was asked for. */
interface Parts {
  readonly attempt: Attempt
  readonly hooks: ContextHooks
  readonly flush: () => void
  objects: LocalObjects | undefined
  checkpoint: Checkpoints | undefined
}

/** The key of the parts: unlike a private name it is inherited, for operators put objects of their own before a context. */
const parts = Symbol('parts')

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
  readonly engine: EngineServices | null
  readonly [parts]: Parts

  constructor(attempt: Attempt, hooks: ContextHooks, services: EngineServices | null) {
    this.engine = services
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
    this[parts] = { attempt, hooks, flush: paced.flush, objects: undefined, checkpoint: undefined }
  }

  get signal(): AbortSignal {
    return this[parts].hooks.signal
  }

  readonly metric: TaskContext['metric'] = (name, value, labels = {}) => {
    if (Number.isFinite(value)) this[parts].hooks.listen({ type: 'metric', name, value, labels })
    else this.log.warn(`metric ${name} has no finite value (${value}), so it is left out`)
  }

  readonly heartbeat = (): void => this[parts].hooks.listen({ type: 'heartbeat' })

  get checkpoint(): Checkpoints {
    const { attempt, hooks } = this[parts]
    this[parts].checkpoint ??= checkpointsOf(attempt, {
      warn: (message) => this.log.warn(message),
      saved: (step) => hooks.listen({ type: 'checkpoint', step }),
      clock: this.clock,
    })
    return this[parts].checkpoint
  }

  get objects(): LocalObjects {
    const { cwd, id, checkpoints } = this[parts].attempt
    this[parts].objects ??= localObjects({ cwd, attempt: id, owner: checkpoints })
    return this[parts].objects
  }

  get env(): TaskContext['env'] {
    return { ...baseEnvironment(), ...this[parts].attempt.env }
  }

  /** What is missing in attempts of other programs is left out: then more tries are taken for the same. */
  get order(): string {
    const { run, task, checkpoints } = this[parts].attempt
    const began = task.tryStartedAt === undefined ? '' : `-${task.tryStartedAt}`
    return `${run.id}/${basename(checkpoints)}/${task.try ?? 1}${began}`
  }

  readonly http: TaskContext['http'] = async (order) => {
    const { request } = await import('./http.ts')
    return request(order, { signal: this.signal, clock: this.clock })
  }

  get artifacts(): string {
    mkdirSync(this[parts].attempt.artifacts, { recursive: true })
    return this[parts].attempt.artifacts
  }

  get work(): string {
    const folder = fileOf(this[parts].attempt, 'work')
    mkdirSync(folder, { recursive: true })
    return folder
  }

  readonly spawn: TaskContext['spawn'] = (command, args) =>
    spawnCommand(this[parts].attempt, this[parts].hooks, command, args)

  readonly dispose = async (): Promise<void> => {
    this[parts].flush()
    await this[parts].objects?.dispose()
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
