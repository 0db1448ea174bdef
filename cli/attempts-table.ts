/** Prints what became of each attempt of a run, and what recovery changed after it, for people. */
import type { JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import { TaskNames } from '../engine/task-names.ts'
import { duration, oneLine, painted, paintFor, shortTime, shownName, table } from './print.ts'
import { documentOf } from './run-document.ts'
import type { Terminal } from './terminal.ts'

/** Characters of a message that are shown. */
const shown = 200

/** Prints a row per attempt; with a column of changes where there is one. */
export async function printAttempts(
  store: Store,
  run: RunRecord,
  pipeline: Pipeline,
  { out, env }: Terminal,
): Promise<void> {
  const paint = paintFor(out, env)
  const { tasks } = await documentOf(store, run, pipeline, { attempts: true, instances: true })
  // Nodes keep their places and are only added to, so the document's rows are the first of these.
  const nodes = await store.tasks(run.id)
  const names = new TaskNames(pipeline, nodes)
  const changed = tasks.some(({ history = [] }) => history.some(({ change }) => change !== null))
  const rows = tasks.flatMap(({ history = [] }, node) =>
    history.map((row) => [
      shownName(names.name(nodes[node] as TaskRecord)),
      String(row.attempt),
      row.try === null ? '' : String(row.try),
      painted(row.state, paint),
      ...timesOf(row),
      row.failure === null ? '' : `${row.failure.kind}: ${oneLine(row.failure.message).slice(0, shown)}`,
      ...(changed ? [row.change === null ? '' : changeText(row.change)] : []),
    ]),
  )
  const head = ['task', 'attempt', 'try', 'state', 'started', 'time', 'failure']
  out.write(`\n${await table(changed ? [...head, 'then'] : head, rows, ['attempt', 'try', 'time'])}\n`)
}

/** When an attempt started, and how long it took; nothing of what has not come yet. */
function timesOf({ startedAt, endedAt }: { startedAt: string | null; endedAt: string | null }): string[] {
  if (startedAt === null) return ['', '']
  const start = Date.parse(startedAt)
  return [shortTime(start), endedAt === null ? '' : duration(Date.parse(endedAt) - start)]
}

/** A change in words: `batchSize: 16`, `restore newest`, `runtime docker`, `fallback to Noop`. */
function changeText({ set, runtime, restore, fallback }: JsonObject): string {
  const values = Object.entries((set ?? {}) as JsonObject).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}`,
  )
  const others = [
    runtime === undefined ? '' : `runtime ${String(runtime)}`,
    restore === undefined ? '' : `restore ${String(restore)}`,
    fallback === undefined ? '' : `fallback to ${String((fallback as JsonObject | null)?.uses)}`,
  ]
  const text = [...values, ...others.filter((part) => part !== '')].join(', ')
  return oneLine(text).slice(0, shown)
}
