/** What the templates and expressions of a task can see, and where they stand. Types only. */
import type { Type } from './types.ts'

/** Names that may be used. null: nobody said, so that none may be; any: it is not known what was said. */
export type Allowed = readonly string[] | 'any' | null

/** Where a path stands; not every name can be seen from everywhere. */
export type Place =
  | 'with'
  | 'env'
  | 'when'
  | 'gate'
  | 'cache.files'
  | 'foreach'
  | 'key'
  | 'recover'
  | 'produces'
  | 'outputs'

/** What is visible to the templates and expressions of one task. */
export interface Visible {
  readonly params: { readonly [name: string]: Type }
  /** In a file that others use: its inputs, which stand for all that a pipeline sees besides tasks. */
  readonly inputs: { readonly [name: string]: Type } | null
  /** The ids of all tasks. */
  readonly taskIds: { has(id: string): boolean; [Symbol.iterator](): Iterator<string> }
  /** The outputs of a task; null where its operator is unknown. */
  outputsOf(task: string): Type
  /** Whether the task has instances: its outputs are then a list of theirs. */
  isMapped(task: string): boolean
  /** Whether the task is a group with this task in it. */
  hasInside(group: string, task: string): boolean
  /** The tasks that may be skipped although none failed; only where a group's outputs are looked at. */
  readonly maySkip?: ReadonlySet<string>
  /** The task that looks. */
  readonly self: string
  /** Of a mapped task, what `item` is. */
  readonly item?: { readonly type: Type }
  /** The task's operator's input schema (null where it is unknown), and the keys of `with` that the task gives. */
  readonly with: { readonly schema: Type; readonly given: readonly string[] }
  /** The variables of the environment that pipelines may read. */
  readonly env: Allowed
  /** Whether the task can start although a need has not succeeded. */
  readonly nullable: boolean
}
