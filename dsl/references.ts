/** What the paths of templates and expressions mean: which task, which type, and whether it may be null. Reads no text. */
import { taskStates } from '../engine/state.ts'
import type { Code } from './codes.ts'
import { ofInstances, standalone } from './item-types.ts'
import { dereference, step, type Type, typeNames } from './types.ts'
import { notYet } from './unsupported.ts'
import { insideGroup, noInputs, notInUsedFile, passTask } from './used-scope.ts'
import { didYouMean, either, quote } from './words.ts'

/** Where a path stands; not every name can be seen from everywhere. */
export type Place =
  | 'with'
  | 'env'
  | 'when'
  | 'gate'
  | 'cache.files'
  | 'foreach'
  | 'key'
  | 'recover'
  | 'produces'
  | 'outputs'

/** What is visible to the templates and expressions of one task. */
export interface Visible {
  readonly params: { readonly [name: string]: Type }
  /** In a file that others use: its inputs, which stand for all that a pipeline sees besides tasks. */
  readonly inputs: { readonly [name: string]: Type } | null
  /** The ids of all tasks. */
  readonly taskIds: { has(id: string): boolean; [Symbol.iterator](): Iterator<string> }
  /** The outputs of a task; null where its operator is unknown. */
  outputsOf(task: string): Type
  /** Whether the task has instances: its outputs are then a list of theirs. */
  isMapped(task: string): boolean
  /** Whether the task is a group with this task in it. */
  hasInside(group: string, task: string): boolean
  /** The tasks that may be skipped although none failed; only where a group's outputs are looked at. */
  readonly maySkip?: ReadonlySet<string>
  /** The task that looks. */
  readonly self: string
  /** Of a mapped task, what `item` is. */
  readonly item?: { readonly type: Type }
  /** The task's operator's input schema (null where it is unknown), and the keys of `with` that the task gives. */
  readonly with: { readonly schema: Type; readonly given: readonly string[] }
  /** The variables of the environment that pipelines may read; null where nobody said. */
  readonly env: readonly string[] | null
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
  /** What may be null as a whole (see `nullableRoots`), so that a use must be guarded; null where nothing is. */
  readonly nullable: string | null
}

/** A path that means nothing. */
export interface Fault {
  readonly code: Code
  readonly message: string
  readonly hint: string | null
  /** The path is right, and may have no value: `default` or `has()` is an answer to that. */
  readonly absent?: true
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

/** Where `with` can be seen: where it has been resolved. */
const seesWith: ReadonlySet<Place> = new Set(['env', 'gate', 'recover', 'produces'])

/** The names that a place sees. */
function rootsAt(place: Place, { item, inputs }: Visible): readonly string[] {
  const mapped = item !== undefined && place !== 'foreach' ? ['item', 'index'] : []
  const own = seesWith.has(place) ? ['with'] : []
  const gate = place === 'gate' ? ['outputs', 'baseline'] : []
  const given = inputs ? ['inputs', 'tasks'] : ['params', 'run', 'tasks', 'env']
  return [...given, ...mapped, ...own, ...gate]
}

/** What a path means where it stands. */
export function resolvePath(parts: readonly string[], place: Place, visible: Visible): Reference | Fault {
  const [root = '', ...rest] = parts
  if (!rootsAt(place, visible).includes(root)) return unknownRoot(parts, place, visible)
  const plain = { task: null, nullable: null }
  switch (root) {
    case 'params':
      return resolveParam(rest, visible)
    case 'inputs':
      return resolveInput(rest, visible.inputs ?? {})
    case 'run':
      return follow(runType, rest, ['run'], plain)
    case 'env':
      return resolveEnv(rest, visible)
    case 'with':
      return resolveWith(rest, visible)
    case 'item':
      return follow(visible.item?.type ?? null, rest, ['item'], plain)
    case 'index':
      return follow({ type: 'integer' }, rest, ['index'], plain)
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

function unknownRoot(parts: readonly string[], place: Place, visible: Visible): Fault {
  const [root = ''] = parts
  const hidden = visible.inputs ? notInUsedFile(parts) : root === 'inputs' ? noInputs : null
  if (hidden) return hidden
  const later = notYet.names[root]
  if (later !== undefined) return { code: 'E115', message: `${quote(root)} is not supported yet`, hint: null }
  if (place === 'foreach' && (root === 'item' || root === 'index'))
    return {
      code: 'E122',
      message: `${quote(root)} cannot be used in \`foreach\` itself: there is no item yet`,
      hint: null,
    }
  const elsewhere = onlyElsewhere[root]
  if (elsewhere) return { code: 'E122', ...elsewhere }
  const roots = rootsAt(place, visible)
  return {
    code: 'E122',
    message: `unknown name ${quote(root)}`,
    hint: didYouMean(root, roots, `there are ${either(roots.map(quote), 'and')}`),
  }
}

const inMappedTask = { hint: '`foreach` makes an instance of the task for each item' }
/** Names that mean something, but not here. */
const onlyElsewhere: { readonly [root: string]: { readonly message: string; readonly hint: string | null } } =
  {
    outputs: { message: '`outputs` can only be used in `gate`', hint: 'write `tasks.NAME.outputs`' },
    baseline: { message: '`baseline` can only be used in `gate`', hint: null },
    with: {
      message: '`with` can only be used in `env`, `gate`, `recover` and `produces`',
      hint: 'elsewhere it is not resolved yet',
    },
    item: { message: '`item` can only be used in a task with `foreach`', ...inMappedTask },
    index: { message: '`index` can only be used in a task with `foreach`', ...inMappedTask },
  }

function resolveEnv([name, ...rest]: readonly string[], { env }: Visible): Reference | Fault {
  if (name === undefined)
    return { code: 'E122', message: '`env` alone has no value', hint: 'write `env.NAME`' }
  if (env?.includes(name)) return follow(string, rest, ['env', name], { task: null, nullable: null })
  return {
    code: 'E122',
    message: `the variable ${quote(name)} of the environment is not allowed here`,
    hint: didYouMean(name, env ?? [], `allow it in dagctl.yaml: \`env: [${name}]\``),
  }
}

function resolveWith([name, ...rest]: readonly string[], { with: own }: Visible): Reference | Fault {
  const plain = { task: null, nullable: null }
  if (name === undefined) return { type: { type: 'object' }, root: null, ...plain }
  const next = step(own.schema, name)
  if ('fault' in next && next.fault === 'unknown')
    return {
      code: 'E122',
      message: `\`with\` has no ${quote(name)}`,
      hint: didYouMean(name, next.known, `it has ${either(next.known.slice(0, 12).map(quote), 'and')}`),
    }
  if (!own.given.includes(name))
    return {
      code: 'E122',
      message: `${quote(`with.${name}`)} is not given by this task`,
      hint: 'write it under `with`, or wrap it: `{{ default … }}`',
      absent: true,
    }
  const type = 'type' in next ? standalone(next.type, own.schema) : null
  return follow(type, rest, ['with', name], plain)
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

function resolveInput(
  [name, ...rest]: readonly string[],
  inputs: { readonly [name: string]: Type },
): Reference | Fault {
  if (name === undefined) return { type: { type: 'object' }, root: null, task: null, nullable: null }
  if (Object.hasOwn(inputs, name))
    return follow(inputs[name] ?? null, rest, ['inputs', name], { task: null, nullable: null })
  const names = Object.keys(inputs)
  const fallback =
    names.length === 0 ? 'the file has no `inputs`' : `there are ${either(names.map(quote), 'and')}`
  return { code: 'E122', message: `unknown input ${quote(name)}`, hint: didYouMean(name, names, fallback) }
}

function resolveTask([id, what, ...rest]: readonly string[], visible: Visible): Reference | Fault {
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
