/** Shows logs as they grow, to the end of the run. Reads attempt folders and the store; knows no command. */
import { type FSWatcher, lstatSync, watch } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { exits } from '../engine/errors.ts'
import { fileOf, isNoLog, type LogLine, logLine, logStream } from '../engine/runtime/attempt-folder.ts'
import type { LoggedAttempt } from './commands/logs.ts'
import { follow, type Watched } from './follow.ts'

/** Follows the attempts that `choose` gives, and those that come; `print` is called once for each line. */
export async function followLogs(
  watched: Watched,
  choose: () => Promise<readonly LoggedAttempt[]>,
  print: (attempt: LoggedAttempt, line: LogLine) => void,
): Promise<number> {
  const tails = new Map<string, Tail>()
  const look = async () => {
    for (const attempt of await choose()) {
      const tail = tails.get(attempt.folder) ?? new Tail(attempt, print)
      tails.set(attempt.folder, tail)
      await tail.read()
    }
  }
  try {
    const ended = await follow(watched, async () => {
      await look()
      return false
    })
    await look()
    return ended === null ? exits.interrupted : exits.ok
  } finally {
    for (const tail of tails.values()) tail.close()
  }
}

/** What one attempt logs, from where it was read last. */
class Tail {
  readonly #attempt: LoggedAttempt
  readonly #print: (attempt: LoggedAttempt, line: LogLine) => void
  readonly #files: readonly LineTail[]
  #watcher: FSWatcher | null = null
  #reading: Promise<void> = Promise.resolve()
  #wanted = false

  constructor(attempt: LoggedAttempt, print: (attempt: LoggedAttempt, line: LogLine) => void) {
    this.#attempt = attempt
    this.#print = print
    const raw = (stream: 'stdout' | 'stderr', level: LogLine['level']) => (text: string) =>
      this.#print(attempt, { at: null, stream, level, text })
    const event = (text: string) => {
      const line = logLine(text)
      if (line !== null) this.#print(attempt, line)
    }
    this.#files = [
      new LineTail(fileOf(attempt, 'events'), event),
      new LineTail(fileOf(attempt, 'stdout'), raw('stdout', 'info')),
      new LineTail(fileOf(attempt, 'stderr'), raw('stderr', 'error')),
    ]
    this.#watch()
  }

  /** Reads what is new, after whatever is being read now. */
  read(): Promise<void> {
    if (!this.#wanted) {
      this.#wanted = true
      this.#reading = this.#reading.then(() => this.#read())
    }
    return this.#reading
  }

  /** Prints last lines that have no end, and lets go. */
  close(): void {
    this.#watcher?.close()
    for (const file of this.#files) file.flush()
  }

  async #read(): Promise<void> {
    this.#wanted = false
    if (this.#watcher === null) this.#watch()
    for (const file of this.#files) await file.read()
  }

  #watch(): void {
    try {
      this.#watcher = watch(this.#attempt.folder, () => void this.read())
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // The folder is not there yet; the next look tries again.
    }
  }
}

/** The lines of one file that grows. */
class LineTail {
  readonly #path: string
  readonly #take: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #offset = 0
  #rest = ''

  constructor(path: string, take: (line: string) => void) {
    this.#path = path
    this.#take = take
  }

  /** Takes the whole lines that came since. A file that is not there yet has none. */
  async read(): Promise<void> {
    const size = lstatSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
    // It was cut, for it had grown too long: what comes now stands at its end.
    if (size < this.#offset) this.#offset = size
    const stream = logStream(this.#path, this.#offset)
    try {
      for await (const chunk of stream) {
        this.#offset += (chunk as Buffer).length
        const lines = (this.#rest + this.#decoder.write(chunk as Buffer)).split('\n')
        this.#rest = lines.pop() ?? ''
        for (const line of lines) this.#take(line.replace(/\r$/, ''))
      }
    } catch (error) {
      if (!isNoLog(error as NodeJS.ErrnoException)) throw error
    }
  }

  flush(): void {
    if (this.#rest !== '') this.#take(this.#rest)
    this.#rest = ''
  }
}
