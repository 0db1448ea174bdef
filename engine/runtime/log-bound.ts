/**
 * Keeps what a command prints from filling the disk: of a file that grows beyond a bound the beginning and the end stay,
 * with a line between them that says how much was cut. The command goes on writing to the file itself, so that it needs no
 * engine to print. Knows nothing of attempts.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import type { Clock, Timer } from '../clock.ts'
import { noLink } from './stranger-file.ts'

/** Bytes of a file before it is cut, and of its beginning and end that stay then. */
export const logBound = { most: 16 * 1024 * 1024, head: 4 * 1024 * 1024, tail: 4 * 1024 * 1024 } as const

/** Milliseconds between two looks at a file's size. */
const look = 1000

/** A bound in bytes: what `logBound` is. */
export type Bound = { readonly [part in keyof typeof logBound]: number }

/** Looks after some files until it is closed. */
export class LogBound {
  readonly #paths: Set<string>
  readonly #clock: Clock
  readonly #failed: (path: string, error: Error) => void
  #timer: Timer | null = null

  /** @param failed told where a file cannot be cut: it is left as it is */
  constructor(paths: readonly string[], clock: Clock, failed: (path: string, error: Error) => void) {
    this.#paths = new Set(paths)
    this.#clock = clock
    this.#failed = failed
  }

  watch(): void {
    this.#timer = this.#clock.at(this.#clock.now() + look, () => {
      this.cut()
      this.watch()
    })
  }

  /** Cuts what is too long now. */
  cut(): void {
    for (const path of this.#paths) {
      try {
        cutLog(path, logBound)
      } catch (error) {
        this.#paths.delete(path)
        this.#failed(path, error as Error)
      }
    }
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }
}

/**
 * Cuts a file that is longer than `most`, while somebody may append to it: what is appended between the reading of its end
 * and the cut is lost. Nothing where the file is short, or not there. Throws system errors.
 */
export function cutLog(path: string, { most, head, tail }: Bound): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  // A stranger may have put anything in its place: what a link leads to is not ours to cut.
  if (found === undefined || !found.isFile() || found.size <= most) return
  const file = openSync(path, constants.O_RDWR | noLink)
  const end = openSync(path, constants.O_WRONLY | constants.O_APPEND | noLink)
  try {
    const { size, ino } = fstatSync(file)
    if (size <= most || ino !== fstatSync(end).ino) return
    const before = cutBefore(file, head)
    const kept = Buffer.allocUnsafe(tail)
    const length = readSync(file, kept, 0, tail, size - tail)
    const cut = before.bytes + size - head - before.length - length
    ftruncateSync(file, head)
    writeSync(end, Buffer.concat([Buffer.from(mark(cut)), kept.subarray(0, length)]))
  } finally {
    closeSync(file)
    closeSync(end)
  }
}

function mark(bytes: number): string {
  return `\n[dagctl: ${bytes} bytes were cut here]\n`
}

/** What was cut of the file before, as its mark says, and the length of that mark. */
function cutBefore(file: number, head: number): { readonly bytes: number; readonly length: number } {
  const text = Buffer.alloc(80)
  const read = readSync(file, text, 0, text.length, head)
  const [found, bytes] =
    /^\n\[dagctl: (\d+) bytes were cut here\]\n/.exec(text.toString('latin1', 0, read)) ?? []
  return found === undefined ? { bytes: 0, length: 0 } : { bytes: Number(bytes), length: found.length }
}
