import t from 'tap'
import {
  defineOperator,
  failed,
  type JsonObject,
  OperatorFailure,
  type Outcome,
  skipped,
  sleep,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'
import { Host } from '../../plugins/host.ts'
import { makeAttempt, runOperator } from '../support/task-context.ts'

/** An operator whose `run` is the test's. */
const operator = (run: (input: JsonObject, task: TaskContext) => Outcome | Promise<Outcome>) =>
  defineOperator<JsonObject>({
    name: 'Test',
    stage: 'control',
    summary: 'A test.',
    example: '',
    input: {
      type: 'object',
      properties: {
        rate: { type: 'number', default: 0.5 },
        mode: { enum: ['a', 'b'] },
        list: { type: 'array', items: { type: 'string' } },
      },
      additionalProperties: false,
    },
    output: {
      type: 'object',
      properties: { count: { type: 'integer' }, any: {} },
      required: ['count'],
      additionalProperties: false,
    },
    run,
  })

t.test('defaults of the schema are filled in, on a copy', async (t) => {
  const input = { list: ['x'] }
  let seen: unknown
  const { outcome } = await runOperator(
    operator((value) => {
      seen = value
      return succeeded({ count: 1 })
    }),
    input,
    { dir: t.testdir() },
  )
  t.strictSame(seen, { list: ['x'], rate: 0.5 })
  t.strictSame(input, { list: ['x'] })
  t.strictSame(outcome, { type: 'succeeded', outputs: { count: 1 } })
})

t.test('an input that does not fit is invalid_input, and says where and what', async (t) => {
  const dir = t.testdir()
  const run = operator(() => t.fail('it must not run') as never)
  for (const [input, message] of [
    [{ rate: 'x' }, /input of Test does not fit: \/rate must be number/],
    [{ mode: 'c' }, /\/mode must be one of "a", "b"/],
    [{ list: ['a', 1] }, /\/list\/1 must be string/],
    [{ raet: 1 }, /unknown property 'raet'/],
  ] as const) {
    const { outcome } = await runOperator(run, input, { dir })
    t.match(outcome, { type: 'failed', kind: 'invalid_input', message })
  }
})

t.test('outputs that the schema or JSON refuses are invalid_input', async (t) => {
  const dir = t.testdir()
  const cyclic: { [key: string]: unknown } = {}
  cyclic.self = cyclic
  for (const [outputs, message] of [
    [{}, /returned outputs that its schema refuses: it must have required property 'count'/],
    [{ count: 1.5 }, /\/count must be integer/],
    [{ count: Number.NaN }, /outputs\/count is NaN, which JSON does not have/],
    [{ count: 1, any: undefined }, /outputs\/any is undefined/],
    [{ count: 1, any: [new Date()] }, /outputs\/any\/0 is a Date, not a plain object/],
    [{ count: 1, any: 5n }, /outputs\/any is a bigint/],
    [{ count: 1, any: cyclic }, /holds itself/],
    [undefined, /outputs is undefined/],
  ] as const) {
    const { outcome } = await runOperator(
      operator(() => ({ type: 'succeeded', outputs: outputs as never })),
      {},
      { dir },
    )
    t.match(outcome, { type: 'failed', kind: 'invalid_input', message })
  }
})

t.test('what is thrown becomes an outcome of its kind', async (t) => {
  const dir = t.testdir()
  const withCode = (code: string) => Object.assign(new Error(`connect ${code}`), { code })
  for (const [thrown, kind, message] of [
    [new OperatorFailure('data_corruption', 'bad sum'), 'data_corruption', 'bad sum'],
    [withCode('ECONNREFUSED'), 'network', 'connect ECONNREFUSED'],
    [withCode('ETIMEDOUT'), 'network', 'connect ETIMEDOUT'],
    [new Error('fetch failed', { cause: withCode('ENOTFOUND') }), 'network', 'fetch failed'],
    [withCode('ENOMEM'), 'oom', 'connect ENOMEM'],
    [new TypeError('x is not a function'), 'user', 'x is not a function'],
    ['a string', 'user', 'something that is no error was thrown: a string'],
  ] as const) {
    const throwing = operator(() => {
      throw thrown
    })
    const { outcome } = await runOperator(throwing, {}, { dir })
    t.strictSame(outcome, { type: 'failed', kind, message })
  }
  const { logs } = await runOperator(
    operator(async () => Promise.reject(new TypeError('late'))),
    {},
    { dir },
  )
  t.match(
    logs,
    [{ level: 'error', message: /TypeError: late\n\s+at / }],
    'the stack of an unknown error is in the log',
  )
})

t.test('other outcomes pass; what is no outcome is a failure', async (t) => {
  const dir = t.testdir()
  for (const outcome of [failed('gate_failed', 'x'), skipped('nothing to do'), sleep(5, { at: 1 })]) {
    t.strictSame(
      (
        await runOperator(
          operator(() => outcome),
          {},
          { dir },
        )
      ).outcome,
      outcome,
    )
  }
  t.match(
    (
      await runOperator(
        operator(() => sleep(Number.NaN)),
        {},
        { dir },
      )
    ).outcome,
    { kind: 'user', message: /until NaN/ },
  )
  t.match(
    (
      await runOperator(
        operator(() => sleep(1, undefined as never)),
        {},
        { dir },
      )
    ).outcome,
    { type: 'sleep', state: null },
  )
  t.match(
    (
      await runOperator(
        operator(() => ({ type: 'sleep', until: 1, state: Number.NaN })),
        {},
        { dir },
      )
    ).outcome,
    { kind: 'user' },
  )
  for (const nothing of [undefined, null, 5, { type: 'done' }]) {
    t.match(
      (
        await runOperator(
          operator(() => nothing as never),
          {},
          { dir },
        )
      ).outcome,
      { type: 'failed', kind: 'user', message: /no outcome/ },
    )
  }
})

t.test('a sleep says what wakes it, or it is a failure', async (t) => {
  const dir = t.testdir()
  const asleep = (until: number | null, on?: unknown) =>
    runOperator(
      operator(() => ({ type: 'sleep', until, state: null, ...(on === undefined ? {} : { on }) }) as Outcome),
      {},
      { dir },
    ).then(({ outcome }) => outcome)
  const person = { kind: 'approval', message: 'Go?', form: { type: 'object' } }
  for (const [until, on] of [
    [null, { runs: ['r'] }],
    [null, { person }],
    [5, { paths: ['/a'], datasets: ['s3://a/b'] }],
    [5, {}],
  ] as const)
    t.match(await asleep(until, on), { type: 'sleep', until, on }, JSON.stringify(on))
  for (const [until, on, message] of [
    [null, undefined, /for ever/],
    [null, {}, /for ever/],
    [null, { paths: [] }, /for ever/],
    [5, { paths: ['a/b'] }, /not absolute: a\/b/],
    [5, { runs: 'r' }, /no list of texts/],
    [5, { datasets: [1] }, /no list of texts/],
    [5, { paths: Array.from({ length: 1001 }, (_, n) => `/${n}`) }, /1001 entries in `on\.paths`/],
    [5, { person: { ...person, kind: 'riddle' } }, /unknown kind, riddle/],
    [5, { person: { ...person, message: ' ' } }, /asks nothing/],
    [5, { person: { ...person, form: 'yes' } }, /no JSON Schema/],
    [5, { person: { ...person, details: Number.NaN } }, /not JSON/],
    [5, { person: { ...person, details: 'x'.repeat(300_000) } }, /question of \d+ bytes/],
    [5, ['r'], /no object of events/],
  ] as const)
    t.match(await asleep(until, on), { type: 'failed', kind: 'user', message }, String(message))
})

t.test('a delay that a failure asks for is kept, thrown or returned', async (t) => {
  const dir = t.testdir()
  const ends = (run: () => Outcome) => runOperator(operator(run), {}, { dir }).then(({ outcome }) => outcome)
  t.strictSame(await ends(() => failed('network', 'x', 5000)), {
    type: 'failed',
    kind: 'network',
    message: 'x',
    retryAfter: 5000,
  })
  const thrown = await ends(() => {
    throw new OperatorFailure('network', 'x', { retryAfter: 5000 })
  })
  t.match(thrown, { kind: 'network', retryAfter: 5000 })
  t.notOk('retryAfter' in (await ends(() => failed('network', 'x', Number.NaN))))
})

t.test(
  'an operator sees the environment of the task, and the engine only where it runs inline',
  async (t) => {
    const services = { pipelines: {}, datasets: {} } as never
    const seen: unknown[] = []
    const host = new Host(
      {
        find: async () =>
          operator((_input, task) => {
            seen.push([
              task.env.COLOR,
              task.env.HOME === process.env.HOME,
              task.engine === services,
              task.order,
            ])
            return succeeded({ count: 1 })
          }),
      },
      services,
    )
    const attempt = makeAttempt({ dir: t.testdir(), env: { COLOR: 'red' }, key: 'a', try: 3 })
    const hooks = { signal: new AbortController().signal, listen: () => {} }
    await host.run({ ...attempt, runtime: 'inline' }, hooks)
    await host.run(attempt, hooks)
    t.strictSame(seen, [
      ['red', true, true, 'run-1/test-a/3'],
      ['red', true, false, 'run-1/test-a/3'],
    ])
  },
)

t.test('an operator that nobody has is invalid_input', async (t) => {
  const host = new Host({ find: async () => undefined })
  const hooks = { signal: new AbortController().signal, listen: () => {} }
  const outcome = await host.run(makeAttempt({ dir: t.testdir() }), hooks)
  t.match(outcome, { type: 'failed', kind: 'invalid_input', message: /no operator Test@1/ })
})

t.test('a command operator has an argument vector, code has none', async (t) => {
  const shell = {
    ...operator(() => succeeded()),
    run: undefined,
    command: ({ mode }: JsonObject) => ['echo', String(mode)],
  }
  const input = { mode: 'a' }
  t.strictSame(await new Host({ find: async () => shell }).command({ name: 'Test', version: 1 }, input), [
    'echo',
    'a',
  ])
  t.equal(
    await new Host({ find: async () => operator(() => succeeded()) }).command(
      { name: 'Test', version: 1 },
      input,
    ),
    null,
  )
  await t.rejects(
    new Host({ find: async () => shell }).command({ name: 'Test', version: 1 }, { mode: 'z' }),
    { kind: 'invalid_input', message: /must be one of/ },
  )
})

t.test('spawn gives how the command ended, with the environment of the task', async (t) => {
  const dir = t.testdir()
  const ended: unknown[] = []
  const spawning = operator(async (_input, task) => {
    ended.push(await task.spawn('/bin/sh', ['-c', 'test "$COLOR" = red && exit 3']))
    ended.push(await task.spawn('/bin/sh', ['-c', 'kill -9 $$']))
    await task.spawn('/does/not/exist', [])
    return succeeded()
  })
  const { outcome } = await runOperator(spawning, {}, { dir, env: { COLOR: 'red' } })
  t.strictSame(ended, [
    { code: 3, signal: null },
    { code: null, signal: 'SIGKILL' },
  ])
  t.match(outcome, { kind: 'invalid_input', message: /cannot start \/does\/not\/exist: it does not exist/ })
})

t.test('progress is paced by the clock, and the last one is always told', async (t) => {
  let now = 0
  const host = new Host({
    find: async () =>
      operator((_input, task) => {
        for (let done = 1; done <= 1000; done += 1) {
          now += 1
          task.progress(done, 1000, 'records')
        }
        return succeeded({ count: 1 })
      }),
  })
  const done: number[] = []
  const listen = (event: { type: string; done?: number }) =>
    event.type === 'progress' && done.push(event.done ?? -1)
  await host.run(makeAttempt({ dir: t.testdir() }), {
    signal: new AbortController().signal,
    listen,
    clock: { now: () => now },
  })
  t.strictSame(done, [1, 101, 201, 301, 401, 501, 601, 701, 801, 901, 1000])
})

t.test('progress goes on when the clock is set back', async (t) => {
  let now = 3_600_000
  const host = new Host({
    find: async () =>
      operator((_input, task) => {
        task.progress(1, 3, 'records')
        now = 0
        task.progress(2, 3, 'records')
        task.progress(3, 3, 'records')
        t.strictSame(done, [1, 2])
        return succeeded({ count: 1 })
      }),
  })
  const done: number[] = []
  const listen = (event: { type: string; done?: number }) =>
    event.type === 'progress' && done.push(event.done ?? -1)
  const hooks = { signal: new AbortController().signal, listen, clock: { now: () => now } }
  await host.run(makeAttempt({ dir: t.testdir() }), hooks)
  t.strictSame(done, [1, 2, 3])
})

t.test(
  'an operator may take functions out of its task, and put an object of its own before it',
  async (t) => {
    const outcome = await runOperator(
      operator(async (_, task) => {
        const own: TaskContext = Object.create(task, { progress: { value: () => {} } })
        const { heartbeat, metric } = own
        heartbeat()
        metric('lines', 1)
        const found = [own.signal.aborted, own.artifacts, own.work, typeof own.objects, typeof own.checkpoint]
        return succeeded({ count: 1, any: found })
      }),
      {},
      { dir: t.testdir() },
    )
    t.match(outcome, {
      outcome: { type: 'succeeded', outputs: { any: [false, /./, /./, 'object', 'object'] } },
    })
  },
)
