/** The `BatchIngest` operator: files of several formats become one dataset. Knows local files so far. */
import {
  defineOperator,
  type JsonObject,
  OperatorFailure,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'
import { readCsv } from './batch-ingest-csv.ts'
import { problemEntry, readDocument } from './batch-ingest-documents.ts'
import { readParquet } from './batch-ingest-parquet.ts'
import {
  type Batch,
  change,
  closed,
  countsOutput,
  datasetOutput,
  keep,
  type RecordsInput,
  recordsInput,
  runRecords,
  type Source,
  type SourceFile,
} from './records.ts'
import { openDecoded } from './records-decode.ts'
import { type Entry, type Read, readLines } from './records-lines.ts'
import { baseOf, nameIn, type Position, type ReadOptions, start } from './records-read.ts'

const formats = ['jsonl', 'json', 'csv', 'tsv', 'parquet', 'text'] as const
type Format = (typeof formats)[number]

/** The operator's input; what it shares with others is a {@link RecordsInput} without gates for rejected records. */
interface IngestInput extends Omit<RecordsInput, 'input' | 'maxRejected'> {
  readonly source: string | readonly string[]
  readonly format: 'auto' | Format
  readonly delimiter?: string
  readonly quote: string
  readonly columns?: readonly string[]
  readonly fields?: readonly string[]
  readonly provenance?: string
  readonly empty: 'fail' | 'ok'
  readonly unreadable: 'fail' | 'reject'
}

const { input: _, maxRejected: __, ...shared } = recordsInput()

/** Reads files in the order of their names and writes their records as a dataset; a restart goes on within the file. */
export const batchIngest = defineOperator<IngestInput>({
  name: 'BatchIngest',
  stage: 'data',
  summary: 'Reads files (JSON lines, JSON, CSV, TSV, Parquet, text; gzip, zstd) into a dataset of records.',
  input: {
    type: 'object',
    properties: {
      source: {
        description: 'What to read: a folder (all files directly in it), a glob, a file, or a list of these.',
        'x-uri': 'input',
        anyOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
        ],
      },
      format: {
        enum: ['auto', ...formats],
        default: 'auto',
        description:
          '`jsonl`: a record per line. `json`: a file is one record, or an array of records. `csv`, `tsv`: a record per row, ' +
          'all values strings, as they stand. `parquet`: a record per row; integers beyond 2^53 and decimals become strings ' +
          'of digits, dates and times ISO 8601, bytes Base64. `text`: a file is one record with the field `text`. `auto`: ' +
          'by the ending, .jsonl or .ndjson, .json, .csv, .tsv or .tab, .parquet, .txt or .md; all but .parquet also before ' +
          '.gz or .zst.',
      },
      delimiter: {
        type: 'string',
        minLength: 1,
        maxLength: 1,
        description: 'What stands between two fields of a row. Default: a comma in `csv`, a tab in `tsv`.',
      },
      quote: {
        type: 'string',
        maxLength: 1,
        default: '"',
        description:
          'What stands around a field of `csv` or `tsv` that holds delimiters, quotes (doubled) or line ends; empty where ' +
          'nothing is quoted.',
      },
      columns: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        uniqueItems: true,
        description:
          'Names of the columns of `csv` or `tsv` without a header. Default: the first row has them.',
      },
      fields: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        uniqueItems: true,
        description: 'Only these fields of each record, in this order. Default: all, as they stand.',
      },
      provenance: {
        type: 'string',
        minLength: 1,
        description: 'Adds a field of this name that says where the record stood: { file, line }.',
      },
      empty: {
        enum: ['fail', 'ok'],
        default: 'fail',
        description: 'What to do where no file matches: fail, or write a dataset without records.',
      },
      unreadable: {
        enum: ['fail', 'reject'],
        default: 'fail',
        description:
          'What to do with a file that cannot be read or unpacked: fail, or reject it (the rest of it) and go on.',
      },
      ...shared,
    },
    required: ['source'],
    additionalProperties: false,
  },
  output: closed({
    ...datasetOutput,
    ...countsOutput,
    files: { type: 'integer', minimum: 0, description: 'Files read.' },
  }),
  effects: 'data',
  example: 'ingest: { uses: BatchIngest, with: { source: "docs/*.jsonl.gz", provenance: _source } }',
  async run(input, task) {
    const source = await openFiles(task, input)
    const { outputs } = await runRecords(task, {
      options: { ...input, input: [], maxRejected: 1 },
      source,
      transform: (record, { file, line }) => {
        const picked = input.fields ? pick(record, input.fields) : record
        if (input.provenance) return change({ ...picked, [input.provenance]: { file, line } })
        // A document may be spread over lines; only a line can be kept as it stands.
        return input.fields || formatOf(file, input.format) !== 'jsonl' ? change(picked) : keep
      },
    })
    return succeeded({ ...outputs, files: source.files.length })
  },
})

function pick(record: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.filter((name) => Object.hasOwn(record, name)).map((name) => [name, record[name] ?? null]),
  )
}

async function openFiles(task: TaskContext, input: IngestInput): Promise<Source> {
  const files = await matching(task, typeof input.source === 'string' ? [input.source] : input.source)
  if (files.length === 0 && input.empty === 'fail') {
    const what = JSON.stringify(input.source)
    throw new OperatorFailure(
      'invalid_input',
      `\`source\` ${what} matches no file; check the path, or set \`empty: ok\``,
    )
  }
  for (const { name } of files) formatOf(name, input.format)
  return { files, read: (options) => readAll(task, input, files, options) }
}

async function matching(task: TaskContext, patterns: readonly string[]): Promise<readonly SourceFile[]> {
  const found = new Map<string, SourceFile>()
  for (const pattern of patterns) {
    const base = baseOf(task.objects.resolve(pattern))
    for (const { uri, size } of await task.objects.list(pattern)) {
      if (!found.has(uri)) found.set(uri, { name: nameIn(base, uri), uri, size, records: null })
    }
  }
  return [...found.values()]
}

const endings: { readonly [ending: string]: Format } = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  parquet: 'parquet',
  txt: 'text',
  text: 'text',
  md: 'text',
}

/** The format of a file; by the ending where it is not given. Throws `invalid_input` for endings it does not know. */
function formatOf(file: string, format: IngestInput['format']): Format {
  if (format !== 'auto') return format
  const [, ending = '', packed] = /\.([a-z0-9]+)(\.(?:gz|zst))?$/i.exec(file) ?? []
  const name = ending.toLowerCase()
  const known = Object.hasOwn(endings, name) ? endings[name] : undefined
  if (known && !(known === 'parquet' && packed)) return known
  const what = known
    ? 'Parquet is read in parts; unpack it first'
    : 'its ending does not tell the format; set `format`'
  throw new OperatorFailure('invalid_input', `cannot ingest ${file}: ${what}`)
}

async function* readAll(
  task: TaskContext,
  input: IngestInput,
  files: readonly SourceFile[],
  options: ReadOptions,
): AsyncGenerator<Batch> {
  const { from = start } = options
  for (let index = from.file; index < files.length; index += 1) {
    const file = files[index] as SourceFile
    const begin = index === from.file ? from : start
    let read = begin.line
    try {
      for await (const { entries, offset, line } of readFile(task, input, file, begin, options)) {
        read = line
        yield { file, entries, next: { file: index, offset, line } }
      }
    } catch (error) {
      if (input.unreadable === 'fail' || !(error instanceof OperatorFailure)) throw error
      const entry = problemEntry('unreadable', error.message, Buffer.alloc(0), read + 1)
      yield { file, entries: [entry], next: { file: index + 1, offset: 0, line: 0 } }
    }
  }
}

function readFile(
  task: TaskContext,
  input: IngestInput,
  file: SourceFile,
  from: Position,
  { batch = 256, maxLine = 32 * 2 ** 20 }: ReadOptions,
): AsyncGenerator<Read> {
  const format = formatOf(file.name, input.format)
  switch (format) {
    case 'jsonl':
      return withPlaces(readLines(openDecoded(task, file.uri, from.offset), { maxLine, batch, from }))
    case 'csv':
    case 'tsv': {
      const { delimiter = format === 'csv' ? ',' : '\t', columns, quote } = input
      return readCsv(task, file.uri, { delimiter, quote: quote || null, columns, maxLine, batch, from })
    }
    case 'parquet':
      return readParquet(task, file, { fields: input.fields, batch, from: from.line })
    default:
      return readDocument(task, file.uri, { format, maxLine, batch, from: from.line })
  }
}

async function* withPlaces(lines: AsyncIterable<readonly Entry[]>): AsyncGenerator<Read> {
  for await (const entries of lines) {
    const { end, number } = entries.at(-1) as Entry
    yield { entries, offset: end, line: number }
  }
}
