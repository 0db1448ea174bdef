import t from 'tap'
import { conduct } from '../../cli/conduct.ts'
import { displayOf, taskLines } from '../../cli/live.ts'
import { paintFor } from '../../cli/print.ts'
import { RunProgress } from '../../cli/progress.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Report } from '../../engine/report.ts'
import type { TaskState } from '../../engine/state.ts'
import { capturing } from '../support/command-line.ts'
import { each, pipelineOf } from '../support/pipelines.ts'

function report(
  task: string,
  event: string,
  state: TaskState,
  more: Partial<Report & { type: 'task' }> = {},
): Report {
  return {
    type: 'task',
    name: task,
    run: 'r',
    task,
    key: null,
    event,
    state,
    attempt: 1,
    at: 1000,
    failure: null,
    ...more,
  }
}

const still = { now: () => 61_000, at: () => ({ cancel() {} }), soon: () => {}, elapsed: () => 0 }

t.test('the live table shows each task with its state, time and progress', (t) => {
  const { terminal } = capturing('/', {
    screen: { columns: 100, rows: 24 },
    clock: still,
    env: { NO_COLOR: '1' },
  })
  const progress = new RunProgress(pipelineOf({ first: {}, second: {}, third: {} }))
  progress.take(report('first', 'claim', 'running', { at: 0 }))
  progress.take(report('first', 'succeed', 'succeeded', { at: 1500 }))
  progress.take(report('second', 'claim', 'running', { at: 1000, attempt: 2 }))
  const event = { type: 'progress', done: 1234, total: 5000, unit: 'records' } as const
  progress.take({ type: 'attempt', run: 'r', task: 'second', name: 'second', key: null, attempt: 2, event })
  t.strictSame(taskLines(progress, terminal, paintFor(terminal.err, terminal.env)), [
    '✓ first   succeeded          1.5 s',
    '▸ second  running           1m 00s  attempt 2  1,234 of 5,000 records (24 %)',
    '· third   waiting',
  ])
  t.end()
})

t.test('that a sensor sleeps is said once, not at each look', async (t) => {
  const { terminal, said } = capturing('/', { clock: still, env: { NO_COLOR: '1' } })
  const display = await displayOf(terminal, new RunProgress(pipelineOf({ landed: {} })))
  for (const attempt of [1, 2, 3]) {
    display.report(report('landed', 'claim', 'running', { attempt }))
    display.report(report('landed', 'sleep', 'sleeping', { attempt }))
    display.report(report('landed', 'wake', 'ready', { attempt }))
  }
  const failure = { kind: 'network', message: 'gone' } as const
  display.report(report('landed', 'retry', 'retrying', { attempt: 4, failure }))
  display.report(report('landed', 'claim', 'running', { attempt: 5 }))
  t.equal(
    said().err,
    'landed running\nlanded sleeping\nlanded attempt 4 failed (network): gone; it is tried again\nlanded running, attempt 5\n',
  )
})

t.test('of instances the table shows how many have ended, the lines only what went wrong', async (t) => {
  const { terminal, said } = capturing('/', { clock: still, env: { NO_COLOR: '1' } })
  const progress = new RunProgress(pipelineOf({ mask: { foreach: each([1, 2]) } }))
  const display = await displayOf(terminal, progress)
  display.report(report('mask', 'expand', 'running', { at: 0 }))
  for (const [key, end] of [
    ['eu', 'succeed'],
    ['us', 'fail'],
  ] as const) {
    const instance = { key, name: `mask[${key}]`, failure: { kind: 'network', message: 'gone' } } as const
    display.report(report('mask', 'unblock', 'ready', { ...instance, attempt: 0 }))
    display.report(report('mask', 'claim', 'running', instance))
    if (key === 'us') display.report(report('mask', 'retry', 'retrying', instance))
    display.report(report('mask', end, end === 'fail' ? 'failed' : 'succeeded', instance))
  }
  t.strictSame(progress.tasks[0]?.amount, { done: 2, total: 2, unit: 'instances' })
  t.strictSame(said().err.trim().split('\n'), [
    'mask[us] attempt 1 failed (network): gone; it is tried again',
    'mask[us] failed (network): gone',
  ])
})

t.test('a failure shows its reason on one line, cut to the width', (t) => {
  const { terminal } = capturing('/', {
    screen: { columns: 60, rows: 24 },
    clock: still,
    env: { NO_COLOR: '1' },
  })
  const progress = new RunProgress(pipelineOf({ first: {} }))
  const failure = { kind: 'user', message: `bad\n\u001b[2Jthing ${'x'.repeat(200)}` } as const
  progress.take(report('first', 'fail', 'failed', { failure }))
  const [line = ''] = taskLines(progress, terminal, paintFor(terminal.err, terminal.env))
  t.match(line, 'user: bad ·[2Jthing xx')
  t.ok(line.length <= 60, `${line.length} characters`)
  t.end()
})

t.test('where not all tasks have room, those that matter show, and counts of the rest', (t) => {
  const { terminal } = capturing('/', {
    screen: { columns: 100, rows: 10 },
    clock: still,
    env: { NO_COLOR: '1' },
  })
  const ids = Array.from({ length: 1000 }, (_, index) => `t${index}`)
  const progress = new RunProgress(pipelineOf(Object.fromEntries(ids.map((id) => [id, {}]))))
  for (const id of ids.slice(0, 500)) progress.take(report(id, 'succeed', 'succeeded'))
  progress.take(report('t700', 'fail', 'failed'))
  progress.take(report('t800', 'claim', 'running'))
  const lines = taskLines(progress, terminal, paintFor(terminal.err, terminal.env))
  t.equal(lines.length, 6)
  t.match(lines[0], '▸ t800')
  t.match(lines[1], '✗ t700')
  t.match(lines.at(-1), 'of 1,000 tasks: 500 succeeded, 498 waiting, 1 failed, 1 running')
  t.end()
})

t.test('a thousand reports in one moment draw one picture', async (t) => {
  let due = () => {}
  const at = (_: number, fire: () => void) => {
    due = fire
    return { cancel() {} }
  }
  const clock = { ...still, at }
  const { terminal, said } = capturing('/', { screen: { columns: 100, rows: 24 }, clock })
  const display = await displayOf(terminal, new RunProgress(pipelineOf({ first: {} })))
  const before = said().err.length
  for (let done = 0; done < 1000; done++) {
    const event = { type: 'progress', done, total: null, unit: 'records' } as const
    display.report({ type: 'attempt', run: 'r', task: 'first', name: 'first', key: null, attempt: 1, event })
  }
  t.equal(said().err.length, before, 'nothing is drawn until the time has come')
  const started = report('first', 'claim', 'running')
  display.report(started)
  due()
  t.match(said().err.slice(before), 'running')
  display.close()
})

function fakeEngine() {
  const calls: string[] = []
  let drained = () => {}
  const engine = {
    failing: new Promise<never>(() => {}),
    cancelAll: () => calls.push('cancel'),
    drain: () => {
      calls.push('drain')
      return new Promise<void>((resolve) => {
        drained = resolve
      })
    },
  }
  return { engine: engine as unknown as Engine, calls, drained: () => drained() }
}

const silent = { report() {}, note() {}, close() {} }

t.test('Ctrl-C once cancels and waits for the end', async (t) => {
  const { engine, calls } = fakeEngine()
  const { terminal, signal } = capturing('/')
  let end = () => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  const how = conduct({ engine, terminal, display: silent, done, onInterrupt: 'cancel', goOn: '' })
  signal('interrupt')
  t.strictSame(calls, ['cancel'])
  end()
  t.equal(await how, 'cancelled')
})

t.test('Ctrl-C twice leaves at once', async (t) => {
  const { engine } = fakeEngine()
  const { terminal, signal } = capturing('/')
  const done = new Promise<void>(() => {})
  const how = conduct({ engine, terminal, display: silent, done, onInterrupt: 'cancel', goOn: '' })
  signal('interrupt')
  signal('interrupt')
  t.equal(await how, 'left')
})

t.test('SIGTERM drains: nothing is cancelled, and the runs stay for later', async (t) => {
  const { engine, calls, drained } = fakeEngine()
  const { terminal, signal } = capturing('/')
  const done = new Promise<void>(() => {})
  const how = conduct({ engine, terminal, display: silent, done, onInterrupt: 'cancel', goOn: '' })
  signal('terminate')
  t.strictSame(calls, ['drain'])
  drained()
  t.equal(await how, 'left')
})
