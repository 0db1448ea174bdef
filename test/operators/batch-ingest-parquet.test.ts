import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, parquetWrite, parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { batchIngest } from '../../operators/data/batch-ingest.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { datasetRecords, stoppedAfter } from '../support/datasets.ts'
import { runOperator } from '../support/task-context.ts'

type Write = Parameters<typeof parquetWrite>[0]

async function ingest(dir: string, input: JsonObject = {}) {
  const { outcome } = await runOperator(batchIngest, { source: 'in', output: 'out', ...input }, { dir })
  return outcome as unknown as { type: string; kind?: string; message?: string; outputs: JsonObject }
}

function parquet(options: Omit<Write, 'writer'>): Buffer {
  const writer = new ByteWriter()
  parquetWrite({ ...options, writer })
  return Buffer.from(writer.getBuffer())
}

/** One optional column with a schema of its own, and the JSON that comes of its values. */
async function read(t: Tap, elements: SchemaElement[], data: unknown[]): Promise<unknown[]> {
  const schema: SchemaElement[] = [{ name: 'root', num_children: 1 }, ...elements]
  const bytes = parquet({ columnData: [{ name: elements[0]?.name ?? '', data }], schema })
  const dir = t.testdir({ in: { 'a.parquet': bytes } })
  const { type, message } = await ingest(dir)
  if (type !== 'succeeded') throw new Error(message)
  return datasetRecords(dir).map((record) => record[elements[0]?.name ?? ''])
}
type Tap = Pick<typeof t, 'testdir'>

t.test('numbers keep every digit, dates and times become ISO 8601, bytes Base64', async (t) => {
  const optional = { repetition_type: 'OPTIONAL' } as const
  const cases: [Partial<SchemaElement>, unknown[], unknown[]][] = [
    [{ type: 'BOOLEAN' }, [true, null, false], [true, null, false]],
    [{ type: 'INT32' }, [-1, 2 ** 31 - 1], [-1, 2 ** 31 - 1]],
    [{ type: 'INT64' }, [1n, -(2n ** 53n), 2n ** 62n + 1n], [1, '-9007199254740992', '4611686018427387905']],
    [{ type: 'DOUBLE' }, [0.1, Number.NaN, Number.POSITIVE_INFINITY], [0.1, null, null]],
    [{ type: 'BYTE_ARRAY', converted_type: 'UTF8' }, ['naïve', null, ''], ['naïve', null, '']],
    [{ type: 'BYTE_ARRAY' }, [Uint8Array.of(0, 255)], ['AP8=']],
    [{ type: 'BYTE_ARRAY', converted_type: 'JSON' }, [{ a: [1] }, null], [{ a: [1] }, null]],
    [
      { type: 'INT32', converted_type: 'DATE' },
      [new Date('2024-02-29'), new Date('1969-12-31')],
      ['2024-02-29', '1969-12-31'],
    ],
    [
      { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
      [new Date('2024-02-29T12:00:00.500Z'), new Date('1969-12-31T23:59:59.001Z')],
      ['2024-02-29T12:00:00.5Z', '1969-12-31T23:59:59.001Z'],
    ],
    [
      { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' } },
      [1_000_000_001n],
      ['1970-01-01T00:00:01.000000001'],
    ],
    [{ type: 'INT32', converted_type: 'TIME_MILLIS' }, [45_296_007], ['12:34:56.007']],
    [
      { type: 'INT32', converted_type: 'DECIMAL', scale: 2, precision: 9 },
      [1.15, -0.05, 12],
      ['1.15', '-0.05', '12.00'],
    ],
    [
      { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
      ['01234567-89ab-cdef-0123-456789abcdef'],
      ['01234567-89ab-cdef-0123-456789abcdef'],
    ],
  ]
  for (const [type, data, expected] of cases)
    t.strictSame(await read(t, [{ name: 'v', ...optional, ...type }], data), expected, JSON.stringify(type))
})

t.test('lists are arrays, structs and maps objects, however deep', async (t) => {
  const list: SchemaElement[] = [
    { name: 'v', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  ]
  const long: SchemaElement = { name: 'element', type: 'INT64', repetition_type: 'OPTIONAL' }
  t.strictSame(await read(t, [...list, long], [[1n, null], [], null, [2n ** 60n]]), [
    [1, null],
    [],
    null,
    ['1152921504606846976'],
  ])
  const message: SchemaElement[] = [
    { name: 'element', repetition_type: 'OPTIONAL', num_children: 2 },
    { name: 'role', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    { name: 'at', type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' },
  ]
  const messages = [
    [
      { role: 'user', at: new Date('2024-02-29') },
      { role: null, at: null },
    ],
    [],
  ]
  t.strictSame(await read(t, [...list, ...message], messages), [
    [
      { role: 'user', at: '2024-02-29' },
      { role: null, at: null },
    ],
    [],
  ])
  const map: SchemaElement[] = [
    { name: 'v', converted_type: 'MAP', repetition_type: 'OPTIONAL', num_children: 1 },
    { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
    { name: 'key', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    { name: 'value', type: 'INT64', repetition_type: 'OPTIONAL' },
  ]
  t.strictSame(await read(t, map, [{ a: 1n, b: null }, null, {}]), [{ a: 1, b: null }, null, {}])
})

t.test('every codec is read, and only the fields that were asked for', async (t) => {
  const compressors: NonNullable<Write['compressors']> = {
    GZIP: (bytes: Uint8Array) => gzipSync(bytes),
    BROTLI: (bytes: Uint8Array) => brotliCompressSync(bytes),
    ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes),
  }
  const text = Array.from({ length: 2000 }, (_, n) => `text ${n % 7}`)
  const n = Int32Array.from({ length: 2000 }, (_, i) => i)
  const columnData = [
    { name: 'text', data: text },
    { name: 'n', data: n },
    { name: 'more', data: n },
  ]
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const) {
    const dir = t.testdir({ in: { 'a.parquet': parquet({ columnData, codec, compressors }) } })
    const { outputs } = await ingest(dir, { fields: ['n', 'text', 'none'], provenance: 'at' })
    t.match(outputs, { records: 2000 })
    t.strictSame(datasetRecords(dir)[1234], {
      n: 1234,
      text: 'text 2',
      at: { file: 'a.parquet', line: 1235 },
    })
  }
})

t.test('a file without rows, and one with rows but none of the fields', async (t) => {
  const none = parquet({ columnData: [{ name: 'n', data: [], type: 'INT32' }] })
  const two = parquet({ columnData: [{ name: 'n', data: [1, 2], type: 'INT32' }] })
  const dir = t.testdir({ in: { 'a.parquet': none, 'b.parquet': two } })
  await ingest(dir, { fields: ['m'] })
  t.strictSame(datasetRecords(dir), [{}, {}])
})

t.test('text that is no UTF-8 is rejected by its row and column', async (t) => {
  const schema: SchemaElement[] = [
    { name: 'root', num_children: 1 },
    { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'REQUIRED' },
  ]
  const data = [Buffer.from('good'), Buffer.from('na\xefve', 'latin1'), Buffer.from('fine')]
  const binary = parquet({ columnData: [{ name: 'text', data }], schema, statistics: false })
  // The writer encodes strings itself; so the column is made text afterwards: field 6 (converted_type) of its schema.
  const footer = binary.lastIndexOf(Buffer.from('\x15\x0c\x25\x00\x18\x04text', 'latin1'))
  t.ok(footer > 0)
  const end = footer + '\x15\x0c\x25\x00\x18\x04text'.length
  const metadata = Buffer.concat([
    binary.subarray(0, end),
    Buffer.from('\x25\x00', 'latin1'),
    binary.subarray(end),
  ])
  metadata.writeUInt32LE(binary.readUInt32LE(binary.length - 8) + 2, metadata.length - 8)
  const dir = t.testdir({ in: { 'a.parquet': metadata } })
  const { outputs } = await ingest(dir, { maxMalformed: 1 })
  t.match(outputs, { records: 2, reasons: { bad_utf8: 1 } })
  t.match(datasetRecords(dir, 'out/rejected'), [
    {
      detail: 'its column text is not valid UTF-8',
      source: { line: 2 },
      base64: data[1]?.toString('base64'),
    },
  ])
})

t.test('whatever is cut off or changed in a file, it fails by its name or is read', async (t) => {
  const text = Array.from({ length: 300 }, (_, n) => `some text ${Math.sin(n)}`)
  const whole = parquet({
    columnData: [
      { name: 'text', data: text },
      { name: 'n', data: text.map((_, n) => n) },
    ],
  })
  const dir = t.testdir({ in: {} })
  const file = join(dir, 'in/a.parquet')
  const broken = [0, 4, 11, 40, whole.length - 1, whole.length - 300].map((length) =>
    whole.subarray(0, length),
  )
  broken.push(
    Buffer.concat([whole.subarray(0, 100), whole.subarray(200)]),
    Buffer.alloc(500),
    Buffer.from('a,b\n1,2\n3,4\n'),
  )
  for (const bytes of broken) {
    writeFileSync(file, bytes)
    t.match(await ingest(dir), {
      type: 'failed',
      kind: 'data_corruption',
      message: /cannot read .*a\.parquet as Parquet: .*; fetch or write the file again/,
    })
  }
  for (let at = 0; at < whole.length; at += 97) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 0x55
    writeFileSync(file, bytes)
    const { type, message = '' } = await ingest(dir, { maxMalformed: 1 })
    t.ok(type === 'succeeded' || /a\.parquet/.test(message), `byte ${at}: ${message}`)
  }
  const { outputs } = await ingest(t.testdir({ in: { 'a.parquet': whole.subarray(4) } }), {
    unreadable: 'reject',
    maxMalformed: 1,
  })
  t.match(outputs, { reasons: { unreadable: 1 } })
})

t.test('an attempt that was stopped anywhere is gone on with to the same bytes', async (t) => {
  const rows = Array.from({ length: 1000 }, (_, n) => n)
  const columnData = [
    { name: 'n', data: rows },
    { name: 'text', data: rows.map((n) => `text ${n} ${'word '.repeat(n % 5)}`) },
    { name: 'tags', data: rows.map((n) => Array.from({ length: n % 4 }, (_, i) => `${n}-${i}`)) },
  ]
  const schema: SchemaElement[] = [
    { name: 'root', num_children: 3 },
    { name: 'n', type: 'INT32', repetition_type: 'REQUIRED' },
    { name: 'text', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
    { name: 'tags', converted_type: 'LIST', repetition_type: 'OPTIONAL', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  ]
  const bytes = parquet({ columnData, schema, rowGroupSize: 150, pageSize: 400 })
  const input = { source: 'in', output: 'out', checkpointEvery: 32 }
  const dir = t.testdir({ in: { 'a.parquet': bytes } })
  for (const attempt of [1, 2, 3]) {
    const { outcome } = await runOperator(batchIngest, input, {
      dir,
      attempt,
      signal: stoppedAfter(6 * attempt),
    })
    t.match(outcome, { type: 'failed', kind: 'crash' })
  }
  const { outcome, logs } = await runOperator(batchIngest, input, { dir, attempt: 4 })
  t.match(outcome, { type: 'succeeded' })
  t.match(logs, [{ message: /going on after \d+ records/ }])
  t.strictSame(
    datasetRecords(dir),
    rows.map((n) => ({ n, text: columnData[1]?.data[n], tags: columnData[2]?.data[n] })),
  )
  t.strictSame(readFileSync(join(dir, 'in/a.parquet')), bytes)
})

t.test('a large row group with an index of its pages is read in parts', async (t) => {
  const rows = Array.from({ length: 3000 }, (_, n) => n)
  const text = rows.map((n) => `${n} `.repeat(3000))
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'n', data: rows },
      { name: 'text', data: text, encoding: 'PLAIN' },
    ],
    rowGroupSize: 3000,
  })
  const dir = t.testdir({ in: { 'a.parquet': Buffer.from(bytes) } })
  const { outputs } = await ingest(dir)
  t.match(outputs, { records: 3000 })
  const records = datasetRecords(dir, 'out')
  t.ok(records.every(({ n, text: found }, i) => n === i && found === text[i]))
})
