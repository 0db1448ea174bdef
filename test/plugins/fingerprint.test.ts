import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CacheSubject } from '../../engine/cache.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { defineOperator, succeeded } from '../../plugins/api.ts'
import { fingerprintOf } from '../../plugins/fingerprint.ts'
import { operatorsOf } from '../../plugins/host.ts'
import { mapMarked, markedStrings } from '../../plugins/uri-marks.ts'

const dataset = { type: 'string', 'x-uri': 'output' }
const copy = defineOperator({
  name: 'Copy',
  stage: 'data',
  summary: 'Copies.',
  input: {
    type: 'object',
    properties: {
      source: { 'x-uri': 'input' },
      output: { type: 'string', 'x-uri': 'output' },
      schema: { anyOf: [{ type: 'object' }, { type: 'string', 'x-uri': 'input' }] },
      times: { type: 'integer' },
    },
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { dataset, part: { type: 'object', properties: { dataset } } },
    additionalProperties: true,
  },
  example: '',
  run: () => succeeded(),
})
const operators = operatorsOf({ Copy: async () => copy })
const prints = fingerprintOf(operators, '1.0.0')

function subject(cwd: string, input: JsonObject, more: Partial<CacheSubject> = {}): CacheSubject {
  return { operator: { name: 'Copy', version: 1 }, input, env: {}, cwd, files: [], ...more }
}

t.test('the same work has the same key, whatever the order of its properties', async (t) => {
  const cwd = t.testdir({ a: 'one' })
  const key = await prints.key(subject(cwd, { source: 'a', times: 1 }))
  t.match(key, /^[0-9a-f]{64}$/)
  t.equal(await prints.key(subject(cwd, { times: 1, source: 'a' })), key)
})

t.test('everything that a result depends on changes the key', async (t) => {
  const cwd = t.testdir({ a: 'one', b: 'two' })
  const base = subject(cwd, { source: 'a', times: 1 })
  const other = fingerprintOf(operators, '1.0.1')
  const keys = await Promise.all([
    prints.key(base),
    prints.key({ ...base, input: { source: 'a', times: 2 } }),
    prints.key({ ...base, input: { source: 'b', times: 1 } }),
    prints.key({ ...base, input: { source: 'a', times: 1, output: 'elsewhere' } }),
    prints.key({ ...base, env: { LANG: 'C' } }),
    prints.key({ ...base, files: ['b'] }),
    other.key(base),
  ])
  t.equal(new Set(keys).size, keys.length)
})

t.test('data counts by its bytes: not by its time, place or the run that made it', async (t) => {
  const cwd = t.testdir({
    in: { 'a.jsonl': '1\n', 'b.jsonl': '2\n' },
    first: { 'manifest.json': '{"shards":[{"name":"p","bytes":1,"sha256":"x"}]}', p: '1' },
    second: { 'manifest.json': '{"shards":[{"name":"p","bytes":1,"sha256":"x"}]}', p: '1' },
  })
  const keyOf = (source: Json) => prints.key(subject(cwd, { source }))
  const before = await keyOf('in/*.jsonl')
  utimesSync(join(cwd, 'in/a.jsonl'), 1, 1)
  t.equal(await keyOf('in/*.jsonl'), before)
  renameSync(join(cwd, 'in'), join(cwd, 'moved'))
  t.equal(await keyOf('moved/*.jsonl'), before, 'names count from the folder that the pattern fixes')
  renameSync(join(cwd, 'moved/b.jsonl'), join(cwd, 'moved/c.jsonl'))
  t.not(await keyOf('moved/*.jsonl'), before)
  writeFileSync(join(cwd, 'moved/c.jsonl'), '3\n')
  const changed = await keyOf('moved/*.jsonl')
  writeFileSync(join(cwd, 'moved/d.jsonl'), '')
  t.not(await keyOf('moved/*.jsonl'), changed, 'an empty file more is a change')
  t.equal(await keyOf('first'), await keyOf('second'))
  t.equal(await keyOf({ dataset: 'first', records: 1 }), await keyOf({ dataset: 'second', records: 1 }))
  t.not(await keyOf(['first', 'second']), await keyOf('first'))
})

t.test(
  'what cannot be read has no key',
  { skip: process.getuid?.() === 0 && 'root reads everything' },
  async (t) => {
    const cwd = t.testdir({ a: 'one' })
    chmodSync(join(cwd, 'a'), 0)
    t.equal(await prints.key(subject(cwd, { source: 'a' })), null)
  },
)

t.test('a URI of a scheme that is not read, and an unknown operator, have no key', async (t) => {
  const cwd = t.testdir({})
  t.equal(await prints.key(subject(cwd, { source: 's3://bucket/a' })), null)
  t.equal(await prints.key({ ...subject(cwd, {}), operator: { name: 'Copy', version: 2 } }), null)
})

t.test('outputs stand while what they name is there, whole and the same', async (t) => {
  const shard = { name: 'p', bytes: 1, sha256: 'x' }
  const manifest = (sha256: string) => JSON.stringify({ shards: [{ ...shard, sha256 }] })
  const cwd = t.testdir({ out: { 'manifest.json': manifest('x'), p: '1' }, plain: 'text' })
  const stands = (outputs: JsonObject) => prints.intact({ name: 'Copy', version: 1 }, outputs, cwd)
  const outputs = { dataset: 'out', shards: [shard] }
  t.ok(await stands({}))
  t.ok(await stands(outputs))
  t.ok(await stands({ dataset: 'plain', part: { dataset: 'out', shards: [shard] } }))
  t.notOk(await stands({ dataset: 'nowhere' }))
  t.notOk(await stands({ part: { dataset: 'nowhere' } }))
  writeFileSync(join(cwd, 'out/manifest.json'), manifest('y'))
  t.notOk(await stands(outputs), 'another task wrote there since')
  t.ok(await stands({ dataset: 'out' }))
  writeFileSync(join(cwd, 'out/p'), 'longer')
  t.notOk(await stands({ dataset: 'out' }), 'a shard of another size')
  rmSync(join(cwd, 'out/p'))
  t.notOk(await stands({ dataset: 'out' }), 'a shard is gone')
  rmSync(join(cwd, 'out'), { recursive: true })
  mkdirSync(join(cwd, 'out'))
  t.ok(await stands({ dataset: 'out' }), 'a folder without a manifest promises nothing more')
})

t.test(
  'marks are found under alternatives, lists and properties, and only where the type fits',
  async (t) => {
    const { input } = copy
    const map = async (uri: string) => `<${uri}>`
    const value = { source: ['a', { dataset: 'b', records: 1 }], output: 'o', schema: 's', times: 1 }
    t.strictSame(await mapMarked(input, value, 'input', map), {
      source: ['<a>', '<b>'],
      output: 'o',
      schema: '<s>',
      times: 1,
    })
    t.strictSame(await mapMarked(input, { schema: { type: 'object' } }, 'input', map), {
      schema: { type: 'object' },
    })
    t.strictSame(
      markedStrings(input, value, 'output').map(({ uri, name }) => [name, uri]),
      [['output', 'o']],
    )
  },
)

t.test('data that cannot be read, or is damaged, does not stand', async (t) => {
  const cwd = t.testdir({
    torn: { 'manifest.json': '{"shards":[{"na' },
    odd: { 'manifest.json': '{"shards":[{"bytes":1},7]}' },
  })
  const stands = (dataset: string) => prints.intact({ name: 'Copy', version: 1 }, { dataset }, cwd)
  for (const uri of ['torn', 'odd', 'gs://elsewhere/data', 'torn/manifest.json/below'])
    t.equal(await stands(uri), false, uri)
})
