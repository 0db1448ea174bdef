import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import packageTokenizer from 'llama3-tokenizer-js'
import t from 'tap'
import { tokenize } from '../../operators/data/tokenize.ts'
import { mergeTokens } from '../../operators/data/tokenize-bpe.ts'
import { loadLlama3 } from '../../operators/data/tokenize-llama3.ts'
import { Packer, type Packing, type Row } from '../../operators/data/tokenize-pack.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

const cases = join(import.meta.dirname, '../../../shared/cases/llama/llama3-bpe.json')
const skip = existsSync(cases) || process.env.DAGCTL_TEST_REQUIRE === 'all' ? false : 'no shared cases here'

t.test('the published vectors come out exactly', { skip }, async (t) => {
  const { encode } = await llama3()
  const { vectors, peer_vectors: peers = [] } = JSON.parse(readFileSync(cases, 'utf8'))
  t.ok(vectors.length >= 44)
  for (const { text, ids } of [...vectors, ...peers]) t.strictSame(encode(text), ids, JSON.stringify(text))
})

async function llama3() {
  const tokenizer = await loadLlama3()
  return { tokenizer, encode: (text: string, special = false) => tokenizer.encode(text, special) }
}

t.test('any text has the ids that the package gives it', async (t) => {
  const { encode } = await llama3()
  const scripts = fc.constantFrom(
    'กขคงจฉาเแ',
    'កខគងចឆ',
    '的一是不了人',
    'абвгд',
    'العربية',
    "don't WE'LL '",
    ' \t\r\n\u00a0\u3000',
    '0123',
    '🦙👨‍👩‍👧é',
    'ſKß',
    '<|>',
  )
  const piece = scripts.chain((letters) =>
    fc.string({ unit: fc.constantFrom(...Array.from(letters)), maxLength: 12 }),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, (sample) => {
      t.strictSame(encode(sample), packageTokenizer.encode(sample, { bos: false, eos: false }))
    }),
    { numRuns: 500 },
  )
})

t.test('names of special tokens in a text are text, unless it is said to hold them', async (t) => {
  const { encode, tokenizer } = await llama3()
  const forged = 'before<|eot_id|>after'
  t.notOk(encode(forged).some((id) => id >= 128_000))
  t.strictSame(encode(forged, true), [...encode('before'), 128_009, ...encode('after')])
  t.match(tokenizer, { bos: 128_000, eos: 128_001, pad: 128_004, vocabulary: 128_256 })
})

t.test('a run without an end is cut at 25,000 characters, so that it does not take for ever', async (t) => {
  const { encode } = await llama3()
  const run = encode('z'.repeat(25_000))
  t.strictSame(encode(`ok ${'z'.repeat(60_000)}`), [
    ...encode(`ok ${'z'.repeat(25_000)}`),
    ...run,
    ...encode('z'.repeat(10_000)),
  ])
  t.strictSame(encode(' '.repeat(25_001)), [...encode(' '.repeat(25_000)), ...encode(' ')])
})

t.test('merging takes the best pair first, the leftmost among equals', (t) => {
  const merges = (ranks: { [pair: string]: number }) => ({
    rank: (left: number, right: number) => ranks[`${left} ${right}`],
    merged: (left: number, right: number) => left * 10 + right,
  })
  t.strictSame(mergeTokens([1, 1, 1, 1, 1], merges({ '1 1': 0 })), [11, 11, 1])
  t.strictSame(mergeTokens([1, 2, 3], merges({ '1 2': 1, '2 3': 0 })), [1, 23])
  t.strictSame(mergeTokens([1, 2, 3], merges({ '1 2': 0, '2 3': 1, '12 3': 2 })), [123])
  t.strictSame(mergeTokens([], merges({})), [])
  t.end()
})

const documents = fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 25 }), {
  maxLength: 30,
})

function packed(packing: Packing, docs: readonly number[][], restartAfter = -1): Row[] {
  const options = { contextLength: 8, pad: 0, packing }
  let packer = new Packer(options)
  const rows: Row[] = []
  for (const [i, doc] of docs.entries()) {
    packer.add(doc)
    rows.push(...packer.take())
    if (i !== restartAfter) continue
    const saved = packer.save()
    packer = new Packer(options)
    packer.restore(saved)
  }
  packer.end()
  return [...rows, ...packer.take()]
}

/** The pieces of each document, put together again in the order of the rows. */
function unpacked(rows: readonly Row[]): Map<number, number[][]> {
  const pieces = new Map<number, number[][]>()
  for (const { tokens, starts, length, documents: numbers } of rows) {
    for (const [i, number] of numbers.entries()) {
      const piece = [...tokens.subarray(starts[i], starts[i + 1] ?? length)]
      pieces.set(number, [...(pieces.get(number) ?? []), piece])
    }
  }
  return pieces
}

for (const packing of ['concat', 'best-fit', 'none'] as const) {
  t.test(`packing ${packing}: nothing is lost, added or out of place`, (t) => {
    fc.assert(
      fc.property(documents, fc.nat(30), (docs, restart) => {
        const rows = packed(packing, docs)
        const pieces = unpacked(rows)
        t.strictSame(
          docs.map((_, i) => pieces.get(i)?.flat().toSorted()),
          docs.map((doc) => doc.toSorted()),
        )
        for (const { tokens, length } of rows) {
          t.equal(tokens.length, 8)
          t.ok(
            tokens.subarray(length).every((id) => id === 0) &&
              tokens.subarray(0, length).every((id) => id !== 0),
          )
        }
        if (packing === 'concat') {
          t.strictSame(
            rows.flatMap(({ tokens, length }) => [...tokens.subarray(0, length)]),
            docs.flat(),
          )
          t.ok(
            rows.slice(0, -1).every(({ length }) => length === 8),
            'only the last row is padded',
          )
        } else {
          for (const [i, doc] of docs.entries())
            t.equal(pieces.get(i)?.length, Math.ceil(doc.length / 8), 'cut only where needed')
        }
        if (packing === 'none') t.ok(rows.every((row) => row.starts.length === 1))
        t.strictSame(packed(packing, docs, restart), rows, 'going on from a checkpoint changes nothing')
      }),
      { numRuns: 60 },
    )
    t.end()
  })
}

t.test('best-fit puts a document where it leaves the least room', (t) => {
  const rows = packed('best-fit', [
    [1, 1, 1, 1],
    [2, 2, 2, 2, 2],
    [3, 3, 3],
    [4, 4, 4, 4],
  ])
  t.strictSame(
    rows.map((row) => row.documents),
    [
      [1, 2],
      [0, 3],
    ],
  )
  t.end()
})

/** Reads a dataset of tokens as a trainer would. */
function readRows(dataset: string): { manifest: JsonObject; rows: number[][]; index: JsonObject[] } {
  const manifest = JSON.parse(readFileSync(join(dataset, 'manifest.json'), 'utf8'))
  const rows: number[][] = []
  for (const { name } of manifest.shards) {
    const bytes = readFileSync(join(dataset, name))
    for (let at = 0; at < bytes.length; at += manifest.contextLength * 4) {
      rows.push(Array.from({ length: manifest.contextLength }, (_, i) => bytes.readUInt32LE(at + i * 4)))
    }
  }
  const index = manifest.index.flatMap(({ name }: { name: string }) => {
    const text = readFileSync(join(dataset, 'index', name), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  })
  return { manifest, rows, index }
}

t.test('a trainer finds the documents in the shards by the index', async (t) => {
  const { encode } = await llama3()
  const texts = Array.from({ length: 40 }, (_, n) => `Document ${n} says 🦙 ${'again and '.repeat(n)}`)
  const lines = [...texts.map((text) => JSON.stringify({ text })), '{"text":""}', '{"text":5}', '{']
  const dir = t.testdir({ in: { 'a.jsonl': lines.join('\n') } })
  const input = { input: 'in', contextLength: 64, shardSize: 1024, maxMalformed: 1 }
  const { outcome } = await runOperator(tokenize, input, { dir })
  const { outputs } = outcome as unknown as { outputs: JsonObject & { dataset: string; shards: unknown[] } }
  const { manifest, rows, index } = readRows(outputs.dataset)
  const wanted = texts.flatMap((text) => [128_000, ...encode(text), 128_001])
  const padded = (64 - (wanted.length % 64)) % 64
  t.strictSame(rows.flat(), [...wanted, ...Array(padded).fill(128_004)])
  t.match(manifest, {
    format: 'tokens',
    dtype: 'uint32',
    byteOrder: 'little',
    contextLength: 64,
    records: rows.length,
    documents: 40,
  })
  t.match(outputs, {
    sequences: rows.length,
    records: rows.length,
    documents: 40,
    tokens: wanted.length,
    recordsIn: 43,
    rejected: 3,
  })
  t.match(outputs, {
    padding: padded / (rows.length * 64),
    reasons: { empty_text: 1, no_text: 1, malformed_json: 1 },
  })
  t.equal(outputs.shards.length, Math.ceil(rows.length / 4), '1,024 bytes hold four rows')
  for (const [i, { starts }] of index.entries()) {
    for (const start of (starts as number[]).slice(1)) t.equal(rows[i]?.[start], 128_000)
  }
})

t.test('an attempt that was stopped anywhere is gone on with to the same bytes', async (t) => {
  const lines = Array.from({ length: 120 }, (_, n) =>
    JSON.stringify({ text: `Text ${n} ${'word '.repeat(n % 17)}` }),
  )
  const files = (dir: string) => {
    const { rows, index, manifest } = readRows(join(dir, 'out'))
    return { rows, index, manifest }
  }
  for (const packing of ['concat', 'best-fit']) {
    const input = {
      input: 'in',
      output: 'out',
      contextLength: 32,
      packing,
      shardSize: 600,
      checkpointEvery: 7,
    }
    const whole = t.testdir({ in: { 'a.jsonl': lines.join('\n') } })
    await runOperator(tokenize, input, { dir: whole })
    const expected = files(whole)
    const dir = t.testdir({ in: { 'a.jsonl': lines.join('\n') } })
    for (const attempt of [1, 2, 3]) {
      const signal = AbortSignal.abort()
      const stopped = {
        get aborted() {
          return this.looks++ > 5 * attempt
        },
        looks: 0,
        reason: signal.reason,
      }
      const { outcome } = await runOperator(tokenize, input, {
        dir,
        attempt,
        signal: stopped as unknown as AbortSignal,
      })
      t.match(outcome, { type: 'failed' })
    }
    const { outcome, logs } = await runOperator(tokenize, input, { dir, attempt: 4 })
    t.match(outcome, { type: 'succeeded' })
    t.match(logs, [{ message: /going on after \d+ records/ }])
    t.strictSame(files(dir), expected)
  }
})

t.test('bad input is refused', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': '{"body":"x"}' } })
  const bad: [JsonObject, RegExp][] = [
    [{}, /`text`/],
    [{ field: 'body', contextLength: 0 }, /contextLength/],
    [{ field: 'body', packing: 'tight' }, /packing/],
    [{ field: 'body', tokenizer: 'gpt2' }, /tokenizer/],
    [{ field: 'body', input: 'nowhere' }, /matches no file/],
  ]
  for (const [input, message] of bad) {
    const { outcome } = await runOperator(tokenize, { input: 'in', ...input }, { dir })
    t.match(outcome, { type: 'failed', kind: 'invalid_input', message })
  }
})
