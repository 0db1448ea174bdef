/** One file that is written beside its target and then renamed onto it. Knows nothing of URIs or tasks. */
import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ObjectWriter } from './api.ts'
import { fileFailure } from './errno.ts'

/** Bytes that are gathered before they go to the disk: operators write record by record. */
const bufferSize = 256 * 1024
/** Longest file name of the usual file systems, bytes. */
const longestName = 255

/** How temporary names are made: `.NAME.TAG-ATTEMPT.tmp`. */
export interface TemporaryNames {
  /** Of the (run, task, instance). */
  readonly tag: string
  readonly attempt: string
  /** Folders in which the leavings of earlier attempts were looked for already. */
  readonly swept: Map<string, Promise<void>>
}

/** A write that nobody sees until `commit`. */
export class FileWriter implements ObjectWriter {
  readonly #path: string
  readonly #temporary: string
  readonly #done: () => void
  readonly #hash = createHash('sha256')
  readonly #handle: FileHandle
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #size = 0
  #last: Promise<void> = Promise.resolve()
  #state: 'open' | 'committed' | 'aborted' = 'open'

  private constructor(path: string, temporary: string, handle: FileHandle, done: () => void) {
    this.#path = path
    this.#temporary = temporary
    this.#handle = handle
    this.#done = done
  }

  /** Makes missing folders, sweeps what an earlier attempt left in the folder, and opens the temporary file. */
  static async create(path: string, names: TemporaryNames, done: () => void): Promise<FileWriter> {
    const folder = dirname(path)
    const temporary = temporaryPath(path, names)
    try {
      await mkdir(folder, { recursive: true })
      let sweeping = names.swept.get(folder)
      if (sweeping === undefined) {
        sweeping = sweep(folder, names)
        names.swept.set(folder, sweeping)
      }
      await sweeping
      return new FileWriter(path, temporary, await open(temporary, 'wx'), done)
    } catch (error) {
      throw fileFailure(error, 'user', 'cannot write', path)
    }
  }

  write(chunk: Uint8Array | string): Promise<void> {
    if (this.#state !== 'open') throw new Error(`${this.#path}: written to after it was ${this.#state}`)
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.copyBytesFrom(chunk)
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
    return this.#gatheredBytes < bufferSize ? this.#last : this.#flush()
  }

  async commit(): Promise<{ readonly uri: string; readonly size: number; readonly sha256: string }> {
    if (this.#state !== 'open') throw new Error(`${this.#path}: committed after it was ${this.#state}`)
    try {
      await this.#flush()
      await this.#handle.sync()
      await this.#handle.close()
      await rename(this.#temporary, this.#path)
      await syncFolder(dirname(this.#path))
    } catch (error) {
      await this.abort()
      throw fileFailure(error, 'user', 'cannot write', this.#path)
    }
    this.#state = 'committed'
    this.#done()
    return { uri: this.#path, size: this.#size, sha256: this.#hash.digest('hex') }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'aborted'
    this.#done()
    // A failed write was already thrown to whoever wrote; closing twice is refused by Node and means nothing here.
    await this.#last.catch(() => {})
    await this.#handle.close().catch(() => {})
    await rm(this.#temporary, { force: true })
  }

  /** Writes run one after another, in order. */
  #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#gathered)
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#last = this.#last.then(() => this.#append(bytes))
    // Thrown to whoever awaits a write or the commit; a caller that awaits neither must not end the process.
    this.#last.catch(() => {})
    return this.#last
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      this.#hash.update(bytes)
      for (let offset = 0; offset < bytes.length; ) {
        offset += (await this.#handle.write(bytes, offset)).bytesWritten
      }
      this.#size += bytes.length
    } catch (error) {
      throw fileFailure(error, 'user', 'cannot write', this.#path)
    }
  }
}

/** The beginning of the name is cut where the whole would be too long. */
function temporaryPath(path: string, { tag, attempt }: TemporaryNames): string {
  const ending = `.${tag}-${attempt}.tmp`
  let name = basename(path)
  while (Buffer.byteLength(name) + ending.length + 1 > longestName) name = name.slice(1)
  return join(dirname(path), `.${name}${ending}`)
}

/** Removes what earlier attempts of the same (run, task, instance) left half-written; at most one attempt is alive. */
async function sweep(folder: string, { tag, attempt }: TemporaryNames): Promise<void> {
  const own = `-${attempt}.tmp`
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.') || !name.endsWith('.tmp') || name.endsWith(own)) continue
    const at = name.lastIndexOf(`.${tag}-`)
    if (at > 0) await rm(join(folder, name), { force: true })
  }
}

/** Makes a rename survive a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
