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
  t.strictSame(await of('{ every: 15m, start: "2026-01-01T00:00:00Z" }'), {
    cron: [],
    every: 900_000,
    timezone: 'UTC',
    start: Date.UTC(2026, 0, 1),
    end: null,
  })
  t.match(await of('{ cron: "@daily", timezone: Asia/Kolkata, start: 2026-01-01, end: 2026-02-01T12:00 }'), {
    start: Date.UTC(2025, 11, 31, 18, 30),
    end: Date.UTC(2026, 1, 1, 6, 30),
  })
  t.equal((await pipelineOf('  a: { uses: Noop }')).schedule, null)
})

t.test('catchup, overlap, window and datasets are data too, absent where nothing is said', async (t) => {
  const of = async (schedule: string) => (await pipelineOf(file(schedule))).schedule
  t.match(
    await of('{ cron: "@daily", catchup: latest, overlap: skip, window: { from: "22:00", to: "06:30" } }'),
    { catchup: 'latest', overlap: 'skip', window: { from: 1320, to: 390 } },
  )
  t.strictSame(
    await of('{ datasets: { all: ["s3://a", out/b] }, overlap: cancel, timezone: Europe/Berlin }'),
    {
      cron: [],
      every: null,
      timezone: 'Europe/Berlin',
      start: null,
      end: null,
      datasets: { mode: 'all', uris: ['s3://a', 'out/b'] },
      overlap: 'cancel',
    },
  )
  t.strictSame((await of('{ datasets: { any: [a] } }'))?.datasets, { mode: 'any', uris: ['a'] })
  t.strictSame(Object.keys((await of('{ every: 1h }')) ?? {}), ['cron', 'every', 'timezone', 'start', 'end'])
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
    ['{ cron: "@daily", window: { from: "06:00", to: "06:00" } }', /^E140 the window is empty/],
    ['{ cron: "@daily", window: { from: "24:00", to: "06:00" } }', /^E113/],
    ['{ cron: "@daily", datasets: { all: [a] } }', /^E114/],
    ['{ datasets: {} }', /^E114/],
    ['{ datasets: { all: [a], any: [b] } }', /^E114/],
    ['{ datasets: { all: [] } }', /^E113/],
    ['{ datasets: { all: [a] }, catchup: all }', /^E140 `catchup` cannot stand beside `datasets`/],
    ['{ datasets: { all: [a] }, window: { from: "22:00", to: "06:00" } }', /^E140 `window` cannot/],
    ['{ datasets: { all: ["{{ run.id }}"] } }', /^E130 a dataset of a schedule cannot hold a template/],
  ]
  for (const [schedule, error] of cases) t.match(await errorsOf(file(schedule)), [error], schedule)
})

t.test('a cron expression that never fires is warned of', async (t) => {
  t.strictSame(await warningsOf(file('{ cron: "0 0 30 2 *" }')), ['W105'])
  t.strictSame(await warningsOf(file('{ cron: "0 0 29 2 *" }')), [])
})
