import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import {
  change,
  keep,
  keepIn,
  type RecordsInput,
  type RecordsOutputs,
  type RecordsPass,
  reject,
  review,
  runRecords,
} from '../../operators/data/records.ts'
import type { JsonObject, TaskContext } from '../../plugins/api.ts'
import { makeTask, type TaskOptions } from '../support/task-context.ts'

const defaults = {
  shardSize: '64MiB',
  maxLine: '32MiB',
  maxMalformed: 1,
  maxRejected: 1,
  checkpointEvery: 10_000,
}

async function run(
  options: TaskOptions,
  input: Partial<RecordsInput>,
  transform: RecordsPass['transform'],
  more: Partial<RecordsPass> = {},
) {
  const { task, ...said } = makeTask(options)
  const full = { ...defaults, input: 'in', ...input }
  const { outputs, parts } = await runRecords(task, { options: full, transform, ...more })
  return { outputs, parts, task, ...said }
}

/** Every file below a folder, by relative path. */
function tree(folder: string): { [path: string]: string } {
  const files: { [path: string]: string } = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files[path.slice(folder.length + 1)] = readFileSync(path, 'utf8')
  }
  return files
}

function lines(path: string): JsonObject[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, i) => `${JSON.stringify({ n: i, text: `record ${i} ñ` })}\n`).join(
    '',
  )
}

t.test(
  'kept records keep their bytes, changed ones are written anew, others go aside with their reason',
  async (t) => {
    const dir = t.testdir({
      in: { 'a.jsonl': '{"n": 1}\n{"n":2}\r\n\n{"n":3}\n', 'b.jsonl': '{"n":4,"x":"é"}' },
    })
    const { outputs } = await run({ dir }, { output: 'out' }, ({ n }) => {
      if (n === 2) return reject('two', 'it is two')
      if (n === 3) return review('three')
      return n === 4 ? change({ n: 40 }) : keep
    })
    t.strictSame(Object.keys(tree(join(dir, 'out'))).sort(), [
      'manifest.json',
      'part-00000.jsonl',
      'rejected/manifest.json',
      'rejected/part-00000.jsonl',
      'review/manifest.json',
      'review/part-00000.jsonl',
    ])
    t.equal(readFileSync(join(dir, 'out/part-00000.jsonl'), 'utf8'), '{"n": 1}\n{"n":40}\n')
    t.strictSame(lines(join(dir, 'out/rejected/part-00000.jsonl')), [
      { reason: 'two', detail: 'it is two', source: { file: 'a.jsonl', line: 2 }, record: { n: 2 } },
    ])
    t.match(outputs, {
      records: 2,
      recordsIn: 4,
      rejected: 1,
      reviewed: 1,
      malformed: 0,
      reasons: { two: 1, three: 1 },
    })
    const [shard] = outputs.shards
    t.equal(
      shard?.sha256,
      createHash('sha256')
        .update(readFileSync(String(shard?.uri)))
        .digest('hex'),
    )
    t.equal(shard?.bytes, statSync(String(shard?.uri)).size)
  },
)

t.test('an attempt that was killed anywhere is gone on with to the same bytes', async (t) => {
  const transform = ({ n }: JsonObject) =>
    Number(n) % 7 === 0
      ? reject('seven')
      : Number(n) % 11 === 0
        ? review('eleven')
        : Number(n) % 3
          ? keep
          : change({ n: Number(n), third: true })
  const input = { output: 'out', checkpointEvery: 10, shardSize: 700 }
  const whole = t.testdir({ in: { 'a.jsonl': numbered(150), 'b.jsonl.gz': gzipSync(numbered(120)) } })
  await run({ dir: whole }, input, transform)
  const expected = tree(join(whole, 'out'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 269 }), { minLength: 1, maxLength: 4 }),
      async (deaths) => {
        const dir = t.testdir({ in: { 'a.jsonl': numbered(150), 'b.jsonl.gz': gzipSync(numbered(120)) } })
        let attempt = 1
        let seen = 0
        const memory = { save: () => seen, restore: (state: unknown) => void (seen = Number(state)) }
        for (const death of deaths) {
          const dying = run(
            { dir, attempt: attempt++ },
            input,
            (record, { index }) => {
              if (index === death) throw new Error('killed')
              seen += 1
              return transform(record)
            },
            { memory },
          )
          await dying.catch(() => {})
          seen = 0
        }
        await run(
          { dir, attempt },
          input,
          (record) => {
            seen += 1
            return transform(record)
          },
          { memory },
        )
        t.strictSame(tree(join(dir, 'out')), expected)
        t.equal(seen, 270, 'what the operator remembers is part of the checkpoint')
      },
    ),
    { numRuns: 20 },
  )
})
