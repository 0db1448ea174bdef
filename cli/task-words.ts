/** Tasks as people name them on the command line. Pure. */
import { didYouMean, either, quote } from '../dsl/words.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'

/** The index of the task with this id. Throws E209 with what was probably meant. */
export function taskIndex({ name, tasks }: Pipeline, id: string): number {
  const index = tasks.findIndex((task) => task.id === id)
  if (index !== -1) return index
  const ids = tasks.map((task) => task.id)
  const some = ids.length > 12 ? [...ids.slice(0, 12).map(quote), '…'] : ids.map(quote)
  const hint = didYouMean(id, ids, `there are ${either(some, 'and')}`) as string
  throw new DagctlError('E209', `the pipeline ${name} has no task \`${id}\``, { kind: 'usage', hint })
}

/** `mask` is the task and all its instances, `mask[KEY]` one instance. Throws as `taskIndex` does. */
export function taskAndKey(
  pipeline: Pipeline,
  word: string,
): { readonly index: number; readonly key: string | null } {
  const [, id = word, key = null] = /^([^[]+)\[(.*)\]$/.exec(word) ?? []
  return { index: taskIndex(pipeline, id), key }
}
