/** Lint of the files of other pipelines that inputs name: those that are not there. Opens nothing itself. */
import { keysOf, valueAt } from '../engine/pointer.ts'
import type { PlacedTask } from './inline.ts'
import { isFile, type Source } from './source.ts'
import { pipelinePointersOf } from './task-input.ts'
import type { Load } from './used-files.ts'
import { quote } from './words.ts'

/**
 * Reports (W109) what an input marked `x-pipeline` names and nobody can read. A warning, since it may come to be there: by a
 * task before, or with the next file of the same delivery. What was looked for counts as used: serve looks again then.
 * @param root the pipeline's own file, from whose folder paths count
 */
export async function lintFiles(placed: readonly PlacedTask[], root: Source, load: Load): Promise<void> {
  for (const { local, home } of placed) {
    const { task, operator, uses } = local
    for (const pointer of uses === null ? pipelinePointersOf(operator) : []) {
      const path = valueAt(task.with, pointer)
      if (typeof path !== 'string' || path.includes('{{') || !isFile(path)) continue
      const found = await load(path, root)
      if (!('why' in found)) continue
      home.report.atValue(['tasks', task.id, 'with', ...keysOf(pointer)], {
        code: 'W109',
        severity: 'warning',
        message: `the pipeline ${quote(path)} is not there: ${found.why}`,
        hint: 'the task will fail if it is not there either when it starts',
      })
    }
  }
}
