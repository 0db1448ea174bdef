/**
 * The compiled pipeline: plain, JSON-serializable data, which `dsl` makes and the engine runs.
 * Knows nothing of YAML. All durations are milliseconds, all instants epoch milliseconds (UTC).
 */
import type { FailureKind } from './errors.ts'
import type { Json, JsonObject, JsonSchema } from './json.ts'

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

/** When a task starts, by how its needs ended. */
export type TriggerRule = (typeof triggerRules)[number]
/** How attempts run. */
export type RuntimeName = 'inline' | 'process' | 'docker'
/** What a task changes outside of its run: nothing, data, or what is deployed. */
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

/** Which missed intervals run later: none of them, the newest, or each, oldest first. */
export type Catchup = 'none' | 'latest' | 'all'
/** What a due run does while the one before is active: it waits, it is not made, or it cancels the one before. */
export type Overlap = 'queue' | 'skip' | 'cancel'

/**
 * When runs are due. At most one of `cron` (entries), `every` and `datasets` is set.
 * Here and below, fields that a stored pipeline of an earlier version lacks are optional, and absent means the default.
 */
export interface Schedule {
  readonly cron: readonly string[]
  readonly every: number | null
  /** IANA name. */
  readonly timezone: string
  readonly start: number | null
  readonly end: number | null
  /** A run is due when these datasets (URIs) were updated since the run before: all of them, or any. */
  readonly datasets?: { readonly mode: 'all' | 'any'; readonly uris: readonly string[] }
  /** `none` when absent. */
  readonly catchup?: Catchup
  /** `queue` when absent. */
  readonly overlap?: Overlap
  /** Tasks of scheduled runs start only then: minutes of the day in the zone, `from` inclusive, `to` exclusive; may span midnight. */
  readonly window?: { readonly from: number; readonly to: number }
}

/** One instance of a task per item. */
export interface Foreach {
  /** A list, a template that gives one, or a map of such: all combinations, the last name fastest. Items may hold templates. */
  readonly items: Json
  /** A template over `item` and `index`; null names instances by their index. */
  readonly key: string | null
  /** Instances that run at once; null is no limit. */
  readonly maxParallel: number | null
  /** `when` mentions `item` or `index`: it is decided for each instance, else once, before any is made. */
  readonly whenEach: boolean
}

/** What changes before the next try after one kind of failure. */
export interface Recovery {
  /** Values for `with`, by its keys; templates see the failed try's `with`. */
  readonly set?: JsonObject
  readonly runtime?: RuntimeName
  /** The checkpoint to go on from: the newest that verifies, or the one of a step. */
  readonly restore?: 'newest' | number
  /** Another operator, or other inputs, from the next try on. */
  readonly fallback?: {
    readonly uses: string
    readonly version: number
    readonly with: JsonObject
    /** As `Task.shell`, for this `with`. */
    readonly shell?: readonly string[]
  }
  /** Tries by this recovery; they do not count in `tries`. */
  readonly attempts: number
  /** What comes after them. */
  readonly then: 'fail' | 'hold'
  /** It neither changes anything nor has `attempts` of its own in the file: `retry` decides how often. */
  readonly underRetry: boolean
}

/** A node of the graph. */
export interface Task {
  readonly id: string
  readonly description: string | null
  /**
   * The task is a group: the tasks that name it as their `group` are what it does. It has no operator (`uses` is empty)
   * and no attempts; its `with` are the inputs that they see.
   */
  readonly isGroup?: boolean
  /** Index of the group that this task stands in; its id begins with the group's and a `.`. Absent at the top. */
  readonly group?: number
  /** Of a group: its outputs, templates over the tasks in it. */
  readonly outputs?: JsonObject
  readonly foreach?: Foreach
  readonly recover?: { readonly [kind in FailureKind]?: Recovery }
  /** The pool whose slots it takes, and how many (1 when absent). */
  readonly pool?: string
  readonly slots?: number
  /** Higher starts first; 0 when absent. */
  readonly priority?: number
  readonly preemptible?: boolean
  /** GPUs and cores that one attempt takes, for budgets; absent is 0 and 1. */
  readonly gpus?: number
  readonly cpus?: number
  /** Datasets that a success updates: URIs, may hold templates. */
  readonly produces?: readonly string[]
  /** JSON pointers into `with` whose values are URLs of endpoints: failures there open a circuit breaker. */
  readonly endpoints?: readonly string[]
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
  /** From the run's due time, or from its creation where it is manual, a backfill's or a catch-up. */
  readonly deadline?: { readonly after: number; readonly do: 'alert' | 'fail' }
  /** What a run may cost. */
  readonly budget?: {
    readonly usd: number | null
    readonly gpuHours: number | null
    readonly onExceed: 'hold' | 'fail' | 'warn'
  }
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
  /** What it supports of recovering, by kind of failure: entries of `recover`, as in a file. */
  readonly recover?: { readonly [kind in FailureKind]?: JsonObject }
  /** A task of a pipeline file, in YAML. */
  readonly example: string
}
