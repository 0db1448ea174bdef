import t from 'tap'
import { catalogue } from '../../cli/catalogue.ts'
import { compile } from '../../dsl/compile.ts'
import { checkTests, readTests } from '../../dsl/pipeline-tests.ts'
import type { Pipeline } from '../../engine/pipeline.ts'

const yaml = `dagctl: 1
pipeline: bot
params: { epochs: { type: integer, minimum: 1, default: 3 } }
defaults: { timeout: 1h }
tasks:
  ingest: { uses: BatchIngest, with: { source: "in/*" } }
  mask: { uses: PIIMasker, with: { input: "{{ tasks.ingest.outputs.dataset }}", fields: [text] } }
  train: { run: "./train {{ params.epochs }}", needs: [mask] }
`

const { pipeline } = await compile({ text: yaml, file: 'bot.yaml' }, catalogue)

/** `line:column code message (hint)` of each problem. */
async function problemsOf(text: string, of: Pipeline = pipeline as Pipeline): Promise<readonly string[]> {
  const tests = readTests({ text, file: 'bot.test.yaml' })
  const { problems } =
    tests.file === null ? tests : await checkTests({ ...tests, file: tests.file }, of, catalogue)
  return problems.map(
    ({ line, column, code, message, hint }) =>
      `${line}:${column} ${code} ${message}${hint === null ? '' : ` (${hint})`}`,
  )
}

const inCase = (...lines: readonly string[]) =>
  problemsOf(['dagctl: 1', 'cases:', '  one:', ...lines.map((line) => `    ${line}`), ''].join('\n'))

t.test('a case of every key has no problem', async (t) => {
  const found = await inCase(
    'params: { epochs: 2 }',
    'at: 2026-03-01T02:00:00+01:00',
    'interval: 2026-02-01/2026-03-01',
    'trigger: manual',
    'slots: 2',
    'baseline: { train: { loss: 2 } }',
    'pools: { gpu: { slots: 2, gpus: 1 } }',
    'rates: { gpu: 2.5, pools: { gpu: 1 } }',
    'env: { REGION: eu }',
    'answers: { train: { decision: approve, after: 1h, values: { note: ok } } }',
    'tasks:',
    '  ingest: { sleeps: 1m, takes: 3m, outputs: { records: 10 } }',
    '  mask: [{ fails: network, message: m, times: 2 }, { skips: nothing new }]',
    '  train: { takes: forever }',
    'faults:',
    '  - { at: 1m, do: crash, for: 1m }',
    '  - { at: 2m, do: vanish, task: train }',
    '  - { at: 3m, do: pause }',
    '  - { at: 4m, do: resume }',
    '  - { at: 5m, do: cancel }',
    'expect:',
    '  run: cancelled',
    '  takes: 1h..2h',
    '  order: [ingest, mask]',
    '  tasks: { ingest: succeeded, mask: { state: skipped, tries: 3, input: { fields: [text] } } }',
    '  that: [tasks.ingest.outputs.records == 10, params.epochs > 1, env.REGION == "eu"]',
  )
  t.strictSame(found, [])
})

t.test('keys and values that the format does not have are told at their place', async (t) => {
  t.strictSame(await problemsOf('dagctl: 1\n'), ['1:1 E112 `cases` is missing'])
  t.match(await problemsOf(''), [/^1:1 E102 the file holds no tests/])
  t.strictSame(await inCase('expects: {}'), ['4:5 E110 unknown key `expects` (did you mean `expect`?)'])
  t.strictSame(await inCase('tasks: { mask: { fails: netwrk } }'), [
    '4:29 E113 `tasks.mask.fails` must be `oom`, `gpu_oom`, `crash`, `timeout`, `network`, `node_lost`, `spot_interruption`, `model_load`, `data_corruption`, `invalid_input` or `user`, not `netwrk` (did you mean `network`?)',
  ])
  t.strictSame(await inCase('tasks: { mask: { takes: 5 minutes } }'), [
    '4:29 E113 `tasks.mask.takes` must be a duration such as `30s` or `6h`, or `forever`, not `5 minutes`',
  ])
  t.strictSame(await inCase('expect: { tasks: { mask: faild } }'), [
    '4:30 E113 `expect.tasks.mask` must be a state of a task, or what else is expected of it, not `faild`',
  ])
})

t.test('names that the pipeline does not have are told with the nearest one', async (t) => {
  t.strictSame(await inCase('tasks: { maks: {} }'), ['4:14 E121 unknown task `maks` (did you mean `mask`?)'])
  t.strictSame(await inCase('expect: { order: [ingest, trian] }'), [
    '4:31 E121 unknown task `trian` (did you mean `train`?)',
  ])
  t.strictSame(await inCase('expect: { tasks: { "maks[eu]": failed } }'), [
    '4:24 E121 unknown task `maks` (did you mean `mask`?)',
  ])
  t.strictSame(await inCase('expect: { tasks: { mask: { outputs: { record: 1 } } } }'), [
    '4:43 E120 `PIIMasker` has no output `record` (did you mean `records`?)',
  ])
  t.strictSame(await inCase('expect: { that: [tasks.mask.outputs.record > 1] }'), [
    '4:22 E120 unknown output `record` of task `mask` (did you mean `records`?)',
  ])
  t.strictSame(await inCase('params: { epoch: 1 }'), [
    '4:22 E170 unknown parameter `epoch` (did you mean `epochs`?)',
  ])
})

t.test('what is said of an instance that there never is, or of what does nothing, is refused', async (t) => {
  const text = `dagctl: 1
pipeline: grouped
tasks:
  plain: { use: ./prep.yaml }
  each: { use: ./prep.yaml, foreach: [a, b], key: "{{ item }}" }
`
  const prep = `dagctl: 1
pipeline: prep
tasks:
  train: { run: "true", timeout: 1m }
  mask: { run: "true", timeout: 1m, foreach: [eu, us], key: "{{ item }}" }
`
  const load = async () => ({ text: prep, file: 'prep.yaml' })
  const grouped = (await compile({ text, file: 'grouped.yaml' }, catalogue, { load })).pipeline as Pipeline
  const of = (one: string) => problemsOf(`dagctl: 1\ncases:\n  one:\n    ${one}\n`, grouped)
  t.strictSame(await inCase('tasks: { "train[x]": { fails: user } }', 'expect: { run: succeeded }'), [
    '4:14 E121 `train` has no instances: it has no `foreach` (write `train`)',
  ])
  t.strictSame(await inCase('expect: { tasks: { "train[x]": failed } }'), [
    '4:24 E121 `train` has no instances: it has no `foreach` (write `train`)',
  ])
  t.strictSame(await of('tasks: { "plain.train[x]": { fails: user } }'), [
    '4:14 E121 `plain.train` has no instances: it has no `foreach` (write `plain.train`)',
  ])
  t.strictSame(await of('tasks: { "plain[x].mask[eu]": { fails: user } }'), [
    '4:14 E121 `plain` has no instances: it has no `foreach` (write `plain.mask[eu]`)',
  ])
  t.strictSame(await of('tasks: { "each[a]": { fails: user } }'), [
    '4:14 E121 `each[a]` is a group, which does nothing itself (name a task in it: `each[a].TASK`)',
  ])
  t.strictSame(await of('tasks: { "each[a].mask": { fails: user } }'), [
    '4:14 E121 `each[a].mask` has instances (name one, `each[a].mask[KEY]`, or all: `each.mask`)',
  ])
  t.strictSame(
    await of(
      'tasks: { plain.train: {}, plain.mask: {}, "plain.mask[eu]": {}, each.mask: {}, "each[a].train": {}, "each[a].mask[eu]": {} }',
    ),
    [],
  )
})

t.test('a stand-in cannot give what its operator never would', async (t) => {
  t.strictSame(await inCase('tasks: { mask: { outputs: { records: many } } }'), [
    '4:42 E111 the outputs of `PIIMasker`: `records` must be an integer, not a string',
  ])
  t.match(await inCase('tasks: { mask: { outputs: { record: 1 } } }'), [
    /^4:33 E110 the outputs of `PIIMasker`: unknown key `record`/,
  ])
  t.strictSame(await inCase('tasks: { train: { outputs: { anything: goes } } }'), [])
})

t.test('what contradicts itself is refused', async (t) => {
  t.strictSame(await inCase('tasks: { mask: { fails: crash, outputs: { records: 1 } } }'), [
    '4:22 E114 a try ends in one way: `fails` cannot stand beside `outputs` (for one try after the other write a list)',
  ])
  t.strictSame(await inCase('tasks: { mask: { times: 2 } }'), ['4:22 E114 `times` belongs to `fails`'])
  t.strictSame(await inCase('faults: [{ at: 1m, do: vanish }]'), ['4:14 E114 `vanish` needs a `task`'])
  t.strictSame(await inCase('faults: [{ at: 1m, do: cancel, for: 1m }]'), [
    '4:36 E114 `for` belongs to `crash`',
  ])
  t.strictSame(await inCase('trigger: schedule'), ['4:5 E140 the pipeline has no schedule'])
  t.strictSame(await inCase('interval: 2026-02-01/2026-01-01'), [
    '4:15 E152 the interval `2026-02-01/2026-01-01` ends before it starts (swap the two times)',
  ])
  t.strictSame(await inCase('params: { epochs: 0 }'), [
    '4:23 E172 the parameter `epochs` must be at least 1, not `0`',
  ])
})

t.test('intervals are those of the schedule, each made when it is due', async (t) => {
  const text = yaml.replace('params:', 'schedule: { cron: "0 0 1 1 *" }\nparams:')
  const yearly = (await compile({ text, file: 'bot.yaml' }, catalogue)).pipeline as Pipeline
  const cased = (more: string) => readTests({ text: `dagctl: 1\ncases: { one: { ${more} } }\n`, file: 'x' })
  const runsOf = async (more: string) => {
    const tests = cased(more)
    if (tests.file === null) throw new Error('not read')
    const { cases } = await checkTests({ ...tests, file: tests.file }, yearly, catalogue)
    return cases?.[0]?.runs.map(({ at, interval }) =>
      [at, interval.start, interval.end].map((time) => new Date(time).toISOString().slice(0, 10)),
    )
  }
  t.strictSame(await runsOf('trigger: schedule, intervals: 2020-01-01/2022-01-01'), [
    ['2021-01-01', '2020-01-01', '2021-01-01'],
    ['2022-01-01', '2021-01-01', '2022-01-01'],
  ])
  t.strictSame(await runsOf('interval: 2020-01-01/2021-01-01'), [['2026-01-01', '2020-01-01', '2021-01-01']])
  t.strictSame(await runsOf('at: 2020-06-01'), [['2020-06-01', '2019-01-01', '2020-01-01']])
})

t.test('any bytes give problems, never an exception', async (t) => {
  for (const text of ['', '[', '- 1', '\0', 'a: &a [*a]', 'dagctl: 1\ncases: 5\n', 'cases: { a: null }'])
    t.ok((await problemsOf(text)).length > 0, JSON.stringify(text))
})
