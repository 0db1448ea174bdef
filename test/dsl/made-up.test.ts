import t from 'tap'
import { allOperators } from '../../cli/catalogue.ts'
import { validatorOf } from '../../dsl/json-schema.ts'
import { madeUp } from '../../dsl/made-up.ts'

t.test('what is made up for a built-in operator is what it could have given', async (t) => {
  for (const { name, output } of await allOperators())
    t.strictSame(validatorOf(output)(madeUp(output, 'task')), [], name)
})

t.test('made-up values are small, say where they come from, and are the same each time', (t) => {
  const schema = {
    type: 'object',
    properties: {
      dataset: { type: 'string' },
      digest: { type: 'string', pattern: '^[0-9a-f]{64}$' },
      until: { type: 'string', format: 'date-time' },
      long: { type: 'string', minLength: 12 },
      count: { type: 'integer', minimum: 1 },
      share: { type: 'number', exclusiveMinimum: 0 },
      below: { type: 'integer', maximum: -3 },
      names: { type: 'array', minItems: 2, items: { type: 'string' } },
      verdict: { enum: ['pass', 'fail'] },
      maybe: { type: ['null', 'boolean'] },
      either: { anyOf: [{ $ref: '#/$defs/one' }, { type: 'null' }] },
    },
    $defs: { one: { type: 'object', properties: { a: { const: 7 } } } },
  }
  t.strictSame(madeUp(schema, 'pack'), {
    dataset: 'pack.dataset',
    digest: '0'.repeat(64),
    until: '2026-01-01T00:00:00.000Z',
    long: 'pack.long...',
    count: 1,
    share: 0.5,
    below: -3,
    names: ['pack.names.0', 'pack.names.1'],
    verdict: 'pass',
    maybe: false,
    either: { a: 7 },
  })
  t.end()
})

t.test('a schema that contains itself comes to an end', (t) => {
  const schema = { type: 'object', properties: { child: { $ref: '#' } } }
  t.doesNotThrow(() => JSON.stringify(madeUp(schema, 'x')))
  t.end()
})
