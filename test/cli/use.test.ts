import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { dagctl, json } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cases = join(root, 'test/golden/use')

const main =
  'dagctl: 1\npipeline: main\ntasks:\n  g: { use: sub/group.yaml, with: { x: 1 } }\n  z: { uses: Noop, needs: [g] }\n'
const group =
  'dagctl: 1\npipeline: group\ninputs: { x: { type: integer } }\ntasks:\n  a: { uses: Noop }\n  b: { use: ./inner.yaml, needs: [a] }\n'
const inner = 'dagctl: 1\npipeline: inner\ntasks:\n  c: { uses: Noop }\n  d: { uses: Noop, needs: [c] }\n'
const files = { 'main.yaml': main, sub: { 'group.yaml': group, 'inner.yaml': inner } }
const broken = inner.replace('needs: [c]', 'needs: [x]')

for (const name of readdirSync(cases, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)) {
  t.test(`${name}: problems stand at their places in all files`, async (t) => {
    const folder = t.testdir({})
    cpSync(join(cases, name), folder, { recursive: true })
    const { exit, err } = await dagctl(folder, ['run', 'main.yaml'])
    t.equal(exit, 3)
    matchesGolden(t, `use/${name}.txt`, err)
  })
}

t.test('a path under `use` is seen from the file that it stands in', async (t) => {
  const folder = t.testdir({ pipelines: files })
  t.match(await dagctl(folder, ['validate', 'pipelines/main.yaml']), {
    exit: 0,
    err: '',
    out: 'pipelines/main.yaml: ok, pipeline main, 2 tasks\n',
  })
})

t.test('the document tells of files that are used where something is wrong with them, once', async (t) => {
  const folder = t.testdir({ ...files, sub: { 'group.yaml': group, 'inner.yaml': broken } })
  const { exit, document } = await json(folder, ['validate', 'main.yaml'])
  t.equal(exit, 3)
  t.match(document, {
    ok: false,
    files: [
      { file: 'main.yaml', pipeline: 'main', version: null, tasks: 2, problems: { length: 0 } },
      {
        file: join('sub', 'inner.yaml'),
        pipeline: 'inner',
        version: null,
        tasks: 2,
        problems: [{ severity: 'error', code: 'E121', line: 5, column: 28 }],
      },
    ],
  })
  const all = await json(folder, ['validate', '.'])
  t.strictSame(
    all.document.files.map(({ file, problems }: { file: string; problems: unknown[] }) => [
      file,
      problems.length,
    ]),
    [
      ['main.yaml', 0],
      [join('sub', 'group.yaml'), 0],
      [join('sub', 'inner.yaml'), 1],
    ],
  )
  const text = await dagctl(folder, ['validate', '.'])
  t.equal(text.err.split('E121').length - 1, 1)
  t.equal(
    text.out,
    [
      'main.yaml: uses sub/inner.yaml, which is not valid\n',
      'sub/group.yaml: uses sub/inner.yaml, which is not valid\n',
      'sub/inner.yaml: 1 error\n',
    ].join(''),
  )
  const github = await dagctl(folder, ['validate', '.', '--format', 'github'])
  t.match(github.out, /^::error file=sub\/inner\.yaml,line=5,col=28,title=E121::unknown task `x`\n$/)
  const run = await json(folder, ['run', 'main.yaml'])
  t.match(run.document.error.problems, [{ code: 'E121', line: 5, file: join('sub', 'inner.yaml') }])
})

t.test('a warning in a file that is used stands at its place, and with --strict is an error', async (t) => {
  const untimed = inner.replace('uses: Noop', 'run: ls')
  const folder = t.testdir({ ...files, sub: { 'group.yaml': group, 'inner.yaml': untimed } })
  const lax = await dagctl(folder, ['validate', 'main.yaml'])
  t.equal(lax.exit, 0)
  t.match(lax.err, 'sub/inner.yaml:4:3 warning W104 `c` has no timeout')
  t.equal((await dagctl(folder, ['validate', 'main.yaml', '--strict'])).exit, 3)
})

t.test('a file for others is valid, has a version, and cannot be run', async (t) => {
  const folder = t.testdir(files)
  const { exit, document } = await json(folder, ['validate', 'sub/group.yaml'])
  t.equal(exit, 0)
  t.match(document, {
    ok: true,
    files: [{ pipeline: 'group', version: /^[0-9a-f]{64}$/, tasks: 2, problems: { length: 0 } }],
  })
  for (const command of ['run', 'graph']) {
    const refused = await dagctl(folder, [command, 'sub/group.yaml'])
    t.equal(refused.exit, 2)
    t.match(refused.err, 'E213 sub/group.yaml has inputs or outputs: it is made to be used by other files')
  }
})

t.test('a circle of files is found through links too', async (t) => {
  const folder = t.testdir({ 'main.yaml': main.replace('sub/group.yaml, with: { x: 1 }', './link.yaml') })
  symlinkSync(join(folder, 'main.yaml'), join(folder, 'link.yaml'))
  const { exit, err } = await dagctl(folder, ['validate', 'main.yaml'])
  t.equal(exit, 3)
  t.match(err, 'main.yaml:4:13 error E181 the file `main.yaml` uses itself')
})

t.test('the graph shows what is in a group in the group', async (t) => {
  const folder = t.testdir(files)
  for (const format of ['text', 'dot', 'mermaid', 'json']) {
    const { exit, out } = await dagctl(folder, ['graph', 'main.yaml', '--format', format])
    t.equal(exit, 0)
    matchesGolden(t, `cli/graph-group.${format}`, out)
  }
})

t.test('the examples of the docs are valid, also with --strict', async (t) => {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'use'))
  cpSync(join(root, 'docs/examples/use'), join(folder, 'use'), { recursive: true })
  t.match(await dagctl(folder, ['validate', 'use', '--strict']), { exit: 0, err: '' })
})

t.test('the example runs, as a whole, by one task of the group, and from one', async (t) => {
  const folder = t.testdir({})
  cpSync(join(root, 'docs/examples/use'), folder, { recursive: true })
  const states = (document: { tasks: { id: string; state: string; cached: string | null }[] }) =>
    document.tasks.map(({ id, state, cached }) => `${id} ${cached === null ? state : 'cached'}`)
  const whole = await json(folder, ['run', 'support-bot.yaml'])
  t.strictSame(states(whole.document), [
    'prepare succeeded',
    'prepare.collect succeeded',
    'prepare.keep succeeded',
    'report succeeded',
  ])
  t.match(whole.document.tasks[0].outputs, { first: 'Hello there', language: 'en' })
  const one = await json(folder, ['run', 'support-bot.yaml', '--task', 'prepare.collect'])
  t.equal(one.exit, 0)
  t.strictSame(states(one.document).at(-1), 'report skipped')
  const from = ['--from', 'prepare.keep', '--of', whole.document.run.id]
  const again = await json(folder, ['run', 'support-bot.yaml', ...from])
  t.strictSame(states(again.document), [
    'prepare succeeded',
    'prepare.collect cached',
    'prepare.keep succeeded',
    'report succeeded',
  ])
})
