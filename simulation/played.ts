/** What became of a played run. Plain data. */
import type { JsonObject } from '../engine/json.ts'
import type { Pipeline, Task } from '../engine/pipeline.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { EventRecord } from '../engine/store/store.ts'

/** A task, or an instance of a mapped one, once the run is over. */
export interface PlayedTask {
  readonly name: string
  readonly task: Task
  readonly record: TaskRecord
  /** What its last attempt was given; null where there was none. */
  readonly input: JsonObject | null
}

/** A run that was played. */
export interface Played {
  readonly pipeline: Pipeline
  readonly env: { readonly [name: string]: string }
  readonly run: RunRecord
  /** When it was made, epoch milliseconds: expectations count from here. */
  readonly at: number
  /** Milliseconds from there to its end, or to where it was given up. */
  readonly took: number
  readonly tasks: readonly PlayedTask[]
  /** Names of tasks in the order of their first start. */
  readonly started: readonly string[]
  readonly events: readonly EventRecord[]
  /** What befell the run from outside, and when (epoch milliseconds). */
  readonly befell: readonly { readonly at: number; readonly what: string }[]
  /** Faults and answers that met nothing: where they stand in the case, and why. */
  readonly missed: readonly { readonly path: readonly (string | number)[]; readonly why: string }[]
  /** Why it never ended, and what each open task waits for; null where it ended. */
  readonly stuck: { readonly why: string; readonly waits: readonly string[] } | null
}
