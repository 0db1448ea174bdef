import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { schemaValidate } from '../../operators/data/schema-validate.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

const schema = {
  type: 'object',
  properties: {
    year: { type: 'integer', minimum: 1790 },
    text: { type: 'string', minLength: 1 },
    tags: { type: 'array', items: { type: 'string' } },
    at: { type: 'string', format: 'date' },
  },
  required: ['year', 'text'],
}
const records = [
  '{"year":1790,"text":"a","tags":["x"],"at":"1790-01-08"}',
  '{"text":"no year"}',
  '{"year":"1790","text":"a"}',
  '{"year":1789,"text":"a"}',
  '{"year":1800,"text":"a","tags":["x",3]}',
  '{"year":1800,"text":"a","tags":[4]}',
  '{"year":1800,"text":"a","at":"yesterday"}',
  '{"year":1800,',
]

function quarantine(outputs: JsonObject): JsonObject[] {
  const text = readFileSync(join(String(outputs.quarantine), 'part-00000.jsonl'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

t.test('records that do not fit go into quarantine, counted by what is wrong with which field', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': records.join('\n') } })
  const { outcome } = await runOperator(
    schemaValidate,
    { input: 'in', schema, maxMalformed: 1, maxRejected: 1 },
    { dir },
  )
  t.match(outcome, {
    type: 'succeeded',
    outputs: {
      records: 1,
      recordsIn: 8,
      rejected: 7,
      malformed: 1,
      reasons: {
        'required /year': 1,
        'type /year': 1,
        'minimum /year': 1,
        'type /tags/*': 2,
        'format /at': 1,
        malformed_json: 1,
      },
    },
  })
  const rejected = quarantine((outcome as { outputs: JsonObject }).outputs)
  t.match(rejected[0], {
    reason: 'required /year',
    source: { file: 'a.jsonl', line: 2 },
    record: { text: 'no year' },
  })
  t.match(rejected.at(-1), { reason: 'malformed_json', source: { line: 8 }, text: '{"year":1800,' })
})

t.test('over 1 % that do not fit fail the gate with the numbers and the place to look', async (t) => {
  const good = Array(197).fill('{"year":1800,"text":"a"}')
  const input = { input: 'in', schema, output: 'out' }
  const passes = t.testdir({
    in: { 'a.jsonl': [...good, '{}', '{}'].slice(1).join('\n'), 'b.jsonl': `${good[0]}\n${good[0]}` },
  })
  t.match((await runOperator(schemaValidate, input, { dir: passes })).outcome, {
    type: 'succeeded',
    outputs: { rejected: 2 },
  })
  const fails = t.testdir({ in: { 'a.jsonl': [...good, '{}', '{}'].join('\n') } })
  const { outcome } = await runOperator(schemaValidate, input, { dir: fails })
  t.match(outcome, {
    type: 'failed',
    kind: 'gate_failed',
    message: /2 of 199 records rejected \(1\.01 %\), over `maxRejected` 1 %/,
  })
  const path = /see (.+)$/.exec((outcome as { message: string }).message)?.[1]
  t.match(readFileSync(`${path}/part-00000.jsonl`, 'utf8'), /"required \/year"/)
  t.throws(
    () => readFileSync(join(fails, 'out/manifest.json')),
    { code: 'ENOENT' },
    'no result is put in place',
  )
})

t.test('a schema may stand in a file, and in draft-07', async (t) => {
  const old = { $schema: 'http://json-schema.org/draft-07/schema#', ...schema }
  const dir = t.testdir({ in: { 'a.jsonl': records[0] as string }, 'schema.json': JSON.stringify(old) })
  const { outcome } = await runOperator(schemaValidate, { input: 'in', schema: 'schema.json' }, { dir })
  t.match(outcome, { type: 'succeeded', outputs: { records: 1, quarantine: null } })
})

t.test('a schema that says nothing true is invalid input, before a record is read', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': '{}' }, 'not.json': '{', 'list.json': '[]' })
  const cases: [JsonObject | string, RegExp][] = [
    [{ type: 'objekt' }, /not a valid JSON Schema/],
    [{ properties: {}, requird: ['a'] }, /requird/],
    [{ $ref: '#/$defs/none' }, /can't resolve/],
    ['not.json', /not\.json is not JSON/],
    ['list.json', /does not hold a JSON object/],
    ['missing.json', /missing\.json/],
  ]
  for (const [bad, message] of cases) {
    const { outcome } = await runOperator(schemaValidate, { input: 'in', schema: bad }, { dir })
    t.match(outcome, { type: 'failed', kind: 'invalid_input', message })
  }
})
