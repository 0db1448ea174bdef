/**
 * The files of an attempt's folder: what the engine writes before, what the attempt writes, and its ending.
 * Knows nothing of how the attempt runs. What lies here is the truth about an attempt; pipes are only a wake-up.
 */
import {
  constants,
  createReadStream,
  existsSync,
  mkdirSync,
  type ReadStream,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { createInterface } from 'node:readline'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import type { Outcome } from '../outcome.ts'
import type { ProcessIdentity } from './process-identity.ts'
import type { StopReason } from './runtime.ts'
import { noLink, readStranger, StrangerFileError } from './stranger-file.ts'

/** Most bytes of outputs, and so of an ending. Data belongs in files that outputs name. */
export const outputCap = 16 * 1024 * 1024

/** Names inside the folder. */
export const files = {
  process: 'process.json',
  input: 'input.json',
  output: 'output.json',
  events: 'events.jsonl',
  stdout: 'stdout.log',
  stderr: 'stderr.log',
  ending: 'ending.json',
  /** Its presence means: the engine asked the attempt to stop. */
  stopping: 'stopping',
  /** Its presence means: an engine found no process on record, and the attempt must not begin any more. */
  abandoned: 'abandoned',
  /** How far the events were read when the last checkpoint was sealed. */
  sealed: 'sealed.json',
  work: 'work',
  checkpointOut: 'checkpoint-out',
} as const

/** How an attempt ended: a worker's outcome, or the exit of a command as the shell tells it (128 + n is signal n). */
export type Ending = { readonly outcome: Outcome } | { readonly code: number }

/** The process of an attempt, as `process.json` keeps it. */
export interface AttemptProcess extends ProcessIdentity {
  /** A supervisor with a command, or a worker that runs operators' code. */
  readonly type: 'command' | 'worker'
  /** Processes that the kernel had killed for want of memory before it began; null where that is not counted. */
  readonly oomKills: number | null
  /** What writes the ending, where that is another process. */
  readonly supervisor: ProcessIdentity | null
}

/** The path of a file of the attempt. */
export function fileOf(attempt: { readonly folder: string }, name: keyof typeof files): string {
  return `${attempt.folder}/${files[name]}`
}

/** Makes the attempt's folder. */
export function createFolder(attempt: { readonly folder: string }): void {
  mkdirSync(attempt.folder, { recursive: true, mode: 0o700 })
}

/** Keeps the attempt from beginning, where it has not; afterwards `readProcess` tells whether it has. Throws system errors. */
export function abandon(attempt: { readonly folder: string }): void {
  createFolder(attempt)
  writeFileSync(fileOf(attempt, 'abandoned'), '', { mode: 0o600 })
}

/** Whether it was given up: what has put its process on record since must not begin. */
export function isAbandoned(attempt: { readonly folder: string }): boolean {
  return existsSync(fileOf(attempt, 'abandoned'))
}

/** Writes a file of the attempt so that nobody ever sees half of it. */
export function writeWhole(
  attempt: { readonly folder: string },
  name: keyof typeof files,
  value: unknown,
): void {
  const path = fileOf(attempt, name)
  const temporary = `${path}.tmp`
  writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 })
  renameSync(temporary, path)
}

/** The ending, or null where there is none yet. A torn one (a loss of power) is none. */
export function readEnding(attempt: { readonly folder: string }): Ending | null {
  const ending = readJson(fileOf(attempt, 'ending'))
  if (!isJsonObject(ending)) return null
  if (isJsonObject(ending.outcome) && typeof ending.outcome.type === 'string')
    return ending as unknown as Ending
  return typeof ending.code === 'number' ? { code: ending.code } : null
}

/** The process that the attempt was given, or null where it never got one. */
export function readProcess(attempt: { readonly folder: string }): AttemptProcess | null {
  const found = readJson(fileOf(attempt, 'process'))
  if (!isJsonObject(found)) return null
  const { type, bootId, oomKills } = found
  const process = identityIn(found, bootId)
  if (process === null || (type !== 'command' && type !== 'worker')) return null
  const supervisor = isJsonObject(found.supervisor) ? identityIn(found.supervisor, bootId) : null
  return { type, ...process, oomKills: typeof oomKills === 'number' ? oomKills : null, supervisor }
}

function identityIn({ pid, startTime }: JsonObject, bootId: unknown): ProcessIdentity | null {
  if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof bootId !== 'string') return null
  return { pid, startTime, bootId }
}

const stopReasons: readonly StopReason[] = ['timeout', 'cancel', 'shutdown', 'preempt']

/** Why the attempt was asked to stop, or null where nobody asked. */
export function readStopping(attempt: { readonly folder: string }): StopReason | null {
  const found = readJson(fileOf(attempt, 'stopping'))
  const reason = isJsonObject(found) ? found.reason : null
  return stopReasons.find((one) => one === reason) ?? null
}

/** A JSON file of ours, or null where it is absent or no JSON. */
export function readJson(path: string): Json {
  try {
    const bytes = readStranger(path, outputCap * 2)
    return bytes === null ? null : JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof StrangerFileError || error instanceof SyntaxError) return null
    throw error
  }
}

/** A line of an attempt's log. */
export interface LogLine {
  /** Epoch milliseconds; null where nobody noted it (a command's own output). */
  readonly at: number | null
  /** `log` is what the operator logged, the others what it or its commands printed. */
  readonly stream: 'log' | 'stdout' | 'stderr'
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly text: string
}

/**
 * The log of an attempt, line by line, in constant memory: first the lines whose time is known, in order of time, then
 * the raw standard output and error of its commands, which carry no times. Nothing where the folder does not exist.
 */
export async function* readLogs(folder: string): AsyncGenerator<LogLine> {
  for await (const line of linesOf(`${folder}/${files.events}`)) {
    const found = logLine(line)
    if (found !== null) yield found
  }
  for await (const text of linesOf(`${folder}/${files.stdout}`))
    yield { at: null, stream: 'stdout', level: 'info', text }
  for await (const text of linesOf(`${folder}/${files.stderr}`))
    yield { at: null, stream: 'stderr', level: 'error', text }
}

/** A line of the events file as a line of the log; null where it is none, or torn. */
export function logLine(line: string): LogLine | null {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    // A torn last line, or a stranger's: what is no event is no log line.
    return null
  }
  if (!isJsonObject(event) || typeof event.message !== 'string') return null
  const at = typeof event.at === 'string' ? Date.parse(event.at) : Number.NaN
  const time = Number.isNaN(at) ? null : at
  if (event.type === 'failure') return { at: time, stream: 'log', level: 'error', text: event.message }
  if (event.type !== 'log') return null
  const stream = event.stream === 'stdout' || event.stream === 'stderr' ? event.stream : 'log'
  const level =
    event.level === 'debug' || event.level === 'warn' || event.level === 'error' ? event.level : 'info'
  const fields = isJsonObject(event.fields) ? ` ${JSON.stringify(event.fields)}` : ''
  return { at: time, stream, level, text: event.message + fields }
}

/** A log file from a byte on, never through a link: a task may have put one in its place. */
export function logStream(path: string, start = 0): ReadStream {
  return createReadStream(path, { flags: (constants.O_RDONLY | noLink) as unknown as string, start })
}

/** Whether an error means that there is no such log, whatever a task may have put in its folder's place. */
export function isNoLog({ code = '' }: NodeJS.ErrnoException): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].includes(code)
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = logStream(path)
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    if (!isNoLog(error as NodeJS.ErrnoException)) throw error
  } finally {
    stream.destroy()
  }
}
