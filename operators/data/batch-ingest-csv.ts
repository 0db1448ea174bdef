/**
 * CSV and TSV (RFC 4180) as records of strings, row after row, with where each row stands. Knows nothing of where the
 * records go. Holds at most one row and one chunk in memory.
 */
import { isUtf8 } from 'node:buffer'
import { finished } from 'node:stream/promises'
import type { CsvError, InfoRecord, Parser } from 'csv-parse'
import { OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import { openDecoded } from './records-decode.ts'
import { badUtf8, Entry, type Found, type Read } from './records-lines.ts'

/** How the rows of a file are written, and where to begin. */
export interface CsvOptions {
  /** One character. */
  readonly delimiter: string
  /** One character, or null where nothing is quoted. */
  readonly quote: string | null
  /** The names of the columns where the first row is a record already. */
  readonly columns: readonly string[] | undefined
  /** Bytes; a longer row is taken for a quote that is never closed. */
  readonly maxLine: number
  /** Entries per batch at most. */
  readonly batch: number
  /** Bytes and lines that are already read. */
  readonly from: { readonly offset: number; readonly line: number }
}

/** A row as it stands in the file. */
interface Row {
  readonly fields: readonly string[]
  /** Without its line end and blank lines before it. */
  readonly raw: Buffer
  /** The line on which it begins, from 1. */
  readonly line: number
  /** Bytes and lines before the next row. */
  readonly end: { readonly offset: number; readonly line: number }
}

/**
 * The records of one file, in batches; every value is a string, an empty field an empty one. A row with more or fewer
 * fields than there are columns is a problem. Throws `invalid_input` where the header cannot be used or a quote is never
 * closed: the rest of the file cannot be told then.
 */
export async function* readCsv(task: TaskContext, uri: string, options: CsvOptions): AsyncGenerator<Read> {
  let columns = options.columns && columnsOf(options.columns, uri)
  if (!columns && options.from.offset > 0) columns = await readHeader(task, uri, options)
  for await (const rows of readRows(task, uri, options)) {
    const [first, ...others] = rows
    const records = columns || !first ? rows : others
    columns ??= first && columnsOf(first.fields, uri)
    for (let at = 0; at < records.length; at += options.batch) {
      const some = records.slice(at, at + options.batch)
      const { end } = some.at(-1) as Row
      yield { entries: some.map((row) => entryOf(row, columns as readonly string[])), ...end }
    }
  }
}

async function readHeader(
  task: TaskContext,
  uri: string,
  options: CsvOptions,
): Promise<readonly string[] | undefined> {
  for await (const [first] of readRows(task, uri, { ...options, from: { offset: 0, line: 0 } })) {
    if (first) return columnsOf(first.fields, uri)
  }
  return undefined
}

/** The names of the columns; one without a name, as tables with row numbers have, is named by its place. */
function columnsOf(header: readonly string[], uri: string): readonly string[] {
  const columns = header.map((name, i) => (name === '' ? `column${i + 1}` : name))
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  if (twice === undefined) return columns
  throw new OperatorFailure(
    'invalid_input',
    `cannot read ${uri}: two of its columns are named ${JSON.stringify(twice)}; name them in the file, or with \`columns\` where it has no header`,
  )
}

function entryOf({ fields, raw, line, end }: Row, columns: readonly string[]): Entry {
  const found = isUtf8(raw) ? recordOf(fields, columns) : badUtf8
  return new Entry(raw, 0, raw.length, { ...found, number: line, end: end.offset })
}

function recordOf(fields: readonly string[], columns: readonly string[]): Found {
  if (fields.length !== columns.length) {
    const detail = `a row of ${fields.length} fields; there are ${columns.length} columns`
    return { record: null, problem: 'ragged_row', detail }
  }
  return {
    record: Object.fromEntries(columns.map((name, i) => [name, fields[i] ?? ''])),
    problem: null,
    detail: '',
  }
}

/** The rows that each chunk completes. */
async function* readRows(
  task: TaskContext,
  uri: string,
  options: CsvOptions,
): AsyncGenerator<readonly Row[]> {
  const rows = new Rows(options)
  const parser = await openParser(options, (fields, { bytes }) => rows.add(fields, bytes))
  try {
    for await (const chunk of openDecoded(task, uri, options.from.offset)) {
      rows.hold(chunk)
      await write(parser, chunk)
      yield rows.take()
    }
    parser.end()
    await finished(parser)
    yield rows.take()
  } catch (error) {
    if (error instanceof OperatorFailure) throw error
    const problem = wrong((error as CsvError).code, options)
    const where = `the row that begins on line ${rows.nextLine}`
    throw new OperatorFailure('invalid_input', `cannot read ${uri}: ${where} ${problem}`, { cause: error })
  } finally {
    parser.destroy()
  }
}

function wrong(code: string, { quote, maxLine }: CsvOptions): string {
  if (code === 'CSV_QUOTE_NOT_CLOSED')
    return `has a quote (${quote}) that is never closed; mend the file, or set \`quote: ""\` where nothing is quoted`
  if (code === 'CSV_MAX_RECORD_SIZE')
    return `is over ${maxLine} characters, or has a quote that is not closed; mend the file or raise \`maxLine\``
  return `cannot be parsed (${code}); mend the file`
}

/** A parser that calls `add` for each row and gives nothing itself. Quotes inside a field that is not quoted are text. */
async function openParser(
  { delimiter, quote, maxLine }: CsvOptions,
  add: (fields: readonly string[], info: InfoRecord) => void,
): Promise<Parser> {
  const { Parser } = await import('csv-parse')
  const parser = new Parser({
    delimiter,
    quote: quote ?? false,
    escape: quote ?? false,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: maxLine,
    on_record: (fields, info) => {
      add(fields, info)
      return null
    },
  })
  // What goes wrong is told to whoever writes; without a listener it would end the process.
  parser.on('error', () => {})
  return parser.resume()
}

function write(parser: Parser, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

/** Gives rows their bytes and lines: the parser tells only how many bytes it has read. */
class Rows {
  #rows: Row[] = []
  /** Bytes since the last row. */
  #held: Buffer[] = []
  readonly #start: number
  #offset: number
  #line: number

  constructor({ from }: CsvOptions) {
    this.#start = from.offset
    this.#offset = from.offset
    this.#line = from.line
  }

  /** The line on which the row that is not yet complete begins. */
  get nextLine(): number {
    return this.#line + 1 + linesIn(blankStart(this.#join()))
  }

  hold(chunk: Uint8Array): void {
    this.#held.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }

  /** @param bytes read by the parser up to the end of the row */
  add(fields: readonly string[], bytes: number): void {
    const all = this.#join()
    const length = this.#start + bytes - this.#offset
    const block = all.subarray(0, length)
    const blank = blankStart(block)
    const line = this.#line + 1 + linesIn(blank)
    this.#held = [all.subarray(length)]
    this.#offset += length
    this.#line += linesIn(block)
    const raw = block.subarray(blank.length, block.length - endLength(block))
    this.#rows.push({ fields, raw, line, end: { offset: this.#offset, line: this.#line } })
  }

  take(): readonly Row[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  #join(): Buffer {
    const [first] = this.#held
    const all = this.#held.length === 1 && first ? first : Buffer.concat(this.#held)
    this.#held = [all]
    return all
  }
}

const [newline, carriage] = [10, 13]

/** The line ends with which a block begins. */
function blankStart(block: Buffer): Buffer {
  let length = 0
  while (block[length] === newline || block[length] === carriage) length += 1
  return block.subarray(0, length)
}

function endLength(block: Buffer): number {
  if (block.at(-1) === newline) return block.at(-2) === carriage ? 2 : 1
  return block.at(-1) === carriage ? 1 : 0
}

/** Line ends in a block: `\n`, `\r\n` or `\r`. */
function linesIn(block: Buffer): number {
  let lines = 0
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) lines += 1
  for (let at = block.indexOf(carriage); at >= 0; at = block.indexOf(carriage, at + 1))
    if (block[at + 1] !== newline) lines += 1
  return lines
}
