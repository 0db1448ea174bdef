/**
 * Finds the files that an input means and reads their records, from any position on.
 * Knows nothing of what becomes of the records.
 */
import { type JsonObject, OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import { openDecoded } from './records-decode.ts'
import { type Entry, readLines } from './records-lines.ts'
import { type Manifest, manifestName, parseManifest } from './records-manifest.ts'
import type { DatasetInput, DatasetPart } from './records-schema.ts'

/** A file to read. */
export interface SourceFile {
  /** How rejects and provenance name it: relative to the folder or glob, so that it is the same on every machine. */
  readonly name: string
  readonly uri: string
  /** Bytes, as stored. */
  readonly size: number
  /** Known where the file is a shard of a dataset. */
  readonly records: number | null
}

/** Where reading goes on: a file, and what of it was read. */
export interface Position {
  /** Index into the source's files. */
  readonly file: number
  /** Bytes of the decoded file that were read. */
  readonly offset: number
  /** Lines (or documents) of the file that were read. */
  readonly line: number
}

/** Before the first record of the first file. */
export const start: Position = { file: 0, offset: 0, line: 0 }

/** Some records of one file. */
export interface Batch {
  readonly file: SourceFile
  readonly entries: readonly Entry[]
  /** Where reading goes on after the last of `entries`. */
  readonly next: Position
}

/** Records to read, in an order that never changes. */
export interface Source {
  readonly files: readonly SourceFile[]
  read(options: ReadOptions): AsyncIterable<Batch>
}

/** How records are read. */
export interface ReadOptions {
  /** Default: the beginning. */
  readonly from?: Position
  /** Records per batch at most; default 256. */
  readonly batch?: number
  /** Longest line in bytes; default 32 MiB. */
  readonly maxLine?: number
}

/** The records that an input means. Throws `invalid_input` where there are none to find, `data_corruption` where a shard has another size than its manifest says. */
export async function openSource(task: TaskContext, input: DatasetInput): Promise<Source> {
  const files = await findFiles(task, input)
  return { files, read: (options) => readFiles(task, files, options) }
}

/** Streams the records of an input, in batches. The short way, for operators that need no checkpoint. */
export async function* readRecords(
  task: TaskContext,
  input: DatasetInput,
  options: ReadOptions = {},
): AsyncGenerator<Batch> {
  yield* (await openSource(task, input)).read(options)
}

async function* readFiles(
  task: TaskContext,
  files: readonly SourceFile[],
  options: ReadOptions,
): AsyncGenerator<Batch> {
  const { from = start, batch = 256, maxLine = 32 * 2 ** 20 } = options
  for (let index = from.file; index < files.length; index += 1) {
    const file = files[index] as SourceFile
    const begin = index === from.file ? from : start
    const bytes = await openDecoded(task, file.uri, begin.offset)
    for await (const entries of readLines(bytes, { maxLine, batch, from: begin })) {
      const { end, number } = entries.at(-1) as Entry
      yield { file, entries, next: { file: index, offset: end, line: number } }
    }
  }
}

/** The files that an input means, in the order in which they are read. */
async function findFiles(task: TaskContext, input: DatasetInput): Promise<readonly SourceFile[]> {
  const parts: readonly DatasetPart[] = Array.isArray(input) ? input : [input as DatasetPart]
  const found: SourceFile[] = []
  for (const [index, part] of parts.entries()) {
    const uri = typeof part === 'string' ? part : part.dataset
    const files = (await shardsOf(task, uri)) ?? (await matches(task, uri))
    for (const file of files) found.push(parts.length > 1 ? { ...file, name: `${index}/${file.name}` } : file)
  }
  return found
}

/** The manifest of the dataset in a folder, or null where the URI is no dataset. */
export async function readManifest(task: TaskContext, uri: string): Promise<Manifest | null> {
  const at = `${folderOf(uri)}/${manifestName}`
  if (/[*?[{]/.test(uri) || !(await task.objects.stat(at))) return null
  const chunks = await Array.fromAsync(await task.objects.open(at))
  return parseManifest(Buffer.concat(chunks).toString(), at)
}

async function shardsOf(task: TaskContext, uri: string): Promise<readonly SourceFile[] | null> {
  const manifest = await readManifest(task, uri)
  if (!manifest) return null
  if (manifest.format !== 'jsonl') {
    const what =
      manifest.format === 'parts'
        ? 'several datasets: name one of its folders'
        : `${manifest.format}, not records`
    throw new OperatorFailure('invalid_input', `the folder ${uri} holds ${what}`)
  }
  const files: SourceFile[] = []
  for (const { name, bytes, records } of manifest.shards) {
    const at = `${folderOf(uri)}/${name}`
    const size = (await task.objects.stat(at))?.size ?? null
    if (size !== bytes) {
      const what = size === null ? 'is missing' : `has ${size} bytes`
      throw new OperatorFailure(
        'data_corruption',
        `the shard ${at} ${what}; its manifest says ${bytes} bytes`,
      )
    }
    files.push({ name, uri: at, size, records })
  }
  return files
}

const recordFile = /\.(jsonl|ndjson)(\.gz|\.zst)?$/i

async function matches(task: TaskContext, pattern: string): Promise<readonly SourceFile[]> {
  const base = baseOf(task.objects.resolve(pattern))
  const all = await task.objects.list(pattern)
  const inFolder = all.length > 0 && !/[*?[{]/.test(pattern) && all[0]?.uri !== task.objects.resolve(pattern)
  const files = inFolder ? all.filter(({ uri }) => recordFile.test(uri)) : all
  if (files.length === 0) {
    const kinds = all.length > 0 ? ' with the ending .jsonl, .jsonl.gz or .jsonl.zst' : ''
    throw new OperatorFailure(
      'invalid_input',
      `\`${pattern}\` matches no file${kinds}; check the path, or use BatchIngest for other formats`,
    )
  }
  return files.map(({ uri, size }) => ({ name: nameIn(base, uri), uri, size, records: null }))
}

/** The folder in which a glob begins to vary; of a plain path its parent, or itself where it is a folder. */
export function baseOf(resolved: string): string {
  const wild = resolved.search(/[*?[{]/)
  return wild < 0 ? folderOf(resolved) : resolved.slice(0, resolved.lastIndexOf('/', wild))
}

/** The name of a file below `base`; its last part where it is `base` itself. */
export function nameIn(base: string, uri: string): string {
  return uri.startsWith(`${base}/`) ? uri.slice(base.length + 1) : uri.slice(uri.lastIndexOf('/') + 1)
}

function folderOf(uri: string): string {
  return uri.replace(/(?<=.)\/+$/, '')
}

/** Where a record stands, for people: `name:line`. */
export function placeOf(file: SourceFile, entry: Entry): JsonObject {
  return { file: file.name, line: entry.number }
}
