/** The end of a run for people: a table, the result's path, and what went wrong. Knows no engine. */
import { join } from 'node:path'
import { attemptId } from '../engine/executor.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { readLogs } from '../engine/runtime/attempt-folder.ts'
import { shellWord } from '../engine/shell-word.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import { TaskNames } from '../engine/task-names.ts'
import {
  counted,
  duration,
  grouped,
  harmless,
  oneLine,
  painted,
  paintFor,
  shortInterval,
  shownName,
  table,
} from './print.ts'
import type { Settings } from './settings.ts'
import { settledBy } from './task-words.ts'
import type { Terminal } from './terminal.ts'

/** Rows of the table after a run; failed tasks that are told of at length; lines of their logs. */
const most = { rows: 100, failures: 5, lines: 10 } as const

/** A run and what is needed to tell of it. */
export interface Subject {
  readonly run: RunRecord
  readonly pipeline: Pipeline
  readonly store: Store
  readonly settings: Settings
}

/** What of a run is shown: every task, though they be many; the instances of mapped ones. */
export interface Shown {
  readonly all?: boolean | undefined
  readonly instances?: boolean | undefined
}

/** Prints how a run stands; of a large one, unless `all` are wanted, only the tasks that did not succeed. */
export async function printSummary(
  subject: Subject,
  terminal: Terminal,
  { all = false, instances = false }: Shown = {},
): Promise<void> {
  const { run, pipeline, store } = subject
  const { out, env } = terminal
  const paint = paintFor(out, env)
  const nodes = await store.tasks(run.id)
  const names = new TaskNames(pipeline, nodes)
  const tasks = nodes.filter((row) => names.keys(row).length === 0)
  const rows = instances ? nodes : tasks
  const shown =
    all || rows.length <= most.rows
      ? rows
      : rows.filter(({ state }) => state !== 'succeeded').slice(0, most.rows)
  const cells = shown.map((row) => {
    const { recordsIn, records } = countsOf(row)
    const state = row.cached === null ? row.state : 'cached'
    const time =
      row.startedAt === null || row.cached !== null
        ? ''
        : duration((row.endedAt ?? terminal.clock.now()) - row.startedAt)
    return [shownName(names.name(row)), painted(state, paint), String(row.attempt), time, recordsIn, records]
  })
  const right = ['attempts', 'time', 'records in', 'records out']
  if (cells.length > 0) out.write(`${await table(['task', 'state', ...right], cells, right)}\n\n`)
  if (shown.length < rows.length) tellCounts(rows, terminal)
  const time =
    run.startedAt === null ? '' : ` in ${duration((run.endedAt ?? terminal.clock.now()) - run.startedAt)}`
  out.write(
    `run ${run.id} of ${run.pipeline} (${shortInterval(run.interval)}) ${painted(run.state, paint)}${time}\n`,
  )
  tellReuse(tasks, terminal)
  for (const { task, path } of resultsOf(pipeline, tasks)) out.write(`result of ${task}: ${path}\n`)
  await tellFailures(subject, nodes, names, terminal)
}

function tellCounts(rows: readonly TaskRecord[], { out }: Terminal): void {
  const states = Map.groupBy(rows, ({ state }) => state)
  const counts = [...states].map(([state, { length }]) => `${grouped(length)} ${state}`).join(', ')
  out.write(`${counted(rows.length, 'task')}: ${counts}\n`)
}

function tellReuse(rows: readonly TaskRecord[], { out }: Terminal): void {
  const reused = Map.groupBy(
    rows.filter(({ cached }) => cached !== null),
    ({ cached }) => cached as string,
  )
  for (const [run, tasks] of reused)
    out.write(
      `cached: ${counted(tasks.length, 'task')} did not change and reused the results of run ${run}\n`,
    )
}

function countsOf({ state, outputs }: TaskRecord): { recordsIn: string; records: string } {
  const values = state === 'succeeded' && typeof outputs === 'object' ? (outputs as JsonObject | null) : null
  const shown = (value: unknown) => (typeof value === 'number' ? grouped(value) : '')
  return { recordsIn: shown(values?.recordsIn), records: shown(values?.records) }
}

/** The datasets that nothing in the pipeline goes on with: of tasks below which no task made one. */
function resultsOf(
  pipeline: Pipeline,
  rows: readonly TaskRecord[],
): readonly { readonly task: string; readonly path: string }[] {
  const made = pipeline.tasks.map((_, index) => datasetsOf(rows[index]))
  const continued = continuedTasks(pipeline, (index) => (made[index]?.length ?? 0) > 0)
  return pipeline.tasks.flatMap(({ id }, index) =>
    continued.has(index) ? [] : (made[index] ?? []).map((path) => ({ task: id, path })),
  )
}

/** Tasks above a task that makes data. */
function continuedTasks(pipeline: Pipeline, makes: (index: number) => boolean): ReadonlySet<number> {
  const continued = new Set<number>()
  const open = pipeline.tasks.flatMap((task, index) => (makes(index) ? task.needs : []))
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (continued.has(index)) continue
    continued.add(index)
    open.push(...(pipeline.tasks[index]?.needs ?? []))
  }
  return continued
}

/** Paths of datasets in a task's outputs: `dataset`, wherever it stands. */
function datasetsOf(row: TaskRecord | undefined): readonly string[] {
  if (row?.state !== 'succeeded') return []
  const found: string[] = []
  const look = (value: unknown) => {
    if (Array.isArray(value)) value.forEach(look)
    else if (typeof value === 'object' && value !== null)
      for (const [name, inner] of Object.entries(value)) {
        if (name === 'dataset' && typeof inner === 'string') found.push(inner)
        else look(inner)
      }
  }
  look(row.outputs)
  return found
}

/** Of what failed, that which failed itself: a mapped task or a group fails with what is in it, a task of a mapped group with its copies. */
async function tellFailures(
  { run, settings }: Subject,
  nodes: readonly TaskRecord[],
  names: TaskNames,
  terminal: Terminal,
): Promise<void> {
  const { err } = terminal
  const paint = paintFor(err, terminal.env)
  const all = nodes.filter(({ node, state }) => state === 'failed' && settledBy(nodes, node) === null)
  const above = new Set(all.map(({ parent }) => parent))
  // The first nodes of a run are the tasks of the file; what is made for an item comes after them.
  const copied = new Set(all.filter(({ node, task }) => node !== task).map(({ task }) => task))
  const failed = all.filter(
    ({ node, failure }) => !above.has(node) && (failure !== null || !copied.has(node)),
  )
  for (const row of failed.slice(0, most.failures)) {
    const name = names.name(row)
    const { kind, message } = row.failure ?? { kind: 'user', message: 'no reason was noted' }
    err.write(
      `\n${paint.red('failed')}: task ${shownName(name)} (${kind}) after ${counted(row.attempt, 'attempt')}\n`,
    )
    err.write(`  ${oneLine(message)}\n`)
    const folder = join(settings.data, 'attempts', run.id, attemptId(run.id, row.node, row.attempt))
    for (const line of await lastLines(folder)) err.write(paint.dim(`  | ${line}\n`))
    err.write(`  see: dagctl logs ${run.id} ${shellWord(name)}\n`)
  }
  if (failed.length > most.failures)
    err.write(`\nand ${failed.length - most.failures} more; see: dagctl runs show ${run.id} --attempts\n`)
}

async function lastLines(folder: string): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const { text } of readLogs(folder)) {
    lines.push(harmless(text).slice(0, 500))
    if (lines.length > most.lines) lines.shift()
  }
  return lines
}
