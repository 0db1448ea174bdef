/**
 * The operator SDK: what an operator is made of, and what it is given while it runs.
 * Built-in operators use nothing else, so that anybody's operator can do what they do.
 */
import type { Readable } from 'node:stream'
import type { FailureKind } from '../engine/errors.ts'
import type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
import type { Outcome, WakeOn } from '../engine/outcome.ts'
import type { Effects, OperatorInfo, RuntimeName } from '../engine/pipeline.ts'
import type { HttpAnswer, HttpRequest } from './http-types.ts'
import type { EngineServices } from './services.ts'

export type { FailureKind } from '../engine/errors.ts'
export type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
export type { Answer, Outcome, Question, WakeOn } from '../engine/outcome.ts'
export type { Effects, OperatorInfo, RuntimeName } from '../engine/pipeline.ts'
export { guardedLookup, refuseHost } from './address-guard.ts'
export {
  type Expectation,
  expectationSchema,
  jsonOf,
  statusFailure,
  textOf,
  unmet,
  urlSchema,
} from './http-expect.ts'
export type { HttpAnswer, HttpRequest } from './http-types.ts'
export {
  again,
  ask,
  formFault,
  formSchema,
  type Heard,
  heardOf,
  onRejectSchema,
  rejection,
} from './question.ts'
export { retryAfterOf } from './retry-after.ts'
export { type Check, checkOf } from './schema-check.ts'
export type { DatasetNews, EngineServices, PipelineOrder, TriggeredRun } from './services.ts'
export { durationSchema, parseDuration, parseSize, sizeSchema } from './units.ts'

/** The attempt did its work. `outputs` is checked against the operator's output schema. */
export function succeeded(outputs: JsonObject = {}): Outcome {
  return { type: 'succeeded', outputs }
}

/**
 * The attempt failed; `kind` decides what is tried next. The message says what, which name, what to do.
 * @param retryAfter milliseconds before which no other try should come (HTTP's Retry-After)
 */
export function failed(kind: FailureKind, message: string, retryAfter?: number): Outcome {
  return retryAfter === undefined
    ? { type: 'failed', kind, message }
    : { type: 'failed', kind, message, retryAfter }
}

/** There was nothing to do; what needs this task sees it skipped. */
export function skipped(reason: string): Outcome {
  return { type: 'skipped', reason }
}

/**
 * Gives the slot back until `until` (epoch milliseconds; null: until an event of `on`), then runs again with `state` as
 * `task.state`. Events wake it before; it looks for itself, and may sleep again.
 */
export function sleep(until: number | null, state: Json = null, on?: WakeOn): Outcome {
  return on === undefined ? { type: 'sleep', until, state } : { type: 'sleep', until, state, on }
}

/** A success that proves nothing either way: `outputs.verdict` is `inconclusive`, and only gates make something of it. */
export function inconclusive(outputs: JsonObject = {}): Outcome {
  return { type: 'succeeded', outputs: { ...outputs, verdict: 'inconclusive' } }
}

/** A failure that an operator may throw from deep inside instead of returning it. */
export class OperatorFailure extends Error {
  readonly kind: FailureKind
  /** Milliseconds before which no other try should come. */
  readonly retryAfter: number | undefined

  constructor(
    kind: FailureKind,
    message: string,
    options?: { readonly cause?: unknown; readonly retryAfter?: number },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OperatorFailure'
    this.kind = kind
    this.retryAfter = options?.retryAfter
  }
}

/** A stored object, by URI: a path relative to the pipeline's folder, an absolute path, or `file://`. */
export interface ObjectInfo {
  readonly uri: string
  /** Bytes. */
  readonly size: number
  /** Epoch milliseconds. */
  readonly modified: number
}

/** A write that nobody sees until `commit`: to a temporary name, synced, then renamed. */
export interface ObjectWriter {
  /** Resolves when the bytes are accepted (back-pressure). */
  write(chunk: Uint8Array | string): Promise<void>
  /** Publishes the object: size in bytes, SHA-256 in hex. */
  commit(): Promise<{ readonly uri: string; readonly size: number; readonly sha256: string }>
  /** Leaves nothing behind. Does nothing after a commit. */
  abort(): Promise<void>
}

/** Access to data by URI. */
export interface Objects {
  /** The absolute URI that a URI of the pipeline file means. */
  resolve(uri: string): string
  /** Objects that match, sorted by URI in code-unit order. A folder means all files directly in it; `*`, `**`, `?`, `[ab]`, `{a,b}` are globs. */
  list(pattern: string): Promise<readonly ObjectInfo[]>
  stat(uri: string): Promise<ObjectInfo | null>
  /** A stream of bytes from `start` (default 0). Throws an OperatorFailure where it does not exist or cannot be read. */
  open(uri: string, options?: { readonly start?: number }): Promise<Readable>
  put(uri: string): Promise<ObjectWriter>
}

/** What was kept of an earlier attempt of this (run, task, instance). */
export interface Checkpoint {
  readonly step: number
  readonly state: Json
  /** Absolute folder that holds the checkpoint's files, read-only. */
  readonly folder: string
}

/** Saves and restores the progress of a task across its attempts. */
export interface Checkpoints {
  /** The newest checkpoint that verifies (sizes and SHA-256), or null. */
  load(): Promise<Checkpoint | null>
  /** Atomic: copies or links `files` (absolute paths), writes the manifest last, syncs, renames. Older ones are pruned. */
  save(step: number, state: Json, files?: readonly string[]): Promise<void>
}

/** What an operator is given while it runs. */
export interface TaskContext {
  /** Aborted on cancel, timeout and shutdown: checkpoint and leave within the grace time. */
  readonly signal: AbortSignal
  readonly log: {
    debug(message: string, fields?: JsonObject): void
    info(message: string, fields?: JsonObject): void
    warn(message: string, fields?: JsonObject): void
    error(message: string, fields?: JsonObject): void
  }
  progress(done: number, total: number | null, unit: string): void
  metric(name: string, value: number, labels?: { readonly [name: string]: string }): void
  /** Only needed where a loop blocks the event loop. */
  heartbeat(): void
  readonly checkpoint: Checkpoints
  readonly objects: Objects
  /** Absolute folder for results that outlive the attempt and belong to nobody else. */
  readonly artifacts: string
  /** Absolute scratch folder, empty at the start. */
  readonly work: string
  /** Absolute: the pipeline file's folder. */
  readonly cwd: string
  readonly id: string
  readonly key: string | null
  readonly attempt: number
  /** Names what this try asks of others, the same for all its attempts and for no other try: `RUN/NODE/TRY-START`. */
  readonly order: string
  readonly run: {
    readonly id: string
    readonly pipeline: string
    readonly logicalTime: string
    readonly trigger: string
    readonly timezone: string
  }
  /** RFC 3339 UTC. */
  readonly interval: { readonly start: string; readonly end: string }
  /** What `sleep` carried; null on a first start. */
  readonly state: Json
  readonly clock: { now(): number }
  /** What commands of the task see: this process' environment, and over it the task's own `env`. */
  readonly env: { readonly [name: string]: string | undefined }
  /**
   * Asks over HTTP; gives the answer whatever its status (`statusFailure` tells what it means). Throws an OperatorFailure:
   * `network` where no answer comes, `invalid_input` for a bad URL and for link-local and metadata addresses, which are
   * refused, also at redirects.
   */
  http(request: HttpRequest): Promise<HttpAnswer>
  /** What the engine does for operators in its own process (`inline`); null elsewhere. */
  readonly engine: EngineServices | null
  /** Runs a command in `cwd` with the task's environment; its output goes to the task's log. Killed with the task. */
  spawn(
    command: string,
    args: readonly string[],
  ): Promise<{ readonly code: number | null; readonly signal: string | null }>
}

/** What is the same for every operator. */
interface OperatorBase {
  readonly name: string
  /** Major version; 1 when absent. */
  readonly version?: number
  readonly stage: OperatorInfo['stage']
  readonly summary: string
  /**
   * JSON Schema (2020-12) of the input, an object with `additionalProperties: false`. `default`s are filled in before `run`.
   * `x-shell: true` on a string property: templated values in it are quoted for the shell. `x-uri: input|output` marks data.
   * `x-secret: true` marks a secret: it is shown and stored nowhere. `x-schema: true` on an object: it is itself a JSON Schema,
   * and checked as one before the run. `x-pipeline: true` on a string property: a pipeline by its name, or by a path from the
   * pipeline's folder. `x-endpoint: true` on a string property: the URL of a server that the operator calls. Failures of kind
   * `network` open that server's circuit breaker (per scheme, host and port), and tasks that call it wait while it is open.
   */
  readonly input: JsonSchema
  /** JSON Schema of the outputs. `additionalProperties: true` means that references into them are checked when used. */
  readonly output: JsonSchema
  /** The first is the default; `process` when absent. */
  readonly runtimes?: readonly RuntimeName[]
  readonly effects?: Effects
  readonly sensor?: boolean
  /** Default timeout, milliseconds. */
  readonly timeout?: number
  /**
   * What to change before another try, by kind of failure: entries of `recover` as in a pipeline file, which a file's own
   * entry replaces. In `set`, a value of `with` that a task need not give stands in `default`: `{{ half (default with.n 8) }}`.
   */
  readonly recover?: NonNullable<OperatorInfo['recover']>
  /** A task of a pipeline file, in YAML. */
  readonly example: string
}

/** An operator is code (`run`) or a command line (`command`, an argument vector), never both. */
// biome-ignore lint/suspicious/noExplicitAny: the input's type is each operator's own; the schema is checked before `run`.
export type Operator<Input = any> = OperatorBase &
  (
    | { run(input: Input, task: TaskContext): Promise<Outcome> | Outcome; readonly command?: undefined }
    | { command(input: Input): readonly string[]; readonly run?: undefined }
  )

/** Declares an operator; gives it back unchanged, typed. */
export function defineOperator<Input>(operator: Operator<Input>): Operator<Input> {
  return operator
}

/** An operator's data without its code: what the DSL, the CLI and the docs see. */
export function describe(operator: Operator): OperatorInfo {
  const { name, stage, summary, input, output, example } = operator
  return {
    name,
    stage,
    summary,
    input,
    output,
    example,
    version: operator.version ?? 1,
    runtimes: operator.runtimes ?? ['process'],
    effects: operator.effects ?? 'none',
    sensor: operator.sensor ?? false,
    timeout: operator.timeout ?? null,
    ...(operator.recover && { recover: operator.recover }),
  }
}
