import t from 'tap'
import { makeCast, rehearse } from '../../cli/cast.ts'
import { catalogue } from '../../cli/catalogue.ts'
import { compile } from '../../dsl/compile.ts'
import type { Task } from '../../engine/pipeline.ts'
import { unlimited } from '../../engine/resources.ts'
import type { Expected } from '../../schemas/pipeline-tests.generated.ts'
import { type Unmet, unmet } from '../../simulation/expectations.ts'
import { openMemory, play, type Scene } from '../../simulation/play.ts'
import type { Played } from '../../simulation/played.ts'

const at = Date.UTC(2026, 0, 1)

/** Plays a pipeline of these tasks (YAML). */
async function playTasks(
  tasks: string,
  scene: Partial<Scene> = {},
  change: (task: Task) => Partial<Task> = () => ({}),
): Promise<Played> {
  const text = `dagctl: 1\npipeline: p\ndefaults: { timeout: 1d, retry: { delay: 1s, jitter: none } }\ntasks:\n${tasks}`
  const { pipeline: made, problems } = await compile({ text, file: 'p.yaml' }, catalogue)
  if (made === null) throw new Error(JSON.stringify(problems))
  const pipeline = { ...made, tasks: made.tasks.map((task) => ({ ...task, ...change(task) })) }
  const cast = makeCast()
  await rehearse(cast, pipeline)
  const store = openMemory()
  try {
    const interval = { start: at, end: at }
    const calm = { params: {}, at, interval, slots: null, baseline: {}, acts: {}, madeUp: {}, faults: [] }
    const around = { answers: {}, resources: unlimited, env: {} }
    return await play({ ...calm, ...around, pipeline, trigger: 'manual', seed: 1, ...scene }, cast, store)
  } finally {
    await store.close()
  }
}

const task = (played: Played, name: string) => {
  const found = played.tasks.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found.record
}

const two = '  a: { uses: Shell, with: { command: "true" } }\n  b: { uses: Noop, needs: [a] }\n'
const inside = '  a: { uses: Noop }\n'
const m = 60_000

t.test('tries follow the list, the last of it again and again; a sleep is no try', async (t) => {
  const played = await playTasks(two, {
    acts: {
      a: [
        { fails: 'network', takes: '1m', times: 2 },
        { sleeps: '1h', takes: '1m' },
      ],
    },
  })
  const { state, tries, attempt } = task(played, 'a')
  t.strictSame({ state, tries, attempt }, { state: 'succeeded', tries: 3, attempt: 4 })
  t.equal(played.took, m + 1000 + m + 2000 + 60 * m + m)
})

t.test('a process outlives its engine: the next one finds it, and nothing is done twice', async (t) => {
  const played = await playTasks(two, {
    acts: { a: { takes: '10m' } },
    faults: [{ at: '2m', do: 'crash', for: '3m' }],
  })
  t.equal(task(played, 'a').attempt, 1)
  t.equal(played.took, 10 * m)
  t.strictSame(played.missed, [])
})

t.test('what ended while no engine was there is taken when one is', async (t) => {
  const played = await playTasks(two, {
    acts: { a: { takes: '10m' } },
    faults: [{ at: '9m', do: 'crash', for: '3m' }],
  })
  t.equal(task(played, 'a').attempt, 1)
  t.equal(played.took, 12 * m)
})

t.test('what runs inside an engine dies with it, and starts again; it is no try', async (t) => {
  const played = await playTasks(inside, {
    acts: { a: { takes: '10m' } },
    faults: [{ at: '2m', do: 'crash' }],
  })
  const { state, tries, attempt } = task(played, 'a')
  t.strictSame({ state, tries, attempt }, { state: 'succeeded', tries: 1, attempt: 2 })
  t.equal(played.run.state, 'succeeded')
})

t.test('a lost machine is no try: the task does the same again', async (t) => {
  const played = await playTasks(two, {
    acts: { a: [{ takes: '10m', fails: 'crash' }, { takes: '1m' }] },
    faults: [{ at: '2m', do: 'vanish', task: 'a' }],
  })
  const { tries, attempt } = task(played, 'a')
  t.strictSame({ tries, attempt }, { tries: 2, attempt: 3 })
})

t.test('a fault that meets nothing is told', async (t) => {
  const played = await playTasks(inside, {
    acts: { a: { takes: '10m' } },
    faults: [
      { at: '2m', do: 'vanish', task: 'a' },
      { at: '3m', do: 'vanish', task: 'b' },
      { at: '1h', do: 'cancel' },
    ],
  })
  t.strictSame(played.missed, [
    { path: ['faults', 0], why: '`a` runs inside the engine: only `crash` takes both away' },
    { path: ['faults', 1], why: '`b` is not running then' },
    { path: ['faults', 2], why: 'the run is over by then' },
  ])
})

t.test('what an instance is to do that the task did not become is told', async (t) => {
  const mapped = '  m: { foreach: [x, y], key: "{{ item }}", uses: Shell, with: { command: x } }\n'
  const played = await playTasks(mapped, { acts: { 'm[z]': { fails: 'crash' }, 'm[x]': { takes: '1m' } } })
  t.strictSame(played.missed, [{ path: ['tasks', 'm[z]'], why: '`m` has no such instance' }])
})

t.test('a run that nothing ends any more is given up, with what each open task waits for', async (t) => {
  const endless =
    '  a: { uses: Shell, with: { command: x }, timeout: 900d }\n  b: { uses: Noop, needs: [a] }\n'
  const played = await playTasks(endless, { acts: { a: { takes: 'forever' } } })
  t.strictSame(played.stuck, {
    why: 'nothing is due any more that would end it',
    waits: ['`a` is running: its attempt does not end', '`b` is waiting: for a'],
  })
})

t.test('a cancelled run ends cancelled, and what ran is stopped', async (t) => {
  const played = await playTasks(two, {
    acts: { a: { takes: 'forever' } },
    faults: [{ at: '5m', do: 'cancel' }],
  })
  t.equal(played.run.state, 'cancelled')
  t.equal(played.took, 5 * m)
})

t.test('`Wait` is itself: it waits in virtual time', async (t) => {
  const played = await playTasks('  a: { uses: Wait, with: { for: 7d }, timeout: 8d }\n')
  t.equal(played.took, 7 * 86_400_000)
})

t.test('an input that does not fit its operator fails as it would', async (t) => {
  const played = await playTasks(
    '  a: { uses: Shell, with: { command: x } }\n  b: { uses: Notify, with: { text: "{{ tasks.a.outputs.n }}" } }\n',
    { acts: { a: { outputs: { n: 5 } } } },
  )
  t.match(task(played, 'b').failure, { kind: 'invalid_input', message: /\/text must be string/ })
})

t.test('slots limit what runs at once', async (t) => {
  const many = Array.from({ length: 6 }, (_, i) => `  t${i}: { uses: Shell, with: { command: x } }\n`).join(
    '',
  )
  const acts = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`t${i}`, { takes: '10m' }]))
  t.equal((await playTasks(many, { acts })).took, 10 * m)
  t.equal((await playTasks(many, { acts, slots: 2 })).took, 30 * m)
})

t.test('a gate sees the baseline that the scene gives', async (t) => {
  const gated =
    '  a: { uses: Shell, with: { command: x }, gate: [baseline == null || outputs.n >= baseline.n] }\n'
  const acts = { a: { outputs: { n: 5 } } }
  t.equal((await playTasks(gated, { acts })).run.state, 'succeeded')
  const worse = await playTasks(gated, { acts, baseline: { a: { n: 6 } } })
  t.equal(task(worse, 'a').failure?.kind, 'gate_failed')
})

t.test('the same seed gives the same run to the millisecond, another seed another', async (t) => {
  const jitter = '  a: { uses: Shell, with: { command: x }, retry: { jitter: full, delay: 1m } }\n'
  const scene = { acts: { a: { fails: 'crash', times: 2 } }, faults: [{ at: '1s', do: 'crash' }] } as const
  const [one, same, other] = [
    await playTasks(jitter, scene),
    await playTasks(jitter, scene),
    await playTasks(jitter, { ...scene, seed: 2 }),
  ]
  t.strictSame(same, one)
  t.not(other?.took, one?.took)
})

t.test('every difference has its place in what was expected', async (t) => {
  const played = await playTasks(two, { acts: { a: { takes: '10m', outputs: { n: [1, { deep: true }] } } } })
  const { evaluator } = makeCast()
  const differs = (expected: Expected): readonly string[] =>
    unmet(expected, played, { evaluator, integers: [], explain: () => null }).map(
      ({ path, message }: Unmet) => `${path.join('.')}: ${message}`,
    )
  t.strictSame(
    differs({
      takes: '5m..15m',
      order: ['a', 'b'],
      tasks: { a: { outputs: { n: [1, {}] }, starts: '0s', ends: '10m', tries: 1 }, b: 'succeeded' },
      that: ['tasks.a.outputs.n[1].deep'],
    }),
    [],
  )
  t.strictSame(differs({ run: 'failed', takes: '..5m', order: ['b', 'a'] }), [
    'run: the run should have failed, but is succeeded',
    'takes: the run should take ..5m, but it was 10m',
    'order.1: `a` should start after `b`, but started before it',
  ])
  t.strictSame(
    differs({
      tasks: {
        a: { outputs: { n: [2, { deep: false }], m: 1 }, attempts: 2, failure: 'oom', starts: '1m..' },
        b: 'failed',
        'a[eu]': 'failed',
      },
      that: ['tasks.a.outputs.m == 1', 'tasks.a.state == "failed"'],
    }),
    [
      'tasks.a.attempts: `attempts` of `a` should be 2, but is 1',
      'tasks.a.failure: `failure` of `a` should be oom, but there is none',
      'tasks.a.outputs.n.0: `outputs.n[0]` of `a` should be 2, but is 1',
      'tasks.a.outputs.n.1.deep: `outputs.n[1].deep` of `a` should be false, but is true',
      'tasks.a.outputs.m: `a` should have `outputs.m`, but has not',
      'tasks.a.starts: `a` should start at 1m.., but it was 0s',
      'tasks.b: `b` should be failed, but is succeeded',
      'tasks.a[eu]: there is no `a[eu]`',
      'that.0: this cannot be decided: `tasks.a.outputs.m` does not resolve: `tasks.a.outputs` has no `m`, in `tasks.a.outputs.m == 1`',
      'that.1: this does not hold',
    ],
  )
})

const one = '  a: { uses: Shell, with: { command: x } }\n'
const shards = { items: ['eu', 'us'], key: '{{ item }}', maxParallel: null, whenEach: false }

t.test('instances of a mapped task have their own acts by key, and the task has those of all', async (t) => {
  const mapped = { foreach: shards, with: { command: '{{ item }}' }, shell: [] }
  const acts = { 'a[eu]': { fails: 'network', times: 1 }, a: { outputs: { n: 1 } } } as const
  const played = await playTasks(one, { acts }, () => mapped)
  t.strictSame(
    played.tasks.map(({ name, record, input }) => [name, record.state, record.tries, input]),
    [
      ['a', 'succeeded', 0, null],
      ['a[eu]', 'succeeded', 2, { command: 'eu' }],
      ['a[us]', 'succeeded', 1, { command: 'us' }],
    ],
  )
  const { evaluator } = makeCast()
  const that: Expected['that'] = ['size(tasks.a.outputs) == 2', 'tasks.a.outputs[1].n == 1.0']
  t.strictSame(
    unmet({ that, order: ['a[eu]', 'a[us]'] }, played, { evaluator, integers: [], explain: () => null }),
    [],
  )
})

t.test('a person answers what a task asks; a no fails it', async (t) => {
  const acts = { a: { asks: 'Release?', outputs: { n: 1 } } }
  const yes = await playTasks(one, { acts, answers: { a: { decision: 'approve', after: '3h' } } })
  t.equal(yes.run.state, 'succeeded')
  t.equal(yes.took, 180 * m)
  const no = await playTasks(one, { acts, answers: { a: { decision: 'reject' } } }, () => ({
    retry: { attempts: 1, delay: 0, factor: 1, maxDelay: 0, jitter: 'none', on: [], onSleep: false },
  }))
  t.match(task(no, 'a').failure, { kind: 'user', message: 'rejected by the test' })
})

t.test('an answer waits for an engine, and one that nobody asked for is told', async (t) => {
  const played = await playTasks(one, {
    acts: { a: { asks: 'Release?' } },
    answers: { a: { decision: 'approve', after: '1h' } },
    faults: [{ at: '30m', do: 'crash', for: '2h' }],
  })
  t.equal(played.took, 150 * m)
  const unasked = await playTasks(two, { answers: { b: { decision: 'approve' } } })
  t.strictSame(unasked.missed, [{ path: ['answers', 'b'], why: '`b` asks nobody' }])
  const late = await playTasks(
    one,
    { acts: { a: { asks: 'Release?' } }, answers: { a: { decision: 'approve', after: '2d' } } },
    (task) => ({ retry: { ...task.retry, attempts: 1 } }),
  )
  t.equal(task(late, 'a').failure?.kind, 'timeout')
})

t.test('a hold is answered like a question: yes is another try', async (t) => {
  const recover = { gpu_oom: { attempts: 0, then: 'hold', underRetry: false } } as const
  const acts = { a: { fails: 'gpu_oom', times: 1 } } as const
  const again = await playTasks(one, { acts, answers: { a: { decision: 'approve', after: '1h' } } }, () => ({
    recover,
  }))
  t.equal(again.run.state, 'succeeded')
  t.equal(again.took, 60 * m)
  const alone = await playTasks(one, { acts }, () => ({ recover }))
  t.strictSame(alone.stuck?.waits, ['`a` is sleeping: for a person'])
})

t.test('a recovery changes what the next try is given', async (t) => {
  const recover = {
    gpu_oom: { attempts: 3, then: 'fail', underRetry: false, set: { command: '{{ with.command }}x' } },
  } as const
  const played = await playTasks(one, { acts: { a: { fails: 'gpu_oom', times: 2 } } }, () => ({
    recover,
    shell: [],
  }))
  t.strictSame(played.tasks[0]?.input, { command: 'xxx' })
  t.equal(played.run.state, 'succeeded')
})

t.test('a paused run starts nothing until somebody lets it go on', async (t) => {
  const faults = [
    { at: '5m', do: 'pause' },
    { at: '1h', do: 'resume' },
  ] as const
  const played = await playTasks(two, { acts: { a: { takes: '10m' } }, faults })
  t.equal(played.took, 60 * m)
  const stuck = await playTasks(two, { acts: { a: { takes: '10m' } }, faults: faults.slice(0, 1) })
  t.strictSame(stuck.stuck?.waits, ['the run is paused, and waits for a person'])
})

t.test('pools are as large as the scene says', async (t) => {
  const many = '  a: { uses: Shell, with: { command: x } }\n  b: { uses: Shell, with: { command: x } }\n'
  const resources = { ...unlimited, pools: { gpu: { slots: 1, gpus: 0 } } }
  const acts = { a: { takes: '10m' }, b: { takes: '10m' } }
  const played = await playTasks(many, { acts, resources }, () => ({ pool: 'gpu' }))
  t.equal(played.took, 20 * m)
})
