/**
 * Where tokens go: rows into binary shards, where documents begin into index shards beside them. Knows nothing of
 * tokenizers.
 */
import { readFile, rm } from 'node:fs/promises'
import { endianness } from 'node:os'
import { join } from 'node:path'
import type { Json, JsonObject } from '../../plugins/api.ts'
import { Aside } from './records-aside.ts'
import { manifestName, printManifest } from './records-manifest.ts'
import { syncFolder, writeSynced } from './records-place.ts'
import type { Batch } from './records-read.ts'
import type { Shard } from './records-schema.ts'
import type { Sink } from './records-stream.ts'
import { ShardWriter, type WriterState } from './records-write.ts'
import { type OpenRows, Packer, type Packing, type Row } from './tokenize-pack.ts'

/** What the rows are like. */
export interface TokenFormat {
  readonly contextLength: number
  readonly packing: Packing
  readonly pad: number
  readonly shardBytes: number
  /** Whether the tokens to be learned have {@link learnedFlag}; then the index says where they stand. */
  readonly flagged: boolean
}

/** What was written. */
export interface TokenCounts {
  /** Rows. */
  readonly sequences: number
  readonly documents: number
  /** Tokens in all rows, without padding. */
  readonly tokens: number
  readonly shards: readonly Shard[]
  readonly index: readonly Shard[]
}

/** Folder of the index, in the dataset's folder. */
const indexFolder = 'index'
/** What the packer holds, in a checkpoint. */
const openRows = 'open-rows.bin'

/** Added to the id of a token that is to be learned, where not all are; ids are below it. */
export const learnedFlag = 2 ** 31

/** From a record to its tokens, or why it has none. */
export type Encode = (
  record: JsonObject,
) => readonly number[] | { readonly reason: string; readonly detail?: string }

/** Tokenizes and packs; rows are 32-bit unsigned integers, little-endian. */
export class TokenSink implements Sink {
  readonly aside: Aside
  files: readonly string[] = []
  readonly #folder: string
  readonly #encode: Encode
  readonly #flagged: boolean
  readonly #packer: Packer
  readonly #rows: ShardWriter
  readonly #index: ShardWriter
  #counts = { sequences: 0, documents: 0, tokens: 0 }

  constructor(folder: string, format: TokenFormat, encode: Encode) {
    const rowBytes = format.contextLength * 4
    const shardRecords = Math.max(1, Math.floor(format.shardBytes / rowBytes))
    const unlimited = { shardBytes: Number.POSITIVE_INFINITY, shardRecords }
    this.#folder = folder
    this.#encode = encode
    this.#flagged = format.flagged
    this.#packer = new Packer(format)
    this.#rows = new ShardWriter({ folder, extension: '.bin', ...unlimited })
    this.#index = new ShardWriter({ folder: join(folder, indexFolder), ...unlimited })
    this.aside = new Aside(folder, format.shardBytes)
  }

  take({ file, entries }: Batch): void {
    for (const entry of entries) {
      const record = this.aside.admit(file, entry)
      if (record === null) continue
      const tokens = this.#encode(record)
      if ('reason' in tokens) {
        this.aside.put('reject', tokens.reason, tokens.detail ?? null, file, entry)
        continue
      }
      this.#counts.documents += 1
      this.#packer.add(tokens)
    }
    this.#drain()
  }

  async flush(): Promise<void> {
    await this.#rows.flush()
    await this.#index.flush()
    await this.aside.flush()
  }

  async save(): Promise<Json> {
    const { tokens, ...open } = this.#packer.save()
    const path = join(this.#folder, openRows)
    // A new file each time: the checkpoint before may share the old one's bytes.
    await rm(path, { force: true })
    await writeSynced(path, littleEndian(tokens))
    this.files = [path]
    const [rows, index, aside] = [await this.#rows.save(), await this.#index.save(), await this.aside.save()]
    return JSON.parse(JSON.stringify({ counts: this.#counts, open, rows, index, aside }))
  }

  async restore(folder: string, state: Json, checkpoint: string): Promise<void> {
    const saved = state as unknown as Saved
    await this.#rows.restore(folder, saved.rows)
    await this.#index.restore(join(folder, indexFolder), saved.index)
    await this.aside.restore(folder, saved.aside)
    const bytes = littleEndian(await readFile(join(checkpoint, openRows)))
    const tokens = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    this.#packer.restore({ ...saved.open, tokens })
    this.#counts = { ...saved.counts }
  }

  async abandon(): Promise<void> {
    await this.#rows.abandon()
    await this.#index.abandon()
    await this.aside.abandon()
  }

  /** Writes the last rows and the manifest, which begins with `about`. */
  async finish(about: JsonObject): Promise<TokenCounts> {
    this.#packer.end()
    this.#drain()
    const shards = await this.#rows.finish()
    const index = await this.#index.finish()
    const counts = { ...this.#counts, shards, index }
    await rm(join(this.#folder, openRows), { force: true })
    const { sequences: records } = counts
    const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0)
    const manifest = { version: 1, format: 'tokens', ...about, records, bytes, ...counts }
    await writeSynced(join(this.#folder, manifestName), printManifest(manifest))
    if (index.length > 0) await syncFolder(join(this.#folder, indexFolder))
    await syncFolder(this.#folder)
    return counts
  }

  #drain(): void {
    for (const row of this.#packer.take()) this.#write(row)
  }

  #write({ tokens, length, starts, documents }: Row): void {
    const learned = this.#flagged ? { loss: takeFlags(tokens) } : {}
    this.#rows.append(littleEndian(tokens), false)
    this.#index.append(JSON.stringify({ length, starts, documents, ...learned }))
    this.#counts.sequences += 1
    this.#counts.tokens += length
  }
}

/** Clears the flags of a row's tokens; where they stood: from, to (not included), and again. */
function takeFlags(tokens: Uint32Array): [number, number][] {
  const spans: [number, number][] = []
  for (const [at, token] of tokens.entries()) {
    if (token < learnedFlag) continue
    tokens[at] = token - learnedFlag
    const last = spans.at(-1)
    if (last?.[1] === at) last[1] = at + 1
    else spans.push([at, at + 1])
  }
  return spans
}

/** What a checkpoint holds of a sink. */
interface Saved {
  readonly counts: { sequences: number; documents: number; tokens: number }
  readonly open: Omit<OpenRows, 'tokens'>
  readonly rows: WriterState
  readonly index: WriterState
  readonly aside: Json
}

/** The bytes of 32-bit integers, in the order of the file format; back again likewise. Changes its argument on big-endian machines. */
function littleEndian(words: Uint32Array | Buffer): Buffer {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength)
  return endianness() === 'LE' ? bytes : bytes.swap32()
}
