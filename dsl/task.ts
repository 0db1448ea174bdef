/** One task of the file to one task of the graph. Knows nothing of the other tasks but their ids and outputs. */

import { parseDuration } from '../engine/duration.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import type { OperatorInfo, RuntimeName, Task, TriggerRule } from '../engine/pipeline.ts'
import type { PipelineFile, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { asGroup, checkGroupKeys } from './group.ts'
import type { LocalTask } from './inline.ts'
import type { Validator } from './json-schema.ts'
import { checkKey, checkUnmapped, foreachOf, itemTypeOf } from './mapping.ts'
import type { Operators } from './operators.ts'
import { checkEffects, checkPool, checkProduces, effectsOf, placementOf } from './placement.ts'
import type { Path } from './positions.ts'
import { certainlyMatches } from './quick-check.ts'
import { recoverOf } from './recover.ts'
import { nothing } from './recovery-defaults.ts'
import type { Report } from './report.ts'
import { retryOf, timeoutOf } from './retry.ts'
import { checkInput, endpointPointersOf, shellPointersOf } from './task-input.ts'
import { type Languages, type Read, TaskReferences } from './task-references.ts'
import type { Type } from './types.ts'
import type { Visible } from './visible.ts'
import { didYouMean, either, quote } from './words.ts'

/** What a task is compiled in. */
export interface Context {
  readonly params: { readonly [name: string]: Type }
  /** In a file that others use. */
  readonly inputs: { readonly [name: string]: Type } | null
  /** The files of the tasks with `use`. */
  readonly uses: ReadonlyMap<string, UsedFile>
  readonly defaults: NonNullable<PipelineFile['defaults']>
  readonly operators: Operators
  readonly languages: Languages
  /** The operators that fallbacks name, by `uses`. */
  readonly fallbacks: ReadonlyMap<string, OperatorInfo>
  /** Whether a task has instances. */
  isMapped(id: string): boolean
  /** Variables of the environment that pipelines may read, and declared pools; null where nobody said. */
  readonly env: readonly string[] | null
  readonly pools: readonly string[] | null
  /** Where each task stands in the file. */
  readonly indices: ReadonlyMap<string, number>
  /** The ids of the tasks, for `did you mean`. */
  readonly guessable: Iterable<string>
  readonly report: Report
}

/** A file that a task uses, as far as the task sees it. */
export type UsedFile = NonNullable<LocalTask['uses']> & { readonly file: Partial<PipelineFile> }

/** The task, null if its operator is unknown, and its needs, which are known all the same. */
export interface CompiledTask {
  readonly task: Task | null
  readonly needs: readonly number[]
  readonly reads: readonly Read[]
}

/** What the checks of a task find that its compiled form needs. */
interface Checked {
  readonly references: TaskReferences
  /** The names that `when` mentions. */
  readonly inWhen: ReadonlySet<string>
  readonly recover: Task['recover']
}

/** Compiles one task; reports what is wrong with it. */
export function compileTask(id: string, file: TaskFile, context: Context): CompiledTask {
  const operator = context.operators.get(id)
  const checked = checkTask(id, file, operator, context)
  const needs = needsOf(id, file, checked.references.mentioned, context)
  const { reads } = checked.references
  const used = context.uses.get(id)
  if (!operator || (file.use !== undefined && !used)) return { task: null, needs, reads }
  const task = assemble(id, file, operator, { needs, ...checked }, context)
  return { task: used ? asGroup(task, used.file) : task, needs, reads }
}

function checkTask(
  id: string,
  file: TaskFile,
  operator: OperatorInfo | undefined,
  context: Context,
): Checked {
  const { report, languages } = context
  const path: Path = ['tasks', id]
  const { visible, foreach } = visibleTo(id, file, context)
  const references = new TaskReferences(visible, report, languages, foreach)
  const [inputPath, input] =
    file.run === undefined ? [[...path, 'with'], file.with ?? {}] : [[...path, 'run'], file.run]
  const shell = operator ? shellPointersOf(operator) : []
  const read = references.templates(input, inputPath, 'with', file.run === undefined ? shell : [''])
  const templates =
    file.run === undefined
      ? read
      : new Map([...read].map(([pointer, templated]) => [`/command${pointer}`, templated]))
  const inWhen = checkTexts(file, path, references)
  if (file.foreach !== undefined && file.key !== undefined)
    checkKey(file.key, [...path, 'key'], references, report)
  checkUnmapped(file, path, report)
  checkPool(file, path, context.pools, report)
  checkProduces(file, [...path, 'produces'], references, report)
  if (file.run !== undefined && file.with !== undefined)
    report.atKey([...path, 'with'], {
      code: 'E110',
      message: '`with` cannot stand beside `run`',
      hint: 'write `uses: Shell`',
    })
  if (file.use !== undefined) checkGroupKeys(id, file, report)
  if (!operator) return { references, inWhen, recover: undefined }
  if (file.use === undefined) checkOperator(file, operator, path, context)
  checkInput(
    { value: inputOf(file), path: inputPath, operator, isFile: file.use !== undefined, templates },
    hasPlainInput(file, operator) ? matchesAlways : (languages.schema?.(operator.input) ?? matchesAlways),
    report,
  )
  const recovering = {
    path,
    entries: file.recover ?? nothing,
    operator,
    runtime: runtimeOf(file, operator),
    input: inputOf(file),
    templates,
    fallbacks: context.fallbacks,
    schema: languages.schema,
  }
  const recover = recoverOf(
    recovering,
    { references, report },
    (aside) => new TaskReferences(visible, aside, languages),
  )
  return { references, inWhen, recover }
}

/** Checks the texts besides the input; gives the names that `when` mentions. */
function checkTexts(file: TaskFile, path: Path, references: TaskReferences): ReadonlySet<string> {
  if (file.env) references.templates(file.env, [...path, 'env'], 'env')
  if (file.cache?.files) references.templates(file.cache.files, [...path, 'cache', 'files'], 'cache.files')
  file.gate?.forEach((expression, index) => {
    references.expression(expression, [...path, 'gate', index], 'gate')
  })
  return file.when === undefined ? noNames : references.expression(file.when, [...path, 'when'], 'when')
}

const noNames: ReadonlySet<string> = new Set()

/** Whether it is certain, without a JSON Schema library, that the task's input is what the operator takes. */
export function hasPlainInput(file: TaskFile, operator: OperatorInfo): boolean {
  return certainlyMatches(operator.input, inputOf(file))
}

const matchesAlways: Validator = () => []

/** What the task sees. Reads its `foreach`, whose items the rest of the task may mention. */
function visibleTo(
  self: string,
  file: TaskFile,
  context: Context,
): { visible: Visible; foreach: TaskReferences | null } {
  const { report, languages } = context
  const visible = visibleIn(context, self, file)
  if (file.foreach === undefined) return { visible, foreach: null }
  const references = new TaskReferences(visible, report, languages)
  const type = itemTypeOf(file.foreach, ['tasks', self, 'foreach'], references, report)
  return { visible: { ...visible, item: { type } }, foreach: references }
}

/** What a task of the file sees, but for the items of its `foreach`. */
export function visibleIn(
  { params, inputs, indices, guessable, operators, env, isMapped, uses }: Context,
  self: string,
  file: Pick<TaskFile, 'trigger' | 'run' | 'with'>,
): Visible {
  return {
    self,
    params,
    inputs,
    hasInside: (group, task) => Object.hasOwn(uses.get(group)?.file.tasks ?? {}, task),
    taskIds: { has: (id) => indices.has(id), [Symbol.iterator]: () => guessable[Symbol.iterator]() },
    outputsOf: (id) => operators.get(id)?.output ?? null,
    isMapped,
    with: { schema: operators.get(self)?.input ?? null, given: Object.keys(inputOf(file)) },
    env,
    nullable: (file.trigger ?? 'all_success') !== 'all_success',
  }
}

/** The operator's input: `run` is Shell's `command`. */
function inputOf(file: Pick<TaskFile, 'run' | 'with'>): JsonObject {
  return file.run === undefined ? ((file.with ?? {}) as JsonObject) : { command: file.run }
}

function checkOperator(
  file: TaskFile,
  operator: OperatorInfo,
  path: Path,
  { report, fallbacks }: Context,
): void {
  checkEffects(file, operator, path, report)
  const name = quote(operator.name)
  if (typeof file.runtime === 'string' && !operator.runtimes.includes(file.runtime)) {
    const hint = `it runs in ${either(operator.runtimes.map(quote))}`
    report.atValue([...path, 'runtime'], {
      code: 'E127',
      message: `${name} does not run in ${quote(file.runtime)}`,
      hint,
    })
  }
  if (!file.cache) return
  const refused = operator.sensor
    ? 'a sensor looks at the world, which a cache cannot know'
    : effectsOf(file, operator, fallbacks) === 'deploy'
      ? 'a deployment must happen'
      : null
  if (refused)
    report.atKey([...path, 'cache'], {
      code: 'E142',
      message: `${name} cannot be cached: ${refused}`,
      hint: 'remove `cache`',
    })
  else if (operator.name === 'Shell' && file.cache.files === undefined)
    report.atKey([...path, 'cache'], {
      code: 'E142',
      message: 'the cache of a command needs `files`',
      hint: 'list the files that the command reads, or `files: []`',
    })
}

function needsOf(
  id: string,
  file: TaskFile,
  mentioned: ReadonlySet<string>,
  { indices, guessable, report, uses }: Context,
): readonly number[] {
  const needs = new Set<number>()
  file.needs?.forEach((need, place) => {
    const index = indices.get(need)
    if (index === undefined)
      report.atValue(['tasks', id, 'needs', place], {
        code: 'E121',
        message: `unknown task ${quote(need)}`,
        hint: insideHint(need, uses) ?? didYouMean(need, guessable),
      })
    else needs.add(index)
  })
  for (const need of mentioned) {
    const index = indices.get(need)
    if (index !== undefined) needs.add(index)
  }
  return [...needs].sort((a, b) => a - b)
}

function runtimeOf(file: TaskFile, operator: OperatorInfo): RuntimeName {
  return (file.runtime ?? operator.runtimes[0] ?? 'process') as RuntimeName
}

function insideHint(need: string, uses: Context['uses']): string | null {
  const [group = '', ...inside] = need.split('.')
  return inside.length > 0 && uses.has(group) ? `need the group: ${quote(group)}` : null
}

function assemble(
  id: string,
  file: TaskFile,
  operator: OperatorInfo,
  { needs, references, inWhen, recover }: Checked & { readonly needs: readonly number[] },
  { defaults, fallbacks }: Context,
): Task {
  const effects = effectsOf(file, operator, fallbacks)
  const foreach = foreachOf(file, inWhen)
  const integers = [...references.integers]
  const endpoints = endpointPointersOf(operator)
  return {
    id,
    description: file.description ?? null,
    ...(foreach && { foreach }),
    ...(recover && { recover }),
    ...placementOf(file),
    ...(endpoints.length > 0 && { endpoints }),
    uses: operator.name,
    version: operator.version,
    with: inputOf(file),
    shell: shellPointersOf(operator),
    env: envOf(file.env),
    needs,
    trigger: (file.trigger ?? 'all_success') as TriggerRule,
    when: file.when ?? null,
    gate: file.gate ?? [],
    ...(integers.length > 0 && { integers }),
    retry: retryOf(file.retry, defaults.retry, effects),
    timeout: timeoutOf(file.timeout, defaults.timeout, { effects, timeout: operator.timeout }),
    runtime: runtimeOf(file, operator),
    cache: file.cache
      ? {
          ttl: file.cache.ttl === undefined ? null : parseDuration(file.cache.ttl),
          files: file.cache.files ?? [],
        }
      : null,
    effects,
  }
}

const noEnv = {}

function envOf(env: { readonly [name: string]: Json | undefined } | undefined): {
  readonly [name: string]: string
} {
  return env ? Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])) : noEnv
}
