import t from 'tap'
import { compile } from '../../dsl/compile.ts'
import { builtInRetry } from '../../dsl/retry.ts'
import { builtinCatalogue, catalogueWith, operator } from '../support/catalogue.ts'
import { compileYaml, errorsOf, pipelineOf } from '../support/compiled.ts'

const deploys = catalogueWith(
  operator({ name: 'Deploy', stage: 'deployment', effects: 'deploy', timeout: 5000 }),
)

t.test('a whole file becomes plain data', async (t) => {
  const pipeline = await pipelineOf(`
dagctl: 1
pipeline: nightly
description: All of it
owner: ml
tags: { team: support, level: 3 }
schedule: { cron: "0 2 * * *", timezone: Europe/Berlin, start: 2026-01-01 }
params: { epochs: { type: integer, default: 3 } }
concurrency: { runs: 1, tasks: 16 }
tasks:
  extract: { run: "./extract {{ params.epochs }}", env: { LEVEL: 3 }, timeout: 90s, cache: { ttl: 7d, files: [extract] } }
  load: { uses: Noop@1, with: { outputs: { n: 1 } }, needs: [extract], when: params.epochs > 1, trigger: all_done }
`)
  t.strictSame(JSON.parse(JSON.stringify(pipeline)), pipeline)
  t.match(pipeline, {
    name: 'nightly',
    version: /^[0-9a-f]{64}$/,
    tags: { team: 'support', level: '3' },
    // Midnight of 1 January in Berlin.
    schedule: {
      cron: ['0 2 * * *'],
      every: null,
      timezone: 'Europe/Berlin',
      start: Date.UTC(2025, 11, 31, 23),
      end: null,
    },
    concurrency: { runs: 1, tasks: 16 },
  })
  const [extract, load] = pipeline.tasks
  t.match(extract, {
    id: 'extract',
    uses: 'Shell',
    version: 1,
    with: { command: './extract {{ params.epochs }}' },
    shell: ['/command'],
    env: { LEVEL: '3' },
    needs: [],
    timeout: 90_000,
    runtime: 'process',
    cache: { ttl: 604_800_000, files: ['extract'] },
    retry: builtInRetry,
  })
  t.match(load, {
    id: 'load',
    uses: 'Noop',
    needs: [0],
    trigger: 'all_done',
    when: 'params.epochs > 1',
    runtime: 'inline',
    cache: null,
  })
})

t.test(
  'edges are `needs` and every task that is mentioned, each once, in the order of the file',
  async (t) => {
    const { tasks } = await pipelineOf(`
  z: { run: "echo {{ tasks.a.outputs.x }} {{ tasks.b.state }}", needs: [b], gate: ["tasks.d.outputs.n == 1"], when: 'tasks["c-c"].state == "succeeded"' }
  a: { run: ls }
  b: { run: ls }
  c-c: { run: ls }
  d: { run: ls, env: { X: "{{ tasks.b.outputs.x }}" } }
`)
    t.strictSame(
      tasks.map(({ needs }) => needs),
      [[1, 2, 3, 4], [], [], [], [2]],
    )
  },
)

t.test('a retry of the file covers all kinds but those that trying again cannot change', async (t) => {
  const { tasks } = await pipelineOf(`
defaults: { retry: { attempts: 2, delay: 1s } }
tasks:
  plain: { run: ls }
  own: { run: ls, retry: { delay: 5s, on: [network, timeout] } }
`)
  t.match(tasks[0]?.retry, {
    attempts: 2,
    delay: 1000,
    factor: 2,
    maxDelay: 120_000,
    jitter: 'full',
    onSleep: false,
  })
  t.ok(tasks[0]?.retry.on.includes('user'))
  t.notOk(tasks[0]?.retry.on.includes('invalid_input') || tasks[0]?.retry.on.includes('gate_failed'))
  t.match(tasks[1]?.retry, { attempts: 2, delay: 5000, on: ['network', 'timeout'], onSleep: true })
})

t.test('a deployment takes neither the default retry nor the default timeout', async (t) => {
  const file =
    'defaults: { retry: { attempts: 9 }, timeout: 1h }\ntasks:\n  a: { uses: Deploy }\n  b: { uses: Deploy, retry: { attempts: 2 }, timeout: 2h }\n'
  const { tasks } = await pipelineOf(file, deploys)
  t.strictSame(
    tasks.map(({ retry, timeout }) => [retry.attempts, timeout]),
    [
      [1, 5000],
      [2, 7_200_000],
    ],
  )
})

t.test("the timeout is the task's, else the file's, else the operator's, else none", async (t) => {
  const catalogue = catalogueWith(operator({ name: 'Slow', timeout: 1000 }))
  const of = async (defaults: string) =>
    (
      await pipelineOf(
        `${defaults}tasks:\n  a: { uses: Slow }\n  b: { run: ls }\n  c: { run: ls, timeout: 2s }\n`,
        catalogue,
      )
    ).tasks.map(({ timeout }) => timeout)
  t.strictSame(await of(''), [1000, null, 2000])
  t.strictSame(await of('defaults: { timeout: 1m }\n'), [60_000, 60_000, 2000])
})

t.test('only the operators that the file mentions are loaded, each once', async (t) => {
  const asked: string[] = []
  const catalogue = {
    names: () => ['Noop', 'Shell'],
    find: (name: string) => {
      asked.push(name)
      return builtinCatalogue.find(name)
    },
  }
  await compile(
    { text: 'dagctl: 1\npipeline: p\ntasks:\n  a: { uses: Noop }\n  b: { uses: Noop@1 }\n', file: 'p.yaml' },
    catalogue,
  )
  t.strictSame(asked, ['Noop'])
})

t.test(
  'problems of all kinds come together, in file order, and right parts are checked although others are wrong',
  async (t) => {
    const { problems, pipeline, name, tasks } = await compileYaml(`
dagctl: 1
pipeline: test
tasks:
  a: { uses: Noop, retry: { attempts: 0 }, needs: [b] }
  b: { uses: Nop, needs: [a], wen: "true" }
  c: { run: "echo {{ tasks.a.outputs.x }} {{ tasks.d.outputs.x }}", when: "1 +" }
`)
    t.equal(pipeline, null)
    t.strictSame([name, tasks], ['test', 3])
    t.strictSame(
      problems.map(({ line, column, code }) => [line, column, code]),
      [
        [5, 39, 'E113'],
        [5, 52, 'E124'],
        [6, 14, 'E125'],
        [6, 31, 'E110'],
        [7, 46, 'E121'],
        [7, 78, 'E133'],
      ],
    )
  },
)

t.test('strict makes lint an error, and then there is no pipeline', async (t) => {
  const yaml = 'a: { run: ls }'
  const [lax, strict] = [
    await compileYaml(`  ${yaml}`),
    await compileYaml(`  ${yaml}`, builtinCatalogue, { strict: true }),
  ]
  t.strictSame([lax.pipeline === null, lax.problems.map(({ severity }) => severity)], [false, ['warning']])
  t.strictSame([strict.pipeline, strict.problems.map(({ severity }) => severity)], [null, ['error']])
})

t.test('a runtime must be one that the operator has', async (t) => {
  t.strictSame((await pipelineOf('  a: { uses: Noop, runtime: process }')).tasks[0]?.runtime, 'process')
  t.strictSame(await errorsOf('  a: { run: ls, runtime: inline }'), ['E127 `Shell` does not run in `inline`'])
})

t.test('a chain of 5,000 tasks and a cycle through all of them are handled without recursion', async (t) => {
  const chain = (first: string) =>
    `  t0: { uses: Noop, needs: [${first}] }\n${Array.from({ length: 4_999 }, (_, index) => `  t${index + 1}: { uses: Noop, needs: [t${index}] }\n`).join('')}`
  t.equal((await pipelineOf(chain(''))).tasks.length, 5_000)
  const [error = '', ...others] = await errorsOf(chain('t4999'))
  t.match(
    error,
    /^E124 cycle: t0 -> t1 -> t2 -> t3 -> t4 -> t5 -> … 4991 more … -> t4997 -> t4998 -> t4999 -> t0$/,
  )
  t.strictSame(others, [])
})

t.test(
  'a large file that is wrong everywhere is told so in time that grows with its size only',
  async (t) => {
    const many = (line: (index: number) => string) =>
      Array.from({ length: 5_000 }, (_, index) => line(index)).join('\n')
    const unknown = await compileYaml(many((index) => `  t${index}: { uses: Noop, needs: [u${index}] }`))
    t.equal(unknown.problems.length, 5_000)
    t.equal(unknown.problems.filter(({ hint }) => hint !== null).length, 20)
    const shapeless = await compileYaml(many((index) => `  t${index}: { run: 1, uses: 2, neds: [] }`))
    t.equal(shapeless.pipeline, null)
    t.match(shapeless.problems[0], { line: 1, message: /^\d+ more values do not match; mend these first$/ })
    t.ok(shapeless.problems.length <= 1_001)
  },
)

t.test('what is wrong in one place is not wrong again where it is used', async (t) => {
  const errors = await errorsOf(`
params: { model: { type: sting } }
tasks:
  a: { uses: Nope, with: { x: 1 } }
  b: { run: "echo {{ params.model }} {{ tasks.a.outputs.anything }}", when: tasks.c.outputs.n > 1 }
  c: { uses: 7 }
`)
  t.strictSame(
    errors.map((error) => error.slice(0, 4)),
    ['E113', 'E125', 'E111'],
  )
})

t.test('braces in an expression are said to be none of it', async (t) => {
  const { problems } = await compileYaml('  a: { uses: Noop, when: "{{ run.id }} == 1" }')
  t.match(problems, [{ code: 'E133', hint: /^expressions have no braces/ }])
})

t.test('a task called like a word of CEL is said to need brackets', async (t) => {
  const of = (when: string) => compileYaml(`  in: { uses: Noop }\n  a: { uses: Noop, when: '${when}' }`)
  t.match((await of('tasks.in.state == "failed"')).problems, [{ code: 'E133', hint: /`tasks\["in"\]`/ }])
  t.strictSame((await of('tasks["in"].state == "failed"')).problems, [])
})

t.test('a string that only looks like what is asked for is said to be one', async (t) => {
  const { problems } = await compileYaml('dagctl: "1"\npipeline: p\ntasks: { a: { uses: Noop } }')
  t.match(problems, [{ code: 'E113', message: '`dagctl` must be `1`, not the string `1`' }])
})

t.test('a value of the wrong type is one mistake, whatever it lacks besides', async (t) => {
  for (const task of ['~', 'Noop', '[]', '3'])
    t.match(await errorsOf(`  a: ${task}`), [/^E111 the task `a` must be an object/], task)
  t.match(await errorsOf('schedule: daily\ntasks:\n  a: { uses: Noop }'), [/^E111/])
})
