/** What a task takes and what it changes: pool, slots, priority, effects, produces. Knows no operator's input. */
import type { Effects, OperatorInfo, Task } from '../engine/pipeline.ts'
import { overfills, type Resources } from '../engine/resources.ts'
import type { Task as TaskFile } from '../schemas/pipeline.generated.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import type { TaskReferences } from './task-references.ts'
import { fits, type Type, typeInWords } from './types.ts'
import { didYouMean, quote } from './words.ts'

const order: readonly Effects[] = ['none', 'data', 'deploy']

/** The most that any of these does. */
export function greatest(...effects: readonly Effects[]): Effects {
  return order[Math.max(0, ...effects.map((each) => order.indexOf(each)))] ?? 'none'
}

/** What the task does outside: what its operator and its fallbacks do, or more where the file says so. */
export function effectsOf(
  file: TaskFile,
  operator: OperatorInfo,
  fallbacks: ReadonlyMap<string, OperatorInfo>,
): Effects {
  if (!file.recover && file.effects === undefined) return operator.effects
  const others = Object.values(file.recover ?? {}).map(({ fallback }) => fallbacks.get(fallback?.uses ?? ''))
  const all = [operator, ...others].map((each) => each?.effects ?? 'none')
  return greatest(...all, file.effects ?? 'none')
}

/** Reports `effects` below the operator's: what it does cannot be talked away. */
export function checkEffects(file: TaskFile, operator: OperatorInfo, path: Path, report: Report): void {
  if (file.effects === undefined || greatest(operator.effects, file.effects) === file.effects) return
  report.atValue([...path, 'effects'], {
    code: 'E113',
    message: `${quote(operator.name)} has the effects ${quote(operator.effects)}: a task can have more, not fewer`,
    hint: 'remove `effects`',
  })
}

/** Reports slots of nothing, more slots than there are, and (a warning) pools that nobody declared. `pools`: null where nobody said. */
export function checkPool(
  file: TaskFile,
  path: Path,
  pools: Resources['pools'] | null,
  report: Report,
): void {
  const { pool, slots } = file
  if (slots !== undefined && pool === undefined)
    report.atKey([...path, 'slots'], {
      code: 'E112',
      message: '`slots` needs `pool`',
      hint: 'name the pool whose slots they are',
    })
  if (pool === undefined || pools === null) return
  const never = slots === undefined ? null : overfills(pool, slots, { pools })
  if (never !== null)
    report.atValue([...path, 'slots'], {
      code: 'E113',
      message: `the task can never start: ${never}`,
      hint: 'change dagctl.yaml or the task',
    })
  if (Object.hasOwn(pools, pool)) return
  report.atValue([...path, 'pool'], {
    code: 'W107',
    severity: 'warning',
    message: `the pool ${quote(pool)} is not declared in dagctl.yaml: it has no limit`,
    hint: didYouMean(pool, Object.keys(pools)),
  })
}

const text: Type = { type: 'string' }

/** Checks the URIs of datasets that a success updates. */
export function checkProduces(file: TaskFile, path: Path, references: TaskReferences, report: Report): void {
  if (!file.produces) return
  for (const [pointer, { whole, typed }] of references.templates(file.produces, path, 'produces')) {
    if (!whole || fits(typed.type, text, { from: typed.root, to: text })) continue
    report.atValue([...path, Number(pointer.slice(1))], {
      code: 'E129',
      message: `a dataset must be a string, not ${typeInWords(typed.type, typed.root)}`,
    })
  }
}

/** The task's fields of all this; what the file does not say is absent. */
export function placementOf(
  file: TaskFile,
): Pick<Task, 'pool' | 'slots' | 'priority' | 'preemptible' | 'produces'> {
  return {
    ...(file.pool !== undefined && { pool: file.pool }),
    ...(file.slots !== undefined && { slots: file.slots }),
    ...(file.priority !== undefined && { priority: file.priority }),
    ...(file.preemptible !== undefined && { preemptible: file.preemptible }),
    ...(file.produces !== undefined && { produces: file.produces }),
  }
}
