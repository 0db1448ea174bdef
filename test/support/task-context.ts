/** A real TaskContext over a temporary folder, for tests of operators: what it is told is recorded. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Attempt, AttemptEvent } from '../../engine/runtime/runtime.ts'
import type { EngineServices, Json, JsonObject, Operator, Outcome, TaskContext } from '../../plugins/api.ts'
import { makeContext } from '../../plugins/context.ts'
import { Host } from '../../plugins/host.ts'

/** What a test may choose; all else has a plain default. */
export interface TaskOptions {
  /** Absolute temporary folder: `cwd` of the task is this, dagctl's data lies in `DIR/.dagctl`. */
  readonly dir: string
  readonly operator?: { readonly name: string; readonly version: number }
  readonly input?: JsonObject
  /** Attempts of one task share its checkpoints: give another number for the next attempt. */
  readonly attempt?: number
  readonly task?: string
  readonly key?: string | null
  readonly state?: Json
  readonly env?: { readonly [name: string]: string }
  readonly signal?: AbortSignal
  readonly clock?: { now(): number }
  readonly run?: Partial<Attempt['run']>
  /** Which try; absent is the first. */
  readonly try?: number
  readonly tryStartedAt?: number
  /** The step of the checkpoint to go on from. */
  readonly restore?: NonNullable<Attempt['restore']>
  /** What the engine does for it: then the attempt is an inline one. */
  readonly services?: EngineServices
}

/** What the task said. */
export interface Recording {
  /** All events, in order. */
  readonly events: AttemptEvent[]
  readonly logs: { readonly level: string; readonly message: string; readonly fields?: JsonObject }[]
  readonly progress: { readonly done: number; readonly total: number | null; readonly unit: string }[]
  readonly metrics: {
    readonly name: string
    readonly value: number
    readonly labels: { readonly [name: string]: string }
  }[]
  /** Steps of the checkpoints that were saved. */
  readonly checkpoints: number[]
}

/** A plain attempt whose folders lie below `dir/.dagctl`. */
export function makeAttempt(options: TaskOptions): Attempt {
  const { dir, operator = { name: 'Test', version: 1 }, task = 'test', key = null, attempt = 1 } = options
  const run = options.run?.id ?? 'run-1'
  const id = `${run}-${task}${key === null ? '' : `-${key}`}-${attempt}`
  const data = join(dir, '.dagctl')
  return {
    id,
    run: {
      id: run,
      pipeline: 'test',
      logicalTime: '2026-01-01T00:00:00.000Z',
      interval: { start: '2026-01-01T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' },
      trigger: 'manual',
      timezone: 'UTC',
      ...options.run,
    },
    task: {
      id: task,
      key,
      attempt,
      ...(options.try === undefined ? {} : { try: options.try }),
      ...(options.tryStartedAt === undefined ? {} : { tryStartedAt: options.tryStartedAt }),
    },
    operator,
    runtime: options.services === undefined ? 'process' : 'inline',
    input: options.input ?? {},
    env: options.env ?? {},
    state: options.state ?? null,
    ...(options.restore === undefined ? {} : { restore: options.restore }),
    folder: join(data, 'attempts', run, id),
    artifacts: join(data, 'artifacts', run, id),
    checkpoints: join(data, 'checkpoints', run, key === null ? task : `${task}-${key}`),
    cwd: dir,
  }
}

function recorder(): Recording & { listen(event: AttemptEvent): void } {
  const recording: Recording = { events: [], logs: [], progress: [], metrics: [], checkpoints: [] }
  return {
    ...recording,
    listen(event) {
      recording.events.push(event)
      if (event.type === 'log') recording.logs.push(event)
      if (event.type === 'progress') recording.progress.push(event)
      if (event.type === 'metric') recording.metrics.push(event)
      if (event.type === 'checkpoint') recording.checkpoints.push(event.step)
    },
  }
}

/** A context to call an operator's inner functions with. */
export function makeTask(
  options: TaskOptions,
): Recording & { readonly task: TaskContext; dispose(): Promise<void> } {
  mkdirSync(options.dir, { recursive: true })
  const { listen, ...recording } = recorder()
  const signal = options.signal ?? new AbortController().signal
  const clock = options.clock === undefined ? {} : { clock: options.clock }
  const task = makeContext(makeAttempt(options), { signal, listen, pace: 0, ...clock })
  return { ...recording, task, dispose: () => task.dispose() }
}

/** Runs an operator as the engine does: input checked and completed with defaults, outputs checked, throws classified. */
export async function runOperator(
  operator: Operator,
  input: JsonObject,
  options: TaskOptions,
): Promise<Recording & { readonly outcome: Outcome }> {
  mkdirSync(options.dir, { recursive: true })
  const { listen, ...recording } = recorder()
  const host = new Host({ find: async () => operator }, options.services)
  const attempt = makeAttempt({
    ...options,
    input,
    operator: { name: operator.name, version: operator.version ?? 1 },
  })
  const signal = options.signal ?? new AbortController().signal
  const clock = options.clock === undefined ? {} : { clock: options.clock }
  const outcome = await host.run(attempt, { signal, listen, pace: 0, ...clock })
  return { ...recording, outcome }
}
