import t from 'tap'
import { notify } from '../../operators/control/notify.ts'
import { wait } from '../../operators/control/wait.ts'
import { runOperator } from '../support/task-context.ts'

const at = (text: string) => ({ now: () => Date.parse(text) })
const noon = Date.parse('2026-05-01T12:00:00Z')

t.test(
  'Wait sleeps for a duration, and is over when it is woken, whatever the clock says then',
  async (t) => {
    const dir = t.testdir()
    const first = await runOperator(wait, { for: '15m' }, { dir, clock: at('2026-05-01T12:00:00Z') })
    t.strictSame(first.outcome, { type: 'sleep', until: noon + 900_000, state: noon + 900_000 })
    for (const woken of ['2026-05-01T12:15:00Z', '2026-05-01T11:15:00Z']) {
      const { outcome } = await runOperator(
        wait,
        { for: '15m' },
        { dir, clock: at(woken), state: noon + 900_000 },
      )
      t.strictSame(outcome, { type: 'succeeded', outputs: { until: '2026-05-01T12:15:00.000Z' } })
    }
  },
)

t.test('Wait takes every way to write a duration', async (t) => {
  const cases: [string, number][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
    ['PT15M', 900_000],
    ['P1DT1S', 86_401_000],
  ]
  for (const [text, milliseconds] of cases) {
    const { outcome } = await runOperator(
      wait,
      { for: text },
      { dir: t.testdir(), clock: { now: () => noon } },
    )
    t.match(outcome, { type: 'sleep', until: noon + milliseconds }, text)
  }
})

t.test('Wait until an instant sleeps until then, and not at all when it has passed', async (t) => {
  const dir = t.testdir()
  const before = await runOperator(
    wait,
    { until: '2026-05-01T14:00:00+02:00' },
    { dir, clock: { now: () => noon - 1 } },
  )
  t.match(before.outcome, { type: 'sleep', until: noon })
  const after = await runOperator(
    wait,
    { until: '2026-05-01T14:00:00+02:00' },
    { dir, clock: { now: () => noon } },
  )
  t.match(after.outcome, { type: 'succeeded' })
})

t.test('Wait needs exactly one end, in words it knows', async (t) => {
  for (const input of [
    {},
    { for: '1h', until: '2026-05-01T12:00:00Z' },
    { for: 'soon' },
    { for: 'P' },
    { until: 'tomorrow' },
  ]) {
    const { outcome } = await runOperator(wait, input as never, { dir: t.testdir() })
    t.match(outcome, { type: 'failed', kind: 'invalid_input' }, JSON.stringify(input))
  }
})

t.test('Notify says its text in the log', async (t) => {
  const { outcome, logs } = await runOperator(notify, { text: 'ready: /data' }, { dir: t.testdir() })
  t.match(logs, [{ level: 'info', message: 'ready: /data' }])
  t.strictSame(outcome, { type: 'succeeded', outputs: { channel: 'console', text: 'ready: /data' } })
})

t.test('Notify refuses a channel that it does not have', async (t) => {
  const { outcome } = await runOperator(notify, { text: 'x', channel: 'slack' }, { dir: t.testdir() })
  t.match(outcome, { type: 'failed', kind: 'invalid_input', message: /console/ })
})
