/** Which tasks go with which: what a task needs, what stands below it, and the groups around and in them. Pure. */
import type { Task } from '../engine/pipeline.ts'

/** These tasks with all that they need. A group is taken whole: its outputs are made of what is in it. */
export function withNeeds(tasks: readonly Task[], from: readonly number[]): ReadonlySet<number> {
  const inside = insideOf(tasks)
  return reach(from, (index) => {
    const { needs = [], group } = tasks[index] ?? {}
    return [...needs, ...(inside.get(index) ?? []), ...(group === undefined ? [] : [group])]
  })
}

/** These tasks with all that stands below them. What stands beside one of them in its group is not below it. */
export function withDependents(tasks: readonly Task[], from: readonly number[]): ReadonlySet<number> {
  const inside = insideOf(tasks)
  const dependents: number[][] = tasks.map(() => [])
  for (const [index, { needs }] of tasks.entries()) for (const need of needs) dependents[need]?.push(index)
  const reached = reach(from, (index) => {
    const group = tasks[index]?.group
    return [...(dependents[index] ?? []), ...(group === undefined ? [] : [group])]
  })
  // What is below is below whole; the groups around the tasks are only gone on with.
  const around = aroundOf(tasks, from)
  const below = [...reached].filter((index) => !around.has(index))
  return new Set([...reached, ...reach(below, (index) => inside.get(index) ?? [])])
}

function reach(from: readonly number[], next: (index: number) => readonly number[]): ReadonlySet<number> {
  const reached = new Set<number>()
  const open = [...from]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (reached.has(index)) continue
    reached.add(index)
    open.push(...next(index))
  }
  return reached
}

/** The groups that the tasks stand in, and theirs. */
function aroundOf(tasks: readonly Task[], from: readonly number[]): ReadonlySet<number> {
  const groups = from.flatMap((index) => tasks[index]?.group ?? [])
  return reach(groups, (index) => {
    const group = tasks[index]?.group
    return group === undefined ? [] : [group]
  })
}

function insideOf(tasks: readonly Task[]): ReadonlyMap<number, readonly number[]> {
  const inside = new Map<number, number[]>()
  for (const [index, { group, isGroup }] of tasks.entries()) {
    if (isGroup) inside.set(index, [])
    if (group !== undefined) inside.get(group)?.push(index)
  }
  return inside
}
