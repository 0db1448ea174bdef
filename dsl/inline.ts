/** The tasks of a file and of all that it uses, as one list. Knows nothing of what tasks do. */
import type { OperatorInfo, Task } from '../engine/pipeline.ts'
import type { Report } from './report.ts'
import type { Read } from './task-references.ts'

/** A task as its file has it: ids and needs count in that file. */
export interface LocalTask {
  readonly task: Task
  readonly operator: OperatorInfo
  /** Whether the file gives it a `checkpoint`. */
  readonly checkpoint: boolean
  /** The ids under its `needs`. */
  readonly after: readonly string[]
  readonly reads: readonly Read[]
  /** What a group uses. */
  readonly uses: Inlinable | null
}

/** A compiled file, as far as it can be put in the place of a task. */
export interface Inlinable {
  readonly tasks: readonly LocalTask[]
  /** Where each task stands in the file, by id. */
  readonly indices: ReadonlyMap<string, number>
  readonly report: Report
  /** What its outputs mention. */
  readonly reads: readonly Read[]
  /** Indices of the tasks that may be skipped although none fails. */
  readonly maySkip: ReadonlySet<number>
}

/** A task in the pipeline's list: ids and needs count in the whole. */
export interface PlacedTask {
  readonly task: Task
  /** The same task in its file. */
  readonly local: LocalTask
  /** The tasks of its file, in the order of the file: indices in the list. */
  readonly siblings: readonly number[]
  /** The file that it stands in. */
  readonly home: Inlinable
}

/** All tasks of a file, each group followed by what is in it. */
export function inline(file: Inlinable): readonly PlacedTask[] {
  const placed: PlacedTask[] = []
  place(file, null, placed)
  return placed
}

/** Appends the tasks of a file. Calls itself as deeply as files are nested (`maxNesting`). */
function place(
  file: Inlinable,
  group: { readonly id: string; readonly index: number } | null,
  placed: PlacedTask[],
): void {
  const siblings = indicesFrom(placed.length, file.tasks)
  const moved = siblings.some((index, local) => index !== local)
  for (const local of file.tasks) {
    const index = placed.length
    const task = inlined(local.task, moved ? siblings : null, group)
    placed.push({ task, local, siblings, home: file })
    if (local.uses) place(local.uses, { id: task.id, index }, placed)
  }
}

function inlined(
  task: Task,
  indices: readonly number[] | null,
  group: { readonly id: string; readonly index: number } | null,
): Task {
  const needs = indices ? task.needs.map((need) => indices[need] as number) : task.needs
  if (group) return { ...task, id: `${group.id}.${task.id}`, group: group.index, needs }
  return indices ? { ...task, needs } : task
}

/** The place of each task of a file in the whole. */
function indicesFrom(first: number, tasks: readonly LocalTask[]): readonly number[] {
  let next = first
  return tasks.map(({ uses }) => {
    const index = next
    next += 1 + (uses === null ? 0 : sizeOf(uses))
    return index
  })
}

const sizes = new WeakMap<Inlinable, number>()

/** How many tasks a file has with all that it uses. */
function sizeOf(file: Inlinable): number {
  const known = sizes.get(file)
  if (known !== undefined) return known
  const size = file.tasks.reduce((sum, { uses }) => sum + 1 + (uses === null ? 0 : sizeOf(uses)), 0)
  sizes.set(file, size)
  return size
}
