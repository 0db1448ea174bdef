/** A group: a task with `use`, and what it takes and gives by the file that it uses. Knows nothing of the tasks in it. */
import type { JsonObject, JsonSchema } from '../engine/json.ts'
import type { OperatorInfo, Task } from '../engine/pipeline.ts'
import type { PipelineFile, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { closed, typeOfWritten } from './item-types.ts'
import type { Report } from './report.ts'
import type { TaskReferences } from './task-references.ts'
import type { Type } from './types.ts'
import { quote } from './words.ts'

/** What a task with `use` may have besides. */
const keysOfTask: ReadonlySet<string> = new Set([
  'use',
  'with',
  'needs',
  'when',
  'trigger',
  'foreach',
  'key',
  'maxParallel',
  'description',
])

/** Reports the keys that do not go with `use`. */
export function checkGroupKeys(id: string, task: TaskFile, report: Report): void {
  for (const key of Object.keys(task))
    if (!keysOfTask.has(key))
      report.atKey(['tasks', id, key], {
        code: 'E183',
        message: `${quote(key)} does not go with \`use\``,
        hint: 'say it in the file that is used',
      })
}

/** What only a pipeline of its own has, and what to do instead. */
const keysOfPipeline = {
  params: 'write `inputs`',
  schedule: 'the pipeline that uses it is scheduled',
  concurrency: 'say it in the pipeline that uses it',
  deadline: 'say it in the pipeline that uses it',
  budget: 'say it in the pipeline that uses it',
} as const

/** Reports what a file that others use cannot have. */
export function checkUsedFile(value: { readonly [key: string]: unknown }, report: Report): void {
  for (const [key, hint] of Object.entries(keysOfPipeline))
    if (Object.hasOwn(value, key))
      report.atKey([key], {
        code: 'E183',
        message: `a file that others use has no ${quote(key)}`,
        hint,
      })
}

/** Reports defaults of inputs that would be read as templates where the file is used. */
export function checkInputDefaults(inputs: { readonly [name: string]: JsonSchema }, report: Report): void {
  for (const [name, { default: value }] of Object.entries(inputs))
    if (value !== undefined && JSON.stringify(value).includes('{{'))
      report.atValue(['inputs', name, 'default'], {
        code: 'E130',
        message: `the default of the input ${quote(name)} cannot hold a template`,
        hint: 'give it by `with` where the file is used',
      })
}

/** The type of each output. Reports what is wrong with its templates. */
export function typesOfOutputs(
  outputs: NonNullable<PipelineFile['outputs']>,
  references: TaskReferences,
): readonly (readonly [string, Type])[] {
  return Object.entries(outputs as JsonObject).map(([name, value]) => {
    const templates = references.templates(value, ['outputs', name], 'outputs')
    return [name, typeOfWritten(value, templates)]
  })
}

/** What a file takes and gives, as if it were an operator. Inputs whose schema is wrong may be anything. */
export function signatureOf(
  name: string,
  inputs: { readonly [name: string]: Type },
  outputs: readonly (readonly [string, Type])[],
): OperatorInfo {
  const entries = Object.entries(inputs)
  const required = entries
    .filter(([, schema]) => schema && schema.default === undefined)
    .map(([input]) => input)
  return {
    name,
    version: 0,
    stage: 'control',
    summary: '',
    input: { ...closed(entries), ...(required.length > 0 ? { required } : {}) },
    output: closed(outputs),
    runtimes: ['inline'],
    effects: 'none',
    sensor: false,
    timeout: null,
    example: '',
  }
}

const never: Task['retry'] = {
  attempts: 1,
  delay: 0,
  factor: 1,
  maxDelay: 0,
  jitter: 'none',
  on: [],
  onSleep: false,
}

/** The task as a group. Its `effects` are none: those of the tasks in it are theirs. */
export function asGroup(task: Task, used: Partial<PipelineFile>): Task {
  const defaults = Object.entries((used.inputs ?? {}) as { readonly [name: string]: JsonSchema }).flatMap(
    ([name, schema]) => (schema.default === undefined ? [] : [[name, schema.default]]),
  )
  return {
    ...task,
    uses: '',
    version: 0,
    isGroup: true,
    outputs: (used.outputs ?? {}) as JsonObject,
    with: { ...Object.fromEntries(defaults), ...task.with },
    retry: never,
    timeout: null,
    runtime: 'inline',
    effects: 'none',
  }
}
