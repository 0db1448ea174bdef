/**
 * Parquet files as records, row group by row group. Knows nothing of where the records go. Holds one row group, or where
 * the file has an index of its pages, some rows of one.
 */
import { isUtf8 } from 'node:buffer'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type {
  AsyncBuffer,
  DecodedArray,
  FileMetaData,
  ParquetParsers,
  ParquetScan,
  ParquetScanOptions,
  RowGroup,
  SchemaTree,
} from 'hyparquet'
import { type Json, type JsonObject, OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import { BadText, converterOf, type ToJson } from './batch-ingest-parquet-values.ts'
import { badUtf8, Entry, type Read } from './records-lines.ts'
import type { SourceFile } from './records-read.ts'

/** What to read of a file, and where to begin. */
export interface ParquetOptions {
  /** Names of the columns; undefined means all. Those that the file does not have are left out. */
  readonly fields: readonly string[] | undefined
  /** Entries per batch at most. */
  readonly batch: number
  /** Rows that are already read. */
  readonly from: number
}

type Compressors = NonNullable<ParquetScanOptions['compressors']>

/** Bytes of a row group, unpacked, that are read at once where its pages can be read apart. */
const windowBytes = 2 ** 24
/** Bytes of one page, unpacked; writers make pages of 1 MiB, and a broken file must not take all memory. */
const largestPage = 2 ** 30

/**
 * The records of one file, in batches; `number` and `end` of an entry count rows.
 * Throws `data_corruption` where the file is broken, `invalid_input` where it uses what is not supported here.
 */
export async function* readParquet(
  task: TaskContext,
  file: SourceFile,
  options: ParquetOptions,
): AsyncGenerator<Read> {
  const table = await guarded(file, () => openTable(task, file, options))
  let row = options.from
  for (const { start, end } of windowsOf(table, options.from)) {
    const entries = await guarded(file, () => table.entries(start, end))
    for (let at = 0; at < entries.length; at += options.batch) {
      const some = entries.slice(at, at + options.batch)
      row += some.length
      yield { entries: some, offset: row, line: row }
    }
  }
}

/** An open file. */
interface Table {
  readonly groups: readonly RowGroup[]
  /** The rows from `start` to before `end`, which lie in one row group. */
  entries(start: number, end: number): Promise<Entry[]>
}

async function openTable(task: TaskContext, file: SourceFile, { fields }: ParquetOptions): Promise<Table> {
  const { parquetMetadataAsync, parquetScan, parquetSchema } = await import('hyparquet')
  const bytes = bufferOf(task, file)
  const metadata = await parquetMetadataAsync(bytes)
  const columns = parquetSchema(metadata).children.filter(
    ({ element }) => fields?.includes(element.name) ?? true,
  )
  const scan = await parquetScan({
    file: bytes,
    metadata: withoutLossyTypes(metadata),
    parsers,
    utf8: false,
    compressors: await compressors(),
  })
  const converters = columns.map((column: SchemaTree): [string, ToJson] => [
    column.element.name,
    converterOf(column),
  ])
  return {
    groups: metadata.row_groups,
    entries: async (start, end) => {
      const values: (readonly [string, ToJson, DecodedArray])[] = []
      for (const [name, convert] of converters)
        values.push([name, convert, await column(scan, name, start, end)])
      return Array.from({ length: end - start }, (_, i) => entryAt(values, i, start + i + 1))
    },
  }
}

async function column(scan: ParquetScan, name: string, start: number, end: number): Promise<DecodedArray> {
  const values = await scan.readColumn({ column: name, rowStart: start, rowEnd: end })
  if (values.length === end - start) return values
  throw new Error(`the column ${name} has ${values.length} of the rows ${start + 1} to ${end}`)
}

function entryAt(
  values: readonly (readonly [string, ToJson, DecodedArray])[],
  at: number,
  row: number,
): Entry {
  let name = ''
  try {
    const fields: [string, Json][] = []
    for (const [column, convert, data] of values) {
      name = column
      fields.push([column, convert(data[at])])
    }
    const record: JsonObject = Object.fromEntries(fields)
    return new Entry(Buffer.alloc(0), 0, 0, { record, problem: null, detail: '', number: row, end: row })
  } catch (error) {
    if (!(error instanceof BadText)) throw error
    const bytes = Buffer.from(error.bytes)
    const detail = `its column ${name} is not valid UTF-8`
    return new Entry(bytes, 0, bytes.length, { ...badUtf8, detail, number: row, end: row })
  }
}

/** Ranges of rows to read one after another, from row `from` on. */
function* windowsOf({ groups }: Table, from: number): Generator<{ start: number; end: number }> {
  let first = 0
  for (const group of groups) {
    const rows = Number(group.num_rows)
    const size = windowRows(group, rows)
    const end = first + rows
    for (let start = Math.max(first, from); start < end; start += size)
      yield { start, end: Math.min(start + size, end) }
    first = end
  }
}

/** Without an index of its pages, each look at a part of a row group would unpack all of it again. */
function windowRows({ columns, total_byte_size: bytes }: RowGroup, rows: number): number {
  const apart = columns.every((chunk) => chunk.offset_index_offset && chunk.offset_index_length)
  return apart
    ? Math.max(256, Math.floor(rows * Math.min(1, windowBytes / Number(bytes))))
    : Math.max(1, rows)
}

/** Dates and times stay numbers, and text that is none is marked: their conversion needs the column's type. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value) => value,
  timestampFromMicroseconds: (value) => value,
  timestampFromNanoseconds: (value) => value,
  dateFromDays: (value) => value,
  stringFromBytes: text,
  jsonFromBytes: text,
}

function text(bytes: Uint8Array | undefined): unknown {
  if (!bytes) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return isUtf8(buffer) ? buffer.toString() : new BadText(bytes)
}

/** hyparquet makes floating point numbers of decimals and refuses intervals and BSON; as plain numbers and bytes it gives all of them. */
function withoutLossyTypes(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    const { converted_type: type, logical_type: logical, ...rest } = element
    const lossy = ['DECIMAL', 'INTERVAL', 'BSON']
    return lossy.includes(type ?? '') || lossy.includes(logical?.type ?? '') ? rest : element
  })
  return { ...metadata, schema }
}

async function compressors(): Promise<Compressors> {
  const { compressors: others } = await import('hyparquet-compressors')
  const limited =
    (unpack: (input: Uint8Array, length: number) => Uint8Array) => (input: Uint8Array, length: number) => {
      // A page of nulls alone has no bytes, which not every codec can unpack.
      if (length === 0) return new Uint8Array()
      if (length > largestPage) throw new Error(`a page of ${length} bytes; the limit is ${largestPage}`)
      return unpack(input, length)
    }
  const all: Compressors = {
    ...others,
    GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength }),
    BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength }),
    ZSTD: (input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength }),
  }
  return Object.fromEntries(Object.entries(all).map(([codec, unpack]) => [codec, limited(unpack)]))
}

/** A file of which any part can be read. */
function bufferOf(task: TaskContext, { uri, size }: SourceFile): AsyncBuffer {
  if (size < 12) throw new Error(`${size} bytes are no Parquet file`)
  return {
    byteLength: size,
    async slice(start, end = size) {
      if (!(start >= 0 && start <= end && end <= size))
        throw new Error(`it points to bytes ${start} to ${end} of ${size}`)
      const bytes = new Uint8Array(end - start)
      let at = 0
      if (at === bytes.length) return bytes.buffer
      for await (const chunk of await task.objects.open(uri, { start })) {
        const part = (chunk as Uint8Array).subarray(0, bytes.length - at)
        bytes.set(part, at)
        at += part.length
        if (at === bytes.length) return bytes.buffer
      }
      throw new Error(`it ends after ${start + at} bytes`)
    },
  }
}

/** What hyparquet throws, by what it means. */
async function guarded<T>({ uri }: SourceFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof OperatorFailure) throw error
    const { message } = error as Error
    const unsupported = /unsupported|not supported/.test(message)
    const what = unsupported ? 'write the file without it' : 'fetch or write the file again'
    throw new OperatorFailure(
      unsupported ? 'invalid_input' : 'data_corruption',
      `cannot read ${uri} as Parquet: ${message}; ${what}`,
      { cause: error },
    )
  }
}
