/** What a task of a file is compiled in: the file around it, what it sees of that, and what it gives its operator. */
import type { JsonObject } from '../engine/json.ts'
import type { OperatorInfo, RuntimeName } from '../engine/pipeline.ts'
import type { Resources } from '../engine/resources.ts'
import type { PipelineFile, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import type { LocalTask } from './inline.ts'
import type { Operators } from './operators.ts'
import { certainlyMatches } from './quick-check.ts'
import type { Report } from './report.ts'
import type { Languages } from './task-references.ts'
import type { Type } from './types.ts'
import type { Allowed, Visible } from './visible.ts'

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
  readonly env: Allowed
  readonly pools: Resources['pools'] | null
  /** Where each task stands in the file. */
  readonly indices: ReadonlyMap<string, number>
  /** The ids of the tasks, for `did you mean`. */
  readonly guessable: Iterable<string>
  readonly report: Report
}

/** A file that a task uses, as far as the task sees it. */
export type UsedFile = NonNullable<LocalTask['uses']> & { readonly file: Partial<PipelineFile> }

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
export function inputOf(file: Pick<TaskFile, 'run' | 'with'>): JsonObject {
  return file.run === undefined ? ((file.with ?? {}) as JsonObject) : { command: file.run }
}

/** How the task's attempts run: as it says, else as its operator does first of all. */
export function runtimeOf(file: TaskFile, operator: OperatorInfo): RuntimeName {
  return (file.runtime ?? operator.runtimes[0] ?? 'process') as RuntimeName
}

/** Whether it is certain, without a JSON Schema library, that the task's input is what the operator takes. */
export function hasPlainInput(file: TaskFile, operator: OperatorInfo): boolean {
  return certainlyMatches(operator.input, inputOf(file))
}
