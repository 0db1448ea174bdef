/** Tasks as people name them on the command line. Pure. */
import { didYouMean, either, quote } from '../dsl/words.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { TaskRecord } from '../engine/store/records.ts'
import { type NamePart, TaskNames } from '../engine/task-names.ts'

/** Names that a guess looks at, and that a hint lists. */
const most = { guessed: 10_000, listed: 12 } as const

/** The index of the task with this id. Throws E209 with what was probably meant. */
export function taskIndex({ name, tasks }: Pipeline, id: string): number {
  const index = tasks.findIndex((task) => task.id === id)
  if (index !== -1) return index
  const ids = tasks.map((task) => task.id)
  const hint = didYouMean(id, ids, `there are ${listed(ids)}`) as string
  throw new DagctlError('E209', `the pipeline ${name} has no task \`${id}\``, { kind: 'usage', hint })
}

/**
 * The nodes that a word names, in order: `mask` is the task and all its instances, `mask[KEY]` one instance,
 * `group[K1].mask` what stands in one instance of a group. A key may hold any character: it is found among those that the
 * run has. Throws E209 with what was probably meant.
 * @param rows every node of the run
 */
export function nodesOf(pipeline: Pipeline, rows: readonly TaskRecord[], word: string): readonly number[] {
  const names = new TaskNames(pipeline, rows)
  const found = rows.filter((row) => isNamed(word, names.id(row), () => names.parts(row)))
  if (found.length > 0) return found.map(({ node }) => node)
  const index = taskIndex(pipeline, withoutKeys(word))
  const id = pipeline.tasks[index]?.id ?? ''
  const instances = rows.filter(({ task, parent }) => task === index && parent !== null)
  const known = instances
    .slice(0, most.guessed)
    .map((row) => names.name(row))
    .filter((name) => name !== id)
  const none = `\`${id}\` has no instances`
  const hint = didYouMean(word, known, known.length === 0 ? none : `there are ${listed(known)}`) as string
  throw new DagctlError('E209', `there is no instance ${quote(word)}`, { kind: 'usage', hint })
}

/** Of some nodes those that stand in none of the others. */
export function outermost(rows: readonly TaskRecord[], nodes: readonly number[]): readonly number[] {
  const all = new Set(nodes)
  return nodes.filter((node) => {
    for (let at = rows[node]?.parent ?? null; at !== null; at = rows[at]?.parent ?? null)
      if (all.has(at)) return false
    return true
  })
}

/** What has succeeded of what a node stands in: its own end counts for nothing then. null where nothing has. */
export function settledBy(rows: readonly TaskRecord[], node: number): TaskRecord | null {
  for (let at = rows[rows[node]?.parent ?? -1]; at !== undefined; at = rows[at.parent ?? -1])
    if (at.state === 'succeeded') return at
  return null
}

/** Whether a word means this node: its name, with or without each of its keys. */
function isNamed(word: string, id: string, partsOf: () => readonly NamePart[]): boolean {
  if (word === id) return true
  // Most nodes of a large run are of other tasks.
  return word.startsWith(`${id.split('.', 1)[0]}`) && reads(word, partsOf())
}

function reads(word: string, [first, ...rest]: readonly NamePart[]): boolean {
  if (first === undefined || !word.startsWith(first.id)) return false
  const after = word.slice(first.id.length)
  const own = `[${first.key}]`
  const ends = first.key !== null && after.startsWith(own) ? [after, after.slice(own.length)] : [after]
  return ends.some((end) =>
    rest.length === 0 ? end === '' : end.startsWith('.') && reads(end.slice(1), rest),
  )
}

/** The id in a word whose keys nobody knows: `[…]` up to the last `]` before a `.` or the end. */
function withoutKeys(word: string): string {
  return word.replaceAll(/\[.*?\](?=\.[A-Za-z_]|$)/g, '')
}

function listed(names: readonly string[]): string {
  const some =
    names.length > most.listed ? [...names.slice(0, most.listed).map(quote), '…'] : names.map(quote)
  return either(some, 'and')
}
