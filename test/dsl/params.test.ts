import t from 'tap'
import { resolveParams } from '../../dsl/params.ts'
import type { Json, JsonSchema } from '../../engine/json.ts'
import { errorsOf } from '../support/compiled.ts'

const params: { readonly [name: string]: JsonSchema } = {
  count: { type: 'integer', minimum: 1, default: 3 },
  rate: { type: 'number', default: 0.5 },
  name: { type: 'string', default: '7' },
  flag: { type: 'boolean', default: false },
  list: { type: 'array', items: { type: 'integer' }, default: [] },
  options: { type: 'object', default: {} },
  level: { enum: ['low', 'high'], default: 'low' },
  any: { default: null },
  mixed: { type: ['integer', 'string'], default: 1 },
}
const resolve = (given: { readonly [name: string]: string | Json }) =>
  resolveParams({ name: 'p', params }, given)

t.test('what is not given has its default', async (t) => {
  t.strictSame(resolve({}), {
    count: 3,
    rate: 0.5,
    name: '7',
    flag: false,
    list: [],
    options: {},
    level: 'low',
    any: null,
    mixed: 1,
  })
})

t.test('strings are read by the type of the parameter', async (t) => {
  t.match(
    resolve({
      count: '12',
      rate: '1',
      name: '12',
      flag: 'true',
      list: '[1, 2]',
      options: '{"a": 1}',
      level: 'high',
      any: '12',
      mixed: '12',
    }),
    {
      count: 12,
      rate: 1,
      name: '12',
      flag: true,
      list: [1, 2],
      options: { a: 1 },
      level: 'high',
      any: '12',
      mixed: 12,
    },
  )
  t.equal(resolve({ mixed: 'x1' }).mixed, 'x1')
})

t.test('a large number is taken where a double keeps it, or a string may stand', async (t) => {
  t.match(resolve({ rate: '3e24', mixed: '9007199254740993' }), { rate: 3e24, mixed: '9007199254740993' })
})

t.test('values that are no strings are taken as they are', async (t) => {
  t.match(resolve({ count: 12, flag: true, any: [1] }), { count: 12, flag: true, any: [1] })
})

t.test('what does not match is an error that says what, which and what to do', async (t) => {
  const cases: readonly [{ readonly [name: string]: string | Json }, { readonly [key: string]: string }][] = [
    [
      { cuont: '1' },
      { code: 'E170', message: 'unknown parameter `cuont`', hint: 'did you mean `count`?', kind: 'usage' },
    ],
    [{ toString: '1' }, { code: 'E170' }],
    [{ count: 'x' }, { code: 'E172', message: 'the parameter `count` must be an integer, not a string' }],
    [{ count: '0' }, { code: 'E172', message: 'the parameter `count` must be at least 1, not `0`' }],
    [{ count: '1.5' }, { code: 'E172' }],
    [
      { rate: '1e400' },
      { code: 'E172', message: 'the parameter `rate` holds `1e400`, a number too large to keep' },
    ],
    [
      { count: '9007199254740993' },
      { code: 'E172', message: 'the parameter `count` holds `9007199254740993`, a number too large to keep' },
    ],
    [
      { list: '[1, -1e999]' },
      { code: 'E172', message: 'the parameter `list` holds `-1e999`, a number too large to keep' },
    ],
    [{ flag: 'yes' }, { code: 'E172', message: 'the parameter `flag` must be a boolean, not a string' }],
    [
      { list: '[1, "x"]' },
      { code: 'E172', message: 'the parameter `list.1` must be an integer, not a string' },
    ],
    [{ level: 'hihg' }, { code: 'E172', hint: 'did you mean `high`?' }],
    [{ count: null }, { code: 'E172' }],
  ]
  for (const [given, error] of cases)
    t.throws(() => resolve(given), error as { code: string }, JSON.stringify(given))
})

t.test('a parameter without a default must be given', async (t) => {
  const pipeline = { name: 'p', params: { model: { type: 'string' } } }
  t.throws(() => resolveParams(pipeline, {}), { code: 'E171', hint: 'give it by `--param model=VALUE`' })
  t.strictSame(resolveParams(pipeline, { model: '' }), { model: '' })
})

t.test('a schema that is none, and a default that does not match, are errors of the file', async (t) => {
  const of = (schema: string) => errorsOf(`params: { p: ${schema} }\ntasks:\n  a: { uses: Noop }`)
  t.strictSame(await of('{ type: integer, default: 3 }'), [])
  t.strictSame(await of('{ type: string, format: date, default: 2026-01-01 }'), [])
  t.match(await of('{ type: integer, default: "3" }'), [/^E141 the default of `p` must be an integer/])
  t.match(await of('{ type: object, properties: { a: { type: integer } }, default: { a: x } }'), [
    /^E141 the default of `p.a` must be an integer/,
  ])
  t.match(await of('{ type: string, format: date, default: tomorrow }'), [/^E141/])
  t.match(await of('{ type: string, pattern: "[" }'), [/^E141 the schema of the parameter `p` is wrong/])
  t.match(await of('{ type: strin }'), [/^E113/])
  t.match(await of('{ minimun: 3 }'), [/^E110 unknown key `minimun`/])
  t.match(await of('{ $ref: "http://localhost/x" }'), [/^E110/])
  t.match(await of('{ items: { type: [integer, oops] } }'), [/^E113/])
})
