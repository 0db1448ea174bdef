import t from 'tap'
import { planTable } from '../../cli/backfill-print.ts'
import { capturing, dagctl } from '../support/command-line.ts'

const day = 24 * 3_600_000
const rows = Array.from({ length: 50_000 }, (_, index) => ({
  interval: { start: index * day, end: (index + 1) * day },
  ...(index % 10 === 0
    ? ({ action: 'skip', reason: 'already succeeded', run: `r${index}`, state: 'succeeded' } as const)
    : ({ action: 'run', reason: 'no run yet', run: null, state: null } as const)),
}))
const { terminal } = capturing('/', { env: { NO_COLOR: '1' } })

t.test(
  'of a long plan a terminal shows both ends, how many there are of each kind, and where all are',
  async (t) => {
    const lines = (
      await planTable({ rows }, { ...terminal, out: { ...terminal.out, isTerminal: true } })
    ).split('\n')
    t.match(lines[1], /^1970-01-01.* skip {2}succeeded {2}r0 .* already succeeded$/)
    t.equal(lines[21], '… 49,970 more')
    t.match(lines[31], /^2106-11-23.* no run yet$/)
    t.strictSame(lines.slice(32), [
      '',
      '5,000: skip, succeeded, already succeeded',
      '45,000: run, no run yet',
      '--json shows every interval',
    ])
  },
)

t.test('where it goes into a pipe it is whole', async (t) => {
  t.equal((await planTable({ rows }, terminal)).split('\n').length, 50_001)
})

t.test('a plan of half a million intervals is shown', async (t) => {
  const folder = t.testdir({
    'hourly.yaml': 'dagctl: 1\npipeline: hourly\nschedule: { every: 1h }\ntasks: { a: { uses: Noop } }\n',
  })
  const range = ['--from', '1970-01-01', '--to', '2026-01-01']
  const { exit, out } = await dagctl(folder, ['backfill', 'hourly.yaml', ...range, '--dry-run'])
  t.equal(exit, 0)
  t.match(out, '490,896 intervals to run, 0 intervals to skip')
})
