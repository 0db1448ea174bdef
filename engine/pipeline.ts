/**
 * The compiled pipeline: plain, JSON-serializable data, which `dsl` makes and the engine runs.
 * Knows nothing of YAML. All durations are milliseconds, all instants epoch milliseconds (UTC).
 */
import type { FailureKind } from './errors.ts'
import type { JsonObject, JsonSchema } from './json.ts'

/** When a task may start, by how its needs ended. Names and meanings are Airflow's. */
export const triggerRules = [
  'all_success',
  'all_failed',
  'all_done',
  'one_success',
  'one_failed',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'all_skipped',
  'always',
] as const

export type TriggerRule = (typeof triggerRules)[number]
export type RuntimeName = 'inline' | 'process' | 'docker'
export type Effects = 'none' | 'data' | 'deploy'

/** How often, after what, and how long after a failure a task is tried again. */
export interface RetryPolicy {
  /** Tries in all; 1 means never again. */
  readonly attempts: number
  readonly delay: number
  readonly factor: number
  readonly maxDelay: number
  readonly jitter: 'full' | 'none'
  /** The kinds of failure that are tried again. */
  readonly on: readonly FailureKind[]
  /** Whether a timeout while sleeping is tried again: only where `on` in the file names `timeout`. */
  readonly onSleep: boolean
}

/** When runs are due. Either `cron` has entries or `every` is set, never both. */
export interface Schedule {
  readonly cron: readonly string[]
  readonly every: number | null
  /** IANA name. */
  readonly timezone: string
  readonly start: number | null
  readonly end: number | null
}

/** A node of the graph. */
export interface Task {
  readonly id: string
  readonly description: string | null
  /** The operator's name and major version. */
  readonly uses: string
  readonly version: number
  /** The operator's input; strings may hold `{{ }}` templates. */
  readonly with: JsonObject
  /** JSON pointers into `with` whose templated values are quoted for the shell (`/command`). */
  readonly shell: readonly string[]
  /** Extra environment of the process; values may hold templates. */
  readonly env: { readonly [name: string]: string }
  /** Indices into `Pipeline.tasks`, ascending, without repeats: `needs` and every task that is referred to. */
  readonly needs: readonly number[]
  readonly trigger: TriggerRule
  /** CEL; false means skipped. */
  readonly when: string | null
  /** CEL; one false means failed with `gate_failed`. */
  readonly gate: readonly string[]
  /**
   * Where the schemas of what `when` and `gate` mention say integer: JSON pointers into the scope, `*` for any item
   * (`/params/epochs`, `/tasks/extract/outputs/rows/*`). The evaluator takes other numbers for doubles.
   */
  readonly integers?: readonly string[]
  readonly retry: RetryPolicy
  /** From the first start of the current try; null is no limit. */
  readonly timeout: number | null
  readonly runtime: RuntimeName
  /** Reuse of the outputs of an earlier success with the same key; `files` are globs relative to the pipeline's folder. */
  readonly cache: { readonly ttl: number | null; readonly files: readonly string[] } | null
  readonly effects: Effects
}

/** A whole compiled pipeline. `tasks` keep the order of the file. */
export interface Pipeline {
  readonly name: string
  /** SHA-256 (hex) of the inlined file in canonical JSON (RFC 8785). */
  readonly version: string
  readonly description: string | null
  readonly owner: string | null
  readonly tags: { readonly [name: string]: string }
  readonly schedule: Schedule | null
  /** Each parameter's JSON Schema, `default` included. */
  readonly params: { readonly [name: string]: JsonSchema }
  /** Active runs of this pipeline, and running tasks over all its runs, at once; null is no limit. */
  readonly concurrency: { readonly runs: number | null; readonly tasks: number | null }
  readonly tasks: readonly Task[]
}

/** `[start, end)` of the data that a run covers, epoch milliseconds. */
export interface Interval {
  readonly start: number
  readonly end: number
}

/** What the DSL and the command line know of an operator: data only, no code. */
export interface OperatorInfo {
  readonly name: string
  /** Major version: `uses: Name@1`. */
  readonly version: number
  readonly stage: 'control' | 'data' | 'training' | 'evaluation' | 'deployment' | 'monitoring'
  readonly summary: string
  readonly input: JsonSchema
  /** `additionalProperties` not false means that the outputs are of unknown type. */
  readonly output: JsonSchema
  /** The first is the default. */
  readonly runtimes: readonly RuntimeName[]
  readonly effects: Effects
  /** A sensor waits for the world; it cannot be cached. */
  readonly sensor: boolean
  /** Default timeout in milliseconds, where the operator has one. */
  readonly timeout: number | null
  /** A task of a pipeline file, in YAML. */
  readonly example: string
}
