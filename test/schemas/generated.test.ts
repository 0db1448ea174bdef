import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import t from 'tap'
import { parse } from 'yaml'
import type { OperatorInfo } from '../../engine/pipeline.ts'
import { builtin } from '../../operators/catalogue.ts'
import { describe } from '../../plugins/api.ts'
import { configTypes, editorSchema, pipelineTypes } from '../../schemas/generate.ts'
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' }

const committed = (name: string) => readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8')
const operators: readonly OperatorInfo[] = await Promise.all(
  Object.values(builtin).map(async (load) => describe(await load())),
)

t.test('the types in the repository are those of the schema', async (t) => {
  t.equal(committed('pipeline.generated.ts'), await pipelineTypes(), 'run: npm run generate')
  t.equal(committed('config.generated.ts'), await configTypes(), 'run: npm run generate')
})

t.test("the editor's schema in the repository is that of the schema and of the operators", async (t) => {
  t.equal(committed('pipeline.editor.schema.json'), editorSchema(operators), 'run: npm run generate')
})

t.test('the schema of pipelines is a schema, and every key says what it is for', async (t) => {
  const ajv = new Ajv2020({ strict: false })
  t.ok(ajv.validateSchema(pipelineSchema), ajv.errorsText())
  const { task } = pipelineSchema.$defs
  for (const [key, schema] of Object.entries({ ...pipelineSchema.properties, ...task.properties }))
    t.ok('$ref' in schema || 'description' in schema, key)
})

const draft7 = new Ajv({ strict: false, allErrors: true })
;(formats as unknown as (ajv: Ajv) => void)(draft7)
const inEditor = draft7.compile(JSON.parse(editorSchema(operators)) as object)
const inFile = (tasks: string) => inEditor(parse(`dagctl: 1\npipeline: p\ntasks:\n${tasks}`))

t.test(
  'an editor knows the input of each operator, takes templates for any value, and says what is wrong',
  async (t) => {
    const good = [
      '  a: { uses: Shell, with: { command: "ls {{ run.id }}" } }',
      '  a: { run: ls }',
      '  a: { uses: Noop, with: { outputs: "{{ params.x }}" } }',
      '  a: { uses: Shell@1, with: { command: ls }, retry: { attempts: 2 } }',
      '  a: { uses: MyOwn, with: { x: 1 } }',
    ]
    for (const tasks of good) t.ok(inFile(tasks), `${tasks} ${JSON.stringify(inEditor.errors)}`)
    const bad = [
      '  a: { uses: Shell }',
      '  a: { uses: Shell, with: { comand: ls } }',
      '  a: { uses: Shell, with: { command: 1 } }',
      '  a: { uses: Noop, with: { outputs: text } }',
      '  a: { uses: Noop, wth: {} }',
      '  a: { uses: Noop, run: ls }',
    ]
    for (const tasks of bad) t.notOk(inFile(tasks), tasks)
  },
)

t.test("every operator's own example fits the editor's schema", async (t) => {
  for (const { name, example } of operators)
    t.ok(inFile(example.replace(/^/gm, '  ')), `${name}: ${JSON.stringify(inEditor.errors?.slice(0, 3))}`)
})
