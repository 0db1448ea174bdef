import t from 'tap'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { compileYaml, errorsOf, pipelineOf } from '../support/compiled.ts'

const tool = operator({
  name: 'Tool',
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['source'],
    properties: {
      source: { type: 'string', minLength: 3 },
      count: { type: 'integer', minimum: 1 },
      rate: { type: 'number' },
      mode: { enum: ['fast', 'exact'] },
      fields: { type: 'array', items: { type: 'string' } },
      either: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      options: { type: 'object', additionalProperties: false, properties: { deep: { type: 'boolean' } } },
      commands: {
        type: 'array',
        items: { type: 'object', properties: { line: { type: 'string', 'x-shell': true } } },
      },
    },
  },
  output: {
    type: 'object',
    additionalProperties: false,
    properties: {
      parts: { type: 'array', items: { type: 'string' } },
      rows: { type: 'integer' },
      rate: { type: 'number' },
    },
  },
})
const catalogue = catalogueWith(tool)
const params =
  'params: { n: { type: integer, default: 1 }, f: { type: number, default: 1 }, s: { type: string, default: x }, m: { enum: [fast, slow], default: fast }, l: { type: array, items: { type: integer }, default: [] } }\n'
const of = (input: string) =>
  errorsOf(
    `${params}tasks:\n  first: { uses: Tool, with: { source: abc } }\n  a: { uses: Tool, with: ${input} }\n  open: { run: ls }\n`,
    catalogue,
  )

t.test('an input that matches, templated or not, is fine', async (t) => {
  const good = [
    '{ source: abc, count: 2, rate: 1, mode: fast, fields: [a], either: x, options: { deep: true } }',
    '{ source: "{{ params.s }}", count: "{{ params.n }}", rate: "{{ params.n }}", fields: "{{ tasks.first.outputs.parts }}", options: { deep: "{{ tasks.open.outputs.x }}" } }',
    // Shorter than three characters, but nobody knows what it will be.
    '{ source: "{{ params.s }}" }',
    '{ source: abc, either: ["{{ params.s }}"] }',
    '{ source: abc, either: "{{ tasks.first.outputs.parts }}" }',
    '{ source: abc, either: "x{{ params.n }}" }',
    '{ source: abc, fields: ["{{ params.s }}", "n{{ params.n }}"] }',
    '{ source: abc, mode: "{{ params.s }}" }',
    '{ source: abc, count: "{{ default tasks.open.outputs.x 3 }}" }',
  ]
  for (const input of good) t.strictSame(await of(input), [], input)
})

t.test('an input that must be a JSON Schema is checked as one, where no template stands in it', async (t) => {
  const problems = async (task: string) =>
    (
      await compileYaml(
        `params: { n: { type: integer, default: 1 } }\ntasks:\n  a: { timeout: 1h, ${task} }\n`,
      )
    ).problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`)
  const form = (text: string) => problems(`uses: Approval, with: { message: Go?, form: ${text} }`)
  t.strictSame(await form('{ properties: { note: { type: string, format: date } }, required: [note] }'), [])
  t.strictSame(await form('{}'), [])
  t.strictSame(await form('{ properties: { note: { type: text } } }'), [
    '5:65 E128 `form` is no JSON Schema: type must be JSONType or JSONType[]: text (operator `Approval`)',
  ])
  t.match(await form('{ required: note }'), [/E128 `form` is no JSON Schema/])
  t.match(await form('{ $ref: "#/nowhere" }'), [/E128 `form` is no JSON Schema: can't resolve reference/])
  t.match(await form('{ type: array }'), [/E128 `form.type` must be `object`, not `array`/])
  t.strictSame(await form('{ properties: { percent: { type: integer, maximum: "{{ params.n }}" } } }'), [])
  t.match(await problems('uses: HumanReview, with: { input: in, form: { properties: 5 } }'), [
    /E128 `form` is no/,
  ])
  const check = (schema: string) => problems(`uses: SchemaValidate, with: { input: in, schema: ${schema} }`)
  t.strictSame(await check('{ type: object, required: [text] }'), [])
  t.strictSame(
    await check('{ $schema: "http://json-schema.org/draft-07/schema#", items: [{ type: string }] }'),
    [],
  )
  t.strictSame(await check('record.schema.json'), [])
  t.match(await check('{ type: objekt }'), [/E128 `schema` is no JSON Schema/])
})

t.test('an input that does not match is an error, by the type of what a template gives', async (t) => {
  const bad: readonly [string, readonly string[]][] = [
    ['{}', ['E128 `source` is missing (operator `Tool`)']],
    [
      '{ source: ab, soruce: x }',
      [
        'E128 `source` must have at least 3 characters (operator `Tool`)',
        'E128 unknown key `soruce` (operator `Tool`)',
      ],
    ],
    ['{ source: abc, count: 0 }', ['E128 `count` must be at least 1, not `0` (operator `Tool`)']],
    ['{ source: abc, either: 3 }', ['E128 `either` must be a string or a list, not `3` (operator `Tool`)']],
    ['{ source: abc, either: [3] }', ['E128 `either.0` must be a string, not an integer (operator `Tool`)']],
    [
      '{ source: abc, options: { deep: 1, deeper: 2 } }',
      [
        'E128 `options.deep` must be a boolean, not an integer (operator `Tool`)',
        'E128 unknown key `deeper` (operator `Tool`)',
      ],
    ],
    ['{ source: "{{ params.n }}" }', ['E129 `source` must be a string, not an integer']],
    ['{ source: abc, count: "{{ params.f }}" }', ['E129 `count` must be an integer, not a number']],
    ['{ source: abc, count: "{{ params.s }}" }', ['E129 `count` must be an integer, not a string']],
    [
      '{ source: abc, count: "0{{ params.n }}" }',
      ['E128 `count` must be an integer, not a string (operator `Tool`)'],
    ],
    ['{ source: abc, mode: "{{ params.m }}" }', ['E129 `mode` may become `slow`']],
    [
      '{ source: abc, fields: "{{ params.l }}" }',
      ['E129 `fields` must be a list of strings, not a list of integers'],
    ],
    ['{ source: abc, fields: "{{ params.s }}" }', ['E129 `fields` must be a list of strings, not a string']],
    [
      '{ source: abc, either: "{{ params.n }}" }',
      ['E129 `either` must be a string or a list, not an integer'],
    ],
    [
      '{ source: "{{ upper (json params.n) }}", count: "{{ half params.f }}" }',
      ['E129 `count` must be an integer, not a number'],
    ],
    [
      '{ source: abc, "{{ params.s }}": 1 }',
      ['E130 a key cannot hold a template', 'E128 unknown key `{{ params.s }}` (operator `Tool`)'],
    ],
  ]
  for (const [input, errors] of bad) t.strictSame([...(await of(input))].sort(), [...errors].sort(), input)
})

t.test('what is wrong in a task without `with` is said at the task', async (t) => {
  const { problems } = await compileYaml('  a:\n    uses: Tool\n', catalogue)
  t.match(problems, [{ line: 4, column: 3, code: 'E128', message: '`source` is missing (operator `Tool`)' }])
})

t.test('values for a shell are found inside lists, and quoted there', async (t) => {
  const { tasks } = await pipelineOf(
    '  a: { uses: Tool, with: { source: abc, commands: [{ line: "ls {{ run.id }}" }] } }',
    catalogue,
  )
  t.strictSame(tasks[0]?.shell, ['/commands/*/line'])
  t.match(
    await errorsOf(
      '  a: { uses: Tool, with: { source: abc, commands: [{ line: "# {{ run.id }}" }] } }',
      catalogue,
    ),
    [/^E130/],
  )
})

t.test('a string where a command counts is an error, a number is none', async (t) => {
  const errors = (value: string) => errorsOf(`${params}tasks:\n  a: { run: 'echo $((1 + {{ ${value} }}))' }`)
  t.match(await errors('params.s'), [/^E130 only a number can stand in arithmetic/])
  t.strictSame(await errors('params.n'), [])
  t.strictSame(await errors('half params.f'), [])
})

t.test('`run` is Shell with that command, and takes no `with`', async (t) => {
  const { tasks } = await pipelineOf('  a: { run: "ls -l" }')
  t.match(tasks[0], { uses: 'Shell', with: { command: 'ls -l' } })
  t.match(await errorsOf('  a: { run: ls, with: { command: ls } }'), [
    /^E110 `with` cannot stand beside `run`/,
  ])
})
