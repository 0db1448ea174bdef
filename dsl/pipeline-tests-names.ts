/** How a pipeline's tests name its tasks, and what they are checked against. */
import type { OperatorInfo, Pipeline, Task } from '../engine/pipeline.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import { didYouMean, quote } from './words.ts'

/** What a case is checked against. */
export interface CaseContext {
  readonly pipeline: Pipeline
  /** By task; those that `recover` puts in its place by `asFallback`. */
  readonly operators: ReadonlyMap<string, OperatorInfo | null>
  readonly report: Report
}

/** The task that a word means: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. */
export function taskOf(word: string): string {
  return word.replaceAll(/\[[^\]]*\]/g, '')
}

/** Whether the pipeline has the task that a word means; reports where it has not. @param atKey the word is a key, not a value */
export function checkTask(
  word: string,
  path: Path,
  { pipeline, report }: CaseContext,
  atKey: boolean,
): boolean {
  const id = taskOf(word)
  const ids = pipeline.tasks.map((task) => task.id)
  if (ids.includes(id)) return true
  const complaint = { code: 'E121', message: `unknown task ${quote(id)}`, hint: didYouMean(id, ids) } as const
  if (atKey) report.atKey(path, complaint)
  else report.atValue(path, complaint)
  return false
}

/** The operators that may stand in for a task's own, once `recover` says so. */
export function standInsOf({ recover = {} }: Task): readonly string[] {
  return Object.values(recover).flatMap(({ fallback }) => (fallback === undefined ? [] : [fallback.uses]))
}

/** How an operator that stands in for a task's own is looked up. */
export function asFallback(task: string, uses: string): string {
  return `${task} ${uses}`
}
