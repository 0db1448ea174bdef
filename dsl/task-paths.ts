/** What paths below `tasks`, `outputs` and `baseline` mean: of tasks, of their instances, of their outputs. */
import { taskStates } from '../engine/state.ts'
import { type Fault, follow, type Reference } from './follow.ts'
import { ofInstances } from './item-types.ts'
import { step, type Type } from './types.ts'
import { insideGroup, passTask } from './used-scope.ts'
import type { Visible } from './visible.ts'
import { didYouMean, either, quote } from './words.ts'

const stateType: Type = { type: 'string', enum: taskStates }

/** What `tasks.ID.…` means: its outputs, those of its instances, or its state. */
export function resolveTask([id, what, ...rest]: readonly string[], visible: Visible): Reference | Fault {
  if (id === undefined)
    return { code: 'E122', message: '`tasks` alone has no value', hint: 'write `tasks.NAME.outputs.OUTPUT`' }
  if (!visible.taskIds.has(id))
    return {
      code: 'E121',
      message: `unknown task ${quote(id)}`,
      hint: didYouMean(id, visible.taskIds, visible.inputs && passTask),
    }
  if (what === undefined)
    return {
      code: 'E122',
      message: `${quote(`tasks.${id}`)} alone has no value`,
      hint: `write \`tasks.${id}.outputs.OUTPUT\``,
    }
  if (what === 'state') return follow(stateType, rest, ['tasks', id, 'state'], { task: id, nullable: null })
  if (visible.hasInside(id, what)) return insideGroup(id, what)
  const mapped = visible.isMapped(id)
  const views = mapped ? ['outputs', 'byKey', 'state'] : ['outputs', 'state']
  if (!views.includes(what))
    return what === 'byKey'
      ? {
          code: 'E122',
          message: `${quote(`tasks.${id}`)} has no \`byKey\`: it has no \`foreach\``,
          hint: `write \`tasks.${id}.outputs\``,
        }
      : {
          code: 'E122',
          message: `a task has no ${quote(what)}`,
          hint: didYouMean(what, views, `it has ${either(views.map(quote), 'and')}`),
        }
  const nullable = visible.nullable || visible.maySkip?.has(id) ? `tasks.${id}` : null
  const base = ['tasks', id, what]
  if (!mapped) return resolveOutputs(id, rest, { base, task: id, nullable }, visible)
  return resolveInstances(id, rest, { base, nullable }, visible)
}

/** The outputs of a mapped task. Any one of its instances may not have succeeded, or not be there at all. */
function resolveInstances(
  id: string,
  rest: readonly string[],
  { base, nullable }: { readonly base: readonly string[]; readonly nullable: string | null },
  visible: Visible,
): Reference | Fault {
  const [which, name] = rest
  const byKey = base.at(-1) === 'byKey'
  const all = ofInstances(visible.outputsOf(id))[byKey ? 'byKey' : 'outputs']
  if (which !== undefined && !byKey && !/^\d+$/.test(which))
    return {
      code: 'E122',
      message: `${quote(base.join('.'))} has no ${quote(which)}: it is a list, with an item for each instance`,
      hint: `write \`tasks.${id}.byKey.KEY.${which}\`, or take the whole list`,
    }
  if (name !== undefined) {
    const first = step(visible.outputsOf(id), name)
    if ('fault' in first && first.fault === 'unknown') return unknownOutput(name, id, first.known)
  }
  const one = which === undefined ? nullable : [...base, which].join('.')
  return follow(all, rest, base, { task: id, nullable: one })
}

/** What a path into the outputs of a task means; `base` is how it begins. */
export function resolveOutputs(
  id: string,
  rest: readonly string[],
  {
    base,
    task,
    nullable,
  }: { readonly base: readonly string[]; readonly task: string | null; readonly nullable: string | null },
  visible: Visible,
): Reference | Fault {
  const outputs = visible.outputsOf(id)
  const [name] = rest
  // An output schema that is open at its top says nothing of other names: they are checked when they are used.
  if (name !== undefined && outputs !== null) {
    const first = step(outputs, name)
    if ('fault' in first && first.fault === 'unknown') return unknownOutput(name, id, first.known)
  }
  return follow(outputs, rest, base, { task, nullable })
}

function unknownOutput(name: string, id: string, known: readonly string[]): Fault {
  const fallback =
    known.length === 0 ? 'it has no outputs' : `it has ${either(known.slice(0, 12).map(quote), 'and')}`
  return {
    code: 'E120',
    message: `unknown output ${quote(name)} of task ${quote(id)}`,
    hint: didYouMean(name, known, fallback),
  }
}
