import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import type { Scope } from '../../engine/evaluator.ts'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { errorsOf, pipelineOf } from '../support/compiled.ts'
import { scopeWith } from '../support/scope.ts'

const evaluator = createEvaluator()
const train = operator({
  name: 'Fit',
  output: {
    type: 'object',
    additionalProperties: false,
    required: ['accuracy', 'rows', 'parts'],
    properties: {
      accuracy: { type: 'number' },
      rows: { type: 'integer' },
      verdict: { enum: ['pass', 'fail'] },
      parts: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } },
    },
  },
})
const catalogue = catalogueWith(train)
const file = (lines: string) =>
  `params: { n: { type: integer, default: 3 }, rate: { type: number, default: 0.5 }, name: { type: string, default: x } }\ntasks:\n  fit: { uses: Fit }\n  other: { run: ls }\n${lines}`
const quoted = (text: string) => JSON.stringify(text)
const errorsOfWhen = (when: string, more = '') =>
  errorsOf(file(`  last: { uses: Noop, when: ${quoted(when)}${more} }\n`), catalogue)

t.test('expressions whose types fit compile', async (t) => {
  const good = [
    'params.n > 2',
    'params.n / 2 == 1',
    'params.rate < 0.7 && params.name == "x"',
    'tasks.fit.outputs.accuracy >= 0.8',
    'tasks.fit.outputs.accuracy > params.rate * 2.0',
    'tasks.fit.outputs.parts.exists(part, part.n > 3)',
    'size(tasks.fit.outputs.parts) > 0',
    'tasks["fit"].state == "succeeded"',
    'tasks.other.outputs.anything.at.all == "x"',
    'has(tasks.other.outputs.x) ? tasks.other.outputs.x > 1 : true',
    'run.trigger in ["manual", "schedule"]',
    'timestamp(run.interval.start) < timestamp("2027-01-01T00:00:00Z")',
    'params.name.startsWith("x")',
  ]
  for (const when of good) t.strictSame(await errorsOfWhen(when), [], when)
})

t.test('expressions whose names or types do not fit are errors', async (t) => {
  const bad: readonly [string, RegExp][] = [
    ['params.n == 3.5 + 1', /E134 `\+` does not work between double and int/],
    ['params.n == "3"', /E134 `==` does not work between int and string/],
    ['params.rate == 1', /E134 `==` does not work between double and int/],
    ['params.n', /E134 the expression gives int/],
    ['params.none > 1', /E122 unknown parameter `none`/],
    ['tasks.fit.outputs.acuracy > 0.8', /E120 unknown output `acuracy` of task `fit`/],
    ['tasks.fitt.outputs.accuracy > 0.8', /E121 unknown task `fitt`/],
    ['tasks.fit.outputs.verdict == "passed"', /E134 `tasks.fit.outputs.verdict` is never `passed`/],
    ['tasks.fit.output.x == 1', /E122 a task has no `output`/],
    ['tasks.fit == 1', /E122 `tasks.fit` alone/],
    ['size(tasks) > 1', /E122 `tasks` alone/],
    ['tasks[params.name].state == "failed"', /E122 `tasks` alone/],
    ['nothing > 1', /E122 unknown name `nothing`/],
    ['outputs.rows > 1', /E122 `outputs` can only be used in `gate`/],
    ['params.n >', /E133/],
    ['params.n > 1 &&& true', /E133/],
    ['upper(params.name) == "X"', /E134/],
    ['secrets.TOKEN == "x"', /E115 `secrets` is not supported yet/],
    ['item.x == 1', /E122 `item` can only be used in a task with `foreach`/],
  ]
  for (const [when, error] of bad) t.match(await errorsOfWhen(when), [error], when)
})

t.test('the variables of macros hide names', async (t) => {
  t.strictSame(await errorsOfWhen('tasks.fit.outputs.parts.all(params, params.n > 1)'), [])
  t.strictSame(await errorsOfWhen('cel.bind(x, params.n, x > 1 && x < 4)'), [])
  t.match(await errorsOfWhen('tasks.fit.outputs.parts.all(part, prt.n > 1)'), [/E122 unknown name `prt`/])
})

t.test('with another trigger than all_success outputs may be null: they must be guarded', async (t) => {
  const of = (when: string) => errorsOfWhen(when, ', trigger: all_done')
  const guarded = [
    'tasks.fit.outputs.accuracy != null && tasks.fit.outputs.accuracy > 0.8',
    'tasks.fit.outputs.accuracy == null || tasks.fit.outputs.accuracy > 0.8',
    'null == tasks.fit.outputs || tasks.fit.outputs.rows > 1',
    'has(tasks.fit.outputs.rows) && tasks.fit.outputs.rows > 1',
    '!has(tasks.fit.outputs.rows) || tasks.fit.outputs.rows > 1',
    'has(tasks.fit.outputs.rows) ? tasks.fit.outputs.rows > 1 : false',
    'tasks.fit.state == "succeeded" && tasks.fit.outputs.rows > 1',
    'tasks.fit.state != "succeeded" || tasks.fit.outputs.rows > 1',
    'tasks.fit.state == "failed"',
    'tasks.fit.outputs == null',
  ]
  for (const when of guarded) t.strictSame(await of(when), [], when)
  const bare = [
    'tasks.fit.outputs.accuracy > 0.8',
    'tasks.fit.outputs.rows > 1 && tasks.fit.outputs.rows != null',
    'tasks.fit.outputs.rows != null || tasks.fit.outputs.rows > 1',
    'tasks.other.outputs.x != null && tasks.fit.outputs.rows > 1',
    '!(has(tasks.fit.outputs.rows) && true) && tasks.fit.outputs.rows > 1',
    'tasks.fit.state == "failed" && tasks.fit.outputs.rows > 1',
    'has(tasks.fit.state) && tasks.fit.outputs.rows > 1',
  ]
  for (const when of bare) t.match(await of(when), [/E123/], when)
})

t.test(
  'a gate sees the outputs of its task by their types, and the baseline that may be missing',
  async (t) => {
    const of = (gate: string) => errorsOf(`  fit: { uses: Fit, gate: [${quoted(gate)}] }`, catalogue)
    t.strictSame(await of('outputs.accuracy >= 0.8'), [])
    t.strictSame(await of('baseline == null || outputs.accuracy >= baseline.accuracy - 0.01'), [])
    t.match(await of('outputs.accuracy >= baseline.accuracy'), [/E123 `baseline.accuracy` may be null/])
    t.match(await of('baseline == null || outputs.rows > baseline.accuracy + 1'), [/E134/])
    t.match(await of('outputs.acc > 1.0'), [/E120/])
  },
)

t.test('integers of the schemas are CEL ints when the engine asks', async (t) => {
  const { tasks } = await pipelineOf(
    file(
      `  last: { uses: Noop, when: "tasks.fit.outputs.rows / 2 == params.n && tasks.fit.outputs.parts.exists(p, p.n / 2 == 1) && tasks.other.outputs.n / 2.0 == 1.5" }\n`,
    ),
    catalogue,
  )
  const last = tasks[2]
  t.strictSame(last?.integers, ['/tasks/fit/outputs/rows', '/params/n', '/tasks/fit/outputs/parts/*/n'])
  const scope = scopeWith({
    params: { n: 3 },
    tasks: {
      fit: { state: 'succeeded', outputs: { rows: 7, parts: [{ n: 3 }] } },
      other: { state: 'succeeded', outputs: { n: 3 } },
    },
    integers: last?.integers ?? [],
  })
  t.equal(evaluator.test(last?.when ?? '', scope), true)
})

t.test('what a guard excludes is never looked up, and a null is said', async (t) => {
  const scope: Scope = scopeWith({
    params: { n: 1 },
    tasks: {
      gone: { state: 'failed', outputs: null },
      done: { state: 'succeeded', outputs: { x: null, n: 2 } },
    },
  })
  const cases: readonly [string, boolean][] = [
    ['tasks.gone.outputs.x == null', true],
    ['tasks.gone.outputs.x != null && tasks.gone.outputs.x > 1', false],
    ['has(tasks.gone.outputs.x)', false],
    ['has(tasks.done.outputs.n)', true],
    ['has(tasks.done.outputs.none) && tasks.done.outputs.none > 1', false],
    ['tasks.done.outputs.x == null', true],
    ['tasks.done.outputs.none == null', true],
    ['true || tasks.done.outputs.none', true],
    ['tasks.done.outputs.n == 2.0', true],
  ]
  for (const [text, expected] of cases) t.equal(evaluator.test(text, scope), expected, text)
  t.throws(() => evaluator.test('tasks.gone.outputs.x > 1', scope), { code: 'E161' })
  t.throws(() => evaluator.test('tasks.done.outputs.none > 1', scope), { code: 'E160' })
  t.throws(() => evaluator.test('params.n', scope), {
    code: 'E161',
    message: /gave an integer, not true or false/,
  })
  t.throws(() => evaluator.test('params.constructor.name == "Object"', scope), { code: 'E160' })
})

t.test(
  'numbers of two kinds are said to be that, with what to write, also while a run goes on',
  async (t) => {
    const scope = scopeWith({ tasks: { open: { state: 'succeeded', outputs: { n: 2 } } } })
    t.throws(() => evaluator.test('tasks.open.outputs.n + 1 == 3', scope), {
      code: 'E161',
      message: /`\+` does not work between double and int \(write numbers with a point/,
    })
    t.ok(evaluator.test('tasks.open.outputs.n + 1.0 == 3.0 && tasks.open.outputs.n == 2', scope))
  },
)
