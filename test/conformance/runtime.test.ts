import { readdirSync } from 'node:fs'
import t from 'tap'
import type { JsonObject } from '../../engine/json.ts'
import type { Attempt, Runtime } from '../../engine/runtime/runtime.ts'
import {
  attemptOf,
  inlineRuntime,
  listener,
  pidIn,
  processRuntime,
  processRuntimeWithoutPerl,
  runs,
} from '../support/runtimes.ts'
import type { TaskOptions } from '../support/task-context.ts'

/** A way of running, and how each behaviour is asked for there. */
interface Kit {
  readonly name: string
  make(): Runtime
  attempt(behaviour: Behaviour, options: TaskOptions): Attempt
}

type Behaviour =
  | { readonly does: 'outputs'; readonly outputs: JsonObject }
  | { readonly does: 'refused' }
  | { readonly does: 'fail'; readonly kind: string; readonly message: string }
  | { readonly does: 'progress' }
  | { readonly does: 'polite' | 'rude' | 'rude child' }
  | { readonly does: 'environment' }

/** Writes its number to the file `pid`, and ignores SIGTERM. */
const rudeChild = `trap '' TERM; echo $$ > pid; while :; do sleep 60; done`
const nested = `/bin/sh -c "${rudeChild.replaceAll('$', '\\$')}"`

const code = (runtime: 'inline' | 'process') => (behaviour: Behaviour, options: TaskOptions) => {
  const of = (name: string, input: JsonObject = {}) => attemptOf(name, input, { ...options, runtime })
  switch (behaviour.does) {
    case 'outputs':
      return of('Echo', behaviour.outputs)
    case 'refused':
      return of('Count', { count: 'many' })
    case 'fail':
      return of('Fail', { kind: behaviour.kind, message: behaviour.message })
    case 'progress':
      return of('Say')
    case 'polite':
      return of('Polite')
    case 'rude':
      return of('Rude')
    case 'rude child':
      return of('Spawn', { command: `${nested} & until [ -s pid ]; do sleep 0.01; done; : > ready; wait` })
    case 'environment':
      return of('Spawn', { command: 'test "$TEST_COLOR" = red' })
  }
}

const say = (event: JsonObject) => `printf '%s\\n' '${JSON.stringify(event)}' >> "$DAGCTL_EVENTS"`
const starts = say({ type: 'progress', done: 1, unit: 'starts' })

function command(behaviour: Behaviour, options: TaskOptions): Attempt {
  const of = (text: string, name = 'Shell') =>
    attemptOf(name, { command: text }, { ...options, runtime: 'process' })
  switch (behaviour.does) {
    case 'outputs':
      return of(`printf %s '${JSON.stringify(behaviour.outputs)}' > "$DAGCTL_OUTPUT"`)
    case 'refused':
      return of(`echo '{"count":"many"}' > "$DAGCTL_OUTPUT"`, 'CountShell')
    case 'fail':
      return of(`${say({ type: 'failure', kind: behaviour.kind, message: behaviour.message })}; exit 1`)
    case 'progress':
      return of(
        [
          say({ type: 'log', message: 'hello', fields: { n: 1 } }),
          say({ type: 'metric', name: 'rows', value: 5, labels: { kind: 'kept' } }),
          say({ type: 'progress', done: 3, total: 10, unit: 'records' }),
        ].join('\n'),
      )
    case 'polite':
      return of(`trap 'exit 3' TERM; ${starts}; while :; do sleep 0.05; done`)
    case 'rude':
      return of(`trap '' TERM; ${starts}; while :; do sleep 60; done`)
    case 'rude child':
      return of(`${nested} & until [ -s pid ]; do sleep 0.01; done; : > ready; wait`)
    case 'environment':
      return of('test "$TEST_COLOR" = red && echo \'{"code":0}\' > "$DAGCTL_OUTPUT"')
  }
}

const kits: readonly Kit[] = [
  { name: 'inline', make: inlineRuntime, attempt: code('inline') },
  { name: 'process, code in a worker', make: () => processRuntime(), attempt: code('process') },
  { name: 'process, a command', make: () => processRuntime(), attempt: command },
  { name: 'process, a command without Perl', make: processRuntimeWithoutPerl, attempt: command },
]

/** Longer than any test here may take: an end by SIGKILL would fail the test. */
const ample = 60_000

for (const kit of kits) {
  t.test(kit.name, async (t) => {
    const runtime = kit.make()
    t.teardown(() => runtime.close())
    const start = (behaviour: Behaviour, options: TaskOptions) => {
      const heard = listener()
      return { ...heard, running: runtime.start(kit.attempt(behaviour, options), heard.listen) }
    }

    t.test('a success hands on its outputs', async (t) => {
      const outputs = { text: 'grüße\n', list: [1, null, { deep: true }] }
      const { running } = start({ does: 'outputs', outputs }, { dir: t.testdir() })
      t.strictSame(await running.outcome, { type: 'succeeded', outputs })
    })

    t.test('outputs that the schema refuses are invalid_input', async (t) => {
      const { running } = start({ does: 'refused' }, { dir: t.testdir() })
      t.match(await running.outcome, {
        type: 'failed',
        kind: 'invalid_input',
        message: /outputs that its schema refuses: \/count must be integer/,
      })
    })

    t.test('a failure keeps its kind and its message', async (t) => {
      for (const kind of ['gpu_oom', 'network', 'data_corruption']) {
        const { running } = start({ does: 'fail', kind, message: 'as it was said' }, { dir: t.testdir() })
        t.strictSame(await running.outcome, { type: 'failed', kind, message: 'as it was said' })
      }
    })

    t.test('logs, metrics and progress are heard', async (t) => {
      const { running, events } = start({ does: 'progress' }, { dir: t.testdir() })
      t.match(await running.outcome, { type: 'succeeded' })
      t.match(
        events.filter(({ type }) => type !== 'log'),
        [
          { type: 'metric', name: 'rows', value: 5, labels: { kind: 'kept' } },
          { type: 'progress', done: 3, total: 10, unit: 'records' },
        ],
      )
      t.match(
        events.find(({ type }) => type === 'log'),
        { level: 'info', message: 'hello', fields: { n: 1 } },
      )
    })

    t.test('a stop within the grace is the end that the attempt chose', async (t) => {
      const { running, heard } = start({ does: 'polite' }, { dir: t.testdir() })
      await heard('progress')
      running.stop('cancel', ample)
      const outcome = await running.outcome
      t.match(outcome, { type: 'failed', kind: 'user', message: /left when asked|exited with code 3/ })
    })

    t.test('what ignores the stop is ended after the grace', async (t) => {
      const { running, heard } = start({ does: 'rude' }, { dir: t.testdir() })
      await heard('progress')
      running.stop('timeout', 50)
      t.match(await running.outcome, {
        type: 'failed',
        kind: 'crash',
        message: /(killed|abandoned): it did not end within 0.05 s of .*\(timeout\)/,
      })
    })

    t.test('a second stop with a shorter grace counts', async (t) => {
      const { running, heard } = start({ does: 'rude' }, { dir: t.testdir() })
      await heard('progress')
      running.stop('timeout', ample)
      running.stop('cancel', 50)
      t.match(await running.outcome, { type: 'failed', kind: 'crash', message: /within 0.05 s/ })
    })

    t.test('a stop before the process is there is heeded', async (t) => {
      const { running } = start({ does: 'rude' }, { dir: t.testdir() })
      running.stop('cancel', 50)
      t.match(await running.outcome, { type: 'failed', kind: 'crash' })
    })

    t.test('a stop after the end changes nothing', async (t) => {
      const { running } = start({ does: 'outputs', outputs: { a: 1 } }, { dir: t.testdir() })
      const outcome = await running.outcome
      running.stop('cancel', 0)
      t.strictSame(await running.outcome, outcome)
      const next = start({ does: 'outputs', outputs: { a: 2 } }, { dir: t.testdir(), attempt: 2 })
      t.strictSame(await next.running.outcome, { type: 'succeeded', outputs: { a: 2 } })
    })

    t.test('children that ignore SIGTERM do not outlive the grace', async (t) => {
      const dir = t.testdir()
      const { running } = start({ does: 'rude child' }, { dir })
      await appears(dir, 'ready')
      const pid = pidIn(`${dir}/pid`)
      t.ok(runs(pid))
      running.stop('cancel', 100)
      await running.outcome
      t.notOk(runs(pid), 'the child of the child is gone')
    })

    t.test('a command has the environment of the task', async (t) => {
      const { running } = start({ does: 'environment' }, { dir: t.testdir(), env: { TEST_COLOR: 'red' } })
      t.match(await running.outcome, { type: 'succeeded', outputs: { code: 0 } })
    })

    t.test('an operator that nobody has is invalid_input', async (t) => {
      const attempt = kit.attempt({ does: 'outputs', outputs: {} }, { dir: t.testdir() })
      const { outcome } = runtime.start({ ...attempt, operator: { name: 'Absent', version: 1 } }, () => {})
      t.match(await outcome, { type: 'failed', kind: 'invalid_input', message: /no operator Absent@1/ })
    })

    t.test('an attempt that nobody ever started is gone without a trace', async (t) => {
      const attempt = kit.attempt({ does: 'outputs', outputs: {} }, { dir: t.testdir() })
      t.match(await runtime.attach(attempt, () => {}).outcome, { type: 'released', kind: 'node_lost' })
    })

    t.test('attempts run side by side', async (t) => {
      const dir = t.testdir()
      const all = Array.from({ length: 8 }, (_, n) =>
        start({ does: 'outputs', outputs: { n } }, { dir, attempt: n + 1 }),
      )
      const outcomes = await Promise.all(all.map(({ running }) => running.outcome))
      t.strictSame(
        outcomes,
        Array.from({ length: 8 }, (_, n) => ({ type: 'succeeded', outputs: { n } })),
      )
    })
  })
}

for (const kit of kits.slice(0, 2)) {
  t.test(`${kit.name}: sleep, skip, state and folders of an operator's code`, async (t) => {
    const runtime = kit.make()
    t.teardown(() => runtime.close())
    const inline = kit.name === 'inline'
    const run = (name: string, input: JsonObject, options: TaskOptions) =>
      runtime.start(attemptOf(name, input, { ...options, runtime: inline ? 'inline' : 'process' }), () => {})
        .outcome
    const dir = t.testdir()
    t.strictSame(await run('Sleep', {}, { dir }), { type: 'sleep', until: 5000, state: { looks: 1 } })
    const woken = await run('Sleep', {}, { dir, attempt: 2, state: { looks: 1 } })
    t.strictSame(woken, { type: 'succeeded', outputs: { state: { looks: 1 } } })
    const asleep = {
      type: 'sleep',
      until: null,
      state: { run: 'r' },
      on: {
        paths: ['/data'],
        datasets: ['s3://lake/a'],
        runs: ['r'],
        person: { kind: 'approval', message: 'Go?', form: { type: 'object' }, details: [1] },
      },
    }
    t.strictSame(await run('End', { outcome: asleep }, { dir, attempt: 8 }), asleep)
    t.strictSame(await run('ThrowLater', { retryAfter: 7000 }, { dir, attempt: 9 }), {
      type: 'failed',
      kind: 'network',
      message: 'it asks to be left alone',
      retryAfter: 7000,
    })
    t.strictSame(await run('Skip', {}, { dir, attempt: 3 }), { type: 'skipped', reason: 'nothing to do' })
    t.match(await run('Throw', { message: 'no way', code: 'ECONNRESET' }, { dir, attempt: 4 }), {
      kind: 'network',
    })
    t.match(await run('Checkpoint', { step: 7 }, { dir, attempt: 5 }), { outputs: { before: null } })
    t.match(await run('Checkpoint', { step: 8 }, { dir, attempt: 6 }), { outputs: { before: 7 } })
    const folders = await run('Folders', {}, { dir, attempt: 7 })
    t.match(folders, { outputs: { cwd: dir, work: `${dir}/.dagctl/attempts/run-1/run-1-test-7/work` } })
    t.strictSame(readdirSync(`${dir}/.dagctl/artifacts/run-1/run-1-test-7`), ['b'])
  })
}

t.test('inline makes no folder for an attempt that says nothing', async (t) => {
  const dir = t.testdir()
  const runtime = inlineRuntime()
  await runtime.start(attemptOf('Echo', {}, { dir, runtime: 'inline' }), () => {}).outcome
  t.strictSame(readdirSync(dir), [])
})

/** Waits for a file that a process of the test makes. */
async function appears(dir: string, name: string): Promise<void> {
  const { watch } = await import('node:fs/promises')
  const stop = new AbortController()
  const events = watch(dir, { signal: stop.signal })
  if (readdirSync(dir).includes(name)) return
  for await (const { filename } of events) if (filename === name) return
}
