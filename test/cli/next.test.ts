import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { casesFolder } from '../support/cases.ts'
import { dagctl, json } from '../support/command-line.ts'

interface Vector {
  readonly expr: string
  readonly tz: string
  readonly from: string
  readonly next: readonly string[]
}

const yamlOf = (schedule: string) =>
  `dagctl: 1\npipeline: due\nschedule: ${schedule}\ndefaults: { timeout: 1m }\ntasks: { a: { uses: Noop } }\n`

t.test('all 275 vectors on which three cron libraries agree', async (t) => {
  const cases = casesFolder(t, 'cron')
  if (cases === null) return
  const { vectors } = JSON.parse(readFileSync(join(cases, 'next.json'), 'utf8')) as {
    vectors: readonly Vector[]
  }
  const folder = t.testdir({})
  t.equal(vectors.length, 275)
  for (const { expr, tz, from, next } of vectors) {
    writeFileSync(join(folder, 'due.yaml'), yamlOf(JSON.stringify({ cron: expr, timezone: tz })))
    const { exit, document } = await json(folder, ['next', 'due.yaml', '--count', '5', '--after', from])
    const wanted = next.map((instant) => new Date(instant).toISOString())
    t.strictSame(
      { exit, instants: document.instants },
      { exit: 0, instants: wanted },
      `${expr} ${tz} from ${from}`,
    )
  }
})

t.test('interval i ends at instant i and begins where the one before ended', async (t) => {
  const folder = t.testdir({ 'due.yaml': yamlOf('{ cron: "0 2 * * *" }') })
  const { document } = await json(folder, ['next', 'due.yaml', '--after', '2026-01-01', '--count', '2'])
  t.strictSame(document, {
    instants: ['2026-01-01T02:00:00.000Z', '2026-01-02T02:00:00.000Z'],
    intervals: [
      { start: '2025-12-31T02:00:00.000Z', end: '2026-01-01T02:00:00.000Z' },
      { start: '2026-01-01T02:00:00.000Z', end: '2026-01-02T02:00:00.000Z' },
    ],
  })
})

t.test('a time without an offset is in the zone of the pipeline', async (t) => {
  const folder = t.testdir({ 'due.yaml': yamlOf('{ cron: "0 2 * * *", timezone: Europe/Berlin }') })
  const { document } = await json(folder, ['next', 'due.yaml', '--after', '2026-07-01T01:30', '--count', '1'])
  t.strictSame(document.instants, ['2026-07-01T00:00:00.000Z'])
})

t.test('a schedule that is over has no further instants', async (t) => {
  const folder = t.testdir({
    'due.yaml': yamlOf('{ cron: "0 2 * * *", start: 2026-01-01, end: 2026-01-03 }'),
  })
  const { exit, document } = await json(folder, ['next', 'due.yaml', '--after', '2026-02-01'])
  t.equal(exit, 0)
  t.strictSame(document, { instants: [], intervals: [] })
})

t.test('without a schedule there is no next: exit 2', async (t) => {
  const folder = t.testdir({
    'due.yaml': 'dagctl: 1\npipeline: due\ntasks: { a: { uses: Noop, timeout: 1m } }\n',
  })
  const { exit, err } = await dagctl(folder, ['next', 'due.yaml'])
  t.equal(exit, 2)
  t.match(err, 'E208 the pipeline due has no schedule')
})

t.test('counts and times that are none are refused: exit 2', async (t) => {
  const folder = t.testdir({ 'due.yaml': yamlOf('{ cron: "0 2 * * *" }') })
  for (const words of [
    ['--count', '0'],
    ['--count', 'many'],
    ['--after', 'tomorrow'],
    ['--after', '2026-02-30'],
  ])
    t.equal((await dagctl(folder, ['next', 'due.yaml', ...words])).exit, 2, words.join(' '))
})

t.test('a schedule of datasets has no instants to list or backfill; a manual run has its time', async (t) => {
  const folder = t.testdir({ 'due.yaml': yamlOf('{ datasets: { any: ["s3://lake/docs"] } }') })
  for (const words of [['next'], ['backfill', '--from', '2026-01-01', '--to', '2026-02-01']]) {
    const { exit, document } = await json(folder, [words[0] as string, 'due.yaml', ...words.slice(1)])
    t.equal(exit, 2)
    t.match(document.error, {
      code: 'E208',
      message: /due has a schedule of datasets, so it has no intervals/,
    })
  }
  const { document } = await json(folder, ['run', 'due.yaml', '--at', '2026-01-31T12:00Z'])
  const at = '2026-01-31T12:00:00.000Z'
  t.strictSame(document.run.interval, { start: at, end: at })
})
