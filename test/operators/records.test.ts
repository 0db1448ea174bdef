import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import {
  change,
  keep,
  keepIn,
  type RecordsInput,
  type RecordsPass,
  readRecords,
  reject,
  review,
  runRecords,
} from '../../operators/data/records.ts'
import { readLines } from '../../operators/data/records-lines.ts'
import type { JsonObject } from '../../plugins/api.ts'
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

/** On this clock saving costs no time, so that every checkpoint that is due is saved. */
const still = { now: () => 0 }

/** What the kill tests do with records: some of everything. */
const mixed = ({ n }: JsonObject) => {
  if (Number(n) % 7 === 0) return reject('seven')
  if (Number(n) % 11 === 0) return review('eleven')
  return Number(n) % 3 ? keep : change({ n: Number(n), third: true })
}
const mixedInput = { output: 'out', checkpointEvery: 10, shardSize: 700 }
const mixedFiles = () => ({ in: { 'a.jsonl': numbered(150), 'b.jsonl.gz': gzipSync(numbered(120)) } })

t.test('an attempt that was killed anywhere is gone on with to the same bytes', async (t) => {
  const whole = t.testdir(mixedFiles())
  await run({ dir: whole }, mixedInput, mixed)
  const expected = tree(join(whole, 'out'))
  const deaths = fc.array(fc.integer({ min: 0, max: 269 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(deaths, async (deaths) => {
      const dir = t.testdir(mixedFiles())
      // Each attempt is a process of its own: nothing but the disk is left of the one before.
      const attempt = async (number: number, death: number) => {
        let seen = 0
        const memory = {
          save: () => seen,
          restore: (state: unknown) => {
            seen = Number(state)
          },
        }
        const transform: RecordsPass['transform'] = (record, { index }) => {
          if (index === death) throw new Error('killed')
          seen += 1
          return mixed(record)
        }
        await run({ dir, attempt: number, clock: still }, mixedInput, transform, { memory })
        return seen
      }
      for (const [i, death] of deaths.entries()) await attempt(i + 1, death).catch(() => {})
      t.equal(
        await attempt(deaths.length + 1, -1),
        270,
        'what the operator remembers is part of the checkpoint',
      )
      t.strictSame(tree(join(dir, 'out')), expected)
    }),
    { numRuns: 8 },
  )
})

t.test('a process that was killed is gone on with by another one', async (t) => {
  const whole = t.testdir(mixedFiles())
  await run({ dir: whole }, mixedInput, () => keep)
  const expected = tree(join(whole, 'out'))
  const dir = t.testdir(mixedFiles())
  const load = (path: string) => JSON.stringify(join(import.meta.dirname, path))
  for (const [i, death] of [95, 180].entries()) {
    const code = `
      import { keep, runRecords } from ${load('../../operators/data/records.ts')}
      import { makeTask } from ${load('../support/task-context.ts')}
      const { task } = makeTask({ dir: ${JSON.stringify(dir)}, attempt: ${i + 1}, clock: { now: () => 0 } })
      const transform = (_, { index }) => (index === ${death} ? process.kill(process.pid, 'SIGKILL') : keep)
      await runRecords(task, { options: ${JSON.stringify({ ...defaults, input: 'in', ...mixedInput })}, transform })`
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', code])
    t.equal(signal, 'SIGKILL')
  }
  const { logs } = await run({ dir, attempt: 3 }, mixedInput, () => keep)
  t.match(logs, [{ message: 'going on after 180 records, where the last checkpoint stands' }])
  t.strictSame(tree(join(dir, 'out')), expected)
  const left = readdirSync(join(dir, '.dagctl/artifacts/run-1'), { recursive: true })
  t.notMatch(left.join(), /partial/, 'what the killed ones left is removed')
})

t.test('asked to stop, it saves a checkpoint and leaves at once', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': numbered(3000) } })
  const stop = new AbortController()
  const { task, checkpoints } = makeTask({ dir, signal: stop.signal })
  const options = { ...defaults, input: 'in', output: 'out' }
  let last = 0
  const transform: RecordsPass['transform'] = (_, { index }) => {
    if (index === 1000) stop.abort()
    last = index
    return keep
  }
  await t.rejects(runRecords(task, { options, transform }), {
    kind: 'crash',
    message: /asked to stop after \d+ records/,
  })
  t.strictSame(checkpoints, [last + 1], 'no record is lost')
  t.ok(last < 1300, 'it ends with the batch')
  t.notOk(existsSync(join(dir, 'out')))
  const { outputs, logs } = await run({ dir, attempt: 2 }, { output: 'out' }, () => keep)
  t.match(logs, [{ message: `going on after ${last + 1} records, where the last checkpoint stands` }])
  t.equal(outputs.records, 3000)
  t.equal(readFileSync(join(dir, 'out/part-00000.jsonl'), 'utf8'), numbered(3000))
})

t.test('a checkpoint whose files were altered, or that is of other options, is not used', async (t) => {
  const dying: RecordsPass['transform'] = (_, { index }) => {
    if (index === 140) throw new Error('killed')
    return keep
  }
  const dir = t.testdir(mixedFiles())
  await t.rejects(run({ dir }, mixedInput, dying))
  const shard = join(makeTask({ dir }).task.artifacts, '.partial/part-00000.jsonl')
  writeFileSync(shard, readFileSync(shard, 'utf8').replace('record 1', 'record X'))
  const altered = await run({ dir, attempt: 2 }, mixedInput, () => keep)
  t.match(altered.logs, [
    { level: 'warn', message: /starting again from the beginning: .*not what the checkpoint recorded/ },
  ])
  t.equal(altered.outputs.records, 270)

  const other = t.testdir(mixedFiles())
  await t.rejects(run({ dir: other }, mixedInput, dying))
  const changed = await run({ dir: other, attempt: 2 }, { ...mixedInput, shardSize: 800 }, () => keep)
  t.match(changed.logs, [{ level: 'warn', message: /the input or the options changed/ }])
  t.equal(changed.outputs.records, 270)
})

t.test('nothing half-written is left by an attempt that fails without a checkpoint', async (t) => {
  const dir = t.testdir(mixedFiles())
  const failing = run({ dir }, { output: 'out' }, (_, { index }) => {
    if (index === 200) throw new Error('a bug in the operator')
    return keep
  })
  await t.rejects(failing, { kind: 'user', message: 'b.jsonl.gz, line 51: a bug in the operator' })
  t.strictSame(readdirSync(makeTask({ dir }).task.artifacts), [])
  t.strictSame(readdirSync(dir).sort(), ['.dagctl', 'in'])
})

t.test(
  'a full disk fails clearly, leaves nothing in the output place, and is tried again',
  { skip: existsSync('/dev/full') ? false : 'no /dev/full here' },
  async (t) => {
    const dir = t.testdir({ in: { 'a.jsonl': numbered(100) }, out: { 'manifest.json': 'the old one' } })
    const { task } = makeTask({ dir })
    const options = { ...defaults, input: 'in', output: 'out' }
    // Writing to /dev/full fails as on a full disk; the first record is taken before the first byte is written.
    const transform: RecordsPass['transform'] = (_, { index }) => {
      if (index === 0) symlinkSync('/dev/full', join(task.artifacts, '.partial/part-00000.jsonl'))
      return keep
    }
    await t.rejects(runRecords(task, { options, transform }), {
      kind: 'crash',
      message: /the disk is full; free space/,
    })
    t.strictSame(readdirSync(task.artifacts), [])
    t.strictSame(tree(join(dir, 'out')), { 'manifest.json': 'the old one' })
    const { outputs } = await run({ dir, attempt: 2 }, { output: 'out' }, () => keep)
    t.equal(outputs.records, 100)
  },
)

t.test('shards are cut by size, a larger record has its own', async (t) => {
  const big = JSON.stringify({ text: 'x'.repeat(300) })
  const dir = t.testdir({ in: { 'a.jsonl': `{"n":1}\n{"n":2}\n${big}\n{"n":3}\n` } })
  const { outputs } = await run({ dir }, { shardSize: 16 }, () => keep)
  t.strictSame(
    outputs.shards.map(({ name, records, bytes }) => [name, records, bytes]),
    [
      ['part-00000.jsonl', 2, 16],
      ['part-00001.jsonl', 1, big.length + 1],
      ['part-00002.jsonl', 1, 8],
    ],
  )
})

t.test('parts are datasets of their own, and their folder is none', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': numbered(10) } })
  const { parts } = await run({ dir }, { output: 'out' }, ({ n }) => keepIn(Number(n) % 2), {
    parts: ['even', 'odd', 'none'],
  })
  t.strictSame(
    parts.map(({ records }) => records),
    [5, 5, 0],
  )
  const again = await run(
    { dir, task: 'next' },
    { input: [{ dataset: 'out/odd' }, 'out/even', 'out/none'] },
    () => keep,
  )
  t.equal(again.outputs.records, 10)
  await t.rejects(
    run({ dir, task: 'wrong' }, { input: 'out' }, () => keep),
    { kind: 'invalid_input', message: /several datasets/ },
  )
})

t.test('a shard that is not what its manifest says is found before anything is done', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': numbered(10) } })
  await run({ dir }, { output: 'out' }, () => keep)
  appendFileSync(join(dir, 'out/part-00000.jsonl'), 'x')
  await t.rejects(
    run({ dir, task: 'next' }, { input: 'out' }, () => keep),
    { kind: 'data_corruption', message: /has \d+ bytes; its manifest says/ },
  )
  writeFileSync(
    join(dir, 'out/manifest.json'),
    '{"version":1,"format":"jsonl","shards":[{"name":"../../etc/passwd","records":1,"bytes":1}]}',
  )
  await t.rejects(
    run({ dir, task: 'next' }, { input: 'out' }, () => keep),
    { kind: 'invalid_input', message: /not a plain file name/ },
  )
})

t.test('a folder, a glob, a file and packed files are read, in the order of their names', async (t) => {
  const dir = t.testdir({
    in: {
      'b.jsonl.zst': zstdCompressSync('{"n":2}\n{"n":3}'),
      'a.jsonl': '{"n":1}',
      'c.ndjson.gz': gzipSync('{"n":4}\n'),
      'note.txt': 'x',
    },
  })
  const numbers = async (input: RecordsInput['input']) => {
    const found: unknown[] = []
    for await (const { entries } of readRecords(makeTask({ dir }).task, input))
      found.push(...entries.map(({ record }) => record?.n))
    return found
  }
  t.strictSame(await numbers('in'), [1, 2, 3, 4])
  t.strictSame(await numbers('in/{a,c}.*'), [1, 4])
  t.strictSame(await numbers(['in/c.ndjson.gz', 'in/a.jsonl']), [4, 1])
  await t.rejects(numbers('in/*.csv'), { kind: 'invalid_input', message: /matches no file/ })
  await t.rejects(numbers('nowhere'), { kind: 'invalid_input', message: /matches no file/ })
})

t.test('however a stream is cut into chunks, its lines are the same', async (t) => {
  const line = fc.constantFrom(
    '{"a":1}',
    '{"a":"ü🦙"}',
    '',
    '  ',
    '[1]',
    '{"a":',
    `{"long":"${'x'.repeat(60)}"}`,
    '{"b":2}\r',
  )
  const source = fc.record({
    lines: fc.array(line, { maxLength: 12 }),
    end: fc.constantFrom('', '\n'),
    cuts: fc.array(fc.nat(400), { maxLength: 8 }),
  })
  const read = async (bytes: Buffer, cuts: number[]) => {
    const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
    const chunks = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge))
    const stream = (async function* () {
      yield* chunks
    })()
    const found = []
    for await (const entries of readLines(stream, { maxLine: 50, batch: 3, from: { offset: 0, line: 0 } })) {
      t.ok(entries.length <= 3)
      for (const { record, problem, number, end, line } of entries)
        found.push({ record, problem, number, end, line: line.toString() })
    }
    return found
  }
  await fc.assert(
    fc.asyncProperty(source, async ({ lines, end, cuts }) => {
      const bytes = Buffer.from(lines.join('\n') + (lines.length > 0 ? end : ''))
      const found = await read(bytes, cuts)
      t.strictSame(found, await read(bytes, []))
      const wanted = lines.flatMap((text, i) => (text.trim() === '' ? [] : [i + 1]))
      t.strictSame(
        found.map(({ number }) => number),
        wanted,
      )
      for (const { number, end } of found)
        t.equal(end, Math.min(bytes.length, Buffer.byteLength(`${lines.slice(0, number).join('\n')}\n`)))
    }),
    { numRuns: 150 },
  )
})

t.test('a line of 50 MB is rejected without being held', async (t) => {
  const chunk = Buffer.alloc(2 ** 20, 'x')
  const held: number[] = []
  const stream = (async function* () {
    yield Buffer.from('{"n":1}\n{"long":"')
    for (let i = 0; i < 50; i += 1) {
      yield chunk
      held.push(process.memoryUsage().arrayBuffers)
    }
    yield Buffer.from('"}\n{"n":2}\n')
  })()
  const found = []
  for await (const entries of readLines(stream, {
    maxLine: 2 ** 20,
    batch: 256,
    from: { offset: 0, line: 0 },
  }))
    found.push(...entries)
  t.match(found, [
    { record: { n: 1 } },
    {
      problem: 'line_too_long',
      detail: `a line of ${50 * 2 ** 20 + 11} bytes; the limit is 1048576`,
      number: 2,
    },
    { record: { n: 2 }, number: 3 },
  ])
  t.equal(found[1]?.line.length, 1024, 'its beginning is kept as evidence')
  t.ok(Math.max(...held) - Math.min(...held) < 8 * 2 ** 20, 'memory does not grow with the line')
})

t.test('the gates say what, how many, and where to look', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': `${numbered(98)}{\n{` } })
  const failing = run({ dir }, { output: 'out', maxMalformed: 0.01, maxRejected: 0.1 }, ({ n }) =>
    Number(n) % 2 ? keep : reject('even'),
  )
  await t.rejects(failing, {
    kind: 'gate_failed',
    message:
      /^2 of 100 records malformed \(2 %\), over `maxMalformed` 1 %; 49 of 98 records rejected \(50 %\), over `maxRejected` 10 % \(even 49, malformed_json 2\); see \/.+\/rejected$/,
  })
  t.notOk(existsSync(join(dir, 'out')))
})

t.test('progress counts against the total where a manifest tells it', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': numbered(700) } })
  await run({ dir }, { output: 'out' }, () => keep)
  const { progress } = await run({ dir, task: 'next', clock: { now: tick() } }, { input: 'out' }, () => keep)
  t.match(progress[0], { done: 256, total: 700, unit: 'records' })
  t.match(progress.at(-1), { done: 700, total: 700 })
})

/** A clock that is a second later at each look. */
function tick(): () => number {
  let now = 0
  return () => {
    now += 1000
    return now
  }
}
