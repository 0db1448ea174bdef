/** A pipeline file to a compiled pipeline, with everything that is wrong with it. Touches no store, process or network. */
import type { JsonSchema } from '../engine/json.ts'
import type { OperatorInfo, Pipeline, Schedule, Task } from '../engine/pipeline.ts'
import type { PipelineFile, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { findCycles } from './graph.ts'
import { limitsOf } from './limits.ts'
import { type LintTask, lint } from './lint.ts'
import { type Catalogue, loadFallbacks, loadOperators, type Operators } from './operators.ts'
import { checkParams } from './params-check.ts'
import { type Parsed, parse } from './parse.ts'
import { inFileOrder, type Problem } from './problems.ts'
import { Report } from './report.ts'
import type { ScheduleFile } from './schedule.ts'
import type { Source } from './source.ts'
import { type Context, compileTask, hasPlainInput } from './task.ts'
import type { Languages } from './task-references.ts'
import type { Type } from './types.ts'
import { type Usable, validate } from './validate.ts'
import { versionOf } from './version.ts'
import { quote } from './words.ts'

/** What compiling a file came to. */
export interface Compiled {
  /** null if and only if some problem is an error. */
  readonly pipeline: Pipeline | null
  /** In file order. */
  readonly problems: readonly Problem[]
  readonly name: string | null
  /** How many tasks the file has, right or wrong. */
  readonly tasks: number
}

/** What the installation (dagctl.yaml) says to a file. */
export interface Options {
  /** Lint is an error. */
  readonly strict?: boolean
  /** Variables of the environment that pipelines may read; null or absent: nobody said, so that none may be. */
  readonly env?: readonly string[] | null
  /** The pools that are declared; null or absent: nobody said, so that any may be named. */
  readonly pools?: readonly string[] | null
}

/** Compiles a pipeline file. Never throws for what is in the file. */
export async function compile(
  source: Source,
  catalogue: Catalogue,
  options: Options = {},
): Promise<Compiled> {
  const parsed = parse(source)
  const report = new Report(parsed)
  const pipeline = parsed.value === undefined ? null : await compileParsed(parsed, report, catalogue, options)
  const { strict = false } = options
  const problems = inFileOrder(
    strict ? report.problems.map((problem) => ({ ...problem, severity: 'error' as const })) : report.problems,
  )
  const failed = problems.some(({ severity }) => severity === 'error')
  const { pipeline: name, tasks } = parsed.value ?? {}
  return {
    pipeline: failed ? null : pipeline,
    problems,
    name: typeof name === 'string' ? name : null,
    tasks: isMapping(tasks) ? Object.keys(tasks).length : 0,
  }
}

type Mapping = { readonly [key: string]: unknown }

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function compileParsed(
  parsed: Parsed,
  report: Report,
  catalogue: Catalogue,
  { env = null, pools = null }: Options,
): Promise<Pipeline | null> {
  const value = parsed.value as Mapping
  const usable = await validate(value, report)
  const file = readable(value, usable) as Partial<PipelineFile>
  const params = await paramsOf(value, file, report)
  const schedule = file.schedule ? await scheduleOf(file.schedule as ScheduleFile, report) : null
  const tasks = (file.tasks ?? {}) as { readonly [id: string]: TaskFile }
  const limits = limitsOf(file, report)
  const operators = await loadOperators(tasks, catalogue, report)
  const fallbacks = await loadFallbacks(tasks, operators, catalogue, report)
  const compiled = compileTasks({
    file,
    tasks,
    params,
    operators,
    fallbacks,
    env,
    pools,
    languages: await languagesFor(parsed.positions.text, tasks, operators),
    report,
  })
  if (report.failed) return null
  lint(compiled, report)
  return assemble(
    file as PipelineFile,
    value,
    { schedule, ...limits },
    compiled.map(({ task }) => task),
  )
}

/** The type of each parameter; those whose schema is wrong are known by name only, so that their uses are no errors too. */
async function paramsOf(
  value: Mapping,
  file: Partial<PipelineFile>,
  report: Report,
): Promise<{ readonly [name: string]: Type }> {
  const names = isMapping(value.params) ? Object.keys(value.params) : []
  const good = await checkParams((file.params ?? {}) as { [name: string]: JsonSchema }, report)
  return Object.fromEntries(names.map((name) => [name, good[name] ?? null]))
}

/** The file without what is wrong in it, so that everything else can still be checked. */
function readable(value: Mapping, usable: Usable): Mapping {
  if (usable.whole) return value
  const file: { [key: string]: unknown } = {}
  for (const [key, part] of Object.entries(value)) {
    if (!usable.has(key)) continue
    if (key === 'tasks') file[key] = isMapping(part) ? readableTasks(part, usable) : {}
    else
      file[key] = isMapping(part)
        ? Object.fromEntries(Object.entries(part).filter(([inner]) => usable.has(key, inner)))
        : part
  }
  return file
}

function readableTasks(tasks: Mapping, usable: Usable): Mapping {
  const entries = Object.entries(tasks).map(([id, task]) => {
    const kept = isMapping(task) ? Object.entries(task).filter(([key]) => usable.has('tasks', id, key)) : []
    return [id, Object.fromEntries(kept)]
  })
  return Object.fromEntries(entries)
}

async function scheduleOf(file: ScheduleFile, report: Report): Promise<Schedule | null> {
  return (await import('./schedule.ts')).compileSchedule(file, report)
}

/** Loads Handlebars' parser only where a `{{` stands, cel-js only where a `when` or `gate` does, ajv only where it must. */
async function languagesFor(
  text: string,
  tasks: { readonly [id: string]: TaskFile },
  operators: Operators,
): Promise<Languages> {
  const all = Object.values(tasks)
  const expressions = all.some(({ when, gate }) => when !== undefined || gate !== undefined)
  const changing = [...operators].some(([id, { recover }]) => recover ?? tasks[id]?.recover)
  const plain =
    !changing && [...operators].every(([id, operator]) => hasPlainInput(tasks[id] as TaskFile, operator))
  return {
    template: changing || text.includes('{{') ? await templateLanguage() : null,
    expression: expressions ? await expressionLanguage() : null,
    schema: plain ? null : (await import('./json-schema.ts')).validatorOf,
  }
}

async function templateLanguage(): Promise<Languages['template']> {
  const [{ parseTemplate, unsafeExpressions, TemplateError }, { typeOfTemplate }] = await Promise.all([
    import('./template.ts'),
    import('./template-types.ts'),
  ])
  return {
    parse: parseTemplate,
    unsafe: unsafeExpressions,
    type: typeOfTemplate,
    isError: (error) => error instanceof TemplateError,
  }
}

async function expressionLanguage(): Promise<Languages['expression']> {
  const { parseExpression, checkTypes, ExpressionError } = await import('./expression.ts')
  return { parse: parseExpression, check: checkTypes, isError: (error) => error instanceof ExpressionError }
}

function compileTasks(parts: {
  readonly file: Partial<PipelineFile>
  readonly tasks: { readonly [id: string]: TaskFile }
  readonly params: { readonly [name: string]: Type }
  readonly operators: Operators
  readonly fallbacks: ReadonlyMap<string, OperatorInfo>
  readonly env: readonly string[] | null
  readonly pools: readonly string[] | null
  readonly languages: Languages
  readonly report: Report
}): readonly LintTask[] {
  const { tasks, report, operators } = parts
  const ids = Object.keys(tasks)
  const indices = new Map(ids.map((id, index) => [id, index]))
  const context: Context = {
    ...parts,
    defaults: parts.file.defaults ?? {},
    isMapped: (id) => tasks[id]?.foreach !== undefined,
    indices,
    guessable: guessable(indices),
  }
  const compiled = ids.map((id) => compileTask(id, tasks[id] as TaskFile, context))
  reportCycles(
    ids,
    compiled.map(({ needs }) => needs),
    tasks,
    report,
  )
  return compiled.flatMap(({ task }, index) => {
    const operator = operators.get(ids[index] as string)
    return task && operator ? [{ task, operator, checkpoint: tasks[task.id]?.checkpoint !== undefined }] : []
  })
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
  tasks: { readonly [id: string]: TaskFile },
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

function assemble(
  file: PipelineFile,
  value: Mapping,
  times: Pick<Pipeline, 'schedule' | 'deadline' | 'budget'>,
  tasks: readonly Task[],
): Pipeline {
  const tags = Object.entries(file.tags ?? {}).map(([name, tag]) => [name, String(tag)])
  return {
    name: file.pipeline,
    version: versionOf(value),
    description: file.description ?? null,
    owner: file.owner ?? null,
    tags: Object.fromEntries(tags),
    ...times,
    params: (file.params ?? {}) as { readonly [name: string]: JsonSchema },
    concurrency: { runs: file.concurrency?.runs ?? null, tasks: file.concurrency?.tasks ?? null },
    tasks,
  }
}
