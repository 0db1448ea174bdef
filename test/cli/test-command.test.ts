import { readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { dagctl, json } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'

const pipeline = `dagctl: 1
pipeline: bot
schedule: { cron: "0 2 * * *" }
params: { least: { type: integer, default: 100 } }
defaults: { timeout: 6h }
tasks:
  landed: { uses: FileSensor, with: { pattern: "in/{{ date run.interval.start 'yyyy-MM-dd' }}/_SUCCESS" } }
  ingest: { uses: BatchIngest, needs: [landed], with: { source: "in/*.jsonl" } }
  mask: { uses: PIIMasker, with: { input: "{{ tasks.ingest.outputs.dataset }}", fields: [text] } }
  pack:
    uses: Tokenize
    with: { input: "{{ tasks.mask.outputs.dataset }}" }
    gate: [outputs.tokens >= params.least]
  train: { run: "./train.sh {{ tasks.pack.outputs.dataset }}" }
`

const tests = `dagctl: 1
cases:
  a night as it should be:
    at: 2026-03-01T02:00:00Z
    trigger: schedule
    tasks:
      landed: { sleeps: 2h }
      mask: [{ fails: network, takes: 1s, times: 2 }, { takes: 5m }]
      pack: { outputs: { tokens: 1000 } }
      train: { takes: 3h }
    faults:
      - { at: 3h, do: crash, for: 10m }
      - { at: 4h, do: vanish, task: train }
    expect:
      takes: 6h..8h
      order: [landed, ingest, mask, train]
      tasks:
        landed: { input: { pattern: in/2026-02-28/_SUCCESS } }
        mask: { tries: 3, input: { input: ingest.dataset } }
        pack: { input: { input: mask.dataset } }
        train: { attempts: 2, tries: 1 }
      that: [tasks.pack.outputs.tokens == 1000]

  too few tokens stop the training:
    tasks:
      pack: { outputs: { tokens: 99 } }
    expect:
      run: failed
      tasks: { pack: { failure: gate_failed }, train: upstream_failed }
`

const folderOf = (t: Test, files: { readonly [name: string]: string } = {}) =>
  t.testdir({ 'bot.yaml': pipeline, 'bot.test.yaml': tests, ...files })

t.test('what passes is one line per case', async (t) => {
  const { exit, out, err } = await dagctl(folderOf(t), ['test', 'bot.test.yaml'])
  t.strictSame({ exit, err }, { exit: 0, err: '' })
  matchesGolden(t, 'cli/test-passes.out', out)
})

t.test('a planted error in the pipeline is found, and told at the expectation that it breaks', async (t) => {
  const planted = pipeline.replace('outputs.tokens >= params.least', 'outputs.tokens <= params.least')
  const folder = folderOf(t, { 'bot.yaml': planted })
  const { exit, out } = await dagctl(folder, ['test', 'bot.test.yaml'])
  t.equal(exit, 4)
  matchesGolden(t, 'cli/test-fails.out', out)
  const { document } = await json(folder, ['test', 'bot.test.yaml'])
  t.match(document, {
    ok: false,
    files: [
      {
        file: 'bot.test.yaml',
        pipeline: 'bot',
        problems: { length: 0 },
        cases: [
          {
            name: 'a night as it should be',
            ok: false,
            runs: 1,
            problems: [{ code: 'E190', line: 14, column: 5 }],
          },
          { name: 'too few tokens stop the training', ok: false },
        ],
      },
    ],
  })
})

t.test('other slips in a pipeline are found too', async (t) => {
  const slips: { readonly [slip: string]: readonly [string, string, RegExp] } = {
    'a mask that is left out': [
      'tasks.mask.outputs.dataset }}"',
      'tasks.ingest.outputs.dataset }}"',
      /`input.input` of `pack` should be "mask.dataset", but is "ingest.dataset"/,
    ],
    'the wrong day': ['run.interval.start', 'run.interval.end', /`input.pattern` of `landed` should be/],
    'too few tries': [
      'fields: [text] }',
      'fields: [text] }, retry: { attempts: 2 }',
      /`mask` is failed \(network/,
    ],
    'too short a time': [
      'defaults: { timeout: 6h }',
      'defaults: { timeout: 1h }',
      /timeout: did not end within/,
    ],
  }
  for (const [slip, [right, wrong, told]] of Object.entries(slips)) {
    t.ok(pipeline.includes(right), right)
    const { exit, out } = await dagctl(folderOf(t, { 'bot.yaml': pipeline.replace(right, wrong) }), [
      'test',
      'bot.test.yaml',
    ])
    t.equal(exit, 4, slip)
    t.match(out, told, slip)
  }
})

t.test('a file of tests whose pipeline cannot be used is told, and stops no other', async (t) => {
  const folder = t.testdir({
    many: {
      'a.test.yaml': `dagctl: 1\ntests: gone.yaml\n${tests.slice(tests.indexOf('cases:'))}`,
      'b.test.yaml': tests,
      'bot.yaml': pipeline,
      'bot.test.yaml': tests,
      'part.yaml': 'dagctl: 1\npipeline: part\ninputs: {}\ntasks: { a: { run: "true", timeout: 1m } }\n',
      'part.test.yaml': 'dagctl: 1\ncases: { one: {} }\n',
    },
  })
  const { exit, out, err } = await dagctl(folder, ['test', 'many'])
  t.equal(exit, 3)
  t.match(err, 'many/a.test.yaml:2:8 error E180 cannot read many/gone.yaml: there is no such file')
  t.match(err, 'many/b.test.yaml:1:1 error E180 cannot read many/b.yaml: there is no such file')
  t.match(err, 'name the pipeline by `tests:`')
  t.match(err, 'many/part.test.yaml:1:1 error E180 many/part.yaml has inputs or outputs')
  t.match(out, 'many/a.test.yaml: not played\nmany/b.test.yaml: not played\nmany/bot.test.yaml\n')
  t.match(out, '2 cases passed, 0 failed')
  const { document } = await json(folder, ['test', 'many'])
  t.match(document, {
    ok: false,
    files: [
      { file: 'many/a.test.yaml', pipeline: null, problems: [{ code: 'E180', line: 2, column: 8 }] },
      { problems: [{ code: 'E180' }] },
      { pipeline: 'bot', problems: { length: 0 }, cases: { length: 2 } },
      { problems: [{ code: 'E180' }] },
    ],
  })
})

t.test('a run that does not end tells what each task waits for', async (t) => {
  const endless = `dagctl: 1
cases:
  nobody comes:
    tasks: { train: { asks: "Train?" } }
    expect: { run: failed }
`
  const forever = pipeline
    .replace('defaults: { timeout: 6h }', 'defaults: { timeout: 900d }')
    .replace('100 }', '0 }')
  const { exit, out } = await dagctl(folderOf(t, { 'bot.yaml': forever, 'bot.test.yaml': endless }), [
    'test',
    'bot.test.yaml',
  ])
  t.equal(exit, 4)
  t.match(out, /bot.test.yaml:3:3 error E191 the run does not end/)
  t.match(out, /`train` is sleeping: for a person/)
})

t.test('the same file and seed give the same text; --seed changes what chance decides', async (t) => {
  const folder = folderOf(t, { 'bot.test.yaml': tests.replace('takes: 6h..8h', 'takes: 1s') })
  const said = async (...more: string[]) => (await dagctl(folder, ['test', 'bot.test.yaml', ...more])).out
  const first = await said()
  t.equal(await said(), first)
  t.equal(await said('--seed', '1'), first)
  t.not(await said('--seed', '2'), first)
})

t.test('--case plays only the cases with that in their name', async (t) => {
  const folder = folderOf(t)
  const { exit, document } = await json(folder, ['test', 'bot.test.yaml', '--case', 'too few'])
  t.equal(exit, 0)
  t.strictSame(
    document.files[0].cases.map(({ name }: { name: string }) => name),
    ['too few tokens stop the training'],
  )
  const none = await json(folder, ['test', 'bot.test.yaml', '--case', 'too many'])
  t.equal(none.exit, 2)
  t.equal(none.document.error.code, 'E206')
})

t.test('a folder stands for the tests in and below it; one without tests is told', async (t) => {
  const folder = t.testdir({
    a: { 'bot.yaml': pipeline, 'bot.test.yaml': tests },
    b: { c: { 'other.test.yaml': tests.replace('cases:', 'tests: ../../a/bot.yaml\ncases:') } },
    none: { 'bot.yaml': pipeline },
  })
  const { exit, document } = await json(folder, ['test', '.'])
  t.equal(exit, 0)
  t.strictSame(
    document.files.map(({ file, cases }: { file: string; cases: unknown[] }) => [file, cases.length]),
    [
      ['a/bot.test.yaml', 2],
      ['b/c/other.test.yaml', 2],
    ],
  )
  t.match(await dagctl(folder, ['test', 'none']), { exit: 2, err: /E203 the folder none holds no tests/ })
  t.match(await dagctl(folder, ['test', 'none/bot.yaml']), {
    exit: 2,
    err: /none\/bot.yaml is no file of tests: .*\n.*bot\.test\.yaml/,
  })
  t.match(await dagctl(folder, ['test', 'none/x.test.yaml']), { exit: 2, err: /E202/ })
})

t.test('a file that is wrong, or whose pipeline is, is not played: exit 3', async (t) => {
  const wrong = await dagctl(folderOf(t, { 'bot.test.yaml': tests.replace('mask: {', 'maks: {') }), [
    'test',
    'bot.test.yaml',
  ])
  t.equal(wrong.exit, 3)
  t.match(wrong.err, /bot.test.yaml:19:9 error E121 unknown task `maks`/)
  t.match(wrong.out, /bot.test.yaml: not played/)
  const broken = await json(folderOf(t, { 'bot.yaml': pipeline.replace('Tokenize', 'Tokenise') }), [
    'test',
    'bot.test.yaml',
  ])
  t.equal(broken.exit, 3)
  t.match(broken.document, {
    ok: false,
    files: [{ pipeline: 'bot', cases: { length: 0 }, problems: [{ file: 'bot.yaml', code: 'E125' }] }],
  })
})

t.test('mapped tasks, recoveries, budgets and people are tested as they are written', async (t) => {
  const folder = t.testdir({
    'lake.yaml': `dagctl: 1
pipeline: lake
defaults: { timeout: 1d, retry: { delay: 1s, jitter: none } }
budget: { gpuHours: 5, onExceed: hold }
tasks:
  ingest: { uses: BatchIngest, with: { source: "in/*" } }
  mask:
    foreach: [eu, us]
    key: "{{ item }}"
    uses: PIIMasker
    with: { input: "{{ tasks.ingest.outputs.dataset }}/{{ item }}", fields: [text] }
  train:
    uses: Noop
    needs: [mask]
    with: { outputs: { batch: 32, region: "{{ env.REGION }}" } }
    pool: gpu
    runtime: process
    recover:
      gpu_oom: { set: { outputs: { batch: 16 } }, attempts: 1, then: hold }
`,
    'lake.test.yaml': `dagctl: 1
cases:
  one shard may fail twice:
    env: { REGION: eu }
    tasks:
      "mask[eu]": { fails: network, times: 2 }
      mask: { outputs: { records: 3 } }
    expect:
      order: ["mask[eu]", "mask[us]", train]
      tasks:
        mask: { state: succeeded, outputs: [{ records: 0 }, { records: 3 }] }
        "mask[eu]": { tries: 3, input: { input: ingest.dataset/eu } }
        train: { outputs: { batch: 32, region: eu } }
      that:
        - size(tasks.mask.outputs) == 2
        - tasks.mask.byKey.us.records == 3
  a person decides after the second lack of memory:
    env: { REGION: eu }
    tasks: { train: { fails: gpu_oom, times: 2 } }
    answers: { train: { decision: approve, after: 2h } }
    expect:
      takes: 2h..2h
      tasks: { train: { attempts: 3, input: { outputs: { batch: 16 } } } }
  a run over its budget waits for somebody:
    env: { REGION: eu }
    pools: { gpu: { slots: 1, gpus: 8 } }
    tasks: { train: [{ takes: 1h, fails: crash }, { takes: 1h }] }
    faults: [{ at: 10h, do: resume }]
    expect: { takes: 11h }
`,
  })
  const { exit, out, err } = await dagctl(folder, ['test', 'lake.test.yaml'])
  t.equal(exit, 0, { out, err })
})

t.test('tasks in groups are named by the keys that they stand in', async (t) => {
  const folder = t.testdir({
    'prep.yaml': `dagctl: 1
pipeline: prep
defaults: { timeout: 1h }
inputs: { uri: { type: string } }
outputs: { dataset: "{{ tasks.mask.outputs.dataset }}" }
tasks:
  ingest: { uses: BatchIngest, with: { source: "{{ inputs.uri }}" } }
  mask: { uses: PIIMasker, with: { input: "{{ tasks.ingest.outputs.dataset }}", fields: [text] } }
`,
    'main.yaml': `dagctl: 1
pipeline: main
defaults: { timeout: 1h }
tasks:
  prep: { use: ./prep.yaml, with: { uri: "in/{{ item }}" }, foreach: [a, b], key: "{{ item }}" }
  pack: { uses: Tokenize, with: { input: "{{ default tasks.prep.byKey.a.dataset 'none' }}" } }
`,
    'main.test.yaml': `dagctl: 1
cases:
  groups:
    tasks:
      "prep[a].mask": { fails: network, times: 1 }
      prep.ingest: { takes: 5m }
    expect:
      takes: 5m..10m
      tasks:
        "prep[a].mask": { tries: 2 }
        "prep[b].ingest": { input: { source: in/b } }
        prep: succeeded
        pack: succeeded
      that: [ size(tasks.prep.outputs) == 2 ]
`,
  })
  const { exit, out, err } = await dagctl(folder, ['test', 'main.test.yaml'])
  t.equal(exit, 0, { out, err })
})

t.test('nothing is started, and nothing is left behind', async (t) => {
  const folder = folderOf(t)
  t.equal((await dagctl(folder, ['test', 'bot.test.yaml'])).exit, 0)
  t.strictSame(readdirSync(folder).sort(), ['bot.test.yaml', 'bot.yaml'])
})
