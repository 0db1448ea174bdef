/** What tasks, and instances of mapped ones, are called: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. Pure. */
import type { Pipeline } from './pipeline.ts'
import type { TaskRecord } from './store/records.ts'

/** A part of a name: a task's or group's own id, and the key of its instance where it has instances. */
export interface NamePart {
  readonly id: string
  readonly key: string | null
}

/** A node of a run, as far as its name goes: the task that it is of, and the key of an instance. */
type Named = Pick<TaskRecord, 'task' | 'key'>

/** The names of a run's nodes, from their rows. */
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
    return partsOf(this.#tasks, row, this.#upwards(row))
  }

  /** The task's id, without any key. */
  id({ task }: TaskRecord): string {
    return this.#tasks[task]?.id ?? ''
  }

  /** The node as people write it. */
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

/** The parts of a node's name, outermost first. @param upwards the node itself, then each that it stands in */
export function partsOf(
  tasks: Pipeline['tasks'],
  { task }: Named,
  upwards: Iterable<Named>,
): readonly NamePart[] {
  const ids = idsOf(tasks, task)
  const keys = new Map<number, string>()
  for (const { task, key } of upwards) if (key !== null) keys.set(idsOf(tasks, task).length - 1, key)
  return ids.map((id, depth) => ({ id, key: keys.get(depth) ?? null }))
}

/** The parts as one name. */
export function nameOf(parts: readonly NamePart[]): string {
  return parts.map(({ id, key }) => (key === null ? id : `${id}[${key}]`)).join('.')
}

/** The groups in a task's id, and its own id last. */
function idsOf(tasks: Pipeline['tasks'], task: number): readonly string[] {
  return (tasks[task]?.id ?? '').split('.')
}
