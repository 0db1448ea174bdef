/** The operators that the tasks of a file use, loaded by name. Knows nothing of what else a task has. */
import type { OperatorInfo } from '../engine/pipeline.ts'
import type { Recovery, Task as TaskFile } from '../schemas/pipeline.generated.ts'
import type { Path } from './positions.ts'
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
    const [name = ''] = uses.split('@')
    if (!loaded.has(name)) loaded.set(name, await catalogue.find(name))
    const operator = named(uses, loaded.get(name), ['tasks', id, 'uses'], { catalogue, report })
    if (operator) operators.set(id, operator)
  }
  return operators
}

/** The operators that the fallbacks of `recover` name, by `uses`: those of the file, and those of operators' defaults. */
export async function loadFallbacks(
  tasks: { readonly [id: string]: TaskFile },
  operators: Operators,
  catalogue: Catalogue,
  report: Report,
): Promise<ReadonlyMap<string, OperatorInfo>> {
  const found = new Map<string, OperatorInfo>()
  const load = async (uses: string, path: Path, to: Report) => {
    const operator = named(uses, await catalogue.find(uses.split('@')[0] ?? ''), path, {
      catalogue,
      report: to,
    })
    if (operator) found.set(uses, operator)
  }
  for (const id in tasks) {
    const { recover } = tasks[id] as TaskFile
    for (const kind in recover) {
      const { fallback } = recover[kind] as Recovery
      if (fallback) await load(fallback.uses, ['tasks', id, 'recover', kind, 'fallback', 'uses'], report)
    }
  }
  for (const { recover } of new Set(operators.values()))
    for (const { fallback } of Object.values(recover ?? {}) as readonly Recovery[])
      if (fallback && !found.has(fallback.uses)) await load(fallback.uses, [], report.apart())
  return found
}

/** The operator, if it is there and has the version that `uses` names; reports what is wrong. */
function named(
  uses: string,
  operator: OperatorInfo | undefined,
  path: Path,
  { catalogue, report }: { readonly catalogue: Catalogue; readonly report: Report },
): OperatorInfo | undefined {
  const [name = '', version] = uses.split('@')
  if (!operator)
    report.atValue(path, {
      code: 'E125',
      message: `unknown operator ${quote(name)}`,
      hint: didYouMean(name, catalogue.names(), 'see `dagctl operators`'),
    })
  else if (version !== undefined && Number(version) !== operator.version)
    report.atValue(path, {
      code: 'E126',
      message: `the operator ${quote(name)} has no version ${version}`,
      hint: `it has version ${operator.version}`,
    })
  else return operator
  return undefined
}

/** The operator's name as the task says it: `run` is short for `Shell`. */
export function usesOf(task: TaskFile): string | undefined {
  return task.run === undefined ? task.uses : 'Shell'
}
