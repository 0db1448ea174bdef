/** How the tasks of a pipeline stand in groups: who is in which, and what a name means there. Knows no runs. */
import type { Pipeline } from './pipeline.ts'

/** The top of a pipeline, as if it were a group. */
export const top = -1

/** What is derived from a pipeline's groups, once for all its runs. */
export interface Shape {
  /** The tasks directly in a group (by its index, or `top`), in the order of the file. */
  members(group: number): readonly number[]
  /** The index of the task that an id means in a group: there tasks know each other without the group's name. */
  local(group: number, id: string): number | undefined
  /** Whether the task stands in a mapped group: its copies in the group's instances are what runs. */
  isAggregate(task: number): boolean
}

const shapes = new WeakMap<Pipeline['tasks'], Shape>()

/** The shape of a pipeline's tasks; groups come before what is in them. */
export function shapeOf({ tasks }: Pick<Pipeline, 'tasks'>): Shape {
  const known = shapes.get(tasks)
  if (known !== undefined) return known
  const members = new Map<number, number[]>([[top, []]])
  const locals = new Map<number, Map<string, number>>()
  const aggregate = new Uint8Array(tasks.length)
  for (const [index, { id, group = top, isGroup }] of tasks.entries()) {
    if (isGroup === true) members.set(index, [])
    members.get(group)?.push(index)
    const holder = tasks[group]
    if (holder !== undefined && (aggregate[group] === 1 || holder.foreach !== undefined)) aggregate[index] = 1
    const names = locals.get(group) ?? new Map<string, number>()
    locals.set(group, names.set(holder === undefined ? id : id.slice(holder.id.length + 1), index))
  }
  const shape: Shape = {
    members: (group) => members.get(group) ?? [],
    local: (group, id) => locals.get(group)?.get(id),
    isAggregate: (task) => aggregate[task] === 1,
  }
  shapes.set(tasks, shape)
  return shape
}
