/** Names of nodes from their rows: `mask`, `mask[KEY]`, `group[K1].mask[K2]`. */
import type { Pipeline } from '../../engine/pipeline.ts'
import type { TaskRecord } from '../../engine/store/records.ts'

/** The name of a row; a task of the file that stands in a mapped group has its id. */
export function labelOf(row: TaskRecord, rows: readonly TaskRecord[], pipeline: Pipeline): string {
  const { id = '', group } = pipeline.tasks[row.task] ?? {}
  if (row.node < pipeline.tasks.length) return id
  const local = group === undefined ? id : id.slice((pipeline.tasks[group]?.id.length ?? 0) + 1)
  const parent = rows[row.parent ?? -1] as TaskRecord
  const holder = row.key === null ? parent : rows[parent.parent ?? -1]
  const prefix = holder === undefined || group === undefined ? '' : `${labelOf(holder, rows, pipeline)}.`
  return `${prefix}${local}${row.key === null ? '' : `[${row.key}]`}`
}
