/** One file without regard to where it is used: its tasks, what it takes and gives, and all that is wrong in it. */
import { isJsonObject, type JsonSchema } from '../engine/json.ts'
import type { OperatorInfo, Pipeline, Schedule } from '../engine/pipeline.ts'
import type { Resources } from '../engine/resources.ts'
import type { PipelineFile, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { findCycles } from './graph.ts'
import { checkInputDefaults, checkUsedFile, signatureOf, typesOfOutputs } from './group.ts'
import type { Inlinable, LocalTask } from './inline.ts'
import { languagesFor } from './languages.ts'
import { limitsOf } from './limits.ts'
import { type Catalogue, loadFallbacks, loadOperators } from './operators.ts'
import { checkParams } from './params-check.ts'
import type { Report } from './report.ts'
import type { ScheduleFile } from './schedule.ts'
import { maySkip } from './skips.ts'
import { compileTask } from './task.ts'
import { type Context, visibleIn } from './task-context.ts'
import { type Read, TaskReferences } from './task-references.ts'
import type { Type } from './types.ts'
import type { SourceFile } from './used-files.ts'
import { type Usable, validate } from './validate.ts'
import type { Allowed } from './visible.ts'
import { quote } from './words.ts'

/** A compiled file. */
export interface CompiledFile extends Inlinable {
  readonly file: Partial<PipelineFile>
  readonly times: Pick<Pipeline, 'schedule' | 'deadline' | 'budget'>
  /** What the file takes and gives. */
  readonly signature: OperatorInfo
}

/** What a file is compiled with. */
export interface Surroundings {
  /** The files that it uses, compiled. */
  readonly compiled: ReadonlyMap<SourceFile, CompiledFile>
  readonly catalogue: Catalogue
  /** Variables of the environment that pipelines may read, and declared pools; null where nobody said. */
  readonly env: Allowed
  readonly pools: Resources['pools'] | null
}

type Mapping = { readonly [key: string]: unknown }
type Schemas = { readonly [name: string]: JsonSchema }
type Tasks = { readonly [id: string]: TaskFile }

/** Compiles one file after those that it uses; null where it holds no mapping. */
export async function compileFile(
  source: SourceFile,
  surroundings: Surroundings,
): Promise<CompiledFile | null> {
  const { parsed, report, forUse } = source
  const { value } = parsed
  if (value === undefined) return null
  const usable = await validate(value, report)
  if (forUse) checkUsedFile(value, report)
  const file = readable(value, usable) as Partial<PipelineFile>
  const params = await typesBelow('params', value, file, report)
  const inputs = forUse ? await typesBelow('inputs', value, file, report) : null
  if (inputs) checkInputDefaults((file.inputs ?? {}) as Schemas, report)
  const schedule = file.schedule ? await scheduleOf(file.schedule as ScheduleFile, report) : null
  const limits = limitsOf(file, report)
  const tasks = (file.tasks ?? {}) as Tasks
  const context = await contextOf(source, { file, tasks, params, inputs }, surroundings)
  const local = compileTasks(tasks, context)
  const skipped = forUse ? skippable(local, report) : new Set<number>()
  const { types, reads } = outputsOf(file, context, skipped)
  return {
    file,
    times: { schedule, ...limits },
    signature: signatureOf(source.source.file, inputs ?? {}, types),
    tasks: local,
    indices: context.indices,
    report,
    reads,
    maySkip: skipped,
  }
}

async function contextOf(
  source: SourceFile,
  {
    file,
    tasks,
    ...seen
  }: Pick<Context, 'params' | 'inputs'> & {
    readonly file: Partial<PipelineFile>
    readonly tasks: Tasks
  },
  { compiled, catalogue, env, pools }: Surroundings,
): Promise<Context> {
  const { report, parsed } = source
  const uses = usesOf(source, compiled)
  const operators = new Map(await loadOperators(tasks, catalogue, report))
  const fallbacks = await loadFallbacks(tasks, operators, catalogue, report)
  for (const [id, { signature }] of uses) operators.set(id, signature)
  const indices = new Map(Object.keys(tasks).map((id, index) => [id, index]))
  return {
    ...seen,
    uses,
    operators,
    fallbacks,
    env,
    pools,
    languages: await languagesFor(parsed.positions.text, tasks, operators),
    report,
    defaults: file.defaults ?? {},
    isMapped: (id) => tasks[id]?.foreach !== undefined,
    indices,
    guessable: guessable(indices),
  }
}

/** The compiled files of the tasks with `use`, by the tasks' ids. */
function usesOf(
  { uses }: SourceFile,
  compiled: ReadonlyMap<SourceFile, CompiledFile>,
): ReadonlyMap<string, CompiledFile> {
  const entries = [...uses].flatMap(([id, file]): [string, CompiledFile][] => {
    const made = compiled.get(file)
    return made ? [[id, made]] : []
  })
  return new Map(entries)
}

/** The type of each parameter or input; those whose schema is wrong are known by name only, so that their uses are no errors too. */
async function typesBelow(
  key: 'params' | 'inputs',
  value: Mapping,
  file: Partial<PipelineFile>,
  report: Report,
): Promise<{ readonly [name: string]: Type }> {
  const written = value[key]
  const names = isJsonObject(written) ? Object.keys(written) : []
  const good = await checkParams((file[key] ?? {}) as Schemas, report, key)
  return Object.fromEntries(names.map((name) => [name, good[name] ?? null]))
}

/** The file without what is wrong in it, so that everything else can still be checked. */
function readable(value: Mapping, usable: Usable): Mapping {
  if (usable.whole) return value
  const file: { [key: string]: unknown } = {}
  for (const [key, part] of Object.entries(value)) {
    if (!usable.has(key)) continue
    if (key === 'tasks') file[key] = isJsonObject(part) ? readableTasks(part, usable) : {}
    else
      file[key] = isJsonObject(part)
        ? Object.fromEntries(Object.entries(part).filter(([inner]) => usable.has(key, inner)))
        : part
  }
  return file
}

function readableTasks(tasks: Mapping, usable: Usable): Mapping {
  const entries = Object.entries(tasks).map(([id, task]) => {
    const kept = isJsonObject(task)
      ? Object.entries(task).filter(([key]) => usable.has('tasks', id, key))
      : []
    return [id, Object.fromEntries(kept)]
  })
  return Object.fromEntries(entries)
}

async function scheduleOf(file: ScheduleFile, report: Report): Promise<Schedule | null> {
  return (await import('./schedule.ts')).compileSchedule(file, report)
}

function compileTasks(tasks: Tasks, context: Context): readonly LocalTask[] {
  const { report, operators, uses } = context
  const ids = Object.keys(tasks)
  const compiled = ids.map((id) => compileTask(id, tasks[id] as TaskFile, context))
  reportCycles(
    ids,
    compiled.map(({ needs }) => needs),
    tasks,
    report,
  )
  return compiled.flatMap(({ task, reads }): LocalTask[] => {
    const operator = operators.get(task?.id ?? '')
    if (!task || !operator) return []
    const { checkpoint, needs: after = [] } = tasks[task.id] as TaskFile
    const used = uses.get(task.id) ?? null
    return [{ task, operator, checkpoint: checkpoint !== undefined, after, reads, uses: used }]
  })
}

/** The tasks of a file for others that may be skipped although none fails. */
function skippable(tasks: readonly LocalTask[], { failed }: Report): ReadonlySet<number> {
  if (failed) return new Set()
  const groups = tasks.flatMap(({ uses }, index) =>
    uses && uses.maySkip.size === uses.tasks.length ? [index] : [],
  )
  return maySkip(
    tasks.map(({ task }) => task),
    new Set(groups),
  )
}

/** The types of the file's outputs, and what they mention. */
function outputsOf(
  { outputs = {} }: Partial<PipelineFile>,
  context: Context,
  skipped: ReadonlySet<number>,
): { readonly types: ReturnType<typeof typesOfOutputs>; readonly reads: readonly Read[] } {
  const ids = [...context.indices.keys()]
  const visible = {
    ...visibleIn(context, '', {}),
    maySkip: new Set([...skipped].map((index) => ids[index] as string)),
  }
  const references = new TaskReferences(visible, context.report, context.languages)
  return { types: typesOfOutputs(outputs, references), reads: references.reads }
}

/** The ids for `did you mean`, for so many guesses: each looks at all of them. */
function guessable(ids: ReadonlyMap<string, number>, most = 20): Iterable<string> {
  let guesses = 0
  return {
    [Symbol.iterator]: () => {
      guesses += 1
      return guesses > most ? [].values() : ids.keys()
    },
  }
}

function reportCycles(
  ids: readonly string[],
  needs: readonly (readonly number[])[],
  tasks: Tasks,
  report: Report,
): void {
  for (const cycle of findCycles(needs)) {
    const names = cycle.map((index) => ids[index] as string)
    const [first = ''] = names
    const shown =
      names.length > 12 ? [...names.slice(0, 6), `… ${names.length - 9} more …`, ...names.slice(-3)] : names
    const message =
      names.length === 1
        ? `the task ${quote(first)} needs itself`
        : `cycle: ${[...shown, first].join(' -> ')}`
    const place = tasks[first]?.needs?.indexOf(names.at(-1) ?? '') ?? -1
    if (place === -1) report.atKey(['tasks', first], { code: 'E124', message })
    else report.atValue(['tasks', first, 'needs', place], { code: 'E124', message })
  }
}
