/** The `TriggerPipeline` operator: makes a run of another pipeline, and takes its outcome. Knows nothing of how runs are made. */
import {
  defineOperator,
  type EngineServices,
  failed,
  type JsonObject,
  type Outcome,
  sleep,
  succeeded,
  type TaskContext,
  type TriggeredRun,
} from '../../plugins/api.ts'

/** Which pipeline, with what, and whether its end is waited for. */
interface TriggerPipelineInput {
  readonly pipeline: string
  readonly params: JsonObject
  readonly interval?: { readonly start: string; readonly end: string }
  readonly wait: boolean
}

/**
 * Milliseconds until the first look, doubled with each up to the longest. The run's end wakes the task; a look finds a run
 * whose engine died, and goes on with it.
 */
const [firstLook, longestLook] = [2000, 60_000]

/** What it sleeps with. */
interface Watching {
  readonly run: string
  readonly looks: number
}

/** Makes the run once per try; succeeds when the run does, or, without `wait`, at once. */
export const triggerPipeline = defineOperator<TriggerPipelineInput>({
  name: 'TriggerPipeline',
  stage: 'control',
  summary:
    'Makes a run of another pipeline and, unless told otherwise, waits for its end without holding a slot.',
  input: {
    type: 'object',
    properties: {
      pipeline: {
        type: 'string',
        minLength: 1,
        'x-pipeline': true,
        description:
          'The name of a pipeline that has run or is scheduled; or a file, by a path with `/` or ending in .yaml, from the folder of this pipeline.',
      },
      params: {
        type: 'object',
        additionalProperties: true,
        default: {},
        description: 'Values of its parameters; the others have their defaults.',
      },
      interval: {
        type: 'object',
        properties: {
          start: { type: 'string', format: 'date-time' },
          end: { type: 'string', format: 'date-time' },
        },
        required: ['start', 'end'],
        additionalProperties: false,
        description: 'The interval that the run covers. Default: that of this run.',
      },
      wait: {
        type: 'boolean',
        default: true,
        description:
          'Whether the task waits for the run’s end and fails where the run does. Without it the run goes on by itself: under `dagctl serve`, while one `dagctl run` ends with its own run and leaves it for `dagctl runs resume`. Either way a cancel of this run does not cancel that one.',
      },
    },
    required: ['pipeline'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      run: { type: 'string', description: 'The id of the run.' },
      pipeline: { type: 'string' },
      state: { type: 'string', description: '`succeeded`; without `wait` the state at the start.' },
      outputs: {
        type: 'object',
        additionalProperties: true,
        description: 'Of each task of the run that has outputs, by its id; empty without `wait`.',
      },
    },
    required: ['run', 'pipeline', 'state', 'outputs'],
    additionalProperties: false,
  },
  runtimes: ['inline'],
  effects: 'data',
  example:
    'publish: { uses: TriggerPipeline, needs: [pack], with: { pipeline: publish-docs, params: { dataset: "{{ tasks.pack.outputs.dataset }}" } } }',
  async run(input, task) {
    const { engine } = task
    if (engine === null)
      return failed(
        'invalid_input',
        'TriggerPipeline asks the engine for a run: it runs inline only, set `runtime: inline`',
      )
    const { run, looks } = (task.state as Watching | null) ?? {
      run: await trigger(input, task, engine),
      looks: 0,
    }
    const found = await engine.pipelines.run(run)
    if (found === null) return failed('user', `run ${run} is no longer there`)
    if (input.wait && !['succeeded', 'failed', 'cancelled'].includes(found.state)) {
      const next = task.clock.now() + Math.min(firstLook * 2 ** looks, longestLook)
      return sleep(next, { run, looks: looks + 1 }, { runs: [run] })
    }
    return outcomeOf(found, input.wait)
  },
})

async function trigger(
  input: TriggerPipelineInput,
  task: TaskContext,
  engine: EngineServices,
): Promise<string> {
  const { pipeline, params, wait, interval = task.interval } = input
  const id = await engine.pipelines.trigger({
    pipeline,
    params,
    folder: task.cwd,
    interval: { start: Date.parse(interval.start), end: Date.parse(interval.end) },
    by: task.run.id,
    wait,
    origin: `task:${task.order}`,
  })
  task.log.info(`run ${id} of ${pipeline}`)
  return id
}

/** @param waited whether its end is this task's */
function outcomeOf({ id, pipeline, state, outputs }: TriggeredRun, waited: boolean): Outcome {
  if (waited && state !== 'succeeded')
    return failed('user', `run ${id} of ${pipeline} is ${state}; see \`dagctl runs show ${id}\``)
  return succeeded({ run: id, pipeline, state, outputs: waited ? outputs : {} })
}
