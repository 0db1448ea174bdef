/** The file of a pipeline’s tests, as TypeScript sees it. Generated from pipeline-tests.schema.json by generate.ts: do not edit. */

export type State = 'succeeded' | 'failed' | 'upstream_failed' | 'skipped' | 'cancelled'

/**
 * Tests of a dagctl pipeline (NAME.test.yaml), version 1: the real engine on virtual time, with operators that do what the test says.
 */
export interface PipelineTestsFile {
  /**
   * The version of this format.
   */
  dagctl: 1
  /**
   * The pipeline file, relative to this one; `NAME.yaml` beside `NAME.test.yaml` when absent.
   */
  tests?: string
  /**
   * The cases by what they show. Each is a run of its own, in an empty store.
   */
  cases: {
    [k: string]: TestCase
  }
}
/**
 * One run, and what is expected of it.
 */
export interface TestCase {
  /**
   * Parameters of the run; the others have their defaults.
   */
  params?: {
    [k: string]: unknown
  }
  /**
   * When the run is made, as for `dagctl run --at`. When absent it is `2026-01-01`, or the end of the interval where that is later or the trigger is `schedule`.
   */
  at?: string
  /**
   * The interval that the run covers, START/END; by default the last that ended by `at`.
   */
  interval?: string
  /**
   * START/END: the case is played for each interval of the schedule that begins there, START inclusive.
   */
  intervals?: string
  /**
   * What made the run; `manual` when absent.
   */
  trigger?: 'manual' | 'schedule'
  /**
   * Attempts that run at once; as many as there are tasks when absent.
   */
  slots?: number
  /**
   * Pools and their slots, as in dagctl.yaml; a pool that is not named has no limit.
   */
  pools?: {
    [k: string]: {
      /**
       * How many slots it has.
       */
      slots: number
      /**
       * How many GPUs one slot stands for.
       */
      gpus?: number
    }
  }
  /**
   * US dollars per hour, as in dagctl.yaml; nothing costs when absent.
   */
  rates?: {
    cpu?: number
    gpu?: number
    pools?: {
      [k: string]: number
    }
  }
  /**
   * What `env.NAME` means; the environment of the test itself is not seen.
   */
  env?: {
    [k: string]: string
  }
  /**
   * Outputs of tasks in the last succeeded run, for gates that look at `baseline`.
   */
  baseline?: {
    [k: string]: {
      [k: string]: unknown
    }
  }
  /**
   * What tasks do instead of their work, by id or `id[KEY]`. By default they succeed at once, with made-up outputs.
   */
  tasks?: {
    [k: string]: Act | [Act, ...Act[]]
  }
  /**
   * What people answer, by the id or `id[KEY]` of the task that asks.
   */
  answers?: {
    [k: string]: Answer | [Answer, ...Answer[]]
  }
  /**
   * What goes wrong around the tasks, in any order.
   */
  faults?: Fault[]
  expect?: Expected
}
/**
 * What a task does in one try; the last of a list is for all further tries.
 */
export interface Act {
  /**
   * It succeeds with these outputs; what is not said is made up.
   */
  outputs?: {
    [k: string]: unknown
  }
  /**
   * It fails so. `node_lost` and `spot_interruption` take the machine from it.
   */
  fails?:
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
    | 'user'
  /**
   * What it says when it fails.
   */
  message?: string
  /**
   * How many tries fail before it succeeds, which takes as long; all of them when absent.
   */
  times?: number
  /**
   * It has nothing to do, for this reason.
   */
  skips?: string
  /**
   * How long an attempt runs: a duration, or `forever`, until it is stopped.
   */
  takes?: string
  /**
   * How long it sleeps before, without a slot, as a sensor does: a duration, or `forever`.
   */
  sleeps?: string
  /**
   * It asks a person this before, and fails where the answer is no.
   */
  asks?: string
}
/**
 * What a person says to one question.
 */
export interface Answer {
  /**
   * At a hold `approve` means another try.
   */
  decision: 'approve' | 'reject'
  /**
   * How long the person takes; no time when absent.
   */
  after?: string
  /**
   * What the person enters in the form.
   */
  values?: {
    [k: string]: unknown
  }
}
export interface Fault {
  /**
   * How long after the beginning of the case.
   */
  at: string
  /**
   * `crash` ends the engine, and another takes over; `vanish` takes away the machine under a running task; `cancel`, `pause` and `resume` are a person's.
   */
  do: 'crash' | 'vanish' | 'cancel' | 'pause' | 'resume'
  /**
   * The task that vanishes, by id or `id[KEY]`.
   */
  task?: string
  /**
   * How long no engine is there after a crash; not at all when absent.
   */
  for?: string
}
/**
 * What must hold once the run is over.
 */
export interface Expected {
  /**
   * How the run ends; `succeeded` when absent.
   */
  run?: 'succeeded' | 'failed' | 'cancelled'
  /**
   * How long the run takes, from the beginning of the case.
   */
  takes?: string
  /**
   * These tasks start, in this order; others may start between.
   *
   * @minItems 1
   */
  order?: [string, ...string[]]
  /**
   * What becomes of tasks, by id or `id[KEY]`: a state, or more.
   */
  tasks?: {
    [k: string]: State | ExpectedTask
  }
  /**
   * CEL over `run`, `params` and `tasks`, each of which must be true.
   *
   * @minItems 1
   */
  that?: [string, ...string[]]
}
export interface ExpectedTask {
  state?: State
  /**
   * How often it was tried.
   */
  tries?: number
  /**
   * How often it was started, also after a sleep or a lost machine.
   */
  attempts?: number
  /**
   * What its last attempt was given, in part.
   */
  input?: {
    [k: string]: unknown
  }
  /**
   * What it gave, in part.
   */
  outputs?: {
    [k: string]: unknown
  }
  /**
   * The kind of its last failure.
   */
  failure?:
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
   * A part of what it failed with.
   */
  message?: string
  /**
   * When it first starts, from the beginning of the case.
   */
  starts?: string
  /**
   * When it ends, from the beginning of the case.
   */
  ends?: string
}
