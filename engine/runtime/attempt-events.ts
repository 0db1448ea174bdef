/** The events file of an attempt: appending to it, and following it as it grows. Knows nothing of what events mean. */
import {
  closeSync,
  constants,
  type FSWatcher,
  fstatSync,
  mkdirSync,
  openSync,
  watch,
  writeSync,
} from 'node:fs'
import { type Clock, toInstant } from '../clock.ts'
import { isJsonObject } from '../json.ts'
import { fileOf } from './attempt-folder.ts'
import type { AttemptEvent } from './runtime.ts'
import { noLink, openStranger, readAt, StrangerFileError } from './stranger-file.ts'

/** Longest line that is taken for an event, bytes. */
const longestLine = 1024 * 1024
/** `{` */
const brace = 0x7b
/** Lines that are no events and are still told of, per attempt. */
const toldFaults = 5

/** An event as its line has it: with its place in the file, and the raw object for what only some readers want. */
export interface EventLine {
  readonly event: AttemptEvent
  readonly raw: { readonly [name: string]: unknown }
  /** Bytes up to and with this line. */
  readonly end: number
}

/** Appends events as lines of JSON, each with its time. Makes the folder on the first one. */
export class EventWriter {
  readonly #folder: string
  readonly #clock: Pick<Clock, 'now'>
  #descriptor: number | null = null

  constructor(folder: string, clock: Pick<Clock, 'now'>) {
    this.#folder = folder
    this.#clock = clock
  }

  /** Throws system errors (a full disk). */
  append(event: AttemptEvent, more: { readonly stream?: 'stdout' | 'stderr' } = {}): void {
    if (this.#descriptor === null) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      this.#descriptor = openSync(fileOf({ folder: this.#folder }, 'events'), 'a', 0o600)
    }
    writeSync(
      this.#descriptor,
      `${JSON.stringify({ at: toInstant(this.#clock.now()), ...event, ...more })}\n`,
    )
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}

/** Follows an events file: woken by the file system, never by a timer. */
export class EventFollower {
  readonly #path: string
  readonly #take: (line: EventLine) => void
  readonly #fault: (message: string) => void
  #descriptor: number | null = null
  #watcher: FSWatcher | null = null
  #position = 0
  #faults = 0
  #held: EventLine | null = null
  /** Within a line that is longer than is taken. */
  #skipping = false

  /**
   * @param take each event, in order
   * @param fault told of lines that are no events
   */
  constructor(folder: string, take: (line: EventLine) => void, fault: (message: string) => void) {
    this.#path = fileOf({ folder }, 'events')
    this.#take = take
    this.#fault = fault
  }

  /** Reads what is in the file already, and watches it. */
  watch(): void {
    try {
      // The watch needs a file. A task may have put a link there, which is not ours to write through.
      closeSync(openSync(this.#path, constants.O_WRONLY | constants.O_CREAT | noLink, 0o600))
      this.#watcher = watch(this.#path, { persistent: false }, () => this.read())
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch (error) {
      // No more watches to be had (ENOSPC, EMFILE) costs liveness only: `read` at the end still gets all.
      this.#tell(`the events of this attempt are read at its end only: ${(error as Error).message}`)
    }
    this.read()
  }

  /** Reads what was added. */
  read(): void {
    try {
      this.#descriptor ??= openStranger(this.#path)
    } catch (error) {
      if (!(error instanceof StrangerFileError)) throw error
      this.#tell(`the events file is not read: ${error.message}`)
      return
    }
    if (this.#descriptor === null) return
    const { size } = fstatSync(this.#descriptor)
    while (this.#position < size && this.#readChunk(this.#descriptor, size)) {}
    this.#hand(null)
  }

  close(): void {
    this.#watcher?.close()
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#watcher = null
    this.#descriptor = null
  }

  /** Takes the whole lines of the next chunk; false where there is none whole yet. */
  #readChunk(descriptor: number, size: number): boolean {
    const chunk = readAt(descriptor, this.#position, Math.min(longestLine, size - this.#position))
    const end = chunk.lastIndexOf(10)
    if (end < 0) {
      if (chunk.length < longestLine) return false
      this.#skipping = true
      this.#position += chunk.length
      return true
    }
    let start = 0
    if (this.#skipping) {
      start = chunk.indexOf(10) + 1
      this.#skipping = false
      this.#tell(`a line of the events file is longer than ${longestLine} bytes and is left out`)
    }
    while (start <= end) {
      const stop = chunk.indexOf(10, start)
      // An event is an object: a stranger may write millions of lines that are none, and each costs an error to parse.
      if (this.#faults < toldFaults || mayBeObject(chunk, start))
        this.#line(chunk.toString('utf8', start, stop), this.#position + stop + 1)
      start = stop + 1
    }
    this.#position += end + 1
    return true
  }

  #line(text: string, end: number): void {
    if (text.trim() === '') return
    let raw: unknown
    try {
      raw = JSON.parse(text)
    } catch {
      raw = null
    }
    const event = isJsonObject(raw) ? toEvent(raw) : null
    if (event === null) this.#tell(`a line of the events file is no event: ${text.slice(0, 200)}`)
    else this.#hand({ event, raw: raw as { [name: string]: unknown }, end })
  }

  /** Of progress that follows progress in one reading only the last is news: a loop may report every record. */
  #hand(line: EventLine | null): void {
    if (this.#held !== null && line?.event.type !== 'progress') this.#take(this.#held)
    this.#held = line?.event.type === 'progress' ? line : null
    if (line !== null && this.#held === null) this.#take(line)
  }

  #tell(message: string): void {
    this.#faults += 1
    if (this.#faults <= toldFaults) this.#fault(message)
  }
}

/** Whether a line begins as an object does, past blanks. */
function mayBeObject(chunk: Buffer, start: number): boolean {
  let place = start
  while (chunk[place] === 32 || chunk[place] === 9 || chunk[place] === 13) place++
  return chunk[place] === brace
}

/** A stranger's JSON as an event, with defaults for what may be left out; null where it is none. */
export function toEvent(raw: { readonly [name: string]: unknown }): AttemptEvent | null {
  switch (raw.type) {
    case 'progress': {
      const { done, total = null, unit = '' } = raw
      if (!isNumber(done) || (total !== null && !isNumber(total)) || typeof unit !== 'string') return null
      return { type: 'progress', done, total, unit }
    }
    case 'metric': {
      const { name, value, labels = {} } = raw
      if (typeof name !== 'string' || !isNumber(value) || !isLabels(labels)) return null
      return { type: 'metric', name, value, labels }
    }
    case 'log': {
      const { level = 'info', message, fields } = raw
      if (typeof message !== 'string' || !isLevel(level)) return null
      return isJsonObject(fields) ? { type: 'log', level, message, fields } : { type: 'log', level, message }
    }
    case 'heartbeat':
      return { type: 'heartbeat' }
    case 'checkpoint':
      return isNumber(raw.step) ? { type: 'checkpoint', step: raw.step } : null
    case 'failure': {
      const { kind, message = '', retryAfter } = raw
      if (typeof kind !== 'string' || typeof message !== 'string') return null
      return isNumber(retryAfter) && retryAfter >= 0
        ? { type: 'failure', kind, message, retryAfter }
        : { type: 'failure', kind, message }
    }
    default:
      return null
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isLevel(value: unknown): value is 'debug' | 'info' | 'warn' | 'error' {
  return value === 'debug' || value === 'info' || value === 'warn' || value === 'error'
}

function isLabels(value: unknown): value is { readonly [name: string]: string } {
  return isJsonObject(value) && Object.values(value).every((label) => typeof label === 'string')
}
