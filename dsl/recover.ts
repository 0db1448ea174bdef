/** `recover:` of a task: what changes before the next try after each kind of failure. Runs nothing. */
import { type FailureKind, failureKinds } from '../engine/errors.ts'
import type { JsonObject } from '../engine/json.ts'
import type { OperatorInfo, Recovery, RuntimeName, Task } from '../engine/pipeline.ts'
import type { Recovery as Entry } from '../schemas/pipeline.generated.ts'
import type { Path } from './positions.ts'
import { certainlyMatches } from './quick-check.ts'
import { defaultEntries, type Entries, nothing } from './recovery-defaults.ts'
import type { Report } from './report.ts'
import { checkInput, shellPointersOf } from './task-input.ts'
import type { Languages, TaskReferences, Templated } from './task-references.ts'
import { either, quote } from './words.ts'

/** A task that recovers. */
export interface Recovering {
  /** Where the task stands. */
  readonly path: Path
  readonly entries: Entries
  readonly operator: OperatorInfo
  readonly runtime: RuntimeName
  /** The operator's input as the task gives it, and its templated strings. */
  readonly input: JsonObject
  readonly templates: ReadonlyMap<string, Templated>
  /** The operators that fallbacks name, by `uses`. */
  readonly fallbacks: ReadonlyMap<string, OperatorInfo>
  readonly schema: Languages['schema']
}

interface Place {
  readonly references: TaskReferences
  readonly report: Report
}

/**
 * The task's recoveries: the file's entries, checked, and for kinds that it does not name the operator's own and those
 * of the table. A default that does not fit this task (it changes what the task does not give) is left out.
 * @param apart makes references that report to another report
 */
export function recoverOf(
  task: Recovering,
  { references, report }: Place,
  apart: (report: Report) => TaskReferences,
): Task['recover'] {
  const { operator, entries, path } = task
  const table = defaultEntries(operator, task.input)
  if (entries === nothing && table === nothing && !operator.recover) return undefined
  const defaults: Entries = { ...table, ...(operator.recover as Entries) }
  const result: { [kind in FailureKind]?: Recovery } = {}
  for (const kind of failureKinds) {
    const own = entries[kind]
    const at = [...path, 'recover', kind]
    if (own) {
      checkEntry(kind, own, at, report)
      result[kind] = recoveryOf(own, at, task, { references, report })
    } else {
      const recovery = defaults[kind] && byDefault(defaults[kind], at, task, report.apart(), apart)
      if (recovery) result[kind] = recovery
    }
  }
  return Object.keys(result).length === 0 ? undefined : result
}

/** A default entry, or null where it does not fit the task. What is wrong with it goes to `aside`: nobody wrote it here. */
function byDefault(
  entry: Entry,
  at: Path,
  task: Recovering,
  aside: Report,
  referencesFor: (report: Report) => TaskReferences,
): Recovery | null {
  if (entry.fallback && !task.fallbacks.has(entry.fallback.uses)) return null
  const references = referencesFor(aside)
  const recovery = recoveryOf(entry, at, task, { references, report: aside })
  return aside.failed || references.mentioned.size > 0 ? null : recovery
}

/** Whether `retry` says how often: nothing changes, and there is no count of its own. */
function isUnderRetry({ attempts, set, runtime, restore, fallback }: Entry): boolean {
  return [attempts, set, runtime, restore, fallback].every((value) => value === undefined)
}

function checkEntry(kind: FailureKind, entry: Entry, at: Path, report: Report): void {
  if (kind === 'deadline' || kind === 'budget')
    report.atKey(at, {
      code: 'E113',
      message: `nothing recovers from ${quote(kind)}: the run is over then`,
      hint: `say what happens by \`${kind}\` of the pipeline`,
    })
  else if (entry.then !== undefined && isUnderRetry(entry))
    report.atKey([...at, 'then'], {
      code: 'W108',
      severity: 'warning',
      message: '`then` has no effect: `retry` decides how often the task is tried again',
      hint: 'add `attempts`',
    })
}

function recoveryOf(entry: Entry, at: Path, task: Recovering, place: Place): Recovery {
  const { fallback, runtime } = entry
  if (entry.set) checkSet(entry.set as JsonObject, [...at, 'set'], task, place)
  if (entry.set && fallback)
    place.report.atKey([...at, 'set'], {
      code: 'E110',
      message: '`set` cannot stand beside `fallback`',
      hint: 'give the values in `with` of the fallback',
    })
  const other = fallback && task.fallbacks.get(fallback.uses)
  const operator = other ?? task.operator
  if (typeof runtime === 'string') checkRuntime(runtime, operator, [...at, 'runtime'], place.report)
  // A fallback that does not run where the task does runs where it does by itself.
  const where = runtime ?? (other?.runtimes.includes(task.runtime) === false ? other.runtimes[0] : undefined)
  return {
    ...(entry.set && { set: entry.set as JsonObject }),
    ...(where !== undefined && { runtime: where as RuntimeName }),
    ...(entry.restore !== undefined && { restore: entry.restore }),
    ...(fallback && other && { fallback: fallbackOf(fallback, other, [...at, 'fallback'], task, place) }),
    attempts: entry.attempts ?? 3,
    then: entry.then ?? 'fail',
    underRetry: isUnderRetry(entry),
  }
}

function checkSet(
  set: JsonObject,
  path: Path,
  { operator, input, templates, schema }: Recovering,
  { references, report }: Place,
): void {
  const keys = new Set(Object.keys(set))
  const own = references.templates(set, path, 'recover', shellPointersOf(operator))
  const kept = [...templates].filter(([pointer]) => !keys.has(pointer.split('/')[1] ?? ''))
  const value = { ...input, ...set }
  checkInput(
    { value, path, operator, templates: new Map([...kept, ...own]), only: keys },
    certainlyMatches(operator.input, value) ? matchesAlways : (schema?.(operator.input) ?? matchesAlways),
    report,
  )
}

const matchesAlways = () => []

function checkRuntime(
  runtime: 'inline' | 'process' | 'docker',
  operator: OperatorInfo,
  path: Path,
  report: Report,
): void {
  if (operator.runtimes.includes(runtime)) return
  report.atValue(path, {
    code: 'E127',
    message: `${quote(operator.name)} does not run in ${quote(runtime)}`,
    hint: `it runs in ${either(operator.runtimes.map(quote))}`,
  })
}

function fallbackOf(
  { with: input = {} }: NonNullable<Entry['fallback']>,
  operator: OperatorInfo,
  at: Path,
  { schema }: Recovering,
  { references, report }: Place,
): NonNullable<Recovery['fallback']> {
  const path = [...at, 'with']
  const shell = shellPointersOf(operator)
  const templates = references.templates(input, path, 'with', shell)
  checkInput(
    { value: input, path, operator, templates },
    certainlyMatches(operator.input, input) ? matchesAlways : (schema?.(operator.input) ?? matchesAlways),
    report,
  )
  return {
    uses: operator.name,
    version: operator.version,
    with: input as JsonObject,
    ...(shell.length > 0 && { shell }),
  }
}
