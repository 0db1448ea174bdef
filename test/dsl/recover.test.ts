import t from 'tap'
import type { OperatorInfo, Task } from '../../engine/pipeline.ts'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { compileYaml, errorsOf, pipelineOf, warningsOf } from '../support/compiled.ts'

function train(info: Partial<OperatorInfo> = {}, properties = {}): OperatorInfo {
  const integer = { type: 'integer', minimum: 1 }
  const input = {
    type: 'object',
    additionalProperties: false,
    properties: { dataset: { type: 'string' }, batchSize: integer, ...properties },
  }
  return operator({ name: 'Train', input, timeout: 1, ...info })
}
async function recoverOf(task: string, ...operators: readonly OperatorInfo[]): Promise<Task['recover']> {
  const { tasks } = await pipelineOf(`  a: { ${task} }`, catalogueWith(...operators))
  return tasks[0]?.recover
}
const counted = (attempts: number, then = 'fail') => ({ attempts, then, underRetry: false })
const errors = (task: string, ...operators: readonly OperatorInfo[]) =>
  errorsOf(`  a: { ${task} }`, catalogueWith(...operators))

t.test('an entry says what changes, how often, and what comes then', async (t) => {
  const recover =
    'recover: { oom: { set: { command: "./train.sh {{ with.command }} {{ params.n }}" }, restore: newest, attempts: 2, then: hold }, crash: { runtime: process } }'
  const { tasks } = await pipelineOf(
    `params: { n: { default: 1 } }\ntasks:\n  a: { run: ./train.sh, ${recover} }`,
  )
  t.strictSame(tasks[0]?.recover, {
    oom: {
      set: { command: './train.sh {{ with.command }} {{ params.n }}' },
      restore: 'newest',
      ...counted(2, 'hold'),
    },
    crash: { runtime: 'process', ...counted(3) },
  })
})

t.test('an entry that changes nothing and counts nothing stays under retry', async (t) => {
  const recover = await recoverOf(
    'run: ls, recover: { node_lost: { reschedule: true }, crash: { attempts: 1 }, oom: {} }',
  )
  t.strictSame(
    Object.entries(recover ?? {}).map(([kind, { underRetry }]) => [kind, underRetry]),
    [
      ['oom', true],
      ['crash', false],
      ['node_lost', true],
    ],
  )
  t.strictSame(await warningsOf('  a: { run: ls, timeout: 1s, recover: { crash: { then: hold } } }'), [
    'W108',
  ])
})

t.test('values of `set` fit the input, and see the failed try', async (t) => {
  const set = (values: string) =>
    errors(`uses: Train, with: { batchSize: 32 }, recover: { gpu_oom: { set: ${values} } }`, train())
  for (const good of [
    '{ batchSize: "{{ half with.batchSize }}" }',
    '{ dataset: other, batchSize: 8 }',
    '{ batchSize: "{{ default with.batchSize 8 }}" }',
    '{ dataset: "{{ default with.dataset \'x\' }}" }',
  ])
    t.strictSame(await set(good), [], good)
  const bad: readonly [string, string][] = [
    ['{ batchsize: 8 }', 'E128 unknown key `batchsize` (operator `Train`)'],
    ['{ batchSize: many }', 'E128 `batchSize` must be an integer, not a string (operator `Train`)'],
    ['{ batchSize: 0 }', 'E128 `batchSize` must be at least 1, not `0` (operator `Train`)'],
    ['{ batchSize: "{{ run.id }}" }', 'E129 `batchSize` must be an integer, not a string'],
    ['{ dataset: "{{ with.dataset }}" }', 'E122 `with.dataset` is not given by this task'],
    ['{ batchSize: "{{ half with.bachSize }}" }', 'E122 `with` has no `bachSize`'],
  ]
  for (const [values, error] of bad) t.strictSame(await set(values), [error], values)
})

t.test('what is wrong in `with` is not said again for each recovery', async (t) => {
  t.strictSame(
    await errors('uses: Train, with: { batchSize: x }, recover: { oom: { set: { dataset: y } } }', train()),
    ['E128 `batchSize` must be an integer, not a string (operator `Train`)'],
  )
})

t.test('a task needs what its recovery mentions', async (t) => {
  const { tasks } = await pipelineOf(
    '  b: { uses: Noop }\n  a: { run: ls, recover: { oom: { set: { command: "ls {{ tasks.b.outputs.x }}" } } } }',
  )
  t.strictSame(tasks[1]?.needs, [0])
})

t.test(
  'a fallback is another operator with its own input, quoted for the shell where that is one',
  async (t) => {
    const fallback = (uses: string) =>
      `uses: Train, with: { batchSize: 1 }, recover: { model_load: { fallback: ${uses} } }`
    const recover = await recoverOf(
      fallback('{ uses: Shell, with: { command: "./get.sh {{ run.id }}" } }'),
      train(),
    )
    t.strictSame(recover?.model_load?.fallback, {
      uses: 'Shell',
      version: 1,
      with: { command: './get.sh {{ run.id }}' },
      shell: ['/command'],
    })
    t.strictSame(await errors(fallback('{ uses: Shell }'), train()), [
      'E128 `command` is missing (operator `Shell`)',
    ])
    t.strictSame(await errors(fallback('{ uses: Shel }'), train()), ['E125 unknown operator `Shel`'])
    const inline = operator({ name: 'Quick', runtimes: ['inline'] })
    const moved = await recoverOf(fallback('{ uses: Quick }'), train(), inline)
    t.equal(moved?.model_load?.runtime, 'inline', 'it runs where it can')
    const deploys = operator({ name: 'Undo', effects: 'deploy' })
    const { tasks } = await pipelineOf(
      `  a: { ${fallback('{ uses: Undo }')} }`,
      catalogueWith(train(), deploys),
    )
    t.equal(tasks[0]?.effects, 'deploy', 'a task that may deploy is one that deploys')
    t.equal(tasks[0]?.retry.attempts, 1)
  },
)

t.test('running out of GPU memory halves the batch of an operator that has one', async (t) => {
  const again = { restore: 'newest', ...counted(3) }
  const bare = train({}, { batchSize: { type: 'integer' }, accumulation: { type: 'integer', default: 4 } })
  t.strictSame(await recoverOf('uses: Train, with: { batchSize: 32 }', train()), {
    gpu_oom: { set: { batchSize: '{{ half with.batchSize }}' }, ...again },
  })
  t.strictSame(await recoverOf('uses: Train, with: { batchSize: 32 }', bare), {
    gpu_oom: {
      set: {
        batchSize: '{{ half with.batchSize }}',
        accumulation: '{{ double (default with.accumulation 4) }}',
      },
      ...again,
    },
  })
  const preset = train({}, { batchSize: { type: 'integer', default: 16 } })
  t.strictSame(await recoverOf('uses: Train', preset), {
    gpu_oom: { set: { batchSize: '{{ half (default with.batchSize 16) }}' }, ...again },
  })
})

t.test(
  'there is no such default without a batch size, for another type of it, or for what deploys',
  async (t) => {
    t.equal(await recoverOf('uses: Train', train()), undefined)
    t.equal(
      await recoverOf('uses: Train, with: { batchSize: "a" }', train({}, { batchSize: { type: 'string' } })),
      undefined,
    )
    t.equal(await recoverOf('uses: Train, with: { batchSize: 1 }', train({ effects: 'deploy' })), undefined)
    t.equal(await recoverOf('run: ls'), undefined)
  },
)

t.test("an operator's own defaults hold, and an entry of the file replaces one whole", async (t) => {
  const own = train({
    recover: {
      data_corruption: { restore: 'newest' },
      gpu_oom: { set: { batchSize: 1 }, attempts: 1 },
      model_load: { fallback: { uses: 'Noop', with: {} } },
    },
  })
  const recover = await recoverOf(
    'uses: Train, with: { batchSize: 32 }, recover: { data_corruption: { attempts: 7 } }',
    own,
  )
  t.strictSame(recover, {
    gpu_oom: { set: { batchSize: 1 }, ...counted(1) },
    model_load: {
      fallback: { uses: 'Noop', version: 1, with: {} },
      ...counted(3),
    },
    data_corruption: { ...counted(7) },
  })
})

t.test('a default of an operator that does not fit the task is left out, without a word', async (t) => {
  const own = train({
    recover: { oom: { set: { dataset: '{{ with.dataset }}-small' } }, crash: { fallback: { uses: 'Gone' } } },
  })
  const { problems, pipeline } = await compileYaml('  a: { uses: Train }', catalogueWith(own))
  t.strictSame(problems, [])
  t.equal(pipeline?.tasks[0]?.recover, undefined)
  t.ok((await recoverOf('uses: Train, with: { dataset: x }', own))?.oom)
})
