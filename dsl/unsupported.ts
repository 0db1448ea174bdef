/**
 * What the format has and this version does not do yet: one table, from which lines go when their behaviour comes.
 * A file that uses any of it is refused, so that no file promises what does not happen.
 */
import type { Path } from './positions.ts'
import { quote } from './words.ts'

/** Keys, values of `runtime` and names that are refused with E115. */
export const notYet = {
  /** Keys of the file. */
  top: [],
  task: ['queue', 'checkpoint'],
  /** Values of `runtime`: this one, and every object. */
  runtime: ['docker'],
  /** Names in templates and expressions. */
  names: { secrets: true } as { readonly [name: string]: true },
} as const

/** The same of dagctl.yaml: its keys. */
export const configNotYet = ['plugins', 'notifiers'] as const

/** A key or value that is not supported yet. */
export interface Unsupported {
  readonly path: Path
  /** Whether the key at `path` is meant, not its value. */
  readonly atKey: boolean
  readonly message: string
}

type Mapping = { readonly [key: string]: unknown }

/** Everything in the file that is not supported yet. Takes files of any shape. */
export function findUnsupported(file: Mapping): readonly Unsupported[] {
  const found = keysOf(file, notYet.top, [])
  const tasks = mapping(file.tasks)
  for (const id in tasks) {
    const task = tasks[id]
    if (typeof task !== 'object' || task === null) continue
    for (const key in task) if (later.has(key)) found.push(at(['tasks', id, key]))
    const { runtime, recover } = task as Mapping
    if (runtime !== undefined) found.push(...runtimeOf(runtime, ['tasks', id, 'runtime']))
    for (const [kind, entry] of Object.entries(mapping(recover)))
      found.push(...runtimeOf(mapping(entry).runtime, ['tasks', id, 'recover', kind, 'runtime']))
  }
  return found
}

const later: ReadonlySet<string> = new Set(notYet.task)

function runtimeOf(runtime: unknown, path: Path): readonly Unsupported[] {
  const name = typeof runtime === 'object' && runtime !== null ? Object.keys(runtime)[0] : runtime
  if (typeof name !== 'string' || !(notYet.runtime as readonly string[]).includes(name)) return []
  return [{ path, atKey: false, message: `the runtime ${quote(name)} is not supported yet` }]
}

function keysOf(holder: Mapping, keys: readonly string[], path: Path): Unsupported[] {
  return keys.filter((key) => Object.hasOwn(holder, key)).map((key) => at([...path, key]))
}

function at(path: Path): Unsupported {
  return { path, atKey: true, message: `${quote(String(path.at(-1)))} is not supported yet` }
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null ? (value as Mapping) : {}
}
