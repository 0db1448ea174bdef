import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, json } from '../support/command-line.ts'

const head = 'dagctl: 1\npipeline: made\ndefaults: { timeout: 1m, retry: { attempts: 1 } }\n'
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const runId = /^\d{8}-\d{6}-[0-9a-z]{6}$/

t.test('a run that succeeds: exit 0 and the whole document', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}params: { who: { type: string } }
tasks:
  greet: { uses: Noop, with: { outputs: { text: "hello {{ params.who }}" } } }
  pass: { run: "printf '{\\"got\\": \\"%s\\"}' {{ tasks.greet.outputs.text }} > $DAGCTL_OUTPUT" }
`,
  })
  const { exit, document } = await json(folder, [
    'run',
    'made.yaml',
    '--param',
    'who=you',
    '--at',
    '2026-01-02',
  ])
  t.equal(exit, 0)
  t.match(document.run, {
    id: runId,
    pipeline: 'made',
    version: /^[0-9a-f]{64}$/,
    state: 'succeeded',
    interval: { start: '2026-01-02T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' },
    startedAt: instant,
    endedAt: instant,
  })
  t.strictSame(Object.keys(document.run), [
    'id',
    'pipeline',
    'version',
    'state',
    'interval',
    'startedAt',
    'endedAt',
  ])
  t.match(document.tasks, [
    { id: 'greet', key: null, state: 'succeeded', attempts: 1, tries: 1, cached: null, failure: null },
    { id: 'pass', outputs: { got: 'hello you' } },
  ])
  t.strictSame(Object.keys(document.tasks[0]), [
    'id',
    'key',
    'state',
    'attempts',
    'tries',
    'cached',
    'startedAt',
    'endedAt',
    'failure',
    'outputs',
  ])
  const shown = await json(folder, ['runs', 'show', document.run.id])
  t.strictSame(shown, { exit: 0, document }, '`runs show` gives the same document')
})

t.test('a run that fails: exit 4, with the kind and message of the failure', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}tasks:\n  break: { run: "echo oh no >&2; exit 3" }\n  after: { uses: Noop, needs: [break] }\n`,
  })
  const { exit, document } = await json(folder, ['run', 'made.yaml'])
  t.equal(exit, 4)
  t.equal(document.run.state, 'failed')
  t.match(document.tasks, [
    { id: 'break', state: 'failed', failure: { kind: 'user', message: /exited with code 3/ }, outputs: null },
    { id: 'after', state: 'upstream_failed', attempts: 0, startedAt: null, endedAt: instant },
  ])
})

t.test('people are told of a failure: what, the last lines of its log, and what to do', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}tasks: { break: { run: "echo before; echo oh no >&2; exit 3" } }\n`,
  })
  const { err } = await dagctl(folder, ['run', 'made.yaml'])
  t.match(err, 'failed: task break (user) after 1 attempt')
  t.match(err, '| oh no')
  t.match(err, /see: dagctl logs \S+ break/)
})

t.test('--attempts shows what became of each', async (t) => {
  const folder = t.testdir({
    'made.yaml': `dagctl: 1
pipeline: made
tasks:
  second: { run: "mkdir tried || exit 0; exit 75", timeout: 1m, retry: { attempts: 2, delay: 1ms, jitter: none } }
`,
  })
  const { document } = await json(folder, ['run', 'made.yaml'])
  t.match(document.tasks[0], { state: 'succeeded', attempts: 2, tries: 2, failure: null })
  const shown = await json(folder, ['runs', 'show', document.run.id, '--attempts'])
  t.match(shown.document.tasks[0].history, [
    {
      attempt: 1,
      try: 1,
      state: 'failed',
      failure: { kind: 'crash' },
      change: null,
      startedAt: instant,
      endedAt: instant,
    },
    { attempt: 2, try: 2, state: 'succeeded', failure: null },
  ])
})

t.test('`run` and `runs resume` take --attempts and --instances as `runs show` does', async (t) => {
  const folder = t.testdir({ 'made.yaml': `${head}tasks: { only: { uses: Noop } }\n` })
  const { exit, document } = await json(folder, ['run', 'made.yaml', '--attempts', '--instances'])
  t.equal(exit, 0)
  t.match(document.tasks, [
    { id: 'only', history: [{ attempt: 1, try: 1, state: 'succeeded', change: null }] },
  ])
  const { id } = document.run
  const resumed = await json(folder, ['runs', 'resume', id, '--attempts', '--instances'])
  t.strictSame(resumed, { exit: 0, document })
  t.match((await dagctl(folder, ['run', 'made.yaml', '--attempts'])).out, /attempt +try +state/)
})

t.test('--task runs the named task with all it needs, and nothing else', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}tasks:
  a: { uses: Noop }
  b: { uses: Noop, needs: [a] }
  c: { uses: Noop, needs: [b] }
  other: { uses: Noop }
`,
  })
  const { exit, document } = await json(folder, ['run', 'made.yaml', '--task', 'b'])
  t.equal(exit, 0)
  t.strictSame(
    document.tasks.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [
      ['a', 'succeeded'],
      ['b', 'succeeded'],
      ['c', 'skipped'],
      ['other', 'skipped'],
    ],
  )
  const wrong = await dagctl(folder, ['run', 'made.yaml', '--task', 'othr'])
  t.equal(wrong.exit, 2)
  t.match(wrong.err, 'did you mean `other`?')
  t.match(
    (await dagctl(folder, ['run', 'made.yaml', '--task', 'x,y'])).err,
    'there are `a`, `b`, `c` and `other`',
  )
})

t.test('--from runs the named task and what is below it; the others keep what they had', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}params: { n: { type: integer, default: 1 } }
tasks:
  a: { run: "echo a >> ran; printf '{\\"x\\": %s}' {{ params.n }} > $DAGCTL_OUTPUT" }
  b: { run: "echo b {{ tasks.a.outputs.x }} >> ran; [ ! -e broken ]" }
  c: { run: "echo c >> ran", needs: [b] }
  aside: { run: "echo aside >> ran; exit 1" }
`,
    broken: '',
  })
  const ran = () => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n').sort()
  const first = await json(folder, ['run', 'made.yaml', '--param', 'n=7', '--at', '2026-01-02'])
  t.equal(first.exit, 4)
  t.strictSame(ran(), ['a', 'aside', 'b 7'])
  const { id } = first.document.run
  rmSync(join(folder, 'broken'))
  rmSync(join(folder, 'ran'))
  const { exit, document } = await json(folder, ['run', 'made.yaml', '--from', 'b', '--of', id])
  t.equal(exit, 0)
  t.strictSame(ran(), ['b 7', 'c'], 'with the parameters of the earlier run')
  t.strictSame(document.run.interval, first.document.run.interval)
  t.match(document.tasks, [
    { id: 'a', state: 'succeeded', cached: id, attempts: 0, outputs: { x: 7 } },
    { id: 'b', state: 'succeeded', cached: null },
    { id: 'c', state: 'succeeded' },
    { id: 'aside', state: 'skipped' },
  ])
  const lacking = await dagctl(folder, ['run', 'made.yaml', '--from', 'c', '--of', id])
  t.equal(lacking.exit, 2)
  t.match(lacking.err, /E212 task b did not succeed in run \S+, so there are no outputs of it/)
  for (const words of [
    ['--from', 'b'],
    ['--of', id],
    ['--from', 'b', '--of', 'nope'],
    ['--from', 'nope', '--of', id],
  ])
    t.equal((await dagctl(folder, ['run', 'made.yaml', ...words])).exit, 2, words.join(' '))
})

t.test('--runtime process runs every task in a process of its own', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}tasks: { wait: { uses: Wait, with: { for: 1ms } }, last: { uses: Noop, needs: [wait] } }\n`,
  })
  const { exit, document } = await json(folder, ['run', 'made.yaml', '--runtime', 'process'])
  t.equal(exit, 0)
  const attempts = join(folder, '.dagctl/attempts', document.run.id)
  t.equal(readdirSync(attempts).length, document.tasks[0].attempts + 1)
  for (const attempt of readdirSync(attempts))
    t.ok(existsSync(join(attempts, attempt, 'process.json')), `${attempt} had a process`)
  t.equal((await dagctl(folder, ['run', 'made.yaml', '--runtime', 'inline'])).exit, 2)
})

t.test('the interval is the one named, or the last that ended by --at', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}schedule: { cron: "0 0 * * *", timezone: Europe/Berlin }\ntasks: { a: { uses: Noop } }\n`,
  })
  const at = await json(folder, ['run', 'made.yaml', '--at', '2026-07-03T12:00'])
  t.strictSame(at.document.run.interval, {
    start: '2026-07-01T22:00:00.000Z',
    end: '2026-07-02T22:00:00.000Z',
  })
  const named = await json(folder, ['run', 'made.yaml', '--interval', '2026-01-01/2026-01-03'])
  t.strictSame(named.document.run.interval, {
    start: '2025-12-31T23:00:00.000Z',
    end: '2026-01-02T23:00:00.000Z',
  })
  for (const words of [
    ['--interval', '2026-01-03/2026-01-01'],
    ['--interval', 'soon'],
    ['--at', '2026-01-01', '--interval', '2026-01-01/2026-01-02'],
  ])
    t.equal((await dagctl(folder, ['run', 'made.yaml', ...words])).exit, 2, words.join(' '))
})

t.test('what is shown of an interval names the same one when it is pasted back', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}schedule: { cron: "0 2 * * *", timezone: Europe/Berlin }\ntasks: { a: { uses: Noop } }\n`,
  })
  const shown = await dagctl(folder, ['run', 'made.yaml', '--at', '2026-01-13T12:00'])
  const [, from = '', to = ''] = /\((\S+ \S+) to (\S+ \S+)\)/.exec(shown.out) ?? []
  t.strictSame([from, to], ['2026-01-12 01:00Z', '2026-01-13 01:00Z'])
  for (const pasted of [`${from}/${to}`, `${from}/${to}`.replaceAll(' ', 'T')]) {
    const again = await dagctl(folder, ['run', 'made.yaml', '--interval', pasted])
    t.match(again.out, `(${from} to ${to})`)
    t.notMatch(again.err, 'the interval')
  }
})

t.test('an interval that is none of the schedule is run, and that is noted', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}schedule: { cron: "0 2 * * *", timezone: Europe/Berlin }\ntasks: { a: { uses: Noop } }\n`,
    'bare.yaml': `${head}tasks: { a: { uses: Noop } }\n`,
  })
  const interval = ['--interval', '2026-01-12T01:00/2026-01-13T01:00']
  const { exit, err } = await dagctl(folder, ['run', 'made.yaml', ...interval])
  t.equal(exit, 0)
  const other = 'the interval 2026-01-12 00:00Z to 2026-01-13 00:00Z is none of the schedule of made'
  t.match(err, `${other} (Europe/Berlin), which has 2026-01-11 01:00Z to 2026-01-12 01:00Z\n`)
  t.notMatch((await dagctl(folder, ['run', 'bare.yaml', ...interval])).err, 'the interval')
})

t.test('what is told of as failed in a mapped group are its copies', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}tasks:
  list: { uses: Noop, with: { outputs: { names: [eu, us] } } }
  group: { use: ./part.yaml, foreach: "{{ tasks.list.outputs.names }}", key: "{{ item }}", with: { name: "{{ item }}" } }
`,
    'part.yaml': `dagctl: 1
pipeline: part
inputs: { name: { type: string } }
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  mask: { run: "[ {{ inputs.name }} = eu ]" }
  whole: { foreach: [1], key: "{{ item }}", run: "[ {{ inputs.name }} = eu ]" }
`,
  })
  const { exit, err } = await dagctl(folder, ['run', 'made.yaml'])
  t.equal(exit, 4)
  t.strictSame(
    [...err.matchAll(/^failed: task (\S+) .*$/gm)].map(([, name]) => name),
    ['group[us].mask', 'group[us].whole[1]'],
  )
  t.notMatch(err, 'no reason was noted')
})

t.test('a pipeline that has run is known by its name, and runs where its file lay', async (t) => {
  const folder = t.testdir({ sub: { 'made.yaml': `${head}tasks: { where: { run: "pwd > here" } }\n` } })
  t.equal((await dagctl(folder, ['run', 'sub/made.yaml'])).exit, 0)
  t.equal((await dagctl(folder, ['run', 'made'])).exit, 0)
  t.equal(readFileSync(join(folder, 'sub/here'), 'utf8').trim(), join(folder, 'sub'))
  const { exit, err } = await dagctl(folder, ['run', 'other'])
  t.equal(exit, 2)
  t.match(err, 'E204')
})

t.test('parameters that are unknown, missing or of the wrong type: exit 2, and no run is made', async (t) => {
  const folder = t.testdir({
    'made.yaml': `${head}params: { epochs: { type: integer } }\ntasks: { a: { uses: Noop } }\n`,
  })
  for (const words of [
    [],
    ['--param', 'epochs=many'],
    ['--param', 'epochs=1', '--param', 'epoch=1'],
    ['--param', '=1'],
  ])
    t.equal((await dagctl(folder, ['run', 'made.yaml', ...words])).exit, 2, words.join(' '))
  t.notOk(existsSync(join(folder, '.dagctl')))
})

t.test('what is not there yet is refused, not ignored: exit 2', async (t) => {
  const folder = t.testdir({ 'made.yaml': `${head}tasks: { a: { uses: Noop } }\n` })
  const refused = [
    ['--runtime', 'docker'],
    ['--store', 'postgres://user:secret@host/db'],
    ['--queue', 'redis://user:secret@host'],
  ]
  for (const words of refused) {
    const { exit, err } = await dagctl(folder, ['run', 'made.yaml', ...words])
    t.equal(exit, 2, words.join(' '))
    t.match(err, 'not supported yet')
    t.notMatch(err, 'secret')
  }
})

const cached = (operator: string) => `${head}tasks:
  ingest: { uses: BatchIngest, with: { source: "in/*.jsonl" }, cache: {} }
  check: { uses: SchemaValidate, with: { input: "{{ tasks.ingest.outputs.dataset }}", schema: { type: object } }, cache: {} }
  ${operator}
`

t.test('a second run reuses what did not change, and says of which run', async (t) => {
  const folder = t.testdir({
    in: { 'a.jsonl': '{"text":"one"}\n' },
    'made.yaml': cached('last: { uses: Noop }'),
  })
  const first = await json(folder, ['run', 'made.yaml'])
  t.strictSame(
    first.document.tasks.map((task: { cached: string | null }) => task.cached),
    [null, null, null],
  )
  const second = await json(folder, ['run', 'made.yaml'])
  const { id } = first.document.run
  t.strictSame(
    second.document.tasks.map((task: { cached: string | null }) => task.cached),
    [id, id, null],
  )
  t.strictSame(second.document.tasks[1].outputs, first.document.tasks[1].outputs)
  const said = await dagctl(folder, ['run', 'made.yaml'])
  t.match(said.out, `cached: 2 tasks did not change and reused the results of run ${id}`)

  writeFileSync(join(folder, 'in/b.jsonl'), '{"text":"two"}\n')
  const third = await json(folder, ['run', 'made.yaml'])
  t.strictSame(
    third.document.tasks.map((task: { cached: string | null }) => task.cached),
    [null, null, null],
    'new data runs again',
  )
  t.equal(third.document.tasks[1].outputs.records, 2)
})

t.test('a data folder that cannot be written is infrastructure: exit 5', async (t) => {
  const folder = t.testdir({ 'made.yaml': `${head}tasks: { a: { uses: Noop } }\n`, taken: 'a file' })
  const { exit, err } = await dagctl(folder, ['run', 'made.yaml', '--data', 'taken'])
  t.equal(exit, 5)
  t.notMatch(err, /\n {4}at /)
})

const noProc = existsSync('/proc/self') ? {} : { skip: 'this system has no /proc' }
t.test('where no folder can be made at all, that is said: exit 5', noProc, async (t) => {
  const folder = t.testdir({ 'made.yaml': `${head}tasks: { a: { uses: Noop } }\n` })
  for (const command of [
    ['run', 'made.yaml', '--data', '/proc/data'],
    ['run', 'made.yaml', '--data', '/proc/data', '--store', 'sqlite:db'],
    ['init', '/proc/corpus'],
  ]) {
    const { exit, document } = await json(folder, command)
    t.equal(exit, 5, command.join(' '))
    t.match(document.error, { kind: 'infrastructure', message: /no folder can be made there/ })
  }
})

t.test('a file that is no database is infrastructure: exit 5', async (t) => {
  const folder = t.testdir({ 'made.yaml': `${head}tasks: { a: { uses: Noop } }\n`, db: 'x'.repeat(5000) })
  const { exit, err } = await dagctl(folder, ['run', 'made.yaml', '--store', 'sqlite:db'])
  t.equal(exit, 5)
  t.match(err, 'E501')
})

t.test('nothing is written beside the data folder', async (t) => {
  const folder = t.testdir({ 'made.yaml': `${head}tasks: { a: { run: "true" }, b: { uses: Noop } }\n` })
  t.equal((await dagctl(folder, ['run', 'made.yaml', '--data', 'state'])).exit, 0)
  t.strictSame(readdirSync(folder).sort(), ['made.yaml', 'state'])
})
