import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { piiMasker } from '../../operators/data/pii-masker.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

const secret = 'jo.secret@example.org'
const key = 'sixteen characters'

/** Runs the operator on records in a fresh folder. */
async function mask(t: Test, records: readonly unknown[], options: JsonObject = {}) {
  const dir = t.testdir({ 'in.jsonl': records.map((record) => `${JSON.stringify(record)}\n`).join('') })
  const input = { input: join(dir, 'in.jsonl'), output: join(dir, 'out'), ...options }
  const result = await runOperator(piiMasker, input, { dir, operator: { name: 'PIIMasker', version: 1 } })
  const { outcome } = result
  const outputs = outcome.type === 'succeeded' ? outcome.outputs : {}
  return {
    ...result,
    dir,
    outputs,
    failure: outcome.type === 'failed' ? outcome : null,
    kept: () => read(join(dir, 'out')),
  }
}

function read(folder: string): JsonObject[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonObject)
}

/** All that lies in files below a folder. */
function everything(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}

t.test('masks what it finds, counts it by type, and keeps all else byte for byte', async (t) => {
  const records = [
    { id: 1, text: `write to ${secret} or call +1 415 555 0132` },
    { id: 2, text: 'nothing to see', email: secret },
    { id: 3, text: `${secret} and 8.8.8.8` },
  ]
  const { outputs, kept } = await mask(t, records)
  t.strictSame(kept(), [
    { id: 1, text: 'write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>' },
    records[1],
    { id: 3, text: '<EMAIL_ADDRESS> and <IP_ADDRESS>' },
  ])
  t.match(outputs, {
    records: 3,
    recordsIn: 3,
    rejected: 0,
    maskedRecords: 2,
    counts: { EMAIL_ADDRESS: 2, IP_ADDRESS: 1, PHONE_NUMBER: 1 },
  })
})

t.test('several fields, below lists and objects', async (t) => {
  const { kept } = await mask(t, [{ title: secret, messages: [{ content: `a ${secret}` }], other: secret }], {
    fields: ['title', 'messages.content'],
  })
  t.strictSame(kept(), [
    { title: '<EMAIL_ADDRESS>', messages: [{ content: 'a <EMAIL_ADDRESS>' }], other: secret },
  ])
})

t.test('types, strategies by type and own patterns', async (t) => {
  const { kept, outputs } = await mask(t, [{ text: `${secret} 4012-8888-8888-1881 8.8.8.8 EMP-12` }], {
    types: ['EMAIL_ADDRESS', 'CREDIT_CARD', 'EMPLOYEE'],
    strategy: 'remove',
    strategies: { CREDIT_CARD: 'mask' },
    keepLast: 4,
    patterns: [{ name: 'EMPLOYEE', pattern: 'EMP-[0-9]+' }],
  })
  t.strictSame(kept(), [{ text: ' ****-****-****-1881 8.8.8.8 ' }])
  t.strictSame(outputs.counts, { CREDIT_CARD: 1, EMAIL_ADDRESS: 1, EMPLOYEE: 1 })
})

t.test('pseudonyms join records again, under the same key only', async (t) => {
  const records = [{ text: secret }, { text: `again: ${secret}` }]
  const run = async (own: string) => (await mask(t, records, { strategy: 'pseudonymize', key: own })).kept()
  const [first, second] = (await run(key)) as [JsonObject, JsonObject]
  t.equal(second.text, `again: ${first.text}`)
  t.strictSame(await run(key), [first, second])
  t.not((await run('another key, as long'))[0]?.text, first.text)
})

t.test('a keyed strategy without a key is refused', async (t) => {
  for (const options of [{ strategy: 'hash' }, { strategies: { URL: 'pseudonymize' } }] as JsonObject[]) {
    const { failure } = await mask(t, [{ text: 'x' }], options)
    t.match(failure, { kind: 'invalid_input', message: /need `key`/ })
  }
})

t.test('options that cannot be met fail before anything is written, and say what to do', async (t) => {
  const cases: readonly (readonly [JsonObject, RegExp])[] = [
    [{ types: ['PERSON'] }, /PERSON needs a model, which is not supported yet/],
    [{ types: ['EMAIL'] }, /there is no type EMAIL/],
    [{ patterns: [{ name: 'X', pattern: '(' }] }, /the pattern "X" cannot be used/],
    [{ phoneRegions: ['ZZ'] }, /phoneRegions names ZZ/],
    [{ fields: 'body' }, /none of the first 1 records has `body`.*fields there: text/],
    [{ key: 'short' }, /key/],
  ]
  for (const [options, message] of cases) {
    const { failure, dir } = await mask(t, [{ text: 'x' }], options)
    t.match(failure, { kind: 'invalid_input', message }, String(message))
    t.notOk(readdirSync(dir).includes('out'))
  }
})

t.test('a record without any of the fields is set aside, and its reason holds no value', async (t) => {
  const { outputs, dir } = await mask(t, [{ text: 'a' }, { mail: secret }])
  t.match(outputs, { records: 1, rejected: 1, reasons: { no_text: 1 } })
  const [row] = read(join(dir, 'out', 'rejected'))
  t.notOk(JSON.stringify({ ...row, record: null }).includes(secret))
})

t.test(
  'neither values nor the key are told to anybody: not in events, outputs, checkpoints or manifests',
  async (t) => {
    const records = Array.from({ length: 50 }, (_, id) => ({ id, text: `${secret} ${id}` }))
    const { events, outputs, dir } = await mask(t, records, { strategy: 'hash', key, checkpointEvery: 10 })
    const told =
      JSON.stringify(events) +
      JSON.stringify(outputs) +
      everything(join(dir, 'out')) +
      everything(join(dir, '.dagctl'))
    t.notOk(told.includes(secret))
    t.notOk(told.includes(key))
  },
)

t.test('an input of strange records is masked or set aside, never changed', async (t) => {
  const dir = t.testdir({})
  mkdirSync(join(dir, 'in'))
  const lines = [
    `{"text":"${secret}"}`,
    'not json',
    '{"text":null}',
    '{"text":4012888888881881}',
    '{"text":{"a":["b"]}}',
    '[]',
  ]
  writeFileSync(join(dir, 'in', 'a.jsonl'), lines.join('\n'))
  const { outcome } = await runOperator(
    piiMasker,
    { input: join(dir, 'in'), output: join(dir, 'out'), maxMalformed: 1 },
    { dir, operator: { name: 'PIIMasker', version: 1 } },
  )
  t.match(outcome, {
    type: 'succeeded',
    outputs: { recordsIn: 6, records: 3, malformed: 2, rejected: 3, counts: { CREDIT_CARD: 1 } },
  })
  t.strictSame(read(join(dir, 'out')), [
    { text: '<EMAIL_ADDRESS>' },
    { text: '<CREDIT_CARD>' },
    { text: { a: ['b'] } },
  ])
  t.equal(readFileSync(join(dir, 'in', 'a.jsonl'), 'utf8'), lines.join('\n'))
})

t.test(
  'a task that is stopped goes on where it was, with its counts, and its checkpoint holds no key',
  async (t) => {
    const records = Array.from({ length: 3000 }, (_, id) => ({ id, text: `${secret} ${id}` }))
    const dir = t.testdir({ 'in.jsonl': records.map((record) => `${JSON.stringify(record)}\n`).join('') })
    const input = {
      input: join(dir, 'in.jsonl'),
      output: join(dir, 'out'),
      checkpointEvery: 1,
      strategy: 'hash',
      key,
    }
    const operator = { name: 'PIIMasker', version: 1 }
    const stop = new AbortController()
    let calls = 0
    const clock = {
      now() {
        if (++calls > 6) stop.abort()
        return calls
      },
    }
    const first = await runOperator(piiMasker, input, { dir, operator, clock, signal: stop.signal })
    t.match(first.outcome, { type: 'failed', kind: 'crash' })
    t.ok(first.checkpoints.length > 0 && (first.checkpoints.at(-1) ?? 0) < 3000, 'it stopped in the middle')
    t.notOk(everything(join(dir, '.dagctl', 'checkpoints')).includes(key))
    const second = await runOperator(piiMasker, input, { dir, operator, attempt: 2 })
    t.match(second.logs.map(({ message }) => message).join(), /going on after \d+ records/)
    t.match(second.outcome, {
      outputs: { records: 3000, maskedRecords: 3000, counts: { EMAIL_ADDRESS: 3000 } },
    })
  },
)
