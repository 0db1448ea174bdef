/** Files that stand behind tasks of other files: how they are found, and the groups that come of them. */
import t from 'tap'
import {
  compileFiles,
  errorsOfFiles,
  errorsOfUse,
  matchesEach,
  pipelineOfFiles,
  prepare,
  typed,
} from '../support/files.ts'

const main = `
params: { docs: { type: string, default: x } }
tasks:
  landed: { uses: Count }
  prepare: { use: ./prepare.yaml, needs: [landed], with: { source: "{{ params.docs }}" } }
  train: { uses: Count, with: { from: "{{ tasks.prepare.outputs.label }}" } }
`

t.test('a file that is used stands behind its task as a group, with needs of its own', async (t) => {
  const { tasks } = await pipelineOfFiles({ 'main.yaml': main, 'prepare.yaml': prepare }, typed)
  t.strictSame(
    tasks.map(({ id, needs, group, isGroup }) => ({ id, needs, group, isGroup })),
    [
      { id: 'landed', needs: [], group: undefined, isGroup: undefined },
      { id: 'prepare', needs: [0], group: undefined, isGroup: true },
      { id: 'prepare.mask', needs: [], group: 1, isGroup: undefined },
      { id: 'prepare.pack', needs: [2], group: 1, isGroup: undefined },
      { id: 'train', needs: [1], group: undefined, isGroup: undefined },
    ],
  )
  t.equal(tasks[1]?.uses, '')
  t.match(tasks[1], {
    version: 0,
    with: { source: '{{ params.docs }}', limit: 10 },
    outputs: { rows: '{{ tasks.pack.outputs.rows }}' },
    retry: { attempts: 1 },
    timeout: null,
    runtime: 'inline',
    effects: 'none',
  })
  t.equal(tasks[2]?.timeout, 300_000, "the file's own defaults hold in it")
  t.equal(tasks[0]?.timeout, null, 'and not outside')
  t.strictSame(tasks[3]?.with, { from: '{{ tasks.mask.outputs.name }}' }, 'texts stay as they are written')
})

t.test('groups stand in groups; one file may be used often, and what it uses is read once', async (t) => {
  const reads: string[] = []
  const files = {
    'main.yaml': `tasks:\n  a: { use: sub/outer.yaml, with: { n: 1 } }\n  b: { use: ./sub/outer.yaml, with: { n: 2 }, needs: [a] }`,
    'sub/outer.yaml': `inputs: { n: { type: integer } }\ntasks:\n  first: { uses: Noop }\n  in: { use: ./inner.yaml, needs: [first] }\n  last: { uses: Noop, needs: [in] }`,
    'sub/inner.yaml': `tasks:\n  x: { uses: Noop }\n  y: { uses: Noop, needs: [x] }`,
  }
  const { pipeline, used } = await compileFiles(files, { reads })
  t.strictSame(
    pipeline?.tasks.map(({ id, needs, group = null }) => [id, needs, group]),
    [
      ['a', [], null],
      ['a.first', [], 0],
      ['a.in', [1], 0],
      ['a.in.x', [], 2],
      ['a.in.y', [3], 2],
      ['a.last', [2], 0],
      ['b', [0], null],
      ['b.first', [], 6],
      ['b.in', [7], 6],
      ['b.in.x', [], 8],
      ['b.in.y', [9], 8],
      ['b.last', [8], 6],
    ],
  )
  t.strictSame(reads, ['sub/outer.yaml', 'sub/inner.yaml', 'sub/outer.yaml'])
  t.strictSame(
    used.map(({ file }) => file),
    ['sub/inner.yaml', 'sub/outer.yaml'],
  )
})

t.test('files that use each other are an error with their path', async (t) => {
  const uses = (file: string) => `tasks:\n  a: { use: ${file} }`
  t.strictSame(await errorsOfFiles({ 'a.yaml': uses('./a.yaml') }), [
    'a.yaml:4:13 E181 the file `a.yaml` uses itself',
  ])
  const files = {
    'main.yaml': uses('./a.yaml'),
    'a.yaml': uses('lib/b.yaml'),
    'lib/b.yaml': uses('../c.yaml'),
    'c.yaml': uses('./a.yaml'),
  }
  t.strictSame(await errorsOfFiles(files), [
    'c.yaml:4:13 E181 files use each other: `a.yaml` -> `lib/b.yaml` -> `c.yaml` -> `a.yaml`',
  ])
})

t.test('a file that is not there, nested too deeply or too large is an error where it is used', async (t) => {
  t.strictSame(await errorsOfFiles({ 'a.yaml': 'tasks:\n  a: { use: ./b.yaml }' }), [
    'a.yaml:4:13 E180 cannot use `./b.yaml`: there is no such file',
  ])
  const chain = (length: number) =>
    Object.fromEntries(
      Array.from({ length }, (_, place) => [
        `f${place}.yaml`,
        `tasks:\n  a: { ${place === length - 1 ? 'uses: Noop' : `use: ./f${place + 1}.yaml`} }`,
      ]),
    )
  t.strictSame(await errorsOfFiles(chain(20)), [])
  t.strictSame(await errorsOfFiles(chain(21)), ['f19.yaml:4:13 E182 files are nested more than 20 deep'])
  // Each file uses the next ten times: ten to the power of nineteen tasks.
  const fan = Object.fromEntries(
    Object.entries(chain(20)).map(([file, text]) => [
      file,
      text.includes('use: ')
        ? `tasks:\n${Array.from({ length: 10 }, (_, n) => text.replace('tasks:\n  a', `  a${n}`)).join('\n')}`
        : text,
    ]),
  )
  const [first] = await errorsOfFiles(fan)
  t.match(first, /E182 with all the files that it uses, the pipeline is larger than 32 MiB/)
})

t.test('a deep file that is known from a shallow place is refused where it is too deep', async (t) => {
  const files: { [file: string]: string } = {
    'main.yaml': 'tasks:\n  a: { use: ./f11.yaml }\n  b: { use: ./f1.yaml }',
  }
  for (let place = 1; place <= 20; place += 1)
    files[`f${place}.yaml`] = `tasks:\n  a: { ${place === 20 ? 'uses: Noop' : `use: ./f${place + 1}.yaml`} }`
  t.strictSame(await errorsOfFiles(files), ['f10.yaml:4:13 E182 files are nested more than 20 deep'])
})

t.test('a broken file says its own errors once, and what uses it has none of them', async (t) => {
  matchesEach(
    t,
    await errorsOfUse(
      '  p: { use: ./prepare.yaml, with: { x: 1 } }\n  q: { use: ./prepare.yaml }\n  r: { run: "echo {{ tasks.p.outputs.y }}" }',
      'tasks: [',
    ),
    [[/^prepare.yaml:3 E104/]],
  )
  matchesEach(
    t,
    await errorsOfUse(
      '  p: { use: ./prepare.yaml }\n  q: { use: ./prepare.yaml }',
      'tasks:\n  a: { uses: Nop }\n  b: { run: "{{ run.id }}" }',
    ),
    [
      ['prepare.yaml:4 E125 unknown operator `Nop`', 'did you mean `Noop`?'],
      [/prepare.yaml:5 E122 `run` cannot be seen/],
    ],
  )
})

t.test(
  'the version holds what is in the files, and not where they lie or how they are written',
  async (t) => {
    const version = async (used: string, path = './prepare.yaml') => {
      const file = path.replace('./', '')
      const { pipeline } = await compileFiles({ 'main.yaml': `tasks:\n  p: { use: ${path} }`, [file]: used })
      return pipeline?.version
    }
    const first = await version('tasks:\n  a: { uses: Noop }')
    t.match(first, /^[0-9a-f]{64}$/)
    t.equal(await version('# why\ntasks: { a: { uses: Noop } }'), first)
    t.equal(
      await version('dagctl: 1\npipeline: prepare\ntasks:\n  a: { uses: Noop }', './sub/other.yaml'),
      first,
    )
    t.not(await version('tasks:\n  a: { uses: Noop, timeout: 1h }'), first)
    const nested = async (inner: string) => {
      const files = {
        'm.yaml': 'tasks:\n  p: { use: ./a.yaml }',
        'a.yaml': 'tasks:\n  q: { use: ./b.yaml }',
        'b.yaml': inner,
      }
      return (await compileFiles(files)).version
    }
    t.not(await nested('tasks:\n  a: { uses: Noop }'), await nested('tasks:\n  b: { uses: Noop }'))
  },
)

t.test('a file with inputs or outputs is checked by itself, and is no pipeline', async (t) => {
  const made = await compileFiles({ 'prepare.yaml': prepare }, { catalogue: typed })
  t.match(made, { pipeline: null, forUse: true, name: 'prepare', tasks: 2 })
  t.strictSame(made.problems, [])
  t.match(made.version, /^[0-9a-f]{64}$/)
  t.strictSame(
    await errorsOfFiles({
      'p.yaml': 'outputs: { x: "{{ tasks.b.outputs.y }}" }\ntasks:\n  a: { uses: Noop }',
    }),
    [
      'p.yaml:3:19 E121 unknown task `b` (a file that others use sees its own tasks only: pass the value as an input)',
    ],
  )
  const plain = await compileFiles({ 'p.yaml': 'tasks:\n  a: { uses: Noop }' })
  t.equal(plain.forUse, false)
  t.strictSame(plain.used, [])
})

t.test('without a way to read files, `use` is an error', async (t) => {
  const { compileYaml } = await import('../support/compiled.ts')
  const { problems } = await compileYaml('  a: { use: ./b.yaml }')
  matchesEach(t, problems, [
    { code: 'E180', message: 'cannot use `./b.yaml`: no other files can be read here' },
  ])
})

t.test(
  'a thousand uses of a file of a hundred tasks come to 100,000 tasks in a thousand groups',
  async (t) => {
    const inner = Array.from(
      { length: 100 },
      (_, n) => `  t${n}: { uses: Noop${n > 0 ? `, needs: [t${n - 1}]` : ''} }`,
    )
    const outer = Array.from(
      { length: 1000 },
      (_, n) => `  g${n}: { use: ./in.yaml${n > 0 ? `, needs: [g${n - 1}]` : ''} }`,
    )
    const { tasks } = await pipelineOfFiles({
      'main.yaml': `tasks:\n${outer.join('\n')}`,
      'in.yaml': `tasks:\n${inner.join('\n')}`,
    })
    t.equal(tasks.length, 101_000)
    t.equal(tasks.filter(({ isGroup }) => isGroup).length, 1000)
    t.match(tasks.at(-1), { id: 'g999.t99', group: 100_899, needs: [100_998] })
  },
)
