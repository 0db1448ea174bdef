/** What the paths of templates and expressions mean: which task, which type, and whether it may be null. Reads no text. */
import { taskStates } from '../engine/state.ts'
import type { Code } from './codes.ts'
import { dereference, step, type Type, typeNames } from './types.ts'
import { notYet } from './unsupported.ts'
import { didYouMean, either, quote } from './words.ts'

/** Where a path stands; not every name can be seen from everywhere. */
export type Place = 'with' | 'env' | 'when' | 'gate' | 'cache.files'

/** What is visible to the templates and expressions of one task. */
export interface Visible {
  readonly params: { readonly [name: string]: Type }
  /** The ids of all tasks. */
  readonly taskIds: { has(id: string): boolean; [Symbol.iterator](): Iterator<string> }
  /** The outputs of a task; null where its operator is unknown. */
  outputsOf(task: string): Type
  /** The task that looks. */
  readonly self: string
  /** Whether the task can start although a need has not succeeded. */
  readonly nullable: boolean
}

/** A path that means something. */
export interface Reference {
  readonly type: Type
  /** The schema that `type`'s own references count in. */
  readonly root: Type
  /** The task that it mentions. */
  readonly task: string | null
  /** What may be null as a whole (`tasks.x`, `baseline`), so that a use must be guarded; null where nothing is. */
  readonly nullable: string | null
}

/** A path that means nothing. */
export interface Fault {
  readonly code: Code
  readonly message: string
  readonly hint: string | null
}

const string: Type = { type: 'string' }
const instant: Type = { type: 'string', format: 'date-time' }
const runType: Type = {
  type: 'object',
  additionalProperties: false,
  properties: {
    id: string,
    pipeline: string,
    logicalTime: instant,
    trigger: string,
    interval: { type: 'object', additionalProperties: false, properties: { start: instant, end: instant } },
  },
}
const stateType: Type = { type: 'string', enum: taskStates }

/** The names that a place sees, for hints. */
function rootsAt(place: Place): readonly string[] {
  const gate = place === 'gate' ? ['outputs', 'baseline'] : []
  return ['params', 'run', 'tasks', ...gate]
}

/** What a path means where it stands. */
export function resolvePath(parts: readonly string[], place: Place, visible: Visible): Reference | Fault {
  const [root = '', ...rest] = parts
  if (!rootsAt(place).includes(root)) return unknownRoot(root, place)
  const plain = { task: null, nullable: null }
  switch (root) {
    case 'params':
      return resolveParam(rest, visible)
    case 'run':
      return follow(runType, rest, ['run'], plain)
    case 'outputs':
      return resolveOutputs(visible.self, rest, { base: ['outputs'], ...plain }, visible)
    case 'baseline':
      return resolveOutputs(
        visible.self,
        rest,
        { base: ['baseline'], task: null, nullable: 'baseline' },
        visible,
      )
    default:
      return resolveTask(rest, visible)
  }
}

function unknownRoot(root: string, place: Place): Fault {
  const later = notYet.names[root]
  if (later !== undefined) return { code: 'E115', message: `${quote(root)} is not supported yet`, hint: null }
  if (root === 'outputs' || root === 'baseline')
    return {
      code: 'E122',
      message: `${quote(root)} can only be used in \`gate\``,
      hint: root === 'outputs' ? 'write `tasks.NAME.outputs`' : null,
    }
  const roots = rootsAt(place)
  return {
    code: 'E122',
    message: `unknown name ${quote(root)}`,
    hint: didYouMean(root, roots, `there are ${either(roots.map(quote), 'and')}`),
  }
}

function resolveParam([name, ...rest]: readonly string[], visible: Visible): Reference | Fault {
  if (name === undefined) return { type: null, root: null, task: null, nullable: null }
  if (!Object.hasOwn(visible.params, name)) {
    const names = Object.keys(visible.params)
    const fallback =
      names.length === 0 ? 'the pipeline has no `params`' : `there are ${either(names.map(quote), 'and')}`
    return {
      code: 'E122',
      message: `unknown parameter ${quote(name)}`,
      hint: didYouMean(name, names, fallback),
    }
  }
  return follow(visible.params[name] ?? null, rest, ['params', name], { task: null, nullable: null })
}

function resolveTask([id, what, ...rest]: readonly string[], visible: Visible): Reference | Fault {
  if (id === undefined)
    return { code: 'E122', message: '`tasks` alone has no value', hint: 'write `tasks.NAME.outputs.OUTPUT`' }
  if (!visible.taskIds.has(id))
    return { code: 'E121', message: `unknown task ${quote(id)}`, hint: didYouMean(id, visible.taskIds) }
  if (what === undefined)
    return {
      code: 'E122',
      message: `${quote(`tasks.${id}`)} alone has no value`,
      hint: `write \`tasks.${id}.outputs.OUTPUT\``,
    }
  if (what === 'state') return follow(stateType, rest, ['tasks', id, 'state'], { task: id, nullable: null })
  if (Object.hasOwn(notYet.ofTask, what))
    return { code: 'E115', message: `${quote(`tasks.${id}.${what}`)} is not supported yet`, hint: null }
  if (what !== 'outputs')
    return {
      code: 'E122',
      message: `a task has no ${quote(what)}`,
      hint: didYouMean(what, ['outputs', 'state'], 'it has `outputs` and `state`'),
    }
  const nullable = visible.nullable ? `tasks.${id}` : null
  return resolveOutputs(id, rest, { base: ['tasks', id, 'outputs'], task: id, nullable }, visible)
}

function resolveOutputs(
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

function follow(
  start: Type,
  rest: readonly string[],
  base: readonly string[],
  what: { readonly task: string | null; readonly nullable: string | null },
): Reference | Fault {
  let type = start
  const done = [...base]
  for (const key of rest) {
    const next = step(type, key, start)
    if ('fault' in next) return nothingAt(key, done, next, type)
    type = next.type
    done.push(key)
  }
  return { type: dereference(type, start), root: start, ...what }
}

function nothingAt(
  key: string,
  done: readonly string[],
  step: { fault: string; known?: readonly string[] },
  type: Type,
): Fault {
  const owner = quote(done.join('.'))
  if (step.fault === 'unknown') {
    const known = step.known ?? []
    const fallback = known.length === 0 ? null : `it has ${either(known.slice(0, 12).map(quote), 'and')}`
    return { code: 'E122', message: `${owner} has no ${quote(key)}`, hint: didYouMean(key, known, fallback) }
  }
  const what =
    step.fault === 'list'
      ? 'a list: it has items by number'
      : `a ${[...(typeNames(type) ?? [])].join(' or ')}`
  return { code: 'E122', message: `${owner} has no ${quote(key)}: it is ${what}`, hint: null }
}
