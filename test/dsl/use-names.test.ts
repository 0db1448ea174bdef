/** What a file that is used and the file that uses it may say, and see, of each other. */
import t from 'tap'
import { compileFiles, errorsOfUse, matchesEach, prepare, typed } from '../support/files.ts'

t.test('what is given to a group is checked against the inputs of its file', async (t) => {
  const use = (given: string) =>
    errorsOfUse(`  p: { use: ./prepare.yaml, with: ${given} }\n  c: { uses: Count }`)
  t.strictSame(await use('{ source: a, limit: 3 }'), [])
  t.strictSame(await use('{ source: "{{ tasks.c.outputs.name }}", limit: "{{ tasks.c.outputs.rows }}" }'), [])
  matchesEach(t, await use('{}'), [[/main.yaml:4 E128 .*`source`.*\(file `prepare.yaml`\)/]])
  matchesEach(t, await use('{ source: a, limt: 3 }'), [
    [/main.yaml:4 E128 .*`limt`/, 'did you mean `limit`?'],
  ])
  matchesEach(t, await use('{ source: a, limit: many }'), [[/main.yaml:4 E128 `limit` must be an integer/]])
  matchesEach(t, await use('{ source: a, limit: "{{ tasks.c.outputs.name }}" }'), [
    ['main.yaml:4 E129 `limit` must be an integer, not a string'],
  ])
})

t.test('the outputs of a group have the types of their templates', async (t) => {
  const use = (then: string) => errorsOfUse(`  p: { use: ./prepare.yaml, with: { source: a } }\n  c: ${then}`)
  t.strictSame(await use('{ uses: Count, with: { from: "{{ tasks.p.outputs.label }}" } }'), [])
  t.strictSame(
    await use('{ uses: Noop, when: tasks.p.outputs.rows > 3 && tasks.p.state == "succeeded" }'),
    [],
  )
  matchesEach(t, await use('{ uses: Count, with: { from: "{{ tasks.p.outputs.rows }}" } }'), [
    ['main.yaml:5 E129 `from` must be a string, not an integer'],
  ])
  matchesEach(t, await use('{ uses: Noop, when: tasks.p.outputs.rows == "3" }'), [[/main.yaml:5 E134/]])
  matchesEach(t, await use('{ run: "echo {{ tasks.p.outputs.row }}" }'), [
    ['main.yaml:5 E120 unknown output `row` of task `p`', 'did you mean `rows`?'],
  ])
})

t.test('a group may be mapped: its inputs see the item, its outputs are a list', async (t) => {
  const use = (given: string, then = '{ uses: Count }', more = '') =>
    errorsOfUse(
      `  c: { uses: Count }\n  p: { use: ./prepare.yaml, foreach: [a, b], key: "{{ item }}", with: { source: ${given} }${more} }\n  d: ${then}`,
    )
  t.strictSame(await use('"{{ item }}"', '{ uses: Count, with: { from: "{{ json tasks.p.outputs }}" } }'), [])
  matchesEach(t, await use('"{{ index }}"'), [['main.yaml:5 E129 `source` must be a string, not an integer']])
  matchesEach(t, await use('a', '{ uses: Count, with: { from: "{{ tasks.p.outputs.label }}" } }'), [
    [/main.yaml:6 E122 `tasks.p.outputs` has no `label`: it is a list/],
  ])
  t.strictSame(
    await use('a', '{ uses: Count, with: { from: "{{ default tasks.p.byKey.a.label \'none\' }}" } }'),
    [],
  )
  matchesEach(t, await use('a', '{ uses: Count }', ', recover: { oom: { attempts: 1 } }'), [
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
      errorsOfUse(
        '  p: { use: ./prepare.yaml, foreach: [[x]], with: { list: "{{ item }}" } }',
        `inputs: { list: { type: array, items: { type: string } } }\ntasks:\n  a: ${task}`,
      )
    t.strictSame(
      await inside('{ foreach: "{{ inputs.list }}", uses: Count, with: { from: "{{ item }}" } }'),
      [],
    )
    matchesEach(t, await inside('{ uses: Count, with: { from: "{{ item }}" } }'), [
      [/prepare.yaml:5 E122 `item` can only be used/],
    ])
  },
)

t.test('the tasks in a group cannot be seen from outside', async (t) => {
  const use = (then: string) => errorsOfUse(`  p: { use: ./prepare.yaml, with: { source: a } }\n  c: ${then}`)
  matchesEach(t, await use('{ run: "echo {{ tasks.p.mask.outputs.rows }}" }'), [
    [
      'main.yaml:5 E122 `mask` is inside the group `p`, where only its file sees it',
      'give it as an output of the group, and write `tasks.p.outputs.NAME`',
    ],
  ])
  matchesEach(t, await use('{ uses: Noop, needs: [p.mask] }'), [
    ['main.yaml:5 E121 unknown task `p.mask`', 'need the group: `p`'],
  ])
})

t.test('a file that is used sees its inputs and its own tasks only', async (t) => {
  const inside = (task: string) =>
    errorsOfUse(
      '  outer: { uses: Count }\n  p: { use: ./prepare.yaml, with: { source: a } }',
      `inputs: { source: { type: string } }\ntasks:\n  a: ${task}`,
    )
  t.strictSame(
    await inside('{ uses: Count, with: { from: "{{ inputs.source }}" }, when: inputs.source != "" }'),
    [],
  )
  for (const name of ['params.x', 'run.id', 'env.HOME'])
    matchesEach(t, await inside(`{ run: "echo {{ ${name} }}" }`), [
      [
        `prepare.yaml:5 E122 \`${name.split('.')[0]}\` cannot be seen in a file that others use`,
        /^pass it as an input: `inputs\./,
      ],
    ])
  matchesEach(t, await inside('{ run: "echo {{ tasks.outer.outputs.rows }}" }'), [
    [
      'prepare.yaml:5 E121 unknown task `outer`',
      'a file that others use sees its own tasks only: pass the value as an input',
    ],
  ])
  matchesEach(t, await inside('{ uses: Noop, when: inputs.sorce == "" }'), [
    ['prepare.yaml:5 E122 unknown input `sorce`', 'did you mean `source`?'],
  ])
  matchesEach(t, await inside('{ uses: Noop, when: inputs.source > 3 }'), [[/prepare.yaml:5 E134/]])
  matchesEach(t, await errorsOfUse('  a: { run: "echo {{ inputs.x }}" }'), [
    ['main.yaml:4 E122 only a file that others use has `inputs`', 'a pipeline has `params`'],
  ])
})

t.test('what belongs to a task or a pipeline of its own does not go with `use`', async (t) => {
  matchesEach(
    t,
    await errorsOfUse(
      '  p: { use: ./prepare.yaml, with: { source: a }, timeout: 1h, retry: { attempts: 2 } }',
    ),
    [
      ['main.yaml:4 E183 `timeout` does not go with `use`', 'say it in the file that is used'],
      ['main.yaml:4 E183 `retry` does not go with `use`'],
    ],
  )
  matchesEach(
    t,
    await errorsOfUse(
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
    errorsOfUse('  p: { use: ./prepare.yaml }', `inputs: { x: ${text} }\ntasks:\n  a: { uses: Noop }`)
  matchesEach(t, await inputs('{ type: string, default: 3 }'), [[/prepare.yaml:3 E141 the default of `x`/]])
  matchesEach(t, await inputs('{ type: string, pattern: "(" }'), [
    [/prepare.yaml:3 E141 the schema of the input `x` is wrong/],
  ])
  matchesEach(t, await inputs('{ type: string, default: "{{ run.id }}" }'), [
    ['prepare.yaml:3 E130 the default of the input `x` cannot hold a template'],
  ])
})

t.test('outputs that a skipped task would have given must say what stands for them', async (t) => {
  const outputs = (value: string, tasks: string) =>
    errorsOfUse('  p: { use: ./prepare.yaml }', `outputs: { n: "${value}" }\ntasks:\n${tasks}`)
  const skipped =
    '  a: { uses: Noop }\n  b: { uses: Count, when: tasks.a.state == "succeeded" }\n  c: { uses: Count, needs: [b] }'
  t.strictSame(
    await outputs('{{ tasks.c.outputs.rows }}', '  c: { uses: Count, needs: [a] }\n  a: { uses: Noop }'),
    [],
  )
  matchesEach(t, await outputs('{{ tasks.b.outputs.rows }}', skipped), [
    [
      'prepare.yaml:3 E123 `tasks.b.outputs.rows` may be null: `b` may be skipped',
      'wrap it: `{{ default … }}`',
    ],
  ])
  matchesEach(t, await outputs('{{ tasks.c.outputs.rows }}', skipped), [[/E123.*`c` may be skipped/]])
  t.strictSame(await outputs('{{ default tasks.c.outputs.rows 0 }}', skipped), [])
  t.strictSame(
    await outputs(
      '{{ tasks.d.outputs.rows }}',
      `${skipped}\n  d: { uses: Count, needs: [b], trigger: all_done }`,
    ),
    [],
  )
  matchesEach(
    t,
    await outputs(
      '{{ tasks.d.outputs.rows }}',
      '  a: { uses: Noop }\n  d: { uses: Count, needs: [a], trigger: one_failed }',
    ),
    [[/E123.*`d` may be skipped/]],
  )
})
