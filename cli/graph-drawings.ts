/** A compiled graph as text, DOT and Mermaid. Pure. Calls itself as deeply as groups are nested (the compiler's limit is 20). */
import { levels } from '../dsl/graph.ts'
import type { Pipeline, Task } from '../engine/pipeline.ts'

/** The tasks of each group, by its index; of the top, by -1. */
type Inside = ReadonlyMap<number, readonly number[]>

const top = -1

function insideOf(tasks: readonly Task[]): Inside {
  const inside = new Map<number, number[]>([[top, []]])
  tasks.forEach(({ group = top, isGroup }, index) => {
    inside.get(group)?.push(index)
    if (isGroup) inside.set(index, [])
  })
  return inside
}

/** Tasks level by level: a task stands one level below the lowest of its needs. What is in a group stands below it. */
export function toText({ tasks }: Pipeline): string {
  return `${linesOf(top, tasks, insideOf(tasks), '').join('\n')}\n`
}

function linesOf(group: number, tasks: readonly Task[], inside: Inside, indent: string): readonly string[] {
  const members = inside.get(group) ?? []
  const places = new Map(members.map((index, place) => [index, place]))
  const heights = levels(members.map((index) => needsOf(index, tasks).map((need) => places.get(need) ?? 0)))
  const byLevel: number[][] = []
  members.forEach((index, place) => {
    const level = heights[place] ?? 0
    byLevel[level] ??= []
    byLevel[level].push(index)
  })
  return byLevel.flatMap((level, height) => [
    `${indent}level ${height + 1}`,
    ...level.flatMap((index) => [
      `${indent}  ${sentence(tasks[index] as Task, tasks)}`,
      ...(inside.has(index) ? linesOf(index, tasks, inside, `${indent}    `) : []),
    ]),
  ])
}

function needsOf(index: number, tasks: readonly Task[]): readonly number[] {
  return tasks[index]?.needs ?? []
}

function sentence(task: Task, tasks: readonly Task[]): string {
  const needs = task.needs.map((need) => tasks[need]?.id).join(', ')
  const trigger = task.trigger === 'all_success' ? '' : ` [${task.trigger}]`
  return `${task.id} (${task.isGroup ? 'group' : task.uses})${needs === '' ? '' : ` <- ${needs}`}${trigger}`
}

/** Graphviz. Ids hold letters, digits, `_`, `-` and `.` only (DSL.md), and are quoted. A group is a cluster. */
export function toDot({ name, tasks }: Pipeline): string {
  const inside = insideOf(tasks)
  const compound = inside.size > 1 ? ['  compound=true;'] : []
  const edges = edgesOf(tasks).map(([from, to]) => dotEdge(from, to, tasks, inside))
  const nodes = dotNodes(top, tasks, inside, '  ')
  return [
    `digraph "${name}" {`,
    '  rankdir=LR;',
    ...compound,
    '  node [shape=box];',
    ...nodes,
    ...edges,
    '}',
    '',
  ].join('\n')
}

function dotNodes(group: number, tasks: readonly Task[], inside: Inside, indent: string): readonly string[] {
  return (inside.get(group) ?? []).flatMap((index) => {
    const { id, uses } = tasks[index] as Task
    if (!inside.has(index)) return [`${indent}"${id}" [label="${id}\\n${uses}"];`]
    const nodes = dotNodes(index, tasks, inside, `${indent}  `)
    return [`${indent}subgraph "cluster_${index}" {`, `${indent}  label="${id}";`, ...nodes, `${indent}}`]
  })
}

/** Graphviz draws no edges between clusters, but cuts those of the tasks in them at their border. */
function dotEdge(from: number, to: number, tasks: readonly Task[], inside: Inside): string {
  const [tail, head] = [innermost(from, inside, -1), innermost(to, inside, 0)]
  const cuts = [
    ...(tail === from ? [] : [`ltail="cluster_${from}"`]),
    ...(head === to ? [] : [`lhead="cluster_${to}"`]),
  ]
  const attributes = cuts.length === 0 ? '' : ` [${cuts.join(', ')}]`
  return `  "${tasks[tail]?.id}" -> "${tasks[head]?.id}"${attributes};`
}

/** A task with an operator in a group: its first (0) or last (-1). */
function innermost(index: number, inside: Inside, which: 0 | -1): number {
  const member = inside.get(index)?.at(which)
  return member === undefined ? index : innermost(member, inside, which)
}

/** Mermaid. Nodes are numbered: a task may be called `end`, which Mermaid keeps for itself. A group is a subgraph. */
export function toMermaid({ tasks }: Pipeline): string {
  const edges = edgesOf(tasks).map(([from, to]) => `  t${from} --> t${to}`)
  return ['flowchart LR', ...mermaidNodes(top, tasks, insideOf(tasks), '  '), ...edges, ''].join('\n')
}

function mermaidNodes(
  group: number,
  tasks: readonly Task[],
  inside: Inside,
  indent: string,
): readonly string[] {
  return (inside.get(group) ?? []).flatMap((index) => {
    const { id, uses } = tasks[index] as Task
    if (!inside.has(index)) return [`${indent}t${index}["${id}<br/>${uses}"]`]
    const nodes = mermaidNodes(index, tasks, inside, `${indent}  `)
    return [`${indent}subgraph t${index}["${id}"]`, ...nodes, `${indent}end`]
  })
}

function edgesOf(tasks: readonly Task[]): readonly (readonly [number, number])[] {
  return tasks.flatMap(({ needs }, index) => needs.map((need) => [need, index] as const))
}
