import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, holds, json, waits } from '../support/command-line.ts'
import { ownerlessRun, shell } from '../support/stored-runs.ts'

const pipeline = 'dagctl: 1\npipeline: p\ntasks: { a: { uses: Noop, timeout: 1m } }\n'
const wrong = 'pools: { gpu: { slot: 1 } }\n'

t.test('dagctl.yaml is found upward; what it names lies beside it', async (t) => {
  const folder = t.testdir({ 'dagctl.yaml': 'data: kept\n', below: { deep: { 'p.yaml': pipeline } } })
  const cwd = join(folder, 'below/deep')
  const { exit, document } = await json(cwd, ['run', 'p.yaml'])
  t.equal(exit, 0)
  t.ok(existsSync(join(folder, 'kept/dagctl.db')))
  t.strictSame(readdirSync(cwd), ['p.yaml'])
  t.equal((await json(folder, ['runs', 'list'])).document.runs[0].id, document.run.id)
})

t.test('the command line and the environment win over it', async (t) => {
  const folder = t.testdir({
    'dagctl.yaml': 'data: kept\nstore: sqlite:kept/its.db\n',
    'p.yaml': pipeline,
  })
  await dagctl(folder, ['run', 'p.yaml'], { env: { DAGCTL_STORE: 'sqlite:of-env.db' } })
  t.ok(existsSync(join(folder, 'of-env.db')))
  await dagctl(folder, ['run', 'p.yaml', '--store', 'sqlite:of-line.db', '--data', 'other'])
  t.ok(existsSync(join(folder, 'of-line.db')))
  t.ok(existsSync(join(folder, 'other')))
  t.notOk(existsSync(join(folder, 'kept/its.db')))
  await dagctl(folder, ['run', 'p.yaml'])
  t.ok(existsSync(join(folder, 'kept/its.db')))
})

t.test('--config names another file; one that is not there is a usage error', async (t) => {
  const folder = t.testdir({
    'dagctl.yaml': wrong,
    conf: { 'mine.yaml': 'data: ../kept\n' },
    'p.yaml': pipeline,
  })
  t.equal((await dagctl(folder, ['run', 'p.yaml', '--config', 'conf/mine.yaml'])).exit, 0)
  t.ok(existsSync(join(folder, 'kept/dagctl.db')))
  const { exit, err } = await dagctl(folder, ['run', 'p.yaml', '--config', 'nope.yaml'])
  t.equal(exit, 2)
  t.match(err, 'E202 cannot read nope.yaml')
})

t.test(
  'whoever needs a dagctl.yaml with errors is told of all of them, with their places: exit 3',
  async (t) => {
    const folder = t.testdir({ 'dagctl.yaml': wrong, below: { 'p.yaml': pipeline } })
    for (const words of [
      ['run', 'p.yaml'],
      ['runs', 'list'],
      ['backfill', 'p.yaml', '--from', '2026-01-01', '--to', '2026-01-02'],
    ]) {
      const { exit, err } = await dagctl(join(folder, 'below'), words)
      t.equal(exit, 3, words.join(' '))
      t.match(err, '../dagctl.yaml:1:17 error E110 unknown key `slot`', words.join(' '))
      t.match(err, 'did you mean `slots`?')
    }
    const { document } = await json(join(folder, 'below'), ['runs', 'list'])
    t.match(document.error, { code: 'E302', kind: 'invalid', problems: [{ code: 'E112' }, { code: 'E110' }] })
    for (const words of [['operators'], ['init', 'new'], ['completion', 'bash']])
      t.equal((await dagctl(folder, words)).exit, 0, `${words.join(' ')} needs none`)
  },
)

t.test('validate checks it, as a file, in a folder, and by another name', async (t) => {
  const folder = t.testdir({ 'dagctl.yaml': wrong, 'mine.yaml': 'env: [A]\n', sub: { 'p.yaml': pipeline } })
  const one = await json(folder, ['validate', 'dagctl.yaml'])
  t.equal(one.exit, 3)
  t.match(one.document, {
    ok: false,
    files: [
      {
        file: 'dagctl.yaml',
        pipeline: null,
        version: null,
        tasks: 0,
        problems: [{ code: 'E112' }, { severity: 'error', code: 'E110', line: 1, column: 17 }],
      },
    ],
  })
  const all = await json(folder, ['validate', 'sub', 'dagctl.yaml'])
  t.equal(all.exit, 3)
  t.match(all.document.files, [{ pipeline: 'p', problems: { length: 0 } }, { pipeline: null }])
  const other = await dagctl(folder, ['validate', 'mine.yaml', '--config', 'mine.yaml'])
  t.strictSame([other.exit, other.out], [0, 'mine.yaml: ok, settings\n'])
})

t.test(
  'validate tells of a dagctl.yaml with errors unasked, and guesses nothing that it would say',
  async (t) => {
    const yaml = `dagctl: 1
pipeline: p
tasks:
  a: { run: "echo {{ env.TEAM }}", pool: gpus, slots: 9, timeout: 1m }
`
    const broken = 'dagctl: 1\nenv: [TEAM]\npool: { gpu: { slots: 1 } }\n'
    const folder = t.testdir({ 'dagctl.yaml': broken, sub: { 'p.yaml': yaml } })
    const { exit, document } = await json(folder, ['validate', 'sub'])
    t.equal(exit, 3)
    t.match(document, {
      ok: false,
      files: [
        { file: 'sub/p.yaml', pipeline: 'p', problems: { length: 0 } },
        {
          file: 'dagctl.yaml',
          pipeline: null,
          problems: [{ code: 'E110', message: 'unknown key `pool`', line: 3, column: 1 }],
        },
      ],
    })
    const text = await dagctl(join(folder, 'sub'), ['validate', './p.yaml'])
    t.equal(text.exit, 3)
    t.match(text.out, /^\.\/p\.yaml: ok, pipeline p, 1 task\n\.\.\/dagctl\.yaml: 1 error\n$/)
    t.match(text.err, '../dagctl.yaml:3:1 error E110 unknown key `pool`')
    const both = await json(folder, ['validate', './dagctl.yaml', '.'])
    t.strictSame(
      both.document.files.map(({ file }: { file: string }) => file),
      ['./dagctl.yaml', 'sub/p.yaml'],
      'each file once',
    )
    const github = await dagctl(folder, ['validate', 'sub', '--format', 'github'])
    t.match(github.out, /^::error file=dagctl\.yaml,line=3/)
  },
)

// Says when it begins and ends, and takes long enough for another to come in between.
const seen = (id: string) => `echo +${id} >> ran; sleep 0.2; echo -${id} >> ran`
const overlaps = (folder: string) => {
  const lines = readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n')
  return lines.some((line, index) => line.startsWith('+') && lines[index + 1]?.startsWith('+'))
}

t.test('`slots` is how many attempts run at once', async (t) => {
  const tasks = ['a', 'b', 'c'].map((id) => `  ${id}: { run: "${seen(id)}", timeout: 1m }\n`).join('')
  const yaml = `dagctl: 1\npipeline: p\ntasks:\n${tasks}`
  const folder = t.testdir({ 'p.yaml': yaml, 'one.yaml': 'slots: { process: 1 }\n' })
  t.equal((await dagctl(folder, ['run', 'p.yaml', '--config', 'one.yaml'])).exit, 0)
  t.notOk(overlaps(folder))
  rmSync(join(folder, 'ran'))
  const waiting = yaml.replaceAll('sleep 0.2', waits('go'))
  writeFileSync(join(folder, 'p.yaml'), waiting)
  const run = dagctl(folder, ['run', 'p.yaml'])
  for (const id of ['a', 'b', 'c']) await holds(join(folder, 'ran'), `+${id}`)
  writeFileSync(join(folder, 'go'), '')
  t.equal((await run).exit, 0)
  t.ok(overlaps(folder), 'without it they do overlap')
})

t.test('a pool has the slots that it is given', async (t) => {
  const folder = t.testdir({ 'dagctl.yaml': 'pools: { gpu: { slots: 1 } }\n' })
  await ownerlessRun(folder, 'r1', {
    a: shell(seen('a'), { pool: 'gpu' }),
    b: shell(seen('b'), { pool: 'gpu' }),
  })
  t.equal((await dagctl(folder, ['runs', 'resume', 'r1'])).exit, 0)
  t.notOk(overlaps(folder))
})

t.test('templates see the allowed variables of the environment that are set, and no others', async (t) => {
  const folder = t.testdir({ 'dagctl.yaml': 'env: [TEAM, ABSENT]\n' })
  await ownerlessRun(folder, 'r1', {
    a: { with: { outputs: { team: '{{ env.TEAM }}', absent: "{{ default env.ABSENT 'none' }}" } } },
    b: { with: { outputs: { secret: '{{ env.SECRET }}' } } },
  })
  const env = { TEAM: 'support', SECRET: 'hidden' }
  const { exit } = await dagctl(folder, ['runs', 'resume', 'r1'], { env })
  t.equal(exit, 4)
  const { document } = await json(folder, ['runs', 'show', 'r1'])
  t.strictSame(document.tasks[0].outputs, { team: 'support', absent: 'none' })
  t.match(document.tasks[1], { state: 'failed', failure: { kind: 'invalid_input' } })
})

t.test('a file is checked against the pools and the environment that the installation has', async (t) => {
  const yaml = `dagctl: 1
pipeline: p
tasks:
  a: { run: "echo {{ env.TEAM }}", pool: gpus, timeout: 1m }
`
  const folder = t.testdir({ 'p.yaml': yaml, 'its.yaml': 'pools: { gpu: { slots: 1 } }\nenv: [TEAM]\n' })
  const bare = await json(folder, ['validate', 'p.yaml'])
  t.equal(bare.exit, 3, 'no variable is allowed where no file says so')
  t.match(bare.document.files[0].problems, [{ severity: 'error', message: /TEAM/ }])
  const known = await json(folder, ['validate', 'p.yaml', '--config', 'its.yaml'])
  t.equal(known.exit, 0)
  t.match(known.document.files[0].problems, [{ code: 'W107', hint: 'did you mean `gpu`?' }])
  const run = await dagctl(folder, ['run', 'p.yaml', '--config', 'its.yaml'], { env: { TEAM: 'support' } })
  t.equal(run.exit, 0)
  t.match(run.err, 'W107')
})
