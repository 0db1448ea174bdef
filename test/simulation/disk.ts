/**
 * A real folder under the product's own file calls, which may stop between any two of them, come short, fail, and lose
 * what was not synced. While it is open, it stands in for those of `node:fs` in its thread. Knows no checkpoints.
 */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import type { Random } from '../../engine/random.ts'
import { pick } from './random-pipeline.ts'

const { closeSync, existsSync, fstatSync, fsyncSync, lstatSync, mkdirSync, mkdtempSync } = fs
const { openSync, readdirSync, readFileSync, readSync, renameSync, rmdirSync, rmSync, symlinkSync } = fs
const { truncateSync, unlinkSync, writeFileSync, writeSync } = fs
const { lstat, mkdir, open, readdir, readFile, rename, rm } = promises

/** The calls as they are, for whoever looks at the disk, and harms it, from outside. */
export const outside = {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
}

/** What may befall the calls of one process. */
export interface DiskHazards {
  /** Calls that are made before all stops; `Number.MAX_SAFE_INTEGER` is never. */
  readonly calls: number
  /** The probability that a call which writes fails. */
  readonly fail: number
  /** The probability that a read or write comes short. */
  readonly short: number
  /** Some take longer, so that others come before them. */
  readonly crossed?: boolean
}

/** What a loss of power may undo: bytes of a file, an entry of a folder, a new name. */
interface Unsynced {
  readonly what: 'bytes' | 'entry' | 'name'
  path: string
  /** The old name. */
  readonly from?: string
}

const never = new Promise<never>(() => {})

/** One disk, and the one process at a time that writes to it. */
export class Disk {
  readonly #random: Random
  #hazards: DiskHazards = { calls: 0, fail: 0, short: 0 }
  #calls = 0
  #stop: () => void = () => {}
  #unsynced: Unsynced[] = []
  readonly #open = new Set<number>()
  /** Called before each call: the world goes on meanwhile. */
  between: () => void = () => {}
  /** Called after a rename. */
  renamed: (to: string) => void = () => {}

  constructor(random: Random) {
    this.#random = random
    Object.assign(promises, {
      lstat: (path: string) => this.#turn(() => lstatSync(path)),
      readdir: (path: string, options?: object) => this.#turn(() => readdirSync(path, options)),
      readFile: (path: string, options?: object) => this.#turn(() => readFileSync(path, options)),
      mkdir: (path: string) => this.#turn(() => this.#makeFolder(path), 'mkdir'),
      open: (path: string, flags: string | number, mode?: number) =>
        this.#turn(() => this.#handle(path, flags, mode), flags === 'wx' ? 'open' : null),
      rename: (from: string, to: string) => this.#turn(() => this.#rename(from, to), 'rename'),
      rm: (path: string) => this.#remove(path),
    })
    Object.assign(fs, {
      writeFileSync: (path: string, text: string, options: object) => {
        this.#now(() => writeFileSync(path, text.slice(0, pick(random, text.length)), options))
        this.#now(() => writeFileSync(path, text, options))
      },
      renameSync: (from: string, to: string) => this.#now(() => renameSync(from, to)),
      rmSync: (path: string) => {
        for (const one of existsSync(path) ? below(path) : []) this.#now(() => removeOne(one))
      },
    })
    syncBuiltinESMExports()
  }

  /** Gives the calls back as they were. */
  close(): void {
    Object.assign(promises, { lstat, mkdir, open, readdir, readFile, rename, rm })
    Object.assign(fs, { writeFileSync, renameSync, rmSync })
    syncBuiltinESMExports()
  }

  /** Does `work` with these hazards; false where all stopped before its end. Then nothing of it ever goes on. */
  async during(hazards: DiskHazards, work: () => Promise<void>): Promise<boolean> {
    this.#hazards = hazards
    this.#calls = 0
    const stopped = new Promise<false>((resolve) => {
      this.#stop = () => resolve(false)
    })
    try {
      return await Promise.race([work().then(() => true), stopped])
    } finally {
      // Whoever is not at its end, or was thrown out of a call, goes on to the next one, and stays there.
      this.#calls = Number.POSITIVE_INFINITY
      await new Promise((resolve) => setImmediate(resolve))
      for (const descriptor of this.#open) closeSync(descriptor)
      this.#open.clear()
    }
  }

  /** The power was lost: of what was not synced some is there, some is not, some is half there. */
  losePower(): void {
    for (const { what, path, from } of this.#unsynced.reverse()) {
      if (!existsSync(path) || this.#random.next() < 0.5) continue
      if (what === 'entry') rmSync(path, { recursive: true })
      else if (what === 'bytes') truncateSync(path, pick(this.#random, lstatSync(path).size + 1))
      else if (from !== undefined && !existsSync(from)) {
        renameSync(path, from)
        this.#moved(path, from)
      }
    }
    this.#unsynced = []
  }

  /** Whether the next call is made: everything may stop before it. */
  #goes(): boolean {
    this.between()
    if (++this.#calls <= this.#hazards.calls) return true
    this.#stop()
    return false
  }

  /** @param writes the call's name where it may fail */
  async #turn<T>(call: () => T, writes: string | null = null): Promise<T> {
    const waits = this.#hazards.crossed === true ? pick(this.#random, 5) : 0
    for (let i = 0; i < waits; i++) await null
    if (!this.#goes()) return never
    if (writes !== null && this.#random.next() < this.#hazards.fail) throw full(writes)
    return call()
  }

  #now(call: () => void): void {
    if (!this.#goes()) throw new Error('all stands still')
    if (this.#random.next() < this.#hazards.fail) throw full('write')
    call()
  }

  #makeFolder(path: string): string | undefined {
    const first = mkdirSync(path, { recursive: true })
    for (let one = path; first !== undefined && one.length >= first.length; one = dirname(one))
      this.#unsynced.push({ what: 'entry', path: one })
    return first
  }

  #rename(from: string, to: string): void {
    renameSync(from, to)
    this.#moved(from, to)
    this.#unsynced.push({ what: 'name', path: to, from })
    this.renamed(to)
  }

  /** One after another, what is inside first, until all is gone: another may still write there, or remove it too. */
  async #remove(path: string): Promise<void> {
    while (await this.#turn(() => isThere(path)))
      for (const one of below(path)) await this.#turn(() => removeOne(one))
  }

  #handle(path: string, flags: string | number, mode?: number) {
    const descriptor = openSync(path, flags, mode)
    this.#open.add(descriptor)
    if (flags === 'wx') this.#unsynced.push({ what: 'entry', path })
    const lengthOf = (length: number) =>
      length > 1 && this.#random.next() < this.#hazards.short ? 1 + pick(this.#random, length) : length
    const put = (bytes: Uint8Array) => {
      this.#unsynced.push({ what: 'bytes', path })
      return writeSync(descriptor, bytes)
    }
    return {
      stat: () => this.#turn(() => fstatSync(descriptor)),
      read: (buffer: Buffer, offset: number, length: number, position: number) =>
        this.#turn(() => ({ bytesRead: readSync(descriptor, buffer, offset, lengthOf(length), position) })),
      write: (buffer: Buffer, offset = 0) =>
        this.#turn(() => {
          const rest = buffer.subarray(offset)
          return { bytesWritten: put(rest.subarray(0, lengthOf(rest.length))) }
        }, 'write'),
      writeFile: async (text: string) => {
        const bytes = Buffer.from(text)
        const half = pick(this.#random, bytes.length)
        await this.#turn(() => put(bytes.subarray(0, half)), 'write')
        await this.#turn(() => put(bytes.subarray(half)), 'write')
      },
      sync: () =>
        this.#turn(() => {
          fsyncSync(descriptor)
          this.#unsynced = this.#unsynced.filter((one) =>
            one.what === 'bytes' ? one.path !== path : dirname(one.path) !== path,
          )
        }, 'fsync'),
      close: () =>
        this.#turn(() => {
          this.#open.delete(descriptor)
          closeSync(descriptor)
        }),
    }
  }

  #moved(from: string, to: string): void {
    for (const one of this.#unsynced)
      if (one.path === from || one.path.startsWith(`${from}/`)) one.path = to + one.path.slice(from.length)
  }
}

function full(call: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' })
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** All that is to be removed with `path`, itself last. */
function below(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path]
  return [...readdirSync(path).flatMap((name) => below(join(path, name))), path]
}

function removeOne(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) rmdirSync(path)
    else unlinkSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error
  }
}
