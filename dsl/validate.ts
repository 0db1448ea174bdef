/** A parsed file against the pipeline's schema and the table of what is not supported yet. Knows no operators. */

import { parseDuration } from '../engine/duration.ts'
import type { JsonSchema } from '../engine/json.ts'
import { validate as matches } from '../schemas/pipeline.check.generated.js'
import schema from '../schemas/pipeline.schema.json' with { type: 'json' }
import type { Mismatch } from './json-schema.ts'
import type { Path } from './positions.ts'
import type { Complaint, Report } from './report.ts'
import { findUnsupported } from './unsupported.ts'
import { quote } from './words.ts'

type Mapping = { readonly [key: string]: unknown }

/** What of the file can be used further. */
export class Usable {
  readonly #broken = new Set<string>()

  /** Marks the key of the file, or of a task, that holds `path` as not to be read; the empty path marks all. */
  mark(path: Path): void {
    const depth = path[0] === 'tasks' ? 3 : 2
    this.#broken.add(JSON.stringify(path.slice(0, depth)))
  }

  /** Whether nothing is wrong at this key of the file, its inner key, or its task's key. */
  has(...path: Path): boolean {
    return !this.#broken.has('[]') && !this.#broken.has(JSON.stringify(path))
  }

  /** Whether nothing is wrong anywhere: the quick way for large files. */
  get whole(): boolean {
    return this.#broken.size === 0
  }
}

/** Reports everything in which the file is not as the schema says, and what is not supported yet. */
export async function validate(file: Mapping, report: Report): Promise<Usable> {
  const usable = new Usable()
  // Compiling the schema takes longer than all else, so only a file that does not match it is told why.
  for (const mismatch of matches(file) ? [] : await mismatchesOf(file)) {
    usable.mark(mismatch.path)
    tell(mismatch, report)
  }
  for (const { path, atKey, message } of findUnsupported(file)) {
    usable.mark(path)
    const complaint = { code: 'E115', message } as const
    if (atKey) report.atKey(path, complaint)
    else report.atValue(path, complaint)
  }
  checkDurations(file, usable, report)
  return usable
}

async function mismatchesOf(file: Mapping): Promise<readonly Mismatch[]> {
  const { validatorOf } = await import('./json-schema.ts')
  return validatorOf(schema as JsonSchema)(file)
}

function tell({ code, message, subject, path, atKey, hint }: Mismatch, report: Report): void {
  const complaint = { code, message: subject ? `${nameOf(path)} ${message}` : message, hint }
  if (atKey) report.atKey(path, complaint)
  else report.atValue(path, complaint)
}

/** What a sentence calls the value at `path`: tasks by their id, what is in them by their keys. */
function nameOf(path: Path): string {
  if (path.length === 0) return 'the file'
  if (path[0] !== 'tasks' || path.length === 1) return quote(path.join('.'))
  return path.length === 2 ? `the task ${quote(String(path[1]))}` : quote(path.slice(2).join('.'))
}

/** Durations that match their pattern but are too long for a whole number of milliseconds, and limits of no time at all. */
function checkDurations(file: Mapping, usable: Usable, report: Report): void {
  const defaults = mapping(file.defaults)
  check(mapping(defaults.retry), ['defaults', 'retry'], usable, report)
  check(defaults, ['defaults'], usable, report)
  check(mapping(file.deadline), ['deadline'], usable, report)
  const tasks = mapping(file.tasks)
  for (const id in tasks) {
    const task = mapping(tasks[id])
    if (task.timeout !== undefined) check(task, ['tasks', id], usable, report)
    if (task.retry !== undefined) check(mapping(task.retry), ['tasks', id, 'retry'], usable, report)
    if (task.cache !== undefined) check(mapping(task.cache), ['tasks', id, 'cache'], usable, report)
  }
}

function check(holder: Mapping, path: Path, usable: Usable, report: Report): void {
  for (const key of ['timeout', 'delay', 'maxDelay', 'ttl', 'after']) {
    const text = holder[key]
    if (typeof text !== 'string' || !usable.has(...path, key) || !usable.has(...path)) continue
    const complaint = complaintOf(parseDuration(text), key, path)
    if (complaint === null) continue
    usable.mark([...path, key])
    report.atValue([...path, key], { code: 'E113', ...complaint })
  }
}

function complaintOf(
  milliseconds: number | null,
  key: string,
  path: Path,
): Pick<Complaint, 'message' | 'hint'> | null {
  if (milliseconds === null) return { message: `${quote(key)} is too long a duration` }
  const left = limits[key]
  if (milliseconds > 0 || left === undefined) return null
  return {
    message: `${nameOf([...path, key])} must be longer than 0`,
    hint: `leave ${quote(left)} out for none`,
  }
}

/** The durations in which nothing could be done if they were 0, and the key to leave out where there is to be no limit. */
const limits: { readonly [key: string]: string } = { timeout: 'timeout', after: 'deadline' }

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {}
}
