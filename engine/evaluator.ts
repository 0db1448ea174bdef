/** What the engine asks of the two small languages. `dsl` implements it, the wiring passes it in. */
import type { Json } from './json.ts'
import type { TaskState } from './state.ts'

/** A task as templates and expressions see it. */
export interface TaskView {
  readonly state: TaskState
  /** null until it succeeded. Of a mapped task a list in the order of its items, null where an instance did not succeed. */
  readonly outputs: Json
  /** Of a mapped task: the same by the keys of its instances. */
  readonly byKey?: Json
}

/** What names mean while one template or expression is evaluated. Instants are RFC 3339 UTC strings. */
export interface Scope {
  readonly params: { readonly [name: string]: Json }
  readonly run: {
    readonly id: string
    readonly pipeline: string
    readonly logicalTime: string
    readonly interval: { readonly start: string; readonly end: string }
    readonly trigger: string
  }
  /** The pipeline's zone (IANA), for the `date` helper. */
  readonly timezone: string
  /** Asked only for tasks that the text refers to. */
  task(id: string): TaskView | undefined
  /** Allow-listed variables of the engine's environment. */
  readonly env?: { readonly [name: string]: string }
  /** In a group: what it was given. */
  readonly inputs?: Json
  readonly item?: Json
  readonly index?: number
  readonly with?: Json
  /** Only in `gate`. */
  readonly outputs?: Json
  readonly baseline?: Json
  /** The task's `integers`, for `test`. */
  readonly integers?: readonly string[]
}

/** Evaluates templates and expressions; both throw a `DagctlError` when a path does not resolve. */
export interface Evaluator {
  /**
   * The value with every `{{ }}` in its strings resolved.
   * @param shell JSON pointers into `value` whose inserted values are quoted for the shell
   */
  render(value: Json, scope: Scope, shell?: readonly string[]): Json
  /** A CEL expression that must give a boolean. */
  test(expression: string, scope: Scope): boolean
}
