/** Operators' schemas: those that are wrong are refused, and those of the built-in operators are right. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import t from 'tap'
import { builtin } from '../../operators/catalogue.ts'
import { checkOf } from '../../plugins/schema-check.ts'

const wrong: readonly { readonly [keyword: string]: unknown }[] = [
  { type: 'strnig' },
  { properties: 5 },
  { required: 'name' },
  { pattern: '(' },
  { minLength: 'one' },
  { enum: 3 },
]

for (const schema of wrong) {
  t.test(`a schema that is wrong is refused: ${JSON.stringify(schema)}`, async (t) => {
    await t.rejects(checkOf(schema as never))
  })
}

t.test('the schemas of the built-in operators match the schema of schemas', async (t) => {
  const ajv = new Ajv2020({ strict: false })
  formats.default(ajv)
  for (const [name, load] of Object.entries(builtin)) {
    const { input, output } = await load()
    t.ok(ajv.validateSchema(input), `${name}, input: ${ajv.errorsText()}`)
    t.ok(ajv.validateSchema(output), `${name}, output: ${ajv.errorsText()}`)
  }
})
