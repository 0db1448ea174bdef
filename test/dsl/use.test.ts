import t from 'tap'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { compileFiles, errorsOfFiles, type Files, pipelineOfFiles } from '../support/files.ts'

const typed = catalogueWith(
  operator({
    name: 'Count',
    runtimes: ['inline'],
    input: { type: 'object', properties: { from: { type: 'string' } }, additionalProperties: false },
    output: {
      type: 'object',
      additionalProperties: false,
      properties: { rows: { $ref: '#/$defs/count' }, name: { type: 'string' } },
      $defs: { count: { type: 'integer' } },
    },
  }),
)

const prepare = `
inputs:
  source: { type: string }
  limit: { type: integer, default: 10 }
outputs:
  rows: "{{ tasks.pack.outputs.rows }}"
  label: "{{ inputs.source }} of {{ tasks.pack.outputs.name }}"
defaults: { timeout: 5m }
tasks:
  mask: { uses: Count, with: { from: "{{ inputs.source }}" } }
  pack: { uses: Count, with: { from: "{{ tasks.mask.outputs.name }}" } }
`
const main = `
params: { docs: { type: string, default: x } }
tasks:
  landed: { uses: Count }
  prepare: { use: ./prepare.yaml, needs: [landed], with: { source: "{{ params.docs }}" } }
  train: { uses: Count, with: { from: "{{ tasks.prepare.outputs.label }}" } }
`

t.test('a file that is used stands behind its task as a group, with needs of its own', async (t) => {
  const { tasks } = await pipelineOfFiles({ 'main.yaml': main, 'prepare.yaml': prepare }, typed)
  t.match(
    tasks.map(({ id, needs, group, isGroup }) => ({ id, needs, group, isGroup })),
    [
      { id: 'landed', needs: [], group: undefined, isGroup: undefined },
      { id: 'prepare', needs: [0], group: undefined, isGroup: true },
      { id: 'prepare.mask', needs: [], group: 1, isGroup: undefined },
      { id: 'prepare.pack', needs: [2], group: 1, isGroup: undefined },
      { id: 'train', needs: [1], group: undefined, isGroup: undefined },
    ],
  )
  t.match(tasks[1], {
    uses: '',
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

t.test('groups stand in groups, and one file may be used often but is read once', async (t) => {
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

const errors = (tasks: string, used = prepare, files: Files = {}) =>
  compileFiles(
    { 'main.yaml': `tasks:\n${tasks}`, 'prepare.yaml': used, ...files },
    { catalogue: typed },
  ).then(({ problems }) =>
    problems
      .filter(({ severity }) => severity === 'error')
      .map(({ file, line, code, message, hint }) => [`${file}:${line} ${code} ${message}`, hint]),
  )

t.test('what is given to a group is checked against the inputs of its file', async (t) => {
  const use = (given: string) => errors(`  p: { use: ./prepare.yaml, with: ${given} }\n  c: { uses: Count }`)
  t.match(await use('{ source: a, limit: 3 }'), [])
  t.match(await use('{ source: "{{ tasks.c.outputs.name }}", limit: "{{ tasks.c.outputs.rows }}" }'), [])
  t.match(await use('{}'), [[/main.yaml:4 E128 .*`source`.*\(file `prepare.yaml`\)/]])
  t.match(await use('{ source: a, limt: 3 }'), [[/main.yaml:4 E128 .*`limt`/, 'did you mean `limit`?']])
  t.match(await use('{ source: a, limit: many }'), [[/main.yaml:4 E128 `limit` must be an integer/]])
  t.match(await use('{ source: a, limit: "{{ tasks.c.outputs.name }}" }'), [
    ['main.yaml:4 E129 `limit` must be an integer, not a string'],
  ])
})

t.test('the outputs of a group have the types of their templates', async (t) => {
  const use = (then: string) => errors(`  p: { use: ./prepare.yaml, with: { source: a } }\n  c: ${then}`)
  t.match(await use('{ uses: Count, with: { from: "{{ tasks.p.outputs.label }}" } }'), [])
  t.match(await use('{ uses: Noop, when: tasks.p.outputs.rows > 3 && tasks.p.state == "succeeded" }'), [])
  t.match(await use('{ uses: Count, with: { from: "{{ tasks.p.outputs.rows }}" } }'), [
    ['main.yaml:5 E129 `from` must be a string, not an integer'],
  ])
  t.match(await use('{ uses: Noop, when: tasks.p.outputs.rows == "3" }'), [[/main.yaml:5 E134/]])
  t.match(await use('{ run: "echo {{ tasks.p.outputs.row }}" }'), [
    ['main.yaml:5 E120 unknown output `row` of task `p`', 'did you mean `rows`?'],
  ])
})

t.test('a group may be mapped: its inputs see the item, its outputs are a list', async (t) => {
  const use = (given: string, then = '{ uses: Count }', more = '') =>
    errors(
      `  c: { uses: Count }\n  p: { use: ./prepare.yaml, foreach: [a, b], key: "{{ item }}", with: { source: ${given} }${more} }\n  d: ${then}`,
    )
  t.match(await use('"{{ item }}"', '{ uses: Count, with: { from: "{{ json tasks.p.outputs }}" } }'), [])
  t.match(await use('"{{ index }}"'), [['main.yaml:5 E129 `source` must be a string, not an integer']])
  t.match(await use('a', '{ uses: Count, with: { from: "{{ tasks.p.outputs.label }}" } }'), [
    [/main.yaml:6 E122 `tasks.p.outputs` has no `label`: it is a list/],
  ])
  t.match(
    await use('a', '{ uses: Count, with: { from: "{{ default tasks.p.byKey.a.label \'none\' }}" } }'),
    [],
  )
  t.match(await use('a', '{ uses: Count }', ', recover: { oom: { attempts: 1 } }'), [
    ['main.yaml:5 E183 `recover` does not go with `use`'],
  ])
  const { pipeline } = await compileFiles(
    {
      'main.yaml': `tasks:\n  c: { uses: Count }\n  p: { use: ./prepare.yaml, foreach: ["{{ tasks.c.outputs.name }}"], when: item != "", maxParallel: 2, with: { source: "{{ item }}" } }`,
      'prepare.yaml': prepare,
    },
    { catalogue: typed },
  )
  t.match(pipeline?.tasks[1], {
    id: 'p',
    isGroup: true,
    needs: [0],
    foreach: { key: null, maxParallel: 2, whenEach: true },
  })
})

t.test(
  'a task in a group may be mapped over an input; the item of the group is not seen in it',
  async (t) => {
    const inside = (task: string) =>
      errors(
        '  p: { use: ./prepare.yaml, foreach: [[x]], with: { list: "{{ item }}" } }',
        `inputs: { list: { type: array, items: { type: string } } }\ntasks:\n  a: ${task}`,
      )
    t.match(await inside('{ foreach: "{{ inputs.list }}", uses: Count, with: { from: "{{ item }}" } }'), [])
    t.match(await inside('{ uses: Count, with: { from: "{{ item }}" } }'), [
      [/prepare.yaml:5 E122 `item` can only be used/],
    ])
  },
)

t.test('the tasks in a group cannot be seen from outside', async (t) => {
  const use = (then: string) => errors(`  p: { use: ./prepare.yaml, with: { source: a } }\n  c: ${then}`)
  t.match(await use('{ run: "echo {{ tasks.p.mask.outputs.rows }}" }'), [
    [
      'main.yaml:5 E122 `mask` is inside the group `p`, where only its file sees it',
      'give it as an output of the group, and write `tasks.p.outputs.NAME`',
    ],
  ])
  t.match(await use('{ uses: Noop, needs: [p.mask] }'), [
    ['main.yaml:5 E121 unknown task `p.mask`', 'need the group: `p`'],
  ])
})

t.test('a file that is used sees its inputs and its own tasks only', async (t) => {
  const inside = (task: string) =>
    errors(
      '  outer: { uses: Count }\n  p: { use: ./prepare.yaml, with: { source: a } }',
      `inputs: { source: { type: string } }\ntasks:\n  a: ${task}`,
    )
  t.match(
    await inside('{ uses: Count, with: { from: "{{ inputs.source }}" }, when: inputs.source != "" }'),
    [],
  )
  for (const name of ['params.x', 'run.id', 'env.HOME'])
    t.match(await inside(`{ run: "echo {{ ${name} }}" }`), [
      [
        `prepare.yaml:5 E122 \`${name.split('.')[0]}\` cannot be seen in a file that others use`,
        /^pass it as an input: `inputs\./,
      ],
    ])
  t.match(await inside('{ run: "echo {{ tasks.outer.outputs.rows }}" }'), [
    [
      'prepare.yaml:5 E121 unknown task `outer`',
      'a file that others use sees its own tasks only: pass the value as an input',
    ],
  ])
  t.match(await inside('{ uses: Noop, when: inputs.sorce == "" }'), [
    ['prepare.yaml:5 E122 unknown input `sorce`', 'did you mean `source`?'],
  ])
  t.match(await inside('{ uses: Noop, when: inputs.source > 3 }'), [[/prepare.yaml:5 E134/]])
  t.match(await errors('  a: { run: "echo {{ inputs.x }}" }'), [
    ['main.yaml:4 E122 only a file that others use has `inputs`', 'a pipeline has `params`'],
  ])
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

t.test('what belongs to a task or a pipeline of its own does not go with `use`', async (t) => {
  t.match(
    await errors('  p: { use: ./prepare.yaml, with: { source: a }, timeout: 1h, retry: { attempts: 2 } }'),
    [
      ['main.yaml:4 E183 `timeout` does not go with `use`', 'say it in the file that is used'],
      ['main.yaml:4 E183 `retry` does not go with `use`'],
    ],
  )
  t.match(
    await errors(
      '  p: { use: ./prepare.yaml }',
      'params: { x: { type: string } }\nschedule: { cron: "@daily" }\nconcurrency: { runs: 1 }\ntasks:\n  a: { uses: Noop }',
    ),
    [
      ['prepare.yaml:3 E183 a file that others use has no `params`', 'write `inputs`'],
      ['prepare.yaml:4 E183 a file that others use has no `schedule`'],
      ['prepare.yaml:5 E183 a file that others use has no `concurrency`'],
    ],
  )
})

t.test('inputs are schemas with defaults that match them and hold no template', async (t) => {
  const inputs = (text: string) =>
    errors('  p: { use: ./prepare.yaml }', `inputs: { x: ${text} }\ntasks:\n  a: { uses: Noop }`)
  t.match(await inputs('{ type: string, default: 3 }'), [[/prepare.yaml:3 E141 the default of `x`/]])
  t.match(await inputs('{ type: string, pattern: "(" }'), [
    [/prepare.yaml:3 E141 the schema of the input `x` is wrong/],
  ])
  t.match(await inputs('{ type: string, default: "{{ run.id }}" }'), [
    ['prepare.yaml:3 E130 the default of the input `x` cannot hold a template'],
  ])
})

t.test('outputs that a skipped task would have given must say what stands for them', async (t) => {
  const outputs = (value: string, tasks: string) =>
    errors('  p: { use: ./prepare.yaml }', `outputs: { n: "${value}" }\ntasks:\n${tasks}`)
  const skipped =
    '  a: { uses: Noop }\n  b: { uses: Count, when: tasks.a.state == "succeeded" }\n  c: { uses: Count, needs: [b] }'
  t.match(
    await outputs('{{ tasks.c.outputs.rows }}', '  c: { uses: Count, needs: [a] }\n  a: { uses: Noop }'),
    [],
  )
  t.match(await outputs('{{ tasks.b.outputs.rows }}', skipped), [
    [
      'prepare.yaml:3 E123 `tasks.b.outputs.rows` may be null: `b` may be skipped',
      'wrap it: `{{ default … }}`',
    ],
  ])
  t.match(await outputs('{{ tasks.c.outputs.rows }}', skipped), [[/E123.*`c` may be skipped/]])
  t.match(await outputs('{{ default tasks.c.outputs.rows 0 }}', skipped), [])
  t.match(
    await outputs(
      '{{ tasks.d.outputs.rows }}',
      `${skipped}\n  d: { uses: Count, needs: [b], trigger: all_done }`,
    ),
    [],
  )
  t.match(
    await outputs(
      '{{ tasks.d.outputs.rows }}',
      '  a: { uses: Noop }\n  d: { uses: Count, needs: [a], trigger: one_failed }',
    ),
    [[/E123.*`d` may be skipped/]],
  )
})

t.test('a broken file says its own errors once, and what uses it has none of them', async (t) => {
  t.match(
    await errors(
      '  p: { use: ./prepare.yaml, with: { x: 1 } }\n  q: { use: ./prepare.yaml }\n  r: { run: "echo {{ tasks.p.outputs.y }}" }',
      'tasks: [',
    ),
    [[/^prepare.yaml:3 E104/]],
  )
  t.match(
    await errors(
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
  t.match(made, { pipeline: null, forUse: true, problems: [], name: 'prepare', tasks: 2 })
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
  t.match(plain, { forUse: false, used: [] })
})

t.test('without a way to read files, `use` is an error', async (t) => {
  const { compileYaml } = await import('../support/compiled.ts')
  const { problems } = await compileYaml('  a: { use: ./b.yaml }')
  t.match(problems, [{ code: 'E180', message: 'cannot use `./b.yaml`: no other files can be read here' }])
})

t.test('100,000 tasks by a thousand uses of one file are compiled in a moment', async (t) => {
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
  t.match(tasks.at(-1), { id: 'g999.t99', group: 100_899, needs: [100_998] })
})
