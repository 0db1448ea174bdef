import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fail } from '../../cli/failure.ts'
import { betweenMinutes, capturing, dagctl, json, normal, start, waits } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'

const diamond = `dagctl: 1
pipeline: diamond
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  top: { run: "echo from the top; echo to the side >&2" }
  left: { uses: Noop, needs: [top] }
  right: { run: "exit 3", needs: [top] }
  bottom: { uses: Noop, needs: [left, right] }
  tidy: { uses: Noop, needs: [bottom], trigger: all_done }
`

const commands = [
  'init',
  'validate',
  'graph',
  'plan',
  'run',
  'backfill',
  'backfills',
  'next',
  'runs',
  'approvals',
  'datasets',
  'logs',
  'why',
  'diff',
  'operators',
  'completion',
]
const nested = [
  'runs manifest',
  ...['list', 'show', 'pause', 'resume', 'cancel'].map((name) => `backfills ${name}`),
  ...['list', 'show', 'cancel', 'pause', 'resume', 'retry', 'rerun', 'mark'].map((name) => `runs ${name}`),
  ...['approvals list', 'approvals answer', 'datasets list', 'datasets update'],
]

t.test('every command has help with examples and with --json', async (t) => {
  const folder = t.testdir({})
  const top = await dagctl(folder, ['--help'])
  t.equal(top.exit, 0)
  for (const name of commands) t.match(top.out, new RegExp(`^  ${name} `, 'm'))
  for (const name of [...commands, ...nested]) {
    const { exit, out } = await dagctl(folder, [...name.split(' '), '--help'])
    t.equal(exit, 0, name)
    t.match(out, /Examples:\n {2}\$ dagctl /, name)
    t.match(out, '--json', name)
  }
  t.strictSame(readdirSync(folder), [])
})

t.test('an unknown command or option is a usage error that says what was probably meant', async (t) => {
  const folder = t.testdir({})
  const command = await dagctl(folder, ['vaildate', 'x.yaml'])
  t.equal(command.exit, 2)
  t.match(command.err, /unknown command 'vaildate'[\s\S]*validate/)
  const option = await dagctl(folder, ['run', 'x.yaml', '--prams', 'a=1'])
  t.equal(option.exit, 2)
  t.match(option.err, /unknown option '--prams'[\s\S]*--param/)
  for (const words of [
    [],
    ['runs'],
    ['runs', 'lst'],
    ['run'],
    ['validate'],
    ['completion', 'tcsh'],
    ['runs', 'list', '--limit', 'x'],
    ['runs', 'list', '--format', 'dot'],
  ])
    t.equal((await dagctl(folder, words)).exit, 2, words.join(' '))
})

t.test('with --json an error is a document too, and the only thing on standard output', async (t) => {
  const folder = t.testdir({
    'broken.yaml': 'dagctl: 1\npipeline: broken\ntasks: { a: { uses: Nope, timeout: 1m } }\n',
  })
  const missing = await json(folder, ['run', 'missing.yaml'])
  t.strictSame(missing, {
    exit: 2,
    document: {
      error: {
        code: 'E202',
        kind: 'usage',
        message: 'cannot read missing.yaml: there is no such file',
        hint: null,
      },
    },
  })
  const broken = await json(folder, ['run', 'broken.yaml'])
  t.equal(broken.exit, 3)
  t.match(broken.document.error, {
    code: 'E301',
    kind: 'invalid',
    problems: [{ code: 'E125', line: 3, column: 21 }],
  })
  t.match(await json(folder, ['nonsense']), { exit: 2, document: { error: { code: 'E201' } } })
  t.match(await json(folder, []), { exit: 2, document: { error: { message: 'no command was given' } } })
  t.match(await json(folder, ['runs']), { exit: 2, document: { error: { message: 'no command was given' } } })
})

t.test('a word that would be a file, but for how it is written, is said to be one', async (t) => {
  const folder = t.testdir({ 'nightly.yml': diamond })
  const hintOf = async (word: string) => (await json(folder, ['run', word])).document.error.hint
  t.match(await hintOf('nightly.yml'), 'did you mean ./nightly.yml?')
  t.match(await hintOf('nightly'), 'did you mean ./nightly.yaml?')
})

t.test('the graph in each format', async (t) => {
  const folder = t.testdir({ 'diamond.yaml': diamond })
  for (const format of ['text', 'dot', 'mermaid', 'json']) {
    const { exit, out } = await dagctl(folder, ['graph', 'diamond.yaml', '--format', format])
    t.equal(exit, 0)
    matchesGolden(t, `cli/graph.${format}`, out)
  }
  const svg = await dagctl(folder, ['graph', 'diamond.yaml', '--format', 'svg'])
  t.equal(svg.exit, 2)
  t.match(svg.err, 'not supported yet')
})

t.test('what people read of a run: its lines, its summary, the list, the attempts, the logs', async (t) => {
  const folder = t.testdir({ 'diamond.yaml': diamond })
  const { exit, out, err } = await dagctl(folder, ['run', 'diamond.yaml', '--at', '2026-01-02'], {
    clock: betweenMinutes(),
  })
  t.equal(exit, 4)
  matchesGolden(t, 'cli/run.out', normal(out, folder))
  // Tasks of one level start at the same moment: their lines are ordered by name.
  const [first = '', ...lines] = normal(err, folder).split('\n\n')[0]?.split('\n') ?? []
  matchesGolden(
    t,
    'cli/run.err',
    [first, ...lines.sort(), ...normal(err, folder).split('\n\n').slice(1)].join('\n'),
  )
  matchesGolden(t, 'cli/runs-list.out', normal((await dagctl(folder, ['runs', 'list'])).out, folder))
  const { document } = await json(folder, ['runs', 'list'])
  const { id } = document.runs[0]
  matchesGolden(
    t,
    'cli/runs-show.out',
    normal((await dagctl(folder, ['runs', 'show', id, '--attempts'])).out, folder),
  )
  matchesGolden(t, 'cli/logs.out', normal((await dagctl(folder, ['logs', id])).out, folder))
})

t.test('runs are listed newest first, by pipeline and by whether they are active', async (t) => {
  const folder = t.testdir({
    'diamond.yaml': diamond,
    'other.yaml': 'dagctl: 1\npipeline: other\ntasks: { a: { uses: Noop, timeout: 1m } }\n',
  })
  t.strictSame((await json(folder, ['runs', 'list'])).document, { runs: [] })
  t.strictSame(readdirSync(folder).sort(), ['diamond.yaml', 'other.yaml'], 'looking makes nothing')
  const first = (await json(folder, ['run', 'diamond.yaml'])).document.run
  const second = (await json(folder, ['run', 'other.yaml'])).document.run
  const { document } = await json(folder, ['runs', 'list'])
  const { version: _, ...row } = second
  t.strictSame(document.runs[0], { ...row, interval: second.interval })
  t.strictSame(Object.keys(document.runs[0]), ['id', 'pipeline', 'state', 'interval', 'startedAt', 'endedAt'])
  const ids = async (...words: string[]) =>
    (await json(folder, ['runs', 'list', ...words])).document.runs.map((run: { id: string }) => run.id)
  t.strictSame(await ids(), [second.id, first.id])
  t.strictSame(await ids('--pipeline', 'diamond'), [first.id])
  t.strictSame(await ids('--limit', '1'), [second.id])
  t.strictSame(await ids('--active'), [])
})

t.test('a run that the store does not know is a usage error, whatever is asked of it', async (t) => {
  const folder = t.testdir({})
  for (const words of [
    ['runs', 'show', 'x'],
    ['runs', 'cancel', 'x'],
    ['runs', 'resume', 'x'],
    ['runs', 'pause', 'x'],
    ['runs', 'retry', 'x'],
    ['runs', 'rerun', 'x'],
    ['runs', 'mark', 'x', 'a', 'failed', '--reason', 'y'],
    ['approvals', 'answer', 'x', 'approve'],
    ['logs', 'x'],
  ]) {
    const { exit, err } = await dagctl(folder, words)
    t.equal(exit, 2, words.join(' '))
    t.match(err, 'E205 there is no run x')
  }
})

t.test('logs of one task, of one attempt, as a document and as lines', async (t) => {
  const folder = t.testdir({
    'retried.yaml': `dagctl: 1
pipeline: retried
tasks:
  talk: { run: "if [ -e tried ]; then echo second; else echo first; mkdir tried; exit 75; fi", timeout: 1m, retry: { attempts: 2, delay: 1ms } }
  other: { run: "echo other", timeout: 1m }
`,
  })
  const { id } = (await json(folder, ['run', 'retried.yaml'])).document.run
  const { document } = await json(folder, ['logs', id, 'talk'])
  t.match(document.lines, [
    { task: 'talk', key: null, attempt: 2, stream: 'stdout', level: 'info', text: 'second' },
  ])
  t.strictSame(Object.keys(document.lines[0]), ['task', 'key', 'attempt', 'at', 'stream', 'level', 'text'])
  const first = await json(folder, ['logs', id, 'talk', '--attempt', '1'])
  t.match(first.document.lines[0], { attempt: 1, text: 'first' })
  const followed = await dagctl(folder, ['logs', id, '-f', '--json'])
  const lines = followed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.strictSame(lines.map(({ task }) => task).sort(), ['other', 'talk'])
  for (const words of [['talk', '--attempt', '3'], ['talk[north]'], ['tlak'], ['talk', '--attempt', 'x']])
    t.equal((await dagctl(folder, ['logs', id, ...words])).exit, 2, words.join(' '))
})

t.test('logs -f shows what is logged while the run goes on, and ends with it', async (t) => {
  const folder = t.testdir({
    'slow.yaml': `dagctl: 1
pipeline: slow
defaults: { timeout: 1m }
tasks:
  first: { run: "echo one; ${waits('go')}; echo two" }
  second: { run: "echo three", needs: [first] }
`,
  })
  const run = start(folder, ['run', 'slow.yaml'])
  await run.said('first running')
  const { id } = (await json(folder, ['runs', 'list'])).document.runs[0]
  const logs = start(folder, ['logs', id, '-f'])
  await logs.said('one')
  writeFileSync(join(folder, 'go'), '')
  t.equal((await run.ended).exit, 0)
  const { exit, out } = await logs.ended
  t.equal(exit, 0)
  t.match(out, /one[\s\S]*two[\s\S]*three/)
})

t.test('operators: the catalogue, and one of it', async (t) => {
  const folder = t.testdir({})
  const { exit, document } = await json(folder, ['operators'])
  t.equal(exit, 0)
  const names = document.operators.map(({ name }: { name: string }) => name)
  for (const name of ['Noop', 'Shell', 'BatchIngest', 'PIIMasker', 'Tokenize'])
    t.ok(names.includes(name), name)
  for (const operator of document.operators)
    t.strictSame(Object.keys(operator), [
      'name',
      'version',
      'stage',
      'summary',
      'input',
      'output',
      'runtimes',
      'effects',
    ])
  const one = await json(folder, ['operators', 'Noop'])
  t.strictSame(
    one.document.operators.map(({ name }: { name: string }) => name),
    ['Noop'],
  )
  t.strictSame(await json(folder, ['operators', 'Noop@1']), one, 'also as a file names it')
  t.equal((await dagctl(folder, ['operators', 'Noop@9'])).exit, 2)
  const wrong = await dagctl(folder, ['operators', 'Tokenise'])
  t.equal(wrong.exit, 2)
  t.match(wrong.err, 'did you mean Tokenize?')
  t.match((await dagctl(folder, ['operators', 'Shell'])).out, /example:\n {2}extract: /)
})

t.test('init makes a folder whose pipeline is valid, and never writes over a file', async (t) => {
  const folder = t.testdir({})
  const { exit, document } = await json(folder, ['init', 'demo', '--template', 'quickstart'])
  t.equal(exit, 0)
  t.ok(document.files.includes('quickstart.yaml'))
  t.match(await json(folder, ['validate', 'demo', '--strict']), { exit: 0, document: { ok: true } })
  const text = readFileSync(join(folder, 'demo/quickstart.yaml'), 'utf8')
  t.match(text, 'sample/*.json')
  t.notMatch(text, 'node_modules')
  const again = await dagctl(folder, ['init', 'demo'])
  t.equal(again.exit, 2)
  t.match(again.err, 'E211')
  t.match((await dagctl(folder, ['init', 'x', '--template', 'llama'])).err, 'not supported yet')
  t.equal((await dagctl(folder, ['init', 'x', '--template', 'nope'])).exit, 2)
})

t.test('completion scripts name every command and option', async (t) => {
  const folder = t.testdir({})
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exit, out } = await dagctl(folder, ['completion', shell])
    t.equal(exit, 0)
    for (const word of [...commands, 'resume', 'max-active', 'reprocess', 'from-checkpoint', 'config'])
      t.match(out, word, `${shell}: ${word}`)
    for (const word of nested.flatMap((name) => name.split(' '))) t.match(out, word, `${shell}: ${word}`)
    t.strictSame(await json(folder, ['completion', shell]), { exit: 0, document: { shell, script: out } })
  }
})

t.test('bash completes the commands below a command, and their options', async (t) => {
  const folder = t.testdir({})
  writeFileSync(join(folder, 'dagctl.bash'), (await dagctl(folder, ['completion', 'bash'])).out)
  const complete = (...words: string[]) => {
    const script = `. ./dagctl.bash; COMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}; _dagctl; echo "\${COMPREPLY[*]}"`
    return execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).trim().split(' ')
  }
  t.ok(complete('dagctl').includes('approvals'))
  t.strictSame(complete('dagctl', 'datasets').slice(0, 2), ['list', 'update'])
  t.ok(complete('dagctl', 'approvals', 'answer').includes('--values'))
  t.ok(complete('dagctl', 'runs', 'retry').includes('--from-checkpoint'))
  t.notOk(complete('dagctl', 'runs', 'list').includes('--from-checkpoint'))
})

t.test('the version is said without anything else being loaded', async (t) => {
  const folder = t.testdir({})
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  t.equal((await start(folder, ['--version']).ended).out, `${version}\n`)
  t.equal((await dagctl(folder, ['--version'])).out, `${version}\n`)
})

t.test('a bug is said to be one: exit 70, and a stack trace only with DAGCTL_DEBUG=1', async (t) => {
  const plain = capturing('/')
  t.equal(fail(new TypeError('x is not a function'), plain.terminal, false), 70)
  t.match(plain.said().err, /^error E700 x is not a function \(a bug in dagctl\)\n.*DAGCTL_DEBUG=1/)
  t.notMatch(plain.said().err, /\n {4}at /)
  const debug = capturing('/', { env: { DAGCTL_DEBUG: '1' } })
  fail(new TypeError('x is not a function'), debug.terminal, false)
  t.match(debug.said().err, /\n {4}at /)
})
