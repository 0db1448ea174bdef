/** What the engine does for operators that run in its own process, beyond running them. Types only. */
import type { Json, JsonObject } from '../engine/json.ts'
import type { RunState } from '../engine/state.ts'

/** A run that an operator asks for. */
export interface PipelineOrder {
  /** The name of a pipeline that the store knows; or a file, by a path with `/` or ending in .yaml. */
  readonly pipeline: string
  /** The folder that a relative path means. */
  readonly folder: string
  readonly params: JsonObject
  /** Epoch milliseconds. */
  readonly interval: { readonly start: number; readonly end: number }
  /** The run whose task asks. */
  readonly by: string
  /** Whether that task waits for the end of the run. */
  readonly wait: boolean
  /** The same for the same order, whoever repeats it: a run of this origin is made once. */
  readonly origin: string
}

/** A run as its trigger sees it. `outputs`: of each task that has any, by the task's id. */
export interface TriggeredRun {
  readonly id: string
  readonly pipeline: string
  readonly state: RunState
  readonly outputs: { readonly [task: string]: Json }
}

/** An update of a dataset. */
export interface DatasetNews {
  readonly uri: string
  /** Epoch milliseconds. */
  readonly at: number
  /** The run and the task that updated it; null where a person said so. */
  readonly run: string | null
  readonly task: string | null
}

/** The services; there are none where an operator runs in a process of its own. */
export interface EngineServices {
  readonly pipelines: {
    /**
     * Makes the run, or gives the id of the one that there is for the origin. Throws an OperatorFailure (`invalid_input`)
     * where there is no such pipeline, it is not valid, the parameters do not fit, triggers would go in a circle, or it would wait for a run that waits for it.
     */
    trigger(order: PipelineOrder): Promise<string>
    /** The run as it stands; one whose engine is dead is gone on with here. */
    run(id: string): Promise<TriggeredRun | null>
  }
  readonly datasets: {
    /** The newest update of each of these datasets, where it came at or after `since` (epoch milliseconds). */
    updates(uris: readonly string[], since: number): Promise<readonly DatasetNews[]>
  }
}
