/** Operators that behave in every way that a runtime must cope with. A catalogue, as workers load it. */
import { existsSync, watch, writeFileSync } from 'node:fs'
import { shell } from '../../operators/control/shell.ts'
import {
  defineOperator,
  failed,
  type Operator,
  OperatorFailure,
  skipped,
  sleep,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'

// biome-ignore lint/suspicious/noExplicitAny: each of these operators has an input of its own.
type Run = (input: any, task: TaskContext) => ReturnType<Operator['run'] & {}>

const open = { type: 'object', additionalProperties: true }

const code = (name: string, run: Run, output: Operator['output'] = open): Operator =>
  defineOperator({
    name,
    stage: 'control',
    summary: 'Behaves, for a test.',
    example: '',
    input: open,
    output,
    runtimes: ['inline', 'process'],
    run,
  })

/** Elsewhere it is the test's own process, whose output is the test's report. */
const inWorker = process.argv.includes('--catalogue')

function print(): void {
  console.log('printed')
  console.error('complained')
  process.stdout.write('without an end of line')
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })

const counted = {
  type: 'object',
  properties: { count: { type: 'integer' } },
  required: ['count'],
  additionalProperties: false,
}

const operators: Operator[] = [
  code('Echo', (input) => succeeded(input)),
  code('Count', ({ count }) => succeeded({ count }), counted),
  code('Fail', ({ kind, message }) => failed(kind, message)),
  code('Throw', ({ message, code }) => {
    throw Object.assign(new Error(message), { code })
  }),
  code('Sleep', (_input, task) =>
    task.state === null ? sleep(5000, { looks: 1 }) : succeeded({ state: task.state }),
  ),
  // Ends as its input says, word for word.
  code('End', ({ outcome }) => outcome),
  code('ThrowLater', ({ retryAfter }) => {
    throw new OperatorFailure('network', 'it asks to be left alone', { retryAfter })
  }),
  code('Skip', () => skipped('nothing to do')),
  code('Big', ({ bytes }) => succeeded({ text: 'x'.repeat(bytes) })),
  // Says that it began, and ends when it is asked to.
  code('Polite', async (_input, task) => {
    task.progress(1, null, 'starts')
    await aborted(task.signal)
    return failed('user', 'left when asked')
  }),
  // Says that it began, and never ends.
  code('Rude', (_input, task) => {
    // A worker without an engine would end when nothing is left to wait for; a test must not be kept by this.
    const alive = setInterval(() => {}, 1000)
    if (!inWorker) alive.unref()
    task.progress(1, null, 'starts')
    return new Promise(() => {})
  }),
  // Says that it began, and waits for what never comes.
  code('Idle', (_input, task) => {
    task.progress(1, null, 'starts')
    return new Promise(() => {})
  }),
  code('Blocked', (_input, task) => {
    task.progress(1, null, 'starts')
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  }),
  code('Spawn', async ({ command, say }, task) => {
    if (say) task.progress(1, null, 'starts')
    const ended = await task.spawn('/bin/sh', ['-c', command])
    return succeeded({ ...ended, env: process.env.TEST_COLOR ?? null })
  }),
  // Says that it began, and ends with success when a file named `go` appears in its folder.
  code('WaitForGo', async (_input, task) => {
    task.progress(1, null, 'starts')
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!existsSync(`${task.cwd}/go`)) return
        watcher.close()
        resolve()
      }
      const watcher = watch(task.cwd, look)
      look()
    })
    return succeeded({ went: true, pid: process.pid })
  }),
  code('Say', (_input, task) => {
    task.log.info('hello', { n: 1 })
    task.log.warn('careful')
    if (inWorker) print()
    task.metric('rows', 5, { kind: 'kept' })
    task.progress(3, 10, 'records')
    return succeeded()
  }),
  code('Checkpoint', async ({ step }, task) => {
    const before = await task.checkpoint.load()
    await task.checkpoint.save(step, { step })
    return succeeded({ before: before?.step ?? null })
  }),
  code('Folders', (_input, task) => {
    writeFileSync(`${task.work}/a`, '')
    writeFileSync(`${task.artifacts}/b`, '')
    return succeeded({ work: task.work, artifacts: task.artifacts, cwd: task.cwd })
  }),
  code('Pid', () => succeeded({ pid: process.pid })),
  code('Exit', ({ code }) => process.exit(code)),
  code('Signal', ({ signal }) => {
    process.kill(process.pid, signal)
    return new Promise(() => {})
  }),
  code('HeapOom', () => {
    const kept: unknown[] = []
    for (;;) kept.push(new Array(100_000).fill(kept.length))
  }),
  code('LateThrow', () => {
    setImmediate(() => {
      throw new RangeError('too late to be caught')
    })
    return new Promise(() => {})
  }),
  { ...shell, output: open },
  { ...shell, name: 'CountShell', output: counted },
]

/** The table, as operators/catalogue.ts has it. */
export const builtin: { readonly [name: string]: () => Promise<Operator> } = Object.fromEntries(
  operators.map((operator) => [operator.name, async () => operator]),
)
