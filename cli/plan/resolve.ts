/** What templates and expressions come to before a run: values where that is known by now, the templates where it is not. */
import { toInstant } from '../../engine/clock.ts'
import type { Evaluator, Scope, TaskView } from '../../engine/evaluator.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import type { Interval, Pipeline, Task } from '../../engine/pipeline.ts'
import { keysOf, pointerTo } from '../../engine/pointer.ts'

/** What a run would be asked for. */
export interface Asked {
  readonly pipeline: Pipeline
  /** Absolute folder of the pipeline file. */
  readonly folder: string
  readonly params: JsonObject
  readonly interval: Interval
  readonly trigger: 'manual'
  /** Indices of tasks that are left out. */
  readonly omit: readonly number[]
  /** Allow-listed variables of the environment. */
  readonly env: { readonly [name: string]: string }
}

/** A value with what could not be resolved left as it stands in the file. */
export interface Resolved {
  readonly value: Json
  /** JSON pointers to what depends on what is not there yet. */
  readonly open: readonly string[]
  /** What will not resolve, whatever comes: messages. */
  readonly faults: readonly string[]
}

/** What is known of the tasks so far, by id; absent where their outputs are still to come. */
export type Known = ReadonlyMap<string, TaskView>

/** Resolves for one task. */
export class Resolver {
  readonly #evaluator: Evaluator
  readonly #scope: Scope
  /** Something was asked for that only the run will know. */
  #asked = false

  constructor(evaluator: Evaluator, asked: Asked, task: Task, known: Known, inputs: Json | undefined) {
    this.#evaluator = evaluator
    this.#scope = this.#scopeOf(asked, task, known, inputs)
  }

  /** @param shell JSON pointers into `value` whose inserted values are quoted for the shell */
  resolve(value: Json, shell: readonly string[] = []): Resolved {
    const open: string[] = []
    const faults: string[] = []
    const walk = (inner: Json, path: readonly string[]): Json => {
      if (Array.isArray(inner))
        return (inner as readonly Json[]).map((item, i) => walk(item, [...path, String(i)]))
      if (typeof inner === 'object' && inner !== null)
        return Object.fromEntries(
          Object.entries(inner).map(([key, item]) => [key, walk(item, [...path, key])]),
        )
      if (typeof inner !== 'string') return inner
      const quoted = shell.some((pointer) => leads(pointer, path)) ? [''] : []
      const { result, fault } = this.#ask(() => this.#evaluator.render(inner, this.#scope, quoted))
      if (result !== undefined) return result
      if (fault === null) open.push(pointerTo(path))
      else faults.push(fault)
      return inner
    }
    return { value: walk(value, []), open, faults }
  }

  /** Whether an expression holds; null where only the run will know, or where it fails. */
  test(expression: string): boolean | null {
    return this.#ask(() => this.#evaluator.test(expression, this.#scope)).result ?? null
  }

  /** A result of which something is only known in the run is none: `default` would have made one up. */
  #ask<Result>(question: () => Result): { readonly result?: Result; readonly fault: string | null } {
    this.#asked = false
    try {
      const result = question()
      return this.#asked ? { fault: null } : { result, fault: null }
    } catch (error) {
      return { fault: this.#asked ? null : (error as Error).message }
    }
  }

  #scopeOf(asked: Asked, task: Task, known: Known, inputs: Json | undefined): Scope {
    const { pipeline, interval, params, trigger, env } = asked
    const open = () => {
      this.#asked = true
      return null
    }
    const group = task.group === undefined ? undefined : pipeline.tasks[task.group]?.id
    const start = toInstant(interval.start)
    const scope = {
      params,
      run: {
        get id() {
          open()
          return ''
        },
        pipeline: pipeline.name,
        logicalTime: start,
        interval: { start, end: toInstant(interval.end) },
        trigger,
      },
      timezone: pipeline.schedule?.timezone ?? 'UTC',
      env,
      integers: task.integers ?? [],
      task: (id: string): TaskView => {
        const view = known.get(group === undefined ? id : `${group}.${id}`) ?? known.get(id)
        if (view !== undefined) return view
        open()
        return { state: 'waiting', outputs: null }
      },
    }
    const later = (name: string) => Object.defineProperty(scope, name, { get: open, enumerable: true })
    if (task.foreach !== undefined || pipeline.tasks[task.group ?? -1]?.foreach !== undefined) {
      later('item')
      later('index')
    }
    if (group === undefined) return scope
    if (inputs === undefined) later('inputs')
    else Object.assign(scope, { inputs })
    return scope
  }
}

function leads(pointer: string, path: readonly string[]): boolean {
  const keys = keysOf(pointer)
  return keys.length === path.length && keys.every((key, place) => key === '*' || key === path[place])
}
