/** What differed between two runs, as a table for people. Knows no store. */
import type { Json } from '../engine/json.ts'
import type { Diff, Pair, TaskDifference } from './diff.ts'
import type { Difference } from './json-difference.ts'
import { duration, oneLine, paintFor, table } from './print.ts'
import type { Terminal } from './terminal.ts'

/** Characters of one value. */
const widest = 40

type Row = readonly [where: string, what: string, a: string, b: string]

/** Prints a comparison: where it differed, and both values. */
export async function printDiff(diff: Diff, { out, env }: Terminal): Promise<void> {
  const paint = paintFor(out, env)
  const { a, b } = diff
  out.write(
    `a: run ${a.id} of ${diff.pipeline}, ${a.state}\nb: run ${b.id} of ${diff.pipeline}, ${b.state}\n`,
  )
  const rows = [...wholeRows(diff), ...graphRows(diff), ...diff.tasks.flatMap(taskRows)]
  if (diff.same) out.write('\nnothing differs but times and ids\n')
  else if (rows.length > 0) {
    const cells = rows.map(([where, what, left, right]) => [where, what, paint.red(left), paint.green(right)])
    out.write(`\n${await table(['where', 'what', 'a', 'b'], cells)}\n`)
  }
}

function wholeRows(diff: Diff): readonly Row[] {
  const { interval, trigger, runtime, duration: took } = diff
  const state = diff.a.state === diff.b.state ? null : { a: diff.a.state, b: diff.b.state }
  return [
    ...pairRows('run', 'state', state),
    ...pairRows('run', 'interval', interval),
    ...pairRows('run', 'trigger', trigger),
    ...pairRows('run', 'runtime', runtime),
    ...(took.a === null || took.b === null
      ? []
      : [['run', 'time', duration(took.a), duration(took.b)] as const]),
    ...diff.params.map((one) => differenceRow('params', '', one)),
    ...diff.provenance.map((one) => differenceRow('made with', '', one)),
    ...diff.datasets.map((one) => differenceRow('datasets', '', one)),
  ]
}

function graphRows({ graph }: Diff): readonly Row[] {
  return [
    ...graph.pipeline.map((key): Row => ['pipeline', key, 'changed', 'changed']),
    ...graph.removed.map((task): Row => [task, 'task', 'there', '-']),
    ...graph.added.map((task): Row => [task, 'task', '-', 'there']),
    ...graph.changed.map(
      ({ task, keys }): Row => [task, `definition: ${keys.join(', ')}`, 'changed', 'changed'],
    ),
  ]
}

function taskRows(one: TaskDifference): readonly Row[] {
  const { task, state, failure, input = [], outputs = [], changes, cached, duration: took } = one
  return [
    ...pairRows(task, 'state', state),
    ...pairRows(task, 'failure', failure),
    ...input.map((difference) => differenceRow(task, 'with', difference)),
    ...outputs.map((difference) => differenceRow(task, 'outputs', difference)),
    ...pairRows(task, 'recovered', changes),
    ...pairRows(task, 'cached', cached),
    ...(took === undefined ? [] : [[task, 'time', duration(took.a), duration(took.b)] as const]),
  ]
}

function pairRows(where: string, what: string, pair: Pair<Json> | null | undefined): readonly Row[] {
  return pair === null || pair === undefined ? [] : [[where, what, ...cells(pair.a, pair.b)]]
}

function differenceRow(where: string, what: string, { path, a, b }: Difference): Row {
  const name = path.split('/').slice(1).join('.')
  return [where, what === '' ? name : name === '' ? what : `${what}.${name}`, ...cells(a, b)]
}

/** Both values; of long ones the part in which they begin to differ. */
function cells(a: Json | undefined, b: Json | undefined): readonly [string, string] {
  const [left, right] = [textOf(a), textOf(b)]
  if (left.length <= widest && right.length <= widest) return [left, right]
  let alike = 0
  while (alike < left.length && left[alike] === right[alike]) alike++
  const from = alike < widest - 10 ? 0 : alike - 10
  return [cut(left, from), cut(right, from)]
}

function cut(text: string, from: number): string {
  const before = from === 0 ? '' : '…'
  const rest = text.slice(from)
  return `${before}${rest.length > widest ? `${rest.slice(0, widest - 1)}…` : rest}`
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '-'
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value))
}
