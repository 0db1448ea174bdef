/** The operators that the tasks of a file use, loaded by name. Knows nothing of what else a task has. */
import type { OperatorInfo } from '../engine/pipeline.ts'
import type { Task as TaskFile } from '../schemas/pipeline.generated.ts'
import type { Report } from './report.ts'
import { didYouMean, quote } from './words.ts'

/** The operators that there are. Only those that a file mentions are asked for. */
export interface Catalogue {
  names(): readonly string[]
  find(name: string): Promise<OperatorInfo | undefined>
}

/** The operator of each task, by the task's id; tasks whose operator is missing or wrong are absent. */
export type Operators = ReadonlyMap<string, OperatorInfo>

/** Loads each operator once; reports those that do not exist, or not in that version. */
export async function loadOperators(
  tasks: { readonly [id: string]: TaskFile },
  catalogue: Catalogue,
  report: Report,
): Promise<Operators> {
  const loaded = new Map<string, OperatorInfo | undefined>()
  const operators = new Map<string, OperatorInfo>()
  for (const id in tasks) {
    const uses = usesOf(tasks[id] as TaskFile)
    if (uses === undefined) continue
    const [name = '', version] = uses.split('@')
    if (!loaded.has(name)) loaded.set(name, await catalogue.find(name))
    const operator = loaded.get(name)
    if (!operator)
      report.atValue(['tasks', id, 'uses'], {
        code: 'E125',
        message: `unknown operator ${quote(name)}`,
        hint: didYouMean(name, catalogue.names(), 'see `dagctl operators`'),
      })
    else if (version !== undefined && Number(version) !== operator.version)
      report.atValue(['tasks', id, 'uses'], {
        code: 'E126',
        message: `the operator ${quote(name)} has no version ${version}`,
        hint: `it has version ${operator.version}`,
      })
    else operators.set(id, operator)
  }
  return operators
}

/** The operator's name as the task says it: `run` is short for `Shell`. */
export function usesOf(task: TaskFile): string | undefined {
  return task.run === undefined ? task.uses : 'Shell'
}
