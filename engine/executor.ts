/** One attempt: whether it starts, with which inputs, and what its outcome means. Knows nothing of stores and slots. */
import type { Failure } from './errors.ts'
import type { Evaluator, Scope } from './evaluator.ts'
import { expansionOf } from './expansion.ts'
import type { Json, JsonObject } from './json.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { Outcome } from './outcome.ts'
import type { Recovery } from './pipeline.ts'
import type { ChosenCheckpoint } from './recovery.ts'
import type { Attempt } from './runtime/runtime.ts'
import { giveInputs, scopeIn, scopeOf, viewOfRun } from './scope.ts'
import type { Expansion } from './store/records.ts'

/** Resolved inputs of an attempt. */
export interface Start {
  readonly input: JsonObject
  readonly env: { readonly [name: string]: string }
  readonly restore?: ChosenCheckpoint
}

/** What a ready task comes to before anything is claimed. */
export type Prepared =
  | ({ readonly type: 'start' } & Start)
  | { readonly type: 'expand'; readonly expansion: Expansion }
  | { readonly type: 'open' }
  | { readonly type: 'skip'; readonly reason: string }
  | { readonly type: 'fail'; readonly failure: Failure }

/** What templates see besides the run. */
export interface Surroundings {
  readonly evaluator: Evaluator
  /** Allow-listed variables of the environment. */
  readonly env: { readonly [name: string]: string }
}

/** Resolves `when`, and then the items, the inputs or the `with` and `env` of a ready task. Never throws. */
export function prepare(run: LiveRun, node: Node, around: Surroundings): Prepared {
  const task = run.task(node)
  try {
    const scope = scopeOf(run, node, around)
    const { foreach } = task
    // Of a mapped task `when` is asked once, before there are instances, or of each instance; never of what has begun.
    const asks = node.tries === 0 && (foreach === undefined || foreach.whenEach === (node.key !== null))
    if (task.when !== null && asks && node.expansion === null && !around.evaluator.test(task.when, scope))
      return { type: 'skip', reason: `when: ${task.when}` }
    if (node.role === 'mapped')
      return { type: 'expand', expansion: node.expansion ?? expansionOf(task, scope, around.evaluator) }
    if (node.role === 'group') {
      // Resolved here so that what does not resolve fails the group, not each task in it.
      giveInputs(run, node, around)
      return { type: 'open' }
    }
    return { type: 'start', ...inputsOf(run, node, scope, around) }
  } catch (error) {
    return { type: 'fail', failure: { kind: 'invalid_input', message: (error as Error).message } }
  }
}

/** Where values are quoted for the shell in what the node's attempts run with. */
function shellOf(run: LiveRun, { recovery, task }: Node): readonly string[] {
  const { fallback } = recovery ?? {}
  return (fallback === undefined ? run.pipeline.tasks[task]?.shell : fallback.shell) ?? []
}

/** The resolved `with` and `env` of a node, with what recovery changed. Throws where a template does not resolve. */
export function inputsOf(run: LiveRun, node: Node, scope: Scope, { evaluator }: Surroundings): Start {
  const task = run.task(node)
  const { fallback, set } = node.recovery ?? {}
  const rendered = evaluator.render(fallback?.with ?? task.with, scope, shellOf(run, node)) as JsonObject
  const input = set === undefined ? rendered : { ...rendered, ...set }
  return { input, env: envOf(task.env, { ...scope, with: input }, evaluator) }
}

/** The values that a recovery sets, resolved against the `with` of the try that failed; or why they do not resolve. */
export function setOf(
  run: LiveRun,
  node: Node,
  { set, fallback }: Recovery,
  around: Surroundings,
): { readonly set: JsonObject | null } | { readonly why: string } {
  if (set === undefined && fallback === undefined) return { set: null }
  try {
    const scope = scopeOf(run, node, around)
    const { input } = inputsOf(run, node, scope, around)
    if (set === undefined) return { set: null }
    return { set: around.evaluator.render(set, { ...scope, with: input }, shellOf(run, node)) as JsonObject }
  } catch (error) {
    return { why: (error as Error).message }
  }
}

/** An outcome after the task's gates, and the datasets that a success updates. */
export interface Judged {
  readonly outcome: Outcome
  readonly produced: readonly string[]
}

/** One gate that is false, or a dataset whose name does not resolve, makes a success a failure. */
export function judge(
  run: LiveRun,
  node: Node,
  outcome: Outcome,
  baseline: Json,
  around: Surroundings,
): Judged {
  const { gate, produces = [] } = run.task(node)
  if (outcome.type !== 'succeeded' || gate.length + produces.length === 0) return { outcome, produced: [] }
  try {
    const scope = scopeOf(run, node, around)
    const seen = {
      ...scope,
      with: inputsOf(run, node, scope, around).input,
      outputs: outcome.outputs,
      baseline,
    }
    const fault = gateFault(gate, seen, around.evaluator)
    if (fault !== null)
      return { outcome: { type: 'failed', kind: 'gate_failed', message: fault }, produced: [] }
    return { outcome, produced: namesOf(around.evaluator.render(produces, seen) as readonly Json[]) }
  } catch (error) {
    return {
      outcome: { type: 'failed', kind: 'invalid_input', message: (error as Error).message },
      produced: [],
    }
  }
}

/** Datasets are named by text; what a template gives besides is the task's fault, and not the store's. */
function namesOf(values: readonly Json[]): readonly string[] {
  return values.map((value) => {
    if (typeof value === 'string') return value
    throw new Error(`\`produces\` must give text, not ${JSON.stringify(value)}`)
  })
}

function gateFault(gate: readonly string[], scope: Scope, evaluator: Evaluator): string | null {
  for (const expression of gate) {
    try {
      if (!evaluator.test(expression, scope)) return `the gate does not hold: ${expression}`
    } catch (error) {
      return `the gate \`${expression}\` cannot be decided: ${(error as Error).message}`
    }
  }
  return null
}

/**
 * The outputs of a group whose tasks have all ended well, or why there are none. Where the run leaves out tasks of the
 * group, an output that does not resolve without them is null: leaving out is no failure.
 */
export function outputsOf(
  run: LiveRun,
  group: Node,
  around: Surroundings,
): { readonly outputs: JsonObject } | { readonly failure: Failure } {
  const lacks = (group.inside?.children ?? []).some((child) => run.omits(child))
  const outputs: { [name: string]: Json } = {}
  for (const [name, template] of Object.entries(run.task(group).outputs ?? {})) {
    try {
      outputs[name] = around.evaluator.render(template, scopeIn(run, group, around))
    } catch (error) {
      const message = `the output \`${name}\` of the group does not resolve: ${(error as Error).message}`
      if (!lacks) return { failure: { kind: 'invalid_input', message } }
      outputs[name] = null
    }
  }
  return { outputs }
}

/** The attempt's number, unique in the store, as a name for its folder. */
export function attemptId(run: string, node: number, attempt: number): string {
  return `${run}-${node}-${attempt}`
}

/** Everything that the node's current attempt needs, as plain data. `data` is the absolute data folder. */
export function attemptOf(run: LiveRun, node: Node, { input, env, restore }: Start, data: string): Attempt {
  const { record } = run
  const id = attemptId(record.id, node.index, node.attempt)
  return {
    id,
    run: viewOfRun(run),
    task: {
      id: run.task(node).id,
      key: node.key,
      attempt: node.attempt,
      try: node.tries,
      ...(node.tryStartedAt !== null && { tryStartedAt: node.tryStartedAt }),
    },
    operator: run.operator(node),
    runtime: run.runtime(node),
    input,
    env,
    state: node.carry,
    ...(restore !== undefined && { restore }),
    folder: `${data}/attempts/${record.id}/${id}`,
    artifacts: `${data}/artifacts/${record.id}/${id}`,
    checkpoints: `${data}/checkpoints/${record.id}/${node.index}`,
    cwd: record.folder,
  }
}

function envOf(
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
