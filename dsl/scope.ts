/** Paths to values in a scope. Only own properties and list items are seen: never a prototype. */
import type { Scope } from '../engine/evaluator.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import { quote } from './words.ts'

/** A path that leads nowhere. */
export class Unresolved extends Error {}

/**
 * The value at a path. Throws Unresolved where it leads nowhere.
 * @param throughNull whether what stands below null (outputs of a task that did not succeed) is null
 */
export function lookUp(parts: readonly string[], scope: Scope, throughNull = false): Json {
  const [start, used] = startOf(parts, scope)
  let value: Json | undefined = start
  for (let place = used; place < parts.length; place += 1) {
    if (value === null && throughNull) return null
    const next = member(value, parts[place] as string)
    if (next === undefined) {
      const owner = parts.slice(0, place).join('.')
      const why =
        value === null ? `${quote(owner)} is null` : `${quote(owner)} has no ${quote(parts[place] as string)}`
      throw new Unresolved(`${quote(parts.join('.'))} does not resolve: ${why}`)
    }
    value = next
  }
  return value
}

/** The names that stand for themselves in a scope; not all are there everywhere. */
const names = ['params', 'run', 'item', 'index', 'with', 'env', 'inputs', 'outputs', 'baseline'] as const

function isName(root: string): root is (typeof names)[number] {
  return (names as readonly string[]).includes(root)
}

/** The value that a path starts from, and how many of its parts that takes. */
function startOf(parts: readonly string[], scope: Scope): readonly [Json, number] {
  const [root = '', id, what] = parts
  if (root === 'tasks') {
    const task = id === undefined ? undefined : scope.task(id)
    if (!task)
      throw new Unresolved(`${quote(parts.join('.'))} does not resolve: there is no task ${quote(id ?? '')}`)
    if (what === 'outputs') return [task.outputs, 3]
    if (what === 'state') return [task.state, 3]
    if (what === 'byKey' && task.byKey !== undefined) return [task.byKey, 3]
  } else if (isName(root)) {
    const value = scope[root]
    if (value !== undefined) return [value as Json, 1]
  }
  throw new Unresolved(`${quote(parts.join('.'))} does not resolve: there is no ${quote(root)} here`)
}

function member(value: Json, key: string): Json | undefined {
  if (Array.isArray(value))
    return /^(?:0|[1-9]\d*)$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as JsonObject)[key]
    : undefined
}
