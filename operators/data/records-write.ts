/**
 * Writes shards of a dataset into a folder, and can go on from where a checkpoint left them.
 * Knows nothing of where the folder is put in the end, or of verdicts.
 */
import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorFailure } from '../../plugins/api.ts'
import type { Shard } from './records-schema.ts'

/** What a checkpoint keeps of a writer: whole shards, and as much of the last one as was on the disk. */
export interface WriterState {
  readonly shards: readonly Shard[]
  /** The unfinished shard, its digest so far; null where there is none. */
  readonly open: Shard | null
}

/** How a writer names and cuts its shards. */
export interface WriterOptions {
  /** Absolute; made when the first shard begins. */
  readonly folder: string
  /** Bytes after which a shard is full. A larger record has a shard of its own. */
  readonly shardBytes: number
  /** Records after which a shard is full; default: no limit. */
  readonly shardRecords?: number
  /** Default `.jsonl`. */
  readonly extension?: string
}

/** Bytes gathered before a write. */
const bufferSize = 2 ** 18

/** A shard being written. */
interface OpenShard {
  readonly name: string
  readonly hash: Hash
  handle: FileHandle | null
  records: number
  bytes: number
}

/** Something to do when it is next flushed: bytes for a shard, and perhaps its end. */
interface Pending {
  readonly shard: OpenShard
  readonly bytes: Buffer | null
  readonly close: boolean
}

/** Appends records at memory speed; `flush` brings them to the disk. Equal records in equal order make equal bytes. */
export class ShardWriter {
  readonly #options: Required<WriterOptions>
  readonly #shards: Shard[] = []
  #open: OpenShard | null = null
  #buffer = Buffer.allocUnsafeSlow(bufferSize)
  #filled = 0
  readonly #pending: Pending[] = []

  constructor(options: WriterOptions) {
    this.#options = { extension: '.jsonl', shardRecords: Number.POSITIVE_INFINITY, ...options }
  }

  /** Records in all shards so far. */
  get records(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.records, this.#open?.records ?? 0)
  }

  /** Appends one record (without a line end) and, with `lineEnd`, a newline. Takes effect at the next `flush`. */
  append(record: Uint8Array | string, lineEnd = true): void {
    const bytes = typeof record === 'string' ? Buffer.from(record) : record
    const length = bytes.length + (lineEnd ? 1 : 0)
    const shard = this.#shardFor(length)
    if (length > bufferSize) {
      this.#cut(shard, false)
      this.#pending.push({
        shard,
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
        close: false,
      })
      if (lineEnd) this.#pending.push({ shard, bytes: Buffer.from('\n'), close: false })
    } else {
      if (this.#filled + length > bufferSize) this.#cut(shard, false)
      this.#buffer.set(bytes, this.#filled)
      if (lineEnd) this.#buffer[this.#filled + bytes.length] = 10
      this.#filled += length
    }
    shard.records += 1
    shard.bytes += length
  }

  /** Writes what is complete: whole buffers and full shards. */
  async flush(): Promise<void> {
    // What fails stays in the list, so that `abandon` finds its file.
    for (let next = this.#pending[0]; next; next = this.#pending[0]) {
      if (next.bytes) await this.#write(next.shard, next.bytes)
      if (next.close) await this.#close(next.shard)
      this.#pending.shift()
    }
  }

  /** Brings everything to the disk and says where it stands. */
  async save(): Promise<WriterState> {
    if (this.#open) this.#cut(this.#open, false)
    await this.flush()
    const shard = this.#open
    if (!shard) return { shards: [...this.#shards], open: null }
    await this.#guard(shard, async () => (await this.#handle(shard)).datasync())
    const { name, records, bytes } = shard
    return {
      shards: [...this.#shards],
      open: { name, records, bytes, sha256: shard.hash.copy().digest('hex') },
    }
  }

  /** Closes the last shard. No more can be appended. */
  async finish(): Promise<readonly Shard[]> {
    if (this.#open) this.#cut(this.#open, true)
    await this.flush()
    this.#open = null
    return this.#shards
  }

  /** Lets go of the open file, whatever is not flushed is lost. Never throws. */
  async abandon(): Promise<void> {
    await this.#open?.handle?.close().catch(() => {})
    for (const { shard } of this.#pending) await shard.handle?.close().catch(() => {})
  }

  /**
   * Takes over what an earlier writer had saved in the folder `from`. Whole shards are linked; the unfinished one is
   * copied, since its first writer may still live. Throws where a file is not what the state says.
   */
  async restore(from: string, state: WriterState): Promise<void> {
    if (state.shards.length > 0 || state.open) await mkdir(this.#options.folder, { recursive: true })
    for (const shard of state.shards) {
      await digestOf(join(from, shard.name), shard)
      await linkOrCopy(join(from, shard.name), join(this.#options.folder, shard.name))
      this.#shards.push(shard)
    }
    if (!state.open) return
    const target = join(this.#options.folder, state.open.name)
    await copyFile(join(from, state.open.name), target, constants.COPYFILE_FICLONE)
    const handle = await open(target, 'r+')
    await handle.truncate(state.open.bytes)
    await handle.close()
    const hash = await digestOf(target, state.open)
    this.#open = {
      name: state.open.name,
      records: state.open.records,
      bytes: state.open.bytes,
      hash,
      handle: null,
    }
  }

  #shardFor(length: number): OpenShard {
    const shard = this.#open
    const { shardBytes, shardRecords } = this.#options
    if (shard && shard.bytes + length <= shardBytes && shard.records < shardRecords) return shard
    if (shard) this.#cut(shard, true)
    const number = String(this.#shards.length + this.#closing()).padStart(5, '0')
    const name = `part-${number}${this.#options.extension}`
    this.#open = { name, hash: createHash('sha256'), handle: null, records: 0, bytes: 0 }
    return this.#open
  }

  /** Shards that are full, but not yet written. */
  #closing(): number {
    return this.#pending.reduce((sum, { close }) => sum + (close ? 1 : 0), 0)
  }

  #cut(shard: OpenShard, close: boolean): void {
    const bytes = this.#filled > 0 ? this.#buffer.subarray(0, this.#filled) : null
    if (bytes) this.#buffer = Buffer.allocUnsafeSlow(bufferSize)
    this.#filled = 0
    if (bytes || close) this.#pending.push({ shard, bytes, close })
  }

  async #write(shard: OpenShard, bytes: Buffer): Promise<void> {
    shard.hash.update(bytes)
    await this.#guard(shard, async () => {
      const handle = await this.#handle(shard)
      for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten
    })
  }

  async #close(shard: OpenShard): Promise<void> {
    const { name, records, bytes } = shard
    await this.#guard(shard, async () => {
      const handle = await this.#handle(shard)
      await handle.datasync()
      await handle.close()
    })
    this.#shards.push({ name, records, bytes, sha256: shard.hash.digest('hex') })
  }

  async #handle(shard: OpenShard): Promise<FileHandle> {
    if (!shard.handle) {
      await mkdir(this.#options.folder, { recursive: true })
      shard.handle = await open(join(this.#options.folder, shard.name), 'a')
    }
    return shard.handle
  }

  async #guard(shard: OpenShard, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      throw writeFailure(error, join(this.#options.folder, shard.name))
    }
  }
}

/**
 * What a failed write means. A full disk is `crash`: it passes, so that it is tried again, from the checkpoint.
 * Anything else is `user`: a wrong place or missing rights, which no retry mends.
 */
export function writeFailure(error: unknown, path: string): OperatorFailure {
  if (error instanceof OperatorFailure) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const what = code === 'ENOSPC' ? 'the disk is full' : 'the disk quota is used up'
    return new OperatorFailure('crash', `cannot write ${path}: ${what}; free space and resume the run`, {
      cause: error,
    })
  }
  return new OperatorFailure('user', `cannot write ${path}: ${message}`, { cause: error })
}

/** Reads a file back; its digest so far. Throws where bytes or digest differ from the record of it. */
async function digestOf(path: string, shard: Shard): Promise<Hash> {
  const hash = createHash('sha256')
  let bytes = 0
  const handle = await open(path)
  for await (const chunk of handle.createReadStream({ highWaterMark: bufferSize })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  if (bytes !== shard.bytes || hash.copy().digest('hex') !== shard.sha256) {
    throw new OperatorFailure('data_corruption', `${path} is not what the checkpoint recorded`)
  }
  return hash
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
  }
}
