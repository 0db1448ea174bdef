import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { dagctl, holds, json, start, waits } from '../support/command-line.ts'
import { pipelineOf } from '../support/compiled.ts'
import { backfillRecord } from '../support/stored-records.ts'

const range = ['--from', '2026-01-01', '--to', '2026-01-06']

const daily = (tasks: string) => `dagctl: 1
pipeline: daily
schedule: { cron: "0 0 * * *", start: 2026-01-02 }
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
${tasks}
`

/** Notes its day, and goes on once the file `go` is there. */
const waiting = daily(`  hold: { run: "echo {{ date run.interval.start 'dd' }} >> began; ${waits('go')}" }`)

/** The backfill of a folder, once so many of its runs are made. */
async function made(folder: string, runs: number) {
  for (;;) {
    const [backfill] = (await json(folder, ['backfills', 'list'])).document.backfills
    const { toRun, ...counts } = backfill.counts
    if (Object.values<number>(counts).reduce((sum, count) => sum + count) === runs) return backfill
  }
}

const noted = (folder: string) => readFileSync(join(folder, 'began'), 'utf8').trim().split('\n')

t.test('a paused backfill starts nothing more, by whoever paused it, until it is resumed', async (t) => {
  const folder = t.testdir({ 'daily.yaml': waiting })
  const started = start(folder, ['backfill', 'daily.yaml', ...range, '--max-active', '1', '--json'])
  await holds(join(folder, 'began'), '02')
  const { id, createdAt, ...row } = await made(folder, 4)
  t.type(createdAt, 'string')
  t.strictSame(row, {
    pipeline: 'daily',
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-01-06T00:00:00.000Z',
    mode: 'missing',
    state: 'running',
    maxActive: 1,
    counts: { queued: 3, running: 1, paused: 0, succeeded: 0, failed: 0, cancelled: 0, toRun: 0 },
  })
  const paused = await json(folder, ['backfills', 'pause', id])
  t.strictSame([paused.exit, paused.document.backfill.state], [0, 'paused'])
  await started.said('is paused')
  writeFileSync(join(folder, 'go'), '')
  await started.said('1 of 4 done')
  const left = await json(folder, ['runs', 'list', '--active'])
  t.strictSame(
    left.document.runs.map(({ state }: { state: string }) => state),
    ['queued', 'queued', 'queued'],
    'what was queued stays so',
  )
  t.strictSame(noted(folder), ['02'])

  const resumed = await json(folder, ['backfills', 'resume', id])
  t.equal(resumed.exit, 0)
  t.strictSame(Object.keys(resumed.document), ['id', 'intervals', 'tasks'])
  const { exit, out } = await started.ended
  t.equal(exit, 0, 'the process that waited sees its end too')
  t.equal(JSON.parse(out).id, id)
  t.strictSame(noted(folder), ['02', '03', '04', '05'])
})

t.test('a pause outlives its process; the same command goes on', async (t) => {
  const folder = t.testdir({ 'daily.yaml': waiting })
  const words = ['backfill', 'daily.yaml', ...range, '--max-active', '1']
  const started = start(folder, words)
  await holds(join(folder, 'began'), '02')
  const [{ id }] = (await json(folder, ['backfills', 'list'])).document.backfills
  await json(folder, ['backfills', 'pause', id])
  started.child.kill('SIGKILL')
  await started.ended
  t.equal((await json(folder, ['backfills', 'show', id])).document.backfill.state, 'paused')
  writeFileSync(join(folder, 'go'), '')
  const again = await json(folder, words)
  t.strictSame([again.exit, again.document.id], [0, id])
  t.strictSame(noted(folder).sort(), ['02', '03', '04', '05'])
  t.equal((await json(folder, ['backfills', 'show', id])).document.backfill.state, 'succeeded')
})

t.test('a dry run of an unfinished one shows its own state, and what is left of it', async (t) => {
  const folder = t.testdir({ 'daily.yaml': waiting })
  const words = ['backfill', 'daily.yaml', ...range, '--max-active', '1']
  const started = start(folder, words)
  await holds(join(folder, 'began'), '02')
  const { id } = await made(folder, 4)
  await json(folder, ['backfills', 'pause', id])
  writeFileSync(join(folder, 'go'), '')
  await started.said('1 of 4 done')
  started.child.kill('SIGKILL')
  await started.ended
  const dry = await json(folder, [...words, '--dry-run'])
  t.strictSame([dry.document.id, dry.document.intervals.length, dry.document.tasks], [id, 4, 3])
  const { taskSeconds, basedOn } = dry.document.estimate
  const [run] = (await json(folder, ['runs', 'list'])).document.runs.slice(-1)
  const [task] = (await json(folder, ['runs', 'show', run.id])).document.tasks
  const took = (Date.parse(task.endedAt) - Date.parse(task.startedAt)) / 1000
  t.equal(basedOn, 1)
  t.ok(Math.abs(taskSeconds - 3 * took) < 0.006, `${taskSeconds} s are three times ${took} s`)
  const { out } = await dagctl(folder, [...words, '--dry-run'])
  t.match(out, '\n3 intervals to run, 0 intervals to skip, 1 interval run to the end, 3 tasks\n')
  t.match(out, `\nbackfill ${id} paused\n`)
})

t.test(
  'killed at any moment, `backfills resume` goes on with it, with as many at once as it is told',
  async (t) => {
    const folder = t.testdir({
      'daily.yaml': daily(
        `  note: { run: "echo {{ date run.interval.start 'MM-dd' }} >> began; sleep 0.02" }`,
      ),
    })
    const words = [
      'backfill',
      'daily.yaml',
      '--from',
      '2026-01-01',
      '--to',
      '2026-02-10',
      '--max-active',
      '2',
    ]
    const started = start(folder, words)
    await started.said('3 of')
    started.child.kill('SIGKILL')
    await started.ended
    const [{ id, counts }] = (await json(folder, ['backfills', 'list', '--active'])).document.backfills
    t.ok(counts.toRun > 0, `${counts.toRun} are still to be made`)
    t.equal(
      Object.values<number>(counts).reduce((sum, count) => sum + count),
      39,
    )
    const second = start(folder, words)
    await second.said('6 of')
    second.child.kill('SIGKILL')
    await second.ended
    const left = (await json(folder, ['runs', 'list', '--active'])).document.runs
    t.ok(left.length <= 2 + 8, `${left.length} are active: the queue does not grow with each restart`)
    const again = await json(folder, ['backfills', 'resume', id, '--max-active', '4'])
    t.equal(again.exit, 0)
    t.equal(new Set(noted(folder)).size, 39)
    const { backfill, intervals } = (await json(folder, ['backfills', 'show', id])).document
    t.match(backfill, { state: 'succeeded', maxActive: 4, counts: { succeeded: 39, toRun: 0 } })
    t.equal(intervals.length, 39)
    t.equal((await json(folder, ['runs', 'list'])).document.runs.length, 39)
  },
)

t.test('killed before it made a run, it goes on in the version that it began with', async (t) => {
  const folder = t.testdir({ 'daily.yaml': waiting, go: '' })
  const pipeline = await pipelineOf(waiting)
  const store = openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
  const asked = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 4), reverse: true, createdAt: Date.now() }
  const { name, version } = pipeline
  await store.createBackfill(
    backfillRecord({ id: 'begun', pipeline: name, version, folder, ...asked }),
    pipeline,
  )
  await store.close()
  t.equal((await json(folder, ['backfills', 'resume', 'begun'])).exit, 0)
  t.strictSame(noted(folder), ['03', '02'])
})

t.test('cancelled from another terminal, its runs end cancelled and no more are made: exit 4', async (t) => {
  const folder = t.testdir({ 'daily.yaml': waiting })
  const words = ['backfill', 'daily.yaml', '--from', '2026-01-01', '--to', '2026-02-01', '--max-active', '2']
  const started = start(folder, words)
  for (const day of ['02', '03']) await holds(join(folder, 'began'), day)
  const { id } = await made(folder, 2 + 8)
  const cancelled = await json(folder, ['backfills', 'cancel', id])
  t.equal(cancelled.exit, 0)
  t.match(cancelled.document.backfill, { state: 'cancelled', counts: { toRun: 0, cancelled: 10 } })
  const { exit, err } = await started.ended
  t.equal(exit, 4)
  t.match(err, `backfill ${id} was cancelled`)
  t.strictSame((await json(folder, ['runs', 'list', '--active'])).document.runs, [])
  t.strictSame(noted(folder).sort(), ['02', '03'])
  for (const command of ['pause', 'resume'])
    t.equal((await dagctl(folder, ['backfills', command, id])).exit, 2, `${command} comes too late`)
  t.equal((await dagctl(folder, ['backfills', 'cancel', id])).exit, 0)
})

t.test('the runs of a dead process are cancelled here', async (t) => {
  const folder = t.testdir({ 'daily.yaml': waiting })
  const started = start(folder, ['backfill', 'daily.yaml', ...range, '--max-active', '1'])
  await holds(join(folder, 'began'), '02')
  const { id } = await made(folder, 4)
  started.child.kill('SIGKILL')
  await started.ended
  const { exit, document } = await json(folder, ['backfills', 'cancel', id])
  t.equal(exit, 0)
  t.match(document.backfill, { state: 'cancelled', counts: { cancelled: 4 } })
})

t.test(
  'an unfinished backfill keeps its version: a changed file is refused, resume goes on as it began',
  async (t) => {
    const folder = t.testdir({ 'daily.yaml': waiting })
    const words = ['backfill', 'daily.yaml', ...range, '--max-active', '1']
    const started = start(folder, words)
    await holds(join(folder, 'began'), '02')
    started.child.kill('SIGKILL')
    await started.ended
    const [{ id }] = (await json(folder, ['backfills', 'list'])).document.backfills
    writeFileSync(join(folder, 'daily.yaml'), daily(`  hold: { run: "echo changed >> began" }`))
    const refused = await dagctl(folder, words)
    t.equal(refused.exit, 2)
    t.match(refused.err, new RegExp(`E231[\\s\\S]*backfills resume ${id}[\\s\\S]*backfills cancel ${id}`))
    writeFileSync(join(folder, 'go'), '')
    t.equal((await json(folder, ['backfills', 'resume', id])).exit, 0)
    t.strictSame(noted(folder).sort(), ['02', '03', '04', '05'])
    const stale = await json(folder, [
      'backfill',
      'daily.yaml',
      ...range,
      '--reprocess',
      'stale',
      '--dry-run',
    ])
    t.strictSame([stale.exit, stale.document.tasks], [0, 4], 'now all are of another version')
  },
)

t.test('stale: what is missing, and where the data that the first tasks read changed since', async (t) => {
  const folder = t.testdir({
    'daily.yaml': daily(
      `  ingest: { uses: BatchIngest, with: { source: "in/{{ date run.interval.start 'dd' }}.jsonl", format: jsonl } }`,
    ),
    in: Object.fromEntries(['02', '03', '04', '05'].map((day) => [`${day}.jsonl`, '{"a":1}\n'])),
  })
  t.equal(
    (await json(folder, ['backfill', 'daily.yaml', '--from', '2026-01-01', '--to', '2026-01-05'])).exit,
    0,
  )
  const words = ['backfill', 'daily.yaml', ...range, '--reprocess', 'stale']
  const actions = async () =>
    (await json(folder, [...words, '--dry-run'])).document.intervals.map(
      ({ action, reason }: { action: string; reason: string }) => [action, reason],
    )
  const same = ['skip', 'already succeeded, of the same version and inputs']
  t.strictSame(await actions(), [same, same, same, ['run', 'no run yet']])
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(folder, 'in/03.jsonl'), later, later)
  t.strictSame((await actions())[1], ['run', 'in/03.jsonl changed since its run began'])
  const store = openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
  await store.updateDataset('in/02.jsonl', Date.now())
  await store.close()
  t.strictSame((await actions())[0], ['run', 'in/02.jsonl changed since its run began'])
})

t.test(
  'a dry run says what it will take by what earlier runs took, and that nothing is known where there are none',
  async (t) => {
    const folder = t.testdir({
      'daily.yaml': daily(`  nap: { run: "sleep 0.2" }\n  after: { uses: Noop, needs: [nap] }`),
    })
    const estimate = async () =>
      (
        await json(folder, [
          'backfill',
          'daily.yaml',
          ...range,
          '--reprocess',
          'all',
          '--dry-run',
          '--max-active',
          '1',
        ])
      ).document.estimate
    t.strictSame(await estimate(), {
      basedOn: 0,
      taskSeconds: null,
      wallSeconds: null,
      usd: null,
      unknown: ['nap', 'after'],
    })
    await json(folder, ['backfill', 'daily.yaml', '--from', '2026-01-01', '--to', '2026-01-04'])
    const known = await estimate()
    t.match(known, { basedOn: 2, usd: null, unknown: { length: 0 } })
    t.ok(known.taskSeconds >= 0.8 && known.wallSeconds >= 0.8, 'four naps of 0.2 s, one after the other')
    const { out } = await dagctl(folder, ['backfill', 'daily.yaml', ...range, '--dry-run'])
    t.match(
      out,
      /about [\d.]+ s, [\d.]+ s of tasks, cost unknown: no rate is set \(by the last 2 succeeded runs\)/,
    )
  },
)

t.test('what there is not: exit 2', async (t) => {
  const folder = t.testdir({})
  for (const command of ['show', 'pause', 'resume', 'cancel']) {
    const { exit, err } = await dagctl(folder, ['backfills', command, 'none'])
    t.equal(exit, 2)
    t.match(err, 'there is no backfill none')
  }
  t.strictSame((await json(folder, ['backfills', 'list'])).document, { backfills: [] })
})
