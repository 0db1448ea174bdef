import fc from 'fast-check'
import t from 'tap'
import { compileSchema } from '../../dsl/json-schema.ts'
import { certainlyMatches, isPlain } from '../../dsl/quick-check.ts'
import type { JsonSchema } from '../../engine/json.ts'
import { builtin } from '../../operators/catalogue.ts'
import { describe } from '../../plugins/api.ts'

const key = fc.constantFrom('a', 'b', 'c')
/** Schemas that are nested at most `depth` deep. */
function schemaOf(depth: number): fc.Arbitrary<JsonSchema> {
  const inner = depth === 0 ? {} : innerOf(schemaOf(depth - 1))
  const keywords = {
    type: fc.constantFrom<unknown>(
      'string',
      'integer',
      'number',
      'boolean',
      'array',
      'object',
      'null',
      ['string', 'array'],
      ['object', 'null'],
    ),
    enum: fc.constantFrom([1, 'x'], [null, true], ['']),
    const: fc.constantFrom(1, 'x', null),
    required: fc.uniqueArray(key, { maxLength: 2 }),
    minimum: fc.integer({ min: -1, max: 2 }),
    exclusiveMaximum: fc.integer({ min: 0, max: 3 }),
    minLength: fc.integer({ min: 0, max: 2 }),
    maxLength: fc.integer({ min: 0, max: 2 }),
    pattern: fc.constantFrom('x', '^.$', 'n(?=g)', '^$'),
    minItems: fc.integer({ min: 0, max: 1 }),
    maxItems: fc.integer({ min: 0, max: 2 }),
    ...inner,
  }
  return fc.record(keywords, { requiredKeys: [] }) as fc.Arbitrary<JsonSchema>
}

function innerOf(child: fc.Arbitrary<JsonSchema>) {
  return {
    properties: fc.dictionary(key, child, { maxKeys: 2 }),
    additionalProperties: fc.oneof(fc.boolean(), child),
    items: child,
    oneOf: fc.array(child, { minLength: 1, maxLength: 2 }),
    anyOf: fc.array(child, { minLength: 1, maxLength: 2 }),
  }
}

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(0, 1, 2, 1.5, -1, 'x', '', '😀', 'long', true, null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('value'), { maxKeys: 3 }),
  ),
}))

t.test('for plain schemas it says what ajv says', async () => {
  fc.assert(
    fc.property(
      schemaOf(2),
      value,
      (schema, value) =>
        isPlain(schema) && certainlyMatches(schema, value) === (compileSchema(schema)(value).length === 0),
    ),
    { numRuns: 150 },
  )
})

t.test('what it does not read is never certain', async (t) => {
  for (const schema of [
    { pattern: '(' },
    { $ref: '#' },
    { not: {} },
    { items: { format: 'date' } },
    { properties: { a: { uniqueItems: true } } },
    { enum: [{}] },
    { const: [] },
  ]) {
    t.notOk(isPlain(schema), JSON.stringify(schema))
    t.notOk(certainlyMatches(schema, 'a'))
  }
})

t.test('the commands of small files need nothing else', async (t) => {
  for (const name of ['Noop', 'Shell'])
    t.ok(isPlain(describe(await (builtin[name] as () => Promise<never>)()).input), name)
})
