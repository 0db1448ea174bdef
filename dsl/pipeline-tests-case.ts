/** One case of a pipeline's tests against the pipeline: names, times, values, expressions. Plays nothing. */
import { DagctlError } from '../engine/errors.ts'
import { intervalsFrom, manualInterval } from '../engine/interval.ts'
import { isJsonObject, type JsonObject } from '../engine/json.ts'
import type { Interval, Pipeline } from '../engine/pipeline.ts'
import { parseInterval, parseTime } from '../engine/time-text.ts'
import { timetableOf } from '../engine/timetable.ts'
import type { Expected, TestCase } from '../schemas/pipeline-tests.generated.ts'
import type { Code } from './codes.ts'
import { checkTypes, ExpressionError, parseExpression } from './expression.ts'
import { resolveParams } from './params.ts'
import { checkActs } from './pipeline-tests-acts.ts'
import { type CaseContext, checkActor, checkTask, standInsOf, taskOf } from './pipeline-tests-names.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import { TaskReferences } from './task-references.ts'
import { step } from './types.ts'
import { didYouMean, quote } from './words.ts'

/** Runs of one case, at most: more than a century of days. */
const mostRuns = 50_000

/** A case of which everything is known but how it ends. */
export interface CheckedCase {
  readonly name: string
  readonly raw: TestCase
  /** Of the case in the file. */
  readonly path: Path
  readonly params: JsonObject
  /** When each of its runs is made, and what it covers. */
  readonly runs: readonly { readonly at: number; readonly interval: Interval }[]
  /** By task: what it succeeds with where nothing is said. */
  readonly madeUp: { readonly [task: string]: JsonObject }
  /** Where `expect.that` sees integers: JSON pointers into the scope. */
  readonly integers: readonly string[]
}

/** Checks one case; what is wrong is reported, and the result then of no use. */
export async function checkCase(name: string, raw: TestCase, context: CaseContext): Promise<CheckedCase> {
  const path: Path = ['cases', name]
  const { pipeline, report } = context
  for (const task of Object.keys(raw.tasks ?? {})) {
    const at = [...path, 'tasks', task]
    if (checkTask(task, at, context, true)) checkActor(task, at, context)
  }
  for (const key of ['baseline', 'answers'] as const)
    for (const task of Object.keys(raw[key] ?? {})) checkTask(task, [...path, key, task], context, true)
  for (const [index, fault] of (raw.faults ?? []).entries()) {
    const at = [...path, 'faults', index]
    if (fault.task !== undefined) checkTask(fault.task, [...at, 'task'], context, false)
    if ((fault.do === 'vanish') !== (fault.task !== undefined))
      report.atKey(fault.task === undefined ? at : [...at, 'task'], {
        code: 'E114',
        message: fault.task === undefined ? '`vanish` needs a `task`' : '`task` belongs to `vanish`',
      })
    if (fault.for !== undefined && fault.do !== 'crash')
      report.atKey([...at, 'for'], { code: 'E114', message: '`for` belongs to `crash`' })
  }
  const madeUp = checkActs(raw, path, context)
  const integers = checkExpected(raw.expect ?? {}, [...path, 'expect'], Object.keys(raw.env ?? {}), context)
  const params = await resolved(raw, path, context)
  return { name, raw, path, params, madeUp, integers, runs: runsOf(raw, path, pipeline, report) }
}

/** The parameters of the run; reports those that the pipeline does not take. */
async function resolved(raw: TestCase, path: Path, { pipeline, report }: CaseContext): Promise<JsonObject> {
  try {
    return resolveParams(pipeline, (raw.params ?? {}) as JsonObject, () => 'give it in `params`')
  } catch (error) {
    if (!(error instanceof DagctlError) || error.kind !== 'usage') throw error
    const name = Object.keys(raw.params ?? {}).find((one) => error.message.includes(quote(one)))
    const complaint = { code: error.code as Code, message: error.message, hint: error.hint }
    if (name === undefined) report.atKey(path, complaint)
    else report.atValue([...path, 'params', name], complaint)
    return {}
  }
}

/** When runs are made of which a case says nothing, unless their interval ends later. */
const beginning = Date.UTC(2026, 0, 1)

function runsOf(raw: TestCase, path: Path, { schedule }: Pipeline, report: Report): CheckedCase['runs'] {
  const zone = schedule?.timezone ?? 'UTC'
  const read = <Value>(
    key: 'at' | 'interval' | 'intervals',
    parse: (text: string) => Value,
  ): Value | null => {
    const text = raw[key]
    try {
      return text === undefined ? null : parse(text)
    } catch (error) {
      if (!(error instanceof DagctlError)) throw error
      report.atValue([...path, key], { code: 'E152', message: error.message, hint: error.hint })
      return null
    }
  }
  const madeFor = (one: Interval | null) =>
    raw.trigger === 'schedule' ? (one?.end ?? beginning) : Math.max(one?.end ?? beginning, beginning)
  const at = read('at', (text) => parseTime(text, zone))
  const interval = read('interval', (text) => parseInterval(text, zone))
  const range = read('intervals', (text) => parseInterval(text, zone))
  if (schedule === null && (raw.trigger === 'schedule' || range !== null)) {
    const key = range === null ? 'trigger' : 'intervals'
    report.atKey([...path, key], { code: 'E140', message: 'the pipeline has no schedule' })
    return []
  }
  if (range === null) {
    const made = at ?? madeFor(interval)
    return [{ at: made, interval: interval ?? manualInterval(schedule, made) }]
  }
  if (at !== null || interval !== null)
    report.atKey([...path, 'intervals'], {
      code: 'E114',
      message: '`intervals` stands for itself: `at` and `interval` are for one run',
    })
  const runs: CheckedCase['runs'][number][] = []
  for (const one of schedule === null ? [] : intervalsFrom(timetableOf(schedule), range.start)) {
    if (one.start >= range.end || runs.length > mostRuns) break
    // A second apart: runs of the same second could have the same id.
    const apart = raw.trigger === 'schedule' ? 0 : runs.length * 1000
    runs.push({ at: madeFor(one) + apart, interval: one })
  }
  if (runs.length === 0 || runs.length > mostRuns) {
    const message = runs.length === 0 ? 'no interval begins there' : `more than ${mostRuns} intervals`
    report.atValue([...path, 'intervals'], { code: 'E140', message })
  }
  return runs
}

/** Names and expressions of what is expected. @returns where the expressions see integers */
function checkExpected(
  expected: Expected,
  path: Path,
  env: readonly string[],
  context: CaseContext,
): readonly string[] {
  const { report, operators } = context
  for (const [index, word] of (expected.order ?? []).entries())
    checkTask(word, [...path, 'order', index], context, false)
  for (const [word, wanted] of Object.entries(expected.tasks ?? {})) {
    const at = [...path, 'tasks', word]
    if (!checkTask(word, at, context, true) || typeof wanted === 'string') continue
    const task = context.pipeline.tasks.find(({ id }) => id === taskOf(word))
    // What recovery puts in its place may take and give something else.
    const alone = task !== undefined && standInsOf(task).length === 0
    const operator = alone ? (operators.get(task.id) ?? null) : null
    for (const side of ['input', 'outputs'] as const)
      for (const key of isJsonObject(wanted[side]) ? Object.keys(wanted[side]) : []) {
        const found = operator === null ? null : step(operator[side === 'input' ? 'input' : 'output'], key)
        if (found === null || !('fault' in found) || found.fault !== 'unknown') continue
        report.atKey([...at, side, key], {
          code: side === 'input' ? 'E122' : 'E120',
          message: `${quote(operator?.name ?? '')} has no ${side === 'input' ? 'input' : 'output'} ${quote(key)}`,
          hint: didYouMean(key, found.known),
        })
      }
  }
  return expected.that === undefined ? [] : checkExpressions(expected.that, [...path, 'that'], env, context)
}

function checkExpressions(
  that: readonly string[],
  path: Path,
  env: readonly string[],
  { pipeline, operators, report }: CaseContext,
): readonly string[] {
  const visible = {
    self: '',
    params: pipeline.params,
    taskIds: new Set(pipeline.tasks.map(({ id }) => id)),
    outputsOf: (id: string) => operators.get(id)?.output ?? null,
    isMapped: (id: string) => pipeline.tasks.find((task) => task.id === id)?.foreach !== undefined,
    hasInside: () => false,
    inputs: null,
    with: { schema: null, given: [] },
    env,
    // Whoever writes the case knows which tasks succeed; where one did not, the expectation does not hold.
    nullable: false,
  }
  const expression = {
    parse: parseExpression,
    check: checkTypes,
    isError: (error: unknown): error is ExpressionError => error instanceof ExpressionError,
  }
  const references = new TaskReferences(visible, report, { template: null, schema: null, expression })
  const before = report.problems.length
  for (const [index, text] of that.entries()) references.expression(text, [...path, index], 'when')
  const found = report.problems.splice(before)
  // What is null where the case says it is not makes the expectation fail, as it should.
  report.problems.push(...found.filter(({ code }) => code !== 'E123'))
  return [...references.integers]
}
