/** Compiled pipelines for engine tests, from the few fields that a test is about. */
import { failureKinds } from '../../engine/errors.ts'
import type { Json } from '../../engine/json.ts'
import { LiveRun } from '../../engine/live-run.ts'
import type { Node } from '../../engine/node.ts'
import type { Foreach, Pipeline, RetryPolicy, Task } from '../../engine/pipeline.ts'
import { runRecord } from './stored-records.ts'

/** A task by what it needs (ids), with any other field. */
export type Sketch = { readonly needs?: readonly string[] } & Partial<Omit<Task, 'needs' | 'id'>>

/** One instance per item, named by its index unless there is a key. */
export function each(items: Json, more: Partial<Foreach> = {}): Foreach {
  return { items, key: null, maxParallel: null, whenEach: false, ...more }
}

/** Tried again for everything, at once. */
export function tries(attempts: number): RetryPolicy {
  return { attempts, delay: 0, factor: 1, maxDelay: 0, jitter: 'none', on: failureKinds, onSleep: false }
}

/** A pipeline of these tasks, in order. */
export function pipelineOf(
  sketches: { readonly [id: string]: Sketch },
  more: Partial<Pipeline> = {},
): Pipeline {
  const ids = Object.keys(sketches)
  const tasks = ids.map((id): Task => {
    const { needs = [], ...rest } = sketches[id] as Sketch
    return {
      id,
      description: null,
      uses: 'Noop',
      version: 1,
      with: {},
      shell: [],
      env: {},
      needs: needs.map((need) => ids.indexOf(need)),
      trigger: 'all_success',
      when: null,
      gate: [],
      retry: tries(1),
      timeout: null,
      runtime: 'inline',
      cache: null,
      effects: 'none',
      ...rest,
    }
  })
  return {
    name: 'test',
    version: ids.join(),
    description: null,
    owner: null,
    tags: {},
    schedule: null,
    params: {},
    concurrency: { runs: null, tasks: null },
    tasks,
    ...more,
  }
}

/** A run of the pipeline that has just started, in memory only. */
export function liveRun(pipeline: Pipeline): LiveRun {
  const { name, version } = pipeline
  const record = runRecord({ id: 'run', pipeline: name, version, createdAt: 0, startedAt: 0 })
  return new LiveRun(record, pipeline)
}

/** A run's node by the id of its task. */
export function nodeOf(run: LiveRun, id: string): Node {
  const node = run.nodes.find((one) => one.key === null && run.task(one).id === id)
  if (node === undefined) throw new Error(`no task ${id}`)
  return node
}

/** The state of each task by id. */
export function statesOf(run: LiveRun): { [id: string]: string } {
  return Object.fromEntries(
    run.nodes.filter(({ key }) => key === null).map((node) => [run.task(node).id, node.state]),
  )
}
