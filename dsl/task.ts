/** One task of the file to one task of the graph. Knows nothing of the other tasks but their ids and outputs. */
import { parseDuration } from '../engine/duration.ts'
import type { Json } from '../engine/json.ts'
import type { OperatorInfo, Task, TriggerRule } from '../engine/pipeline.ts'
import type { Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { asGroup } from './group.ts'
import { foreachOf } from './mapping.ts'
import { effectsOf, placementOf } from './placement.ts'
import { retryOf, timeoutOf } from './retry.ts'
import { type Checked, checkTask } from './task-checks.ts'
import { type Context, inputOf, runtimeOf } from './task-context.ts'
import { endpointPointersOf, shellPointersOf } from './task-input.ts'
import type { Read } from './task-references.ts'
import { didYouMean, quote } from './words.ts'

/** The task, null if its operator is unknown, and its needs, which are known all the same. */
export interface CompiledTask {
  readonly task: Task | null
  readonly needs: readonly number[]
  readonly reads: readonly Read[]
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
