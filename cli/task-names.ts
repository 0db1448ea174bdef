/** What tasks, and instances of mapped ones, are called: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. Pure. */
import type { Pipeline } from '../engine/pipeline.ts'
import type { TaskRecord } from '../engine/store/records.ts'

/** A part of a name: a task's or group's own id, and the key of its instance where it has instances. */
export interface NamePart {
  readonly id: string
  readonly key: string | null
}

/** The names of a run's nodes. */
export class TaskNames {
  readonly #tasks: Pipeline['tasks']
  readonly #rows: readonly TaskRecord[]

  /** @param rows every node of the run, in order */
  constructor({ tasks }: Pipeline, rows: readonly TaskRecord[]) {
    this.#tasks = tasks
    this.#rows = rows
  }

  /** The keys of the instances that a node stands in, outermost first, its own last; none for a task of the file. */
  keys(row: TaskRecord): readonly string[] {
    const keys: string[] = []
    for (const { key } of this.#upwards(row)) if (key !== null) keys.unshift(key)
    return keys
  }

  /** The groups that a node stands in, outermost first, and its own part last. */
  parts(row: TaskRecord): readonly NamePart[] {
    const ids = this.id(row).split('.')
    const keys = new Map<number, string>()
    for (const { task, key } of this.#upwards(row))
      if (key !== null) keys.set((this.#tasks[task]?.id ?? '').split('.').length - 1, key)
    return ids.map((id, depth) => ({ id, key: keys.get(depth) ?? null }))
  }

  /** The task's id, without any key. */
  id({ task }: TaskRecord): string {
    return this.#tasks[task]?.id ?? ''
  }

  /** The node as the command line names it. */
  name(row: TaskRecord): string {
    return nameOf(this.parts(row))
  }

  *#upwards(row: TaskRecord): Generator<TaskRecord> {
    let at: TaskRecord | undefined = row
    while (at !== undefined) {
      yield at
      at = at.parent === null ? undefined : this.#rows[at.parent]
    }
  }
}

/** The parts as one name. */
export function nameOf(parts: readonly NamePart[]): string {
  return parts.map(({ id, key }) => (key === null ? id : `${id}[${key}]`)).join('.')
}
