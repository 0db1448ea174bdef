/** The pipeline file, as TypeScript sees it. Generated from pipeline.schema.json by generate.ts: do not edit. */

/**
 * When runs are due: `cron`, `every` or `datasets`, exactly one.
 */
export type Schedule = {
  /**
   * One cron expression or a list: 5 fields, 6 with seconds, or `@daily` and the like.
   */
  cron?: string | [string, ...string[]]
  every?: Duration
  /**
   * Runs when these datasets were updated: all of them, or any.
   */
  datasets?: {
    [k: string]: unknown
  } & {
    /**
     * @minItems 1
     */
    all?: [string, ...string[]]
    /**
     * @minItems 1
     */
    any?: [string, ...string[]]
  }
  /**
   * IANA name such as `Europe/Berlin`; `UTC` when absent.
   */
  timezone?: string
  start?: Instant
  end?: Instant
  /**
   * Which missed intervals run later.
   */
  catchup?: 'none' | 'latest' | 'all'
  /**
   * What happens when the run before is still active.
   */
  overlap?: 'queue' | 'skip' | 'cancel'
  /**
   * Tasks of scheduled runs start only in these hours.
   */
  window?: {
    from: TimeOfDay
    to: TimeOfDay
  }
} & Schedule1
/**
 * A duration: `500ms`, `30s`, `15m`, `6h`, `7d`, or ISO 8601 such as `PT15M`.
 */
export type Duration = string
/**
 * A date (`2026-01-01`) or a date and time (`2026-01-01T06:00:00`, with `Z` or an offset if it is not meant in the schedule's zone).
 */
export type Instant = string
export type TimeOfDay = string
export type Schedule1 = {
  [k: string]: unknown
}
export type ValueType = 'string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null'
export type Subschema = boolean | ValueSchema
/**
 * A kind of failure.
 */
export type Kind =
  | 'oom'
  | 'gpu_oom'
  | 'crash'
  | 'timeout'
  | 'network'
  | 'node_lost'
  | 'spot_interruption'
  | 'model_load'
  | 'data_corruption'
  | 'invalid_input'
  | 'gate_failed'
  | 'deadline'
  | 'budget'
  | 'user'
/**
 * One task of the graph.
 */
export type Task = {
  /**
   * What the task does, for people.
   */
  description?: string
  /**
   * An operator, optionally with its major version: `Shell`, `Shell@1`.
   */
  uses?: string
  /**
   * A shell command: short for `uses: Shell`.
   */
  run?: string
  /**
   * Another pipeline file, inlined as a group.
   */
  use?: string
  /**
   * The operator's input; strings may hold `{{ }}`.
   */
  with?: {
    [k: string]: unknown
  }
  /**
   * Tasks that come before, besides those that the task mentions.
   */
  needs?: string[]
  /**
   * CEL; false means that the task is skipped.
   */
  when?: string
  /**
   * When the task may start, by how its needs ended.
   */
  trigger?:
    | 'all_success'
    | 'all_failed'
    | 'all_done'
    | 'one_success'
    | 'one_failed'
    | 'one_done'
    | 'none_failed'
    | 'none_failed_min_one_success'
    | 'none_skipped'
    | 'all_skipped'
    | 'always'
  /**
   * One instance per item: a list, a map of lists (all combinations), or a template.
   */
  foreach?:
    | string
    | unknown[]
    | {
        [k: string]: unknown[] | string
      }
  /**
   * A stable name for each instance.
   */
  key?: string
  /**
   * Instances that run at once.
   */
  maxParallel?: number
  retry?: Retry
  /**
   * Per kind of failure, what changes before the next try.
   */
  recover?: {
    [k: string]: Recovery
  }
  timeout?: Duration
  runtime?: Runtime
  /**
   * The queue whose workers take the task.
   */
  queue?: string
  /**
   * A pool of slots, of dagctl.yaml.
   */
  pool?: string
  /**
   * Slots of the pool that the task takes.
   */
  slots?: number
  /**
   * Higher starts first.
   */
  priority?: number
  /**
   * Whether a task of higher priority may take its slot.
   */
  preemptible?: boolean
  /**
   * How often progress is kept, how many of them, and where.
   */
  checkpoint?: {
    every?: number | Duration
    unit?: string
    keep?: number
    keepEvery?: number
    store?: string
    replicate?: string[]
  }
  /**
   * Reuse of the outputs of an earlier success with the same inputs.
   */
  cache?: {
    ttl?: Duration
    /**
     * Files that count as input: globs, relative to the pipeline file. A command must list them.
     */
    files?: string[]
  }
  /**
   * CEL over `outputs`, `baseline`, `params` and `tasks`; one false means that the task failed.
   */
  gate?: string[]
  /**
   * Extra environment of the process; strings may hold `{{ }}`.
   */
  env?: {
    [k: string]: string | number | boolean
  }
  /**
   * Datasets (URIs) that a success updates.
   */
  produces?: string[]
  /**
   * What the task changes outside.
   */
  effects?: 'none' | 'data' | 'deploy'
} & Task1
/**
 * How an attempt runs.
 */
export type Runtime =
  | ('inline' | 'process' | 'docker')
  | {
      docker: Docker
    }
/**
 * A size: `80GiB`, `16GB`, `512MiB`.
 */
export type Size = string
export type Task1 = {
  [k: string]: unknown
}

/**
 * A dagctl pipeline file, version 1: one YAML file, one pipeline.
 */
export interface PipelineFile {
  /**
   * The version of this format.
   */
  dagctl: 1
  /**
   * The pipeline's name: lower-case letters, digits and `-`, at most 63 characters.
   */
  pipeline: string
  /**
   * What the pipeline is for, for people.
   */
  description?: string
  /**
   * The team or person who answers for it.
   */
  owner?: string
  /**
   * Labels for finding pipelines and for accounting, such as `team` or `costCenter`.
   */
  tags?: {
    [k: string]: string | number | boolean
  }
  schedule?: Schedule
  /**
   * Parameters of a run, each a JSON Schema; `default` makes one optional.
   */
  params?: {
    [k: string]: ValueSchema
  }
  /**
   * What holds for every task that does not say otherwise.
   */
  defaults?: {
    retry?: Retry
    timeout?: Duration
  }
  /**
   * How much may be active at once.
   */
  concurrency?: {
    /**
     * Active runs of this pipeline.
     */
    runs?: number
    /**
     * Running tasks over all its runs.
     */
    tasks?: number
  }
  /**
   * What happens when a run is not over in time, counted from when it was due.
   */
  deadline?: {
    after: Duration
    /**
     * `alert` tells people, `fail` ends the run.
     */
    do?: 'alert' | 'fail'
  }
  /**
   * What a run may cost.
   */
  budget?: {
    /**
     * US dollars.
     */
    usd?: number
    gpuHours?: number
    /**
     * `hold` waits for a person, `fail` ends the run, `warn` only tells.
     */
    onExceed?: 'hold' | 'fail' | 'warn'
  }
  /**
   * The tasks by id. Edges are `needs` and every `tasks.X` that a task mentions.
   */
  tasks: {
    [k: string]: Task
  }
  /**
   * In a file that others `use`: its inputs, each a JSON Schema.
   */
  inputs?: {
    [k: string]: ValueSchema
  }
  /**
   * In a file that others `use`: its outputs, each a template.
   */
  outputs?: {
    [k: string]: unknown
  }
}
/**
 * A JSON Schema (2020-12, without references).
 */
export interface ValueSchema {
  type?:
    ('string' | 'integer' | 'number' | 'boolean' | 'array' | 'object' | 'null') | [ValueType, ...ValueType[]]
  title?: string
  description?: string
  default?: unknown
  examples?: unknown[]
  deprecated?: boolean
  /**
   * @minItems 1
   */
  enum?: [unknown, ...unknown[]]
  const?: unknown
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  multipleOf?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
  items?: Subschema
  /**
   * @minItems 1
   */
  prefixItems?: [Subschema, ...Subschema[]]
  contains?: Subschema
  minContains?: number
  maxContains?: number
  minItems?: number
  maxItems?: number
  uniqueItems?: boolean
  properties?: {
    [k: string]: Subschema
  }
  patternProperties?: {
    [k: string]: Subschema
  }
  additionalProperties?: Subschema
  propertyNames?: Subschema
  required?: string[]
  minProperties?: number
  maxProperties?: number
  dependentRequired?: {
    [k: string]: string[]
  }
  /**
   * @minItems 1
   */
  allOf?: [Subschema, ...Subschema[]]
  /**
   * @minItems 1
   */
  anyOf?: [Subschema, ...Subschema[]]
  /**
   * @minItems 1
   */
  oneOf?: [Subschema, ...Subschema[]]
  not?: Subschema
  if?: Subschema
  then?: Subschema
  else?: Subschema
}
/**
 * How often, after what and how long after a failure a task is tried again.
 */
export interface Retry {
  /**
   * Tries in all; 1 means never again.
   */
  attempts?: number
  delay?: Duration
  /**
   * What each delay is multiplied by.
   */
  factor?: number
  maxDelay?: Duration
  /**
   * `full` waits a random part of the delay.
   */
  jitter?: 'full' | 'none'
  /**
   * The kinds of failure that are tried again.
   */
  on?: Kind[]
}
/**
 * What changes before the next try after this kind of failure.
 */
export interface Recovery {
  /**
   * Values for `with`; templates see the failed try's `with`.
   */
  set?: {
    [k: string]: unknown
  }
  runtime?: Runtime
  /**
   * A checkpoint: `newest` or a step.
   */
  restore?: 'newest' | number
  /**
   * Start it elsewhere; `retry` says how often.
   */
  reschedule?: true
  /**
   * Another operator stands in, with an input of its own.
   */
  fallback?: {
    uses: string
    with?: {
      [k: string]: unknown
    }
  }
  /**
   * Tries by this entry, which are no tries of `retry`.
   */
  attempts?: number
  /**
   * What comes after them: the task fails, or waits for a person.
   */
  then?: 'fail' | 'hold'
}
/**
 * The container of a task.
 */
export interface Docker {
  image?: string
  gpus?: number
  cpus?: number
  memory?: Size
  shm?: Size
  network?: string
  reuse?: boolean
}
