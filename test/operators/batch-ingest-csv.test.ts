import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { batchIngest } from '../../operators/data/batch-ingest.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { datasetRecords, stoppedAfter } from '../support/datasets.ts'
import { runOperator } from '../support/task-context.ts'

async function ingest(dir: string, input: JsonObject) {
  const { outcome } = await runOperator(batchIngest, { source: 'in', output: 'out', ...input }, { dir })
  return outcome as unknown as { kind?: string; message?: string; outputs: JsonObject }
}

t.test('rows become records of strings; quotes hold delimiters, quotes and line ends', async (t) => {
  const dir = t.testdir({
    in: {
      'a.csv': 'id,text,note\n1,"one, two",\r\n2,"He said ""no""\nand left",x\n\n3, spaced ,"""',
      'b.tsv': 'id\ttext\n4\ta,b\n',
      'c.csv.gz': gzipSync('\ufeffid,text\n5,naïve\n'),
      'd.csv.zst': zstdCompressSync(Buffer.from('id,text\r\n6,"x\r\ny"\r\n')),
      'e.csv': Buffer.from('\ufeffid,text\n7,ü\n', 'utf16le'),
      'f.csv': 'id,text\r8,old\r',
      'g.csv': '',
      'h.csv': 'id,text\n',
    },
  })
  const whole = readFileSync(join(dir, 'in/a.csv'), 'utf8')
  const failed = await ingest(dir, {})
  t.match(failed, { kind: 'invalid_input', message: /a\.csv: the row that begins on line 6 has a quote/ })
  t.test('once the quote is closed', async (t) => {
    const inner = t.testdir({ in: { 'a.csv': `${whole}"` } })
    const { outputs } = await ingest(inner, { provenance: 'at' })
    t.match(outputs, { records: 3, rejected: 0 })
    t.strictSame(datasetRecords(inner), [
      { id: '1', text: 'one, two', note: '', at: { file: 'a.csv', line: 2 } },
      { id: '2', text: 'He said "no"\nand left', note: 'x', at: { file: 'a.csv', line: 3 } },
      { id: '3', text: ' spaced ', note: '"', at: { file: 'a.csv', line: 6 } },
    ])
  })
  const { outputs } = await ingest(dir, { unreadable: 'reject', maxMalformed: 1 })
  t.match(outputs, { files: 8, reasons: { unreadable: 1 } })
  t.strictSame(datasetRecords(dir).slice(2), [
    { id: '4', text: 'a,b' },
    { id: '5', text: 'naïve' },
    { id: '6', text: 'x\r\ny' },
    { id: '7', text: 'ü' },
    { id: '8', text: 'old' },
  ])
  t.match(datasetRecords(dir, 'out/rejected'), [{ source: { file: 'a.csv', line: 5 } }])
})

t.test('delimiter, quote and the names of the columns can be chosen', async (t) => {
  const dir = t.testdir({ in: { 'a.csv': '1;"a\n2;b"\n' } })
  await ingest(dir, { delimiter: ';', quote: '', columns: ['n', 'text'], fields: ['text'] })
  t.strictSame(datasetRecords(dir), [{ text: '"a' }, { text: 'b"' }])
})

t.test('a quote in a field that is not quoted is text', async (t) => {
  const dir = t.testdir({ in: { 'a.csv': 'a,b\n5" disk,x\n"y" z,w\n' } })
  await ingest(dir, {})
  t.strictSame(datasetRecords(dir), [
    { a: '5" disk', b: 'x' },
    { a: '"y" z', b: 'w' },
  ])
})

t.test(
  'rows with other fields than columns, and bytes that are no text, are rejected as they stand',
  async (t) => {
    const latin1 = Buffer.from('4,naïve\n', 'latin1')
    const rows = Buffer.concat([
      Buffer.from('a,b\n1\n2,x\n\n3,"y\nz",w\n'),
      latin1,
      Buffer.from('__proto__,v\n'),
    ])
    const dir = t.testdir({ in: { 'a.csv': rows } })
    const { outputs } = await ingest(dir, { maxMalformed: 1 })
    t.match(outputs, { records: 2, malformed: 3, reasons: { ragged_row: 2, bad_utf8: 1 } })
    t.strictSame(datasetRecords(dir), [
      { a: '2', b: 'x' },
      { a: '__proto__', b: 'v' },
    ])
    t.strictSame(datasetRecords(dir, 'out/rejected'), [
      {
        reason: 'ragged_row',
        detail: 'a row of 1 fields; there are 2 columns',
        source: { file: 'a.csv', line: 2 },
        text: '1',
      },
      {
        reason: 'ragged_row',
        detail: 'a row of 3 fields; there are 2 columns',
        source: { file: 'a.csv', line: 5 },
        text: '3,"y\nz",w',
      },
      {
        reason: 'bad_utf8',
        detail: 'it is not valid UTF-8; convert the file to UTF-8',
        source: { file: 'a.csv', line: 7 },
        base64: latin1.subarray(0, -1).toString('base64'),
      },
    ])
  },
)

t.test(
  'a header that names a column twice is refused, one without a name is named by its place',
  async (t) => {
    const twice = t.testdir({ in: { 'a.csv': 'a,b,a\n1,2,3\n' } })
    t.match(await ingest(twice, {}), { kind: 'invalid_input', message: /two of its columns are named "a"/ })
    const dir = t.testdir({ in: { 'a.csv': ',a,__proto__\n0,x,y\n' } })
    await ingest(dir, {})
    const [record] = datasetRecords(dir)
    t.strictSame(Object.entries(record ?? {}), [
      ['column1', '0'],
      ['a', 'x'],
      ['__proto__', 'y'],
    ])
  },
)

t.test('a row over the limit is taken for a quote without an end, and never held in memory', async (t) => {
  const dir = t.testdir({ in: { 'a.csv': `a,b\n1,"${'x,y\n'.repeat(1000)}` } })
  t.match(await ingest(dir, { maxLine: 1000 }), {
    kind: 'invalid_input',
    message: /the row that begins on line 2 is over 1000 characters, or has a quote that is not closed/,
  })
})

const field = fc.string({
  unit: fc.constantFrom('a', 'é', '🦙', ',', '"', '\n', '\r', ' ', ';'),
  maxLength: 6,
})

t.test('what is written by the rules of RFC 4180 comes back', async (t) => {
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(field, field), { maxLength: 8 }),
      fc.constantFrom('\n', '\r\n'),
      async (rows, end) => {
        const dir = t.testdir({
          in: { 'a.csv': [['x', 'y'], ...rows].map((row) => row.map(quoted).join(',') + end).join('') },
        })
        await ingest(dir, {})
        t.strictSame(
          datasetRecords(dir),
          rows.map(([x, y]) => ({ x, y })),
        )
      },
    ),
    { numRuns: 25 },
  )
})

t.test('an attempt that was stopped anywhere is gone on with to the same bytes', async (t) => {
  const row = (n: number) =>
    `${n},"text ${n}${n % 3 === 0 ? '\n\nmore' : ''}"${n % 7 === 0 ? ',extra' : ''}\n`
  const text = `n,text\n${Array.from({ length: 300 }, (_, n) => row(n)).join('\n')}`
  for (const [name, bytes] of [
    ['a.csv', text],
    ['a.csv.gz', gzipSync(text)],
  ] as const) {
    const input = { source: 'in', output: 'out', provenance: 'at', checkpointEvery: 16, maxMalformed: 1 }
    const whole = t.testdir({ in: { [name]: bytes } })
    await runOperator(batchIngest, input, { dir: whole })
    const expected = [datasetRecords(whole), datasetRecords(whole, 'out/rejected')]
    const dir = t.testdir({ in: { [name]: bytes } })
    for (const attempt of [1, 2, 3]) {
      const { outcome } = await runOperator(batchIngest, input, {
        dir,
        attempt,
        signal: stoppedAfter(4 * attempt),
      })
      t.match(outcome, { type: 'failed', kind: 'crash' })
    }
    const { outcome } = await runOperator(batchIngest, input, { dir, attempt: 4 })
    t.match(outcome, { type: 'succeeded', outputs: { recordsIn: 300, rejected: 43 } })
    t.strictSame([datasetRecords(dir), datasetRecords(dir, 'out/rejected')], expected)
  }
})
