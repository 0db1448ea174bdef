/** How a pipeline's tests name its tasks, and what they are checked against. */
import type { OperatorInfo, Pipeline, Task } from '../engine/pipeline.ts'
import type { Path } from './positions.ts'
import type { Complaint, Report } from './report.ts'
import { didYouMean, quote } from './words.ts'

/** What a case is checked against. */
export interface CaseContext {
  readonly pipeline: Pipeline
  /** By task; those that `recover` puts in its place by `asFallback`. */
  readonly operators: ReadonlyMap<string, OperatorInfo | null>
  readonly report: Report
}

/** A part of a word that stands for an instance. */
const instance = /\[[^\]]*\]/g

/** The task that a word means: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. */
export function taskOf(word: string): string {
  return word.replaceAll(instance, '')
}

/** Whether the pipeline has the task or instances that a word means; reports where it has not. @param atKey the word is a key, not a value */
export function checkTask(
  word: string,
  path: Path,
  { pipeline, report }: CaseContext,
  atKey: boolean,
): boolean {
  const id = taskOf(word)
  const ids = pipeline.tasks.map((task) => task.id)
  const complaint = ids.includes(id)
    ? withoutInstances(word, pipeline)
    : { message: `unknown task ${quote(id)}`, hint: didYouMean(id, ids) }
  if (complaint === null) return true
  if (atKey) report.atKey(path, { code: 'E121', ...complaint })
  else report.atValue(path, { code: 'E121', ...complaint })
  return false
}

/** What is wrong with a word that names an instance of a task without `foreach`, or of a group without. */
function withoutInstances(word: string, { tasks }: Pipeline): Omit<Complaint, 'code'> | null {
  for (const { index, 0: key } of word.matchAll(instance)) {
    const id = taskOf(word.slice(0, index))
    if (tasks.find((task) => task.id === id)?.foreach !== undefined) continue
    const meant = word.slice(0, index) + word.slice(index + key.length)
    return { message: `${quote(id)} has no instances: it has no \`foreach\``, hint: `write ${quote(meant)}` }
  }
  return null
}

/** Reports a word that names no task which could do anything: a group, or all instances of one among some of its group. */
export function checkActor(word: string, path: Path, { pipeline, report }: CaseContext): void {
  const task = pipeline.tasks.find(({ id }) => id === taskOf(word))
  const complaint = (message: string, hint: string) => report.atKey(path, { code: 'E121', message, hint })
  if (task?.isGroup === true)
    complaint(
      `${quote(word)} is a group, which does nothing itself`,
      `name a task in it: ${quote(`${word}.TASK`)}`,
    )
  else if (task?.foreach !== undefined && word !== task.id && !word.endsWith(']'))
    complaint(`${quote(word)} has instances`, `name one, ${quote(`${word}[KEY]`)}, or all: ${quote(task.id)}`)
}

/** The operators that may stand in for a task's own, once `recover` says so. */
export function standInsOf({ recover = {} }: Task): readonly string[] {
  return Object.values(recover).flatMap(({ fallback }) => (fallback === undefined ? [] : [fallback.uses]))
}

/** How an operator that stands in for a task's own is looked up. */
export function asFallback(task: string, uses: string): string {
  return `${task} ${uses}`
}
