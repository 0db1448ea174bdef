/** One attempt: whether it starts, with which inputs, and what its outcome means. Knows nothing of stores and slots. */
import { toInstant } from './clock.ts'
import type { Failure } from './errors.ts'
import type { Evaluator, Scope } from './evaluator.ts'
import type { Json, JsonObject } from './json.ts'
import type { LiveRun, Node } from './live-run.ts'
import type { Outcome } from './outcome.ts'
import type { Attempt } from './runtime/runtime.ts'

/** What a ready task comes to before anything is claimed. */
export type Prepared =
  | { readonly type: 'start'; readonly input: JsonObject; readonly env: { readonly [name: string]: string } }
  | { readonly type: 'skip'; readonly reason: string }
  | { readonly type: 'fail'; readonly failure: Failure }

/** Resolves `when`, `with` and `env` of a ready task. Never throws: what does not resolve fails with invalid_input. */
export function prepare(run: LiveRun, node: Node, evaluator: Evaluator): Prepared {
  const task = run.task(node)
  const scope: Scope = { ...scopeOf(run), integers: task.integers ?? [] }
  try {
    if (task.when !== null && !evaluator.test(task.when, scope))
      return { type: 'skip', reason: `when: ${task.when}` }
    const input = evaluator.render(task.with, scope, task.shell) as JsonObject
    return { type: 'start', input, env: renderEnv(task.env, scope, evaluator) }
  } catch (error) {
    return { type: 'fail', failure: { kind: 'invalid_input', message: (error as Error).message } }
  }
}

/** An outcome after the task's gates: one that is false makes a success a failure. */
export function judge(
  run: LiveRun,
  node: Node,
  outcome: Outcome,
  baseline: Json,
  evaluator: Evaluator,
): Outcome {
  const { gate, integers = [] } = run.task(node)
  if (outcome.type !== 'succeeded' || gate.length === 0) return outcome
  const scope: Scope = { ...scopeOf(run), outputs: outcome.outputs, baseline, integers }
  for (const expression of gate) {
    try {
      if (evaluator.test(expression, scope)) continue
      return { type: 'failed', kind: 'gate_failed', message: `the gate does not hold: ${expression}` }
    } catch (error) {
      return {
        type: 'failed',
        kind: 'gate_failed',
        message: `the gate \`${expression}\` cannot be decided: ${(error as Error).message}`,
      }
    }
  }
  return outcome
}

/** The attempt's number, unique in the store, as a name for its folder. */
export function attemptId(run: string, node: number, attempt: number): string {
  return `${run}-${node}-${attempt}`
}

/** Everything that the node's current attempt needs, as plain data. `data` is the absolute data folder. */
export function attemptOf(
  run: LiveRun,
  node: Node,
  prepared: { input: JsonObject; env: { readonly [name: string]: string } },
  data: string,
): Attempt {
  const { record } = run
  const task = run.task(node)
  const id = attemptId(record.id, node.index, node.attempt)
  return {
    id,
    run: runView(run),
    task: { id: task.id, key: node.key, attempt: node.attempt },
    operator: { name: task.uses, version: task.version },
    runtime: task.runtime,
    input: prepared.input,
    env: prepared.env,
    state: node.carry,
    folder: `${data}/attempts/${record.id}/${id}`,
    artifacts: `${data}/artifacts/${record.id}/${id}`,
    checkpoints: `${data}/checkpoints/${record.id}/${node.index}`,
    cwd: record.folder,
  }
}

function renderEnv(
  env: { readonly [name: string]: string },
  scope: Scope,
  evaluator: Evaluator,
): { [name: string]: string } {
  const rendered: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(env)) {
    const result = evaluator.render(value, scope)
    rendered[name] = typeof result === 'string' ? result : JSON.stringify(result)
  }
  return rendered
}

function scopeOf(run: LiveRun): Scope {
  return {
    params: run.record.params,
    run: runView(run),
    timezone: timezoneOf(run),
    task: (id) => run.view(id),
  }
}

const views = new WeakMap<LiveRun, Attempt['run']>()

/** What tasks see of their run: the same for all of them, so it is made once. */
function runView(run: LiveRun): Attempt['run'] {
  const known = views.get(run)
  if (known !== undefined) return known
  const { id, pipeline, interval, trigger } = run.record
  const start = toInstant(interval.start)
  const view = Object.freeze({
    id,
    pipeline,
    logicalTime: start,
    interval: Object.freeze({ start, end: toInstant(interval.end) }),
    trigger,
    timezone: timezoneOf(run),
  })
  views.set(run, view)
  return view
}

function timezoneOf({ pipeline }: LiveRun): string {
  return pipeline.schedule?.timezone ?? 'UTC'
}
