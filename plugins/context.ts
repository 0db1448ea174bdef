/** The TaskContext that an operator is given, made from an attempt. Knows nothing of where the operator runs. */
import { mkdirSync } from 'node:fs'
import { systemClock } from '../engine/clock.ts'
import type { Attempt, AttemptEvent, HostHooks } from '../engine/runtime/runtime.ts'
import type { JsonObject, TaskContext } from './api.ts'
import { type CheckpointHooks, checkpointsOf } from './checkpoints.ts'
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
  const clock = hooks.clock ?? systemClock
  const paced = pacedProgress(hooks, clock)
  let objects: LocalObjects | undefined
  const log = logTo(hooks)
  const checkpointHooks: CheckpointHooks = {
    warn: (message) => log.warn(message),
    saved: (step) => hooks.listen({ type: 'checkpoint', step }),
    clock,
  }
  const checkpoint = checkpointsOf(attempt, checkpointHooks)
  return {
    get signal() {
      return hooks.signal
    },
    log,
    progress: paced.progress,
    metric(name, value, labels = {}) {
      if (Number.isFinite(value)) hooks.listen({ type: 'metric', name, value, labels })
      else log.warn(`metric ${name} has no finite value (${value}), so it is left out`)
    },
    heartbeat: () => hooks.listen({ type: 'heartbeat' }),
    checkpoint,
    get objects() {
      objects ??= localObjects({ cwd: attempt.cwd, attempt: attempt.id, owner: attempt.checkpoints })
      return objects
    },
    get artifacts() {
      mkdirSync(attempt.artifacts, { recursive: true })
      return attempt.artifacts
    },
    get work() {
      mkdirSync(`${attempt.folder}/work`, { recursive: true })
      return `${attempt.folder}/work`
    },
    cwd: attempt.cwd,
    id: attempt.task.id,
    key: attempt.task.key,
    attempt: attempt.task.attempt,
    run: attempt.run,
    interval: attempt.run.interval,
    state: attempt.state,
    clock,
    spawn(command, args) {
      return spawnCommand(attempt, hooks, command, args)
    },
    async dispose() {
      paced.flush()
      await objects?.dispose()
    },
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
