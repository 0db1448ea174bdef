import { join } from 'node:path'
import t from 'tap'
import { brokenFiles, expectedText } from '../support/broken-files.ts'
import { dagctl, json, start } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'

const good = 'dagctl: 1\npipeline: good\ntasks: { a: { uses: Noop, timeout: 1m } }\n'
const untimed = 'dagctl: 1\npipeline: untimed\ntasks: { a: { run: "true" } }\n'
const broken = 'dagctl: 1\npipeline: broken\ntasks: { a: { uses: Nope }, b: { uses: Noop, needs: [c] } }\n'

t.test('a broken file is refused with every problem, its exit and no stack trace', async (t) => {
  const folder = t.testdir({})
  t.ok(brokenFiles().length >= 25)
  for (const file of brokenFiles()) {
    file.place(folder)
    const { exit, err } = await dagctl(folder, ['run', `${file.name}.yaml`])
    t.equal(exit, file.exit, `${file.name}: exit`)
    if (file.bytes !== null) t.equal(err, expectedText(file.name), `${file.name}: what it says`)
    else matchesGolden(t, `broken/${file.name}.txt`, err)
    t.notMatch(err, /\n {4}at /, `${file.name}: no stack trace`)
  }
})

t.test('so does the real command', async (t) => {
  const folder = t.testdir({})
  const files = brokenFiles().filter(({ name }) =>
    ['alias-bomb', 'deep-flow', 'nul-byte', 'folder', 'missing'].includes(name),
  )
  t.equal(files.length, 5)
  await Promise.all(
    files.map(async (file) => {
      file.place(folder)
      const { exit, err } = await start(folder, ['validate', `${file.name}.yaml`]).ended
      t.equal(exit, file.name === 'folder' ? 2 : file.exit, `${file.name}: exit`)
      t.notMatch(err, /\n {4}at /, `${file.name}: no stack trace`)
    }),
  )
})

t.test('the document tells of every file', async (t) => {
  const folder = t.testdir({ 'good.yaml': good, 'broken.yaml': broken })
  const { exit, document } = await json(folder, ['validate', '.'])
  t.equal(exit, 3)
  t.equal(document.ok, false)
  const [first, second] = document.files
  t.match(first, { file: 'broken.yaml', pipeline: 'broken', version: null, tasks: 2 })
  t.strictSame(
    first.problems.map(({ severity, code, line, column }: { [name: string]: unknown }) => [
      severity,
      code,
      line,
      column,
    ]),
    [
      ['error', 'E125', 3, 21],
      ['error', 'E121', 3, 54],
    ],
  )
  t.strictSame(Object.keys(first.problems[0]), ['severity', 'code', 'message', 'line', 'column', 'hint'])
  t.match(second, {
    file: 'good.yaml',
    pipeline: 'good',
    version: /^[0-9a-f]{64}$/,
    tasks: 1,
    problems: { length: 0 },
  })
})

t.test('a warning lets a file pass, and with --strict does not', async (t) => {
  const folder = t.testdir({ 'untimed.yaml': untimed })
  const lax = await json(folder, ['validate', 'untimed.yaml'])
  t.equal(lax.exit, 0)
  t.match(lax.document, { ok: true, files: [{ problems: [{ severity: 'warning', code: 'W104' }] }] })
  const strict = await json(folder, ['validate', 'untimed.yaml', '--strict'])
  t.equal(strict.exit, 3)
  t.match(strict.document, { ok: false, files: [{ problems: [{ severity: 'error', code: 'W104' }] }] })
})

t.test('a folder means the pipelines in and below it, and the settings', async (t) => {
  const folder = t.testdir({
    'a.yaml': good,
    'a.test.yaml': 'not: a pipeline',
    'dagctl.yaml': 'pools: {}',
    'notes.md': '',
    sub: { 'b.yaml': good },
    node_modules: { 'c.yaml': broken },
    '.hidden': { 'd.yaml': broken },
  })
  const { exit, document } = await json(folder, ['validate', '.'])
  t.equal(exit, 0)
  t.strictSame(
    document.files.map(({ file }: { file: string }) => file),
    ['a.yaml', 'dagctl.yaml', join('sub', 'b.yaml')],
  )
})

t.test('a folder without a pipeline is a usage error', async (t) => {
  const folder = t.testdir({ empty: {} })
  const { exit, err } = await dagctl(folder, ['validate', 'empty'])
  t.equal(exit, 2)
  t.match(err, 'E203 the folder empty holds no pipeline')
})

t.test('SARIF and GitHub annotations carry the same problems', async (t) => {
  const folder = t.testdir({ 'broken.yaml': broken })
  const sarif = await dagctl(folder, ['validate', 'broken.yaml', '--format', 'sarif'])
  t.equal(sarif.exit, 3)
  const log = JSON.parse(sarif.out)
  t.match(log, { version: '2.1.0', runs: [{ columnKind: 'utf16CodeUnits' }] })
  t.strictSame(
    log.runs[0].results.map(({ ruleId, level, locations }: { [name: string]: unknown }) => [
      ruleId,
      level,
      (locations as { physicalLocation: { region: { startLine: number } } }[])[0]?.physicalLocation.region
        .startLine,
    ]),
    [
      ['E125', 'error', 3],
      ['E121', 'error', 3],
    ],
  )
  const github = await dagctl(folder, ['validate', 'broken.yaml', '--format', 'github'])
  t.match(github.out, /^::error file=broken\.yaml,line=3,col=21,title=E125::unknown operator `Nope`/)
  t.equal(github.out.trimEnd().split('\n').length, 2)
})
