/** What a test expects of a played run against what became of it. Each difference has its place in `expect`. Plays nothing. */
import { parseDuration } from '../engine/duration.ts'
import type { Evaluator, Scope } from '../engine/evaluator.ts'
import { isJsonObject, type Json } from '../engine/json.ts'
import { LiveRun } from '../engine/live-run.ts'
import { scopeIn } from '../engine/scope.ts'
import type { Expected, ExpectedTask } from '../schemas/pipeline-tests.generated.ts'
import type { Played, PlayedTask } from './played.ts'

/** An expectation that does not hold. `path` leads to it from `expect`. */
export interface Unmet {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string | null
}

/** What expressions are evaluated with. */
export interface Judges {
  readonly evaluator: Evaluator
  /** Where expressions see integers: JSON pointers into the scope. */
  readonly integers: readonly string[]
  /** What the names in an expression stand for, for people: `tasks.a.outputs.b is 1`. */
  explain(expression: string, scope: Scope): string | null
}

/** Everything in which the run is not what was expected, in the order of the file's keys. */
export function unmet(expected: Expected, played: Played, judges: Judges): readonly Unmet[] {
  return [
    ...ofRun(expected, played),
    ...inOrder(expected.order ?? [], played),
    ...Object.entries(expected.tasks ?? {}).flatMap(([name, wanted]) => ofTask(name, wanted, played)),
    ...(expected.that ?? []).flatMap((text, index) => {
      const found = thatHolds(text, scopeAfter(played, judges), judges)
      return found === null ? [] : [{ path: ['that', index], ...found }]
    }),
  ]
}

function ofRun({ run = 'succeeded', takes }: Expected, played: Played): Unmet[] {
  const found: Unmet[] = []
  const { state } = played.run
  if (state !== run) {
    const failed = played.tasks.filter(({ record }) => record.state === 'failed')
    const why = failed.slice(0, 3).map((task) => `\`${task.name}\` ${reasonOf(task)}`)
    const hint = state === 'failed' && why.length > 0 ? why.join('; ') : null
    found.push({ path: ['run'], message: `the run should have ${run}, but is ${state}`, hint })
  }
  if (takes !== undefined) found.push(...within(takes, played.took, 'the run should take', ['takes']))
  return found
}

/** Whether the tasks started in this order; others may have started between. */
function inOrder(order: readonly string[], { started }: Played): Unmet[] {
  const found: Unmet[] = []
  let before: { readonly name: string; readonly place: number } | null = null
  for (const [index, name] of order.entries()) {
    const place = placeOf(name, started)
    const path = ['order', index]
    if (place === -1) found.push({ path, message: `\`${name}\` should start, but never did` })
    else if (before !== null && place < before.place)
      found.push({
        path,
        message: `\`${name}\` should start after \`${before.name}\`, but started before it`,
      })
    else before = { name, place }
  }
  return found
}

/** Of a mapped task the first of its instances. */
function placeOf(name: string, started: readonly string[]): number {
  return started.findIndex((one) => one === name || one.startsWith(`${name}[`))
}

function ofTask(name: string, wanted: string | ExpectedTask, played: Played): Unmet[] {
  const task = played.tasks.find((one) => one.name === name)
  const path = ['tasks', name]
  if (task === undefined) {
    const others = played.tasks
      .map((one) => one.name)
      .filter((one) => one.startsWith(name.split('[')[0] ?? ''))
    return [{ path, message: `there is no \`${name}\``, hint: `there are ${others.slice(0, 8).join(', ')}` }]
  }
  if (typeof wanted === 'string') return ofState(wanted, task, path)
  const { record } = task
  const { state, input, outputs, message, starts, ends } = wanted
  const found = state === undefined ? [] : ofState(state, task, [...path, 'state'])
  const count = { tries: record.tries, attempts: record.attempt, failure: record.failure?.kind ?? null }
  for (const key of ['tries', 'attempts', 'failure'] as const)
    if (wanted[key] !== undefined && wanted[key] !== count[key])
      found.push({
        path: [...path, key],
        message: `\`${key}\` of \`${name}\` should be ${wanted[key]}, but ${count[key] === null ? 'there is none' : `is ${count[key]}`}`,
      })
  if (message !== undefined && record.failure?.message.includes(message) !== true)
    found.push({
      path: [...path, 'message'],
      message: `\`${name}\` should fail with that message, but ${reasonOf(task)}`,
    })
  const sides = { input: [input, task.input], outputs: [outputs, record.outputs] } as const
  for (const [side, [part, whole]] of Object.entries(sides))
    if (part !== undefined)
      found.push(...differences(part as Json, whole, { path: [...path, side], name: side, task: name }))
  const times = { starts: [starts, record.startedAt], ends: [ends, record.endedAt] } as const
  for (const [key, [span, at]] of Object.entries(times))
    if (span !== undefined)
      found.push(...moment(span, at, played, `\`${name}\` should ${key.slice(0, -1)}`, [...path, key]))
  return found
}

function ofState(wanted: string, task: PlayedTask, path: Unmet['path']): Unmet[] {
  const { state } = task.record
  if (state === wanted) return []
  return [{ path, message: `\`${task.name}\` should be ${wanted}, but ${reasonOf(task)}` }]
}

/** How a task ended, for a sentence. */
function reasonOf({ record: { state, failure } }: PlayedTask): string {
  return failure === null || state === 'succeeded'
    ? `is ${state}`
    : `is ${state} (${failure.kind}: ${failure.message})`
}

function moment(span: string, at: number | null, played: Played, what: string, path: Unmet['path']): Unmet[] {
  return at === null
    ? [{ path, message: `${what}, but never did` }]
    : within(span, at - played.at, `${what} at`, path)
}

/** `1h..2h`, `..2h`, `1h..`, or exactly `2h`. */
function within(span: string, found: number, what: string, path: Unmet['path']): Unmet[] {
  const [from, to = from] = span.split('..') as [string, string?]
  const least = from === '' ? 0 : (parseDuration(from) ?? 0)
  const most = to === '' ? Number.POSITIVE_INFINITY : (parseDuration(to) ?? 0)
  if (found >= least && found <= most) return []
  return [{ path, message: `${what} ${span}, but it was ${lengthText(found)}` }]
}

/** Milliseconds as the file writes them: `90s` stays seconds, `1h 30m`, exactly. */
export function lengthText(milliseconds: number): string {
  const parts: string[] = []
  let left = milliseconds
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return parts.length === 0 ? '0s' : parts.join(' ')
}

/** A value within a task's input or outputs, as people name it: `outputs.rows[0].name`. */
interface Place {
  readonly path: Unmet['path']
  readonly name: string
  readonly task: string
}

/** Where `part` is not a part of `whole`: objects may have more keys, lists have as many items. */
function differences(part: Json, whole: Json, { path, name, task }: Place): Unmet[] {
  if (isJsonObject(part) && isJsonObject(whole))
    return Object.entries(part).flatMap(([key, value]) => {
      const inner = { path: [...path, key], name: `${name}.${key}`, task }
      if (Object.hasOwn(whole, key)) return differences(value, whole[key] as Json, inner)
      return [{ path: inner.path, message: `\`${task}\` should have \`${inner.name}\`, but has not` }]
    })
  if (Array.isArray(part) && Array.isArray(whole) && part.length === whole.length)
    return part.flatMap((value, index) =>
      differences(value, whole[index] as Json, { path: [...path, index], name: `${name}[${index}]`, task }),
    )
  if (JSON.stringify(part) === JSON.stringify(whole)) return []
  return [{ path, message: `\`${name}\` of \`${task}\` should be ${shown(part)}, but is ${shown(whole)}` }]
}

function shown(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > 160 ? `${text.slice(0, 159)}…` : text
}

function thatHolds(text: string, scope: Scope, { evaluator, explain }: Judges): Omit<Unmet, 'path'> | null {
  try {
    return evaluator.test(text, scope) ? null : { message: 'this does not hold', hint: explain(text, scope) }
  } catch (error) {
    return { message: `this cannot be decided: ${(error as Error).message}` }
  }
}

/** What `that` sees of the run: what a task below all others would. */
function scopeAfter({ run, pipeline, tasks, env }: Played, { evaluator, integers }: Judges): Scope {
  const rows = tasks.map(({ record }) => record)
  return { ...scopeIn(LiveRun.restore(run, pipeline, rows), null, { evaluator, env }), integers }
}
