/** One task of the file to one task of the graph. Knows nothing of the other tasks but their ids and outputs. */

import { parseDuration } from '../engine/duration.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import type { OperatorInfo, RuntimeName, Task, TriggerRule } from '../engine/pipeline.ts'
import type { PipelineFile, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import type { Validator } from './json-schema.ts'
import type { Operators } from './operators.ts'
import type { Path } from './positions.ts'
import { certainlyMatches } from './quick-check.ts'
import type { Visible } from './references.ts'
import type { Report } from './report.ts'
import { retryOf, timeoutOf } from './retry.ts'
import { checkInput, shellPointers } from './task-input.ts'
import { type Languages, TaskReferences } from './task-references.ts'
import type { Type } from './types.ts'
import { didYouMean, either, quote } from './words.ts'

/** What a task is compiled in. */
export interface Context {
  readonly params: { readonly [name: string]: Type }
  readonly defaults: NonNullable<PipelineFile['defaults']>
  readonly operators: Operators
  readonly languages: Languages
  /** Where each task stands in the file. */
  readonly indices: ReadonlyMap<string, number>
  /** The ids of the tasks, for `did you mean`. */
  readonly guessable: Iterable<string>
  readonly report: Report
}

/** The task, null if its operator is unknown, and its needs, which are known all the same. */
export interface CompiledTask {
  readonly task: Task | null
  readonly needs: readonly number[]
}

/** Compiles one task; reports what is wrong with it. */
export function compileTask(id: string, file: TaskFile, context: Context): CompiledTask {
  const operator = context.operators.get(id)
  const references = checkTask(id, file, operator, context)
  const needs = needsOf(id, file, references.mentioned, context)
  if (!operator) return { task: null, needs }
  return { task: assemble(id, file, operator, { needs, integers: [...references.integers] }, context), needs }
}

function checkTask(
  id: string,
  file: TaskFile,
  operator: OperatorInfo | undefined,
  context: Context,
): TaskReferences {
  const { report, languages } = context
  const path: Path = ['tasks', id]
  const references = new TaskReferences(visibleTo(id, file, context), report, languages)
  const [inputPath, input] =
    file.run === undefined ? [[...path, 'with'], file.with ?? {}] : [[...path, 'run'], file.run]
  const shell = operator ? shellPointersOf(operator) : []
  const templates = references.templates(input, inputPath, 'with', file.run === undefined ? shell : [''])
  if (file.env) references.templates(file.env, [...path, 'env'], 'env')
  if (file.cache?.files) references.templates(file.cache.files, [...path, 'cache', 'files'], 'cache.files')
  if (file.when !== undefined) references.expression(file.when, [...path, 'when'], 'when')
  file.gate?.forEach((expression, index) => {
    references.expression(expression, [...path, 'gate', index], 'gate')
  })
  if (file.run !== undefined && file.with !== undefined)
    report.atKey([...path, 'with'], {
      code: 'E110',
      message: '`with` cannot stand beside `run`',
      hint: 'write `uses: Shell`',
    })
  if (operator) checkOperator(file, operator, path, report)
  if (operator) {
    const commandOnly = file.run !== undefined
    const under = commandOnly
      ? new Map([...templates].map(([pointer, templated]) => [`/command${pointer}`, templated]))
      : templates
    checkInput(
      { value: inputOf(file), path: inputPath, operator, templates: under },
      hasPlainInput(file, operator) ? matchesAlways : (languages.schema?.(operator.input) ?? matchesAlways),
      report,
    )
  }
  return references
}

/** Whether it is certain, without a JSON Schema library, that the task's input is what the operator takes. */
export function hasPlainInput(file: TaskFile, operator: OperatorInfo): boolean {
  return certainlyMatches(operator.input, inputOf(file))
}

const matchesAlways: Validator = () => []

function visibleTo(
  self: string,
  file: TaskFile,
  { params, indices, guessable, operators }: Context,
): Visible {
  return {
    self,
    params,
    taskIds: { has: (id) => indices.has(id), [Symbol.iterator]: () => guessable[Symbol.iterator]() },
    outputsOf: (id) => operators.get(id)?.output ?? null,
    nullable: (file.trigger ?? 'all_success') !== 'all_success',
  }
}

/** The operator's input: `run` is Shell's `command`. */
function inputOf(file: TaskFile): JsonObject {
  return file.run === undefined ? ((file.with ?? {}) as JsonObject) : { command: file.run }
}

function checkOperator(file: TaskFile, operator: OperatorInfo, path: Path, report: Report): void {
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
    : operator.effects === 'deploy'
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
  { indices, guessable, report }: Context,
): readonly number[] {
  const needs = new Set<number>()
  file.needs?.forEach((need, place) => {
    const index = indices.get(need)
    if (index === undefined)
      report.atValue(['tasks', id, 'needs', place], {
        code: 'E121',
        message: `unknown task ${quote(need)}`,
        hint: didYouMean(need, guessable),
      })
    else needs.add(index)
  })
  for (const need of mentioned) {
    const index = indices.get(need)
    if (index !== undefined) needs.add(index)
  }
  return [...needs].sort((a, b) => a - b)
}

const shellOf = new WeakMap<OperatorInfo, readonly string[]>()

function shellPointersOf(operator: OperatorInfo): readonly string[] {
  const known = shellOf.get(operator)
  if (known) return known
  const pointers = shellPointers(operator.input)
  shellOf.set(operator, pointers)
  return pointers
}

function assemble(
  id: string,
  file: TaskFile,
  operator: OperatorInfo,
  { needs, integers }: { needs: readonly number[]; integers: readonly string[] },
  { defaults }: Context,
): Task {
  return {
    id,
    description: file.description ?? null,
    uses: operator.name,
    version: operator.version,
    with: inputOf(file),
    shell: shellPointersOf(operator),
    env: envOf(file.env),
    needs,
    trigger: (file.trigger ?? 'all_success') as TriggerRule,
    when: file.when ?? null,
    gate: file.gate ?? [],
    ...(integers.length > 0 ? { integers } : {}),
    retry: retryOf(file.retry, defaults.retry, operator),
    timeout: timeoutOf(file.timeout, defaults.timeout, operator),
    runtime: (file.runtime ?? operator.runtimes[0] ?? 'process') as RuntimeName,
    cache: file.cache
      ? {
          ttl: file.cache.ttl === undefined ? null : parseDuration(file.cache.ttl),
          files: file.cache.files ?? [],
        }
      : null,
    effects: operator.effects,
  }
}

const noEnv = {}

function envOf(env: { readonly [name: string]: Json | undefined } | undefined): {
  readonly [name: string]: string
} {
  return env ? Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])) : noEnv
}
