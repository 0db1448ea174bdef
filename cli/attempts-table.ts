/** Prints what became of each attempt of a run, for people. */
import type { Pipeline } from '../engine/pipeline.ts'
import type { RunRecord, Store } from '../engine/store/store.ts'
import { oneLine, painted, paintFor, table } from './print.ts'
import { documentOf } from './run-document.ts'
import type { Terminal } from './terminal.ts'

/** Prints a row per attempt. */
export async function printAttempts(
  store: Store,
  run: RunRecord,
  pipeline: Pipeline,
  { out, env }: Terminal,
): Promise<void> {
  const paint = paintFor(out, env)
  const { tasks } = await documentOf(store, run, pipeline, { attempts: true, instances: true })
  const rows = tasks.flatMap(({ id, key, history = [] }) =>
    history.map((row) => [
      key === null ? id : `${id}[${key.join()}]`,
      String(row.attempt),
      row.try === null ? '' : String(row.try),
      painted(row.state, paint),
      row.startedAt ?? '',
      row.endedAt ?? '',
      row.failure === null ? '' : `${row.failure.kind}: ${oneLine(row.failure.message).slice(0, 200)}`,
    ]),
  )
  out.write(
    `\n${await table(['task', 'attempt', 'try', 'state', 'started', 'ended', 'failure'], rows, ['attempt', 'try'])}\n`,
  )
}
