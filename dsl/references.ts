/** What the paths of templates and expressions mean: which task, which type, and whether it may be null. Reads no text. */
import { type Fault, follow, type Reference } from './follow.ts'
import { standalone } from './item-types.ts'
import { resolveOutputs, resolveTask } from './task-paths.ts'
import { step, type Type } from './types.ts'
import { notYet } from './unsupported.ts'
import { noInputs, notInUsedFile } from './used-scope.ts'
import type { Place, Visible } from './visible.ts'
import { didYouMean, either, quote } from './words.ts'

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
  if (env === 'any' || env?.includes(name))
    return follow(string, rest, ['env', name], { task: null, nullable: null })
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
