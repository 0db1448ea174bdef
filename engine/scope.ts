/** What names mean to the templates and expressions of a node: its run, its group, its item. Evaluates nothing itself. */
import { toInstant } from './clock.ts'
import type { Evaluator, Scope } from './evaluator.ts'
import { itemAt } from './expansion.ts'
import type { Json } from './json.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { Attempt } from './runtime/runtime.ts'

interface Surroundings {
  readonly evaluator: Evaluator
  readonly env: { readonly [name: string]: string }
}

/** What the node's own templates see. */
export function scopeOf(run: LiveRun, node: Node, around: Surroundings): Scope {
  const scope = scopeIn(run, node.container, around)
  const { integers = [] } = run.task(node)
  const expansion = node.key === null ? null : (node.parent?.expansion ?? null)
  if (expansion === null) return { ...scope, integers }
  return { ...scope, integers, item: itemAt(expansion, node.position), index: node.position }
}

/** What is seen in a group (null: at the top) by all that stands in it. */
export function scopeIn(run: LiveRun, container: Node | null, around: Surroundings): Scope {
  const inputs = container === null ? undefined : inputsOf(run, container, around)
  return {
    params: run.record.params,
    run: viewOfRun(run),
    timezone: timezoneOf(run),
    env: around.env,
    task: (id) => run.view(id, container),
    ...(inputs !== undefined && { inputs }),
  }
}

const inputs = new WeakMap<Node, Json>()

/** Resolves what a group is given, anew: it opens. Throws where a template does not resolve. */
export function giveInputs(run: LiveRun, group: Node, around: Surroundings): void {
  inputs.delete(group)
  inputsOf(run, group, around)
}

/** What a group was given: resolved once each time that it opens while this engine has the run. */
function inputsOf(run: LiveRun, group: Node, around: Surroundings): Json {
  const known = inputs.get(group)
  if (known !== undefined) return known
  const resolved = around.evaluator.render(run.task(group).with, scopeOf(run, group, around))
  inputs.set(group, resolved)
  return resolved
}

const views = new WeakMap<LiveRun, Attempt['run']>()

/** What tasks see of their run: the same for all of them, so it is made once. */
export function viewOfRun(run: LiveRun): Attempt['run'] {
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
