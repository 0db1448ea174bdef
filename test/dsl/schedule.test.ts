import t from 'tap'
import { errorsOf, pipelineOf, warningsOf } from '../support/compiled.ts'

const file = (schedule: string) => `schedule: ${schedule}\ntasks:\n  a: { uses: Noop }\n`

t.test('schedules become data', async (t) => {
  const of = async (schedule: string) => (await pipelineOf(file(schedule))).schedule
  t.strictSame(await of('{ cron: "@daily" }'), {
    cron: ['@daily'],
    every: null,
    timezone: 'UTC',
    start: null,
    end: null,
  })
  t.strictSame((await of('{ cron: ["0 1 * * *", "0 0 13 * * *"] }'))?.cron, ['0 1 * * *', '0 0 13 * * *'])
  t.match(await of('{ every: 15m, start: "2026-01-01T00:00:00Z" }'), {
    cron: [],
    every: 900_000,
    start: Date.UTC(2026, 0, 1),
  })
  t.match(await of('{ cron: "@daily", timezone: Asia/Kolkata, start: 2026-01-01, end: 2026-02-01T12:00 }'), {
    start: Date.UTC(2025, 11, 31, 18, 30),
    end: Date.UTC(2026, 1, 1, 6, 30),
  })
  t.equal((await pipelineOf('  a: { uses: Noop }')).schedule, null)
})

t.test('what cannot be read is an error with a place', async (t) => {
  const cases: readonly [string, RegExp][] = [
    ['{ cron: "61 * * * *" }', /^E150/],
    ['{ cron: ["@daily", "x"] }', /^E150/],
    ['{ cron: "@daily", timezone: Mars/Base }', /^E151/],
    ['{ cron: "@daily", start: 2026-13-01 }', /^E152/],
    ['{ cron: "@daily", start: tomorrow }', /^E113/],
    ['{ cron: "@daily", start: 2026-01-02, end: 2026-01-02 }', /^E140/],
    ['{ every: 10ms }', /^E140/],
    ['{ timezone: UTC }', /^E114/],
    ['{ cron: "@daily", every: 1h }', /^E114/],
    ['{ cron: [] }', /^E113/],
  ]
  for (const [schedule, error] of cases) t.match(await errorsOf(file(schedule)), [error], schedule)
})

t.test('a cron expression that never fires is warned of', async (t) => {
  t.strictSame(await warningsOf(file('{ cron: "0 0 30 2 *" }')), ['W105'])
  t.strictSame(await warningsOf(file('{ cron: "0 0 29 2 *" }')), [])
})
