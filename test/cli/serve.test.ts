import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fail } from '../../cli/failure.ts'
import { performServe } from '../../cli/serve/serve.ts'
import { noConfig, settingsOf } from '../../cli/settings.ts'
import { openStore } from '../../cli/wiring.ts'
import { systemClock, toInstant } from '../../engine/clock.ts'
import { DagctlError } from '../../engine/errors.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { capturing, dagctl, holds, json, type Started, start } from '../support/command-line.ts'
import { storeBetween } from '../support/store-between.ts'

const tick = (command = 'true', more = '', name = 'tick') => `dagctl: 1
pipeline: ${name}
schedule: { every: 1s${more} }
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks: { a: { run: "${command}" } }
`
const yearly = (name: string) => tick('true', '', name).replace('every: 1s', 'cron: "0 0 1 1 *"')

/** `serve` on a folder of these files; killed at the end of the test. */
async function serving(t: Test, files: { [name: string]: string }, words: readonly string[] = []) {
  const folder = t.testdir({ pipelines: files })
  return { folder, ...(await again(t, folder, words)) }
}

async function again(t: Test, folder: string, words: readonly string[] = []) {
  const served = start(folder, ['serve', ...words])
  t.teardown(() => served.child.kill('SIGKILL'))
  await served.said('serving')
  const write = (name: string, text: string) => writeFileSync(join(folder, 'pipelines', name), text)
  return { served, write }
}

async function stopped({ child, ended }: Started, signal: NodeJS.Signals = 'SIGTERM') {
  child.kill(signal)
  return ended
}

const runsOf = async (folder: string, pipeline: string) =>
  (await json(folder, ['runs', 'list'])).document.runs.filter(
    (run: { pipeline: string }) => run.pipeline === pipeline,
  )

t.test('runs are made at their instants and run; SIGTERM ends it with 0', async (t) => {
  const { folder, served } = await serving(t, { 'tick.yaml': tick('echo ran >> ran') })
  await served.said('succeeded')
  const { exit, err } = await stopped(served)
  t.equal(exit, 0)
  t.match(err, /serving +1 pipeline, 1 with a schedule, of pipelines\n/)
  t.match(err, /fired +tick run \S+ for \S+ \S+ to \S+ \S+\n/)
  const [{ interval }] = await runsOf(folder, 'tick')
  t.equal(Date.parse(interval.end) - Date.parse(interval.start), 1000)
  t.match(readFileSync(join(folder, 'pipelines', 'ran'), 'utf8'), 'ran')
})

t.test('Ctrl-C ends it with 130; what is not done goes on with the next `serve`', async (t) => {
  const { folder, served, write } = await serving(t, {
    'slow.yaml': tick('echo began >> began; while ! test -e go; do sleep 0.05; done')
      .replace('1s', '1h')
      .replace(' }\ndefaults', ', start: 1970-01-01, catchup: latest }\ndefaults'),
  })
  await served.said('fired')
  const { exit } = await stopped(served, 'SIGINT')
  t.equal(exit, 130)
  t.equal((await runsOf(folder, 'tick'))[0].state === 'succeeded', false)
  write('go', '')
  const next = await again(t, folder)
  await next.served.said('adopted')
  await next.served.said('succeeded')
  await stopped(next.served)
  const runs = await runsOf(folder, 'tick')
  t.equal(runs.length, 1)
  t.equal(runs[0].state, 'succeeded')
})

t.test(
  'an edit counts from the next run on; a broken one keeps the last good version, and says so',
  async (t) => {
    const { folder, served, write } = await serving(t, { 'tick.yaml': tick('echo one >> ran') })
    await served.said('succeeded')
    write('tick.yaml', `${tick('echo two >> ran')}  b: { uses: Nope }\n`)
    await served.said('the last good version of tick stays in force')
    await served.said('error E1')
    await served.said('succeeded', 4)
    t.notMatch(readFileSync(join(folder, 'pipelines', 'ran'), 'utf8'), 'two')
    write('tick.yaml', tick('echo three >> ran; touch done'))
    await served.said('new runs are of its new version')
    await holds(join(folder, 'pipelines', 'ran'), 'three')
    const { err } = await stopped(served)
    t.match(readFileSync(join(folder, 'pipelines', 'ran'), 'utf8'), /^(one\n)+(three\n)+$/)
    t.equal(err.split('has errors').length, 2, 'a broken edit is told once')
  },
)

t.test('files come, go, move and clash while it serves', async (t) => {
  const { folder, served, write } = await serving(t, { 'a.yaml': yearly('a') })
  const path = (name: string) => join(folder, 'pipelines', name)
  write('b.yaml', yearly('b'))
  await served.said('b of pipelines/b.yaml is scheduled')
  mkdirSync(path('team'))
  write('team/c.yml', yearly('c'))
  await served.said('c of pipelines/team/c.yml is scheduled')
  write('second.yaml', yearly('a'))
  await served.said('pipelines/second.yaml is not scheduled: pipelines/a.yaml has a pipeline `a` too')
  rmSync(path('a.yaml'))
  await served.said('a is no longer scheduled')
  await served.said('a of pipelines/second.yaml is scheduled')
  renameSync(path('b.yaml'), path('moved.yaml'))
  await served.said('b of pipelines/moved.yaml is scheduled')
  write('team/c.yml', yearly('d'))
  await served.said('d of pipelines/team/c.yml is scheduled')
  await served.said('c is no longer scheduled')
  t.equal((await stopped(served)).exit, 0)
})

const shared = (command: string) => `dagctl: 1
pipeline: prep
inputs: {}
tasks: { clean: { run: "${command}", timeout: 1m } }
`
const using = (name: string, part: string) =>
  yearly(name).replace('tasks: {', `tasks: { prep: { use: ../shared/${part} },`)

t.test('a file that pipelines use is watched wherever it lies, and only those are read again', async (t) => {
  const folder = t.testdir({
    pipelines: {
      'one.yaml': using('one', 'one.yaml'),
      'late.yaml': using('late', 'late.yaml'),
      'bad.yaml': using('bad', 'bad.yaml').replace('a: {', 'b: { uses: Nope }, a: {'),
    },
    shared: { 'one.yaml': shared('true'), 'bad.yaml': shared('true') },
  })
  const { served } = await again(t, folder)
  const write = (name: string, text: string) => writeFileSync(join(folder, 'shared', name), text)
  write('one.yaml', shared('echo other'))
  await served.said('one of pipelines/one.yaml is scheduled; new runs are of its new version')
  write('late.yaml', shared('true'))
  await served.said('late of pipelines/late.yaml is scheduled')
  write('one.yaml', 'dagctl: 1\ntasks: [\n')
  await served.said('the last good version of one stays in force')
  const { err } = await stopped(served)
  t.equal(err.split('late.yaml has errors').length - 1, 1)
  t.equal(err.split('bad.yaml has errors').length - 1, 1, 'what uses other files was left alone')
})

t.test('what is no pipeline is passed by, and one bad pipeline stops no other', async (t) => {
  const { served } = await serving(t, {
    'tick.yaml': tick(),
    'tick.test.yaml': 'dagctl: 1\ntasks: [',
    'dagctl.yaml': 'pools: {}',
    'compose.yaml': 'services: { db: {} }',
    'part.yaml': 'dagctl: 1\ninputs: {}\ntasks: { a: { uses: Nope } }\n',
    'bad.yaml': 'dagctl: 1\npipeline: bad\ntasks: { a: { uses: Nope } }\n',
    'asks.yaml': tick('true', '', 'asks').replace('tasks:', 'params: { who: { type: string } }\ntasks:'),
  })
  await served.said('succeeded')
  const { err } = await stopped(served)
  t.match(err, 'pipelines/bad.yaml has errors; it is not scheduled')
  t.match(
    err,
    /asks\.yaml has errors; it is not scheduled\n.*asks\.yaml:\d+:11 error E171 the parameter `who` is missing/,
  )
  t.match(err, '^^^ give it a `default`')
  t.notMatch(err, '--param')
  t.notMatch(err, /compose|part\.yaml|test\.yaml|dagctl\.yaml/)
  t.match(err, 'serving     1 pipeline')
})

t.test('after a restart what was missed is caught up with, as the file says', async (t) => {
  const all = tick('true', ', catchup: all')
  const { folder, served } = await serving(t, { 'all.yaml': all, 'none.yaml': tick('true', '', 'none') })
  await served.said('fired')
  await stopped(served, 'SIGKILL')
  await new Promise<void>((resolve) => systemClock.at(systemClock.now() + 2000, resolve))
  const next = await again(t, folder)
  await next.served.said('missed before')
  const { err } = await stopped(next.served)
  t.match(err, /dropped +none has no runs for what was missed/)
  const ends = (await runsOf(folder, 'tick')).map((run: { interval: { end: string } }) => run.interval.end)
  const last = Date.parse(ends[0])
  t.strictSame(
    ends,
    ends.map((_: string, index: number) => toInstant(last - index * 1000)),
    'each second once',
  )
})

t.test('a file that is broken at the start keeps what an earlier `serve` read', async (t) => {
  const { folder, served, write } = await serving(t, { 'tick.yaml': tick() })
  await served.said('succeeded')
  await stopped(served)
  write('tick.yaml', 'dagctl: 1\ntasks: [\n')
  const next = await again(t, folder)
  await next.served.said('the last good version of tick stays in force')
  await next.served.said('fired')
  t.equal((await stopped(next.served)).exit, 0)
})

t.test('two at once on one store fire each instant once', async (t) => {
  const { folder, served } = await serving(t, { 'tick.yaml': tick('echo {{ run.interval.end }} >> ran') })
  const other = await again(t, folder)
  await Promise.any([served.said('fired', 3), other.served.said('fired', 3)])
  const both = await Promise.all([stopped(served), stopped(other.served)])
  const fired = both.flatMap(({ err }) => err.match(/fired .*/g) ?? [])
  const ends = (await runsOf(folder, 'tick')).map((run: { interval: { end: string } }) => run.interval.end)
  t.equal(new Set(ends).size, ends.length)
  t.equal(fired.length, ends.length)
})

t.test('a run that updates a dataset makes the run of whom it feeds', async (t) => {
  const { served, write } = await serving(t, {
    'feeds.yaml': tick('true', '', 'feeds').replace(
      'tasks: { a: { ',
      'tasks: { a: { produces: ["s3://lake/docs"], ',
    ),
    'eats.yaml': tick('true', '', 'eats').replace('every: 1s', 'datasets: { all: ["s3://lake/docs"] }'),
  })
  await served.said('dataset s3://lake/docs was updated')
  write('feeds.yaml', yearly('feeds'))
  const { err } = await stopped(served)
  t.match(err, /fired +eats run \S+ for \S+ \S+, dataset s3:\/\/lake\/docs was updated/)
})

t.test('with --json each thing that happens is a line', async (t) => {
  const { served } = await serving(t, { 'tick.yaml': tick('exit 3') }, ['--json'])
  await served.said('"event":"failed"')
  const { out, err } = await stopped(served)
  t.equal(err, '')
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const of = (event: string) => lines.find((line) => line.event === event)
  t.match(of('serving'), { at: String, pipelines: 1, schedules: 1 })
  t.match(of('fired'), {
    pipeline: 'tick',
    run: String,
    interval: { start: String, end: String },
    missed: false,
  })
  t.match(of('task_failed'), { pipeline: 'tick', task: 'a', failure: { kind: 'user' } })
  t.match(of('failed'), { pipeline: 'tick', run: of('fired').run })
})

t.test('it takes over the runs of an engine that was killed', async (t) => {
  const { folder, served, write } = await serving(t, { 'a.yaml': yearly('a') })
  write(
    'by-hand.yaml',
    tick('echo $$ >> by-hand; while ! test -e go; do sleep 0.05; done', '', 'by-hand').replace(
      'schedule: { every: 1s }\n',
      '',
    ),
  )
  const run = start(folder, ['run', 'pipelines/by-hand.yaml'])
  await run.said('run ')
  run.child.kill('SIGKILL')
  await run.ended
  await served.said('adopted')
  write('go', '')
  await served.said('succeeded')
  await stopped(served)
  t.match(await runsOf(folder, 'by-hand'), [{ state: 'succeeded' }])
})

t.test('what it cannot do it says, and exits', async (t) => {
  const folder = t.testdir({ 'a.yaml': yearly('a') })
  const missing = await dagctl(folder, ['serve', '--pipelines', 'nowhere'])
  t.equal(missing.exit, 2)
  t.match(missing.err, 'E202 cannot read nowhere: there is no such file')
  const file = await dagctl(folder, ['serve', '--pipelines', 'a.yaml'])
  t.equal(file.exit, 2)
  t.match(file.err, 'E203 a.yaml is a file, not a folder')
  for (const option of ['--port', '--host']) {
    const refused = await dagctl(folder, ['serve', option, '8080'])
    t.equal(refused.exit, 2)
    t.match(refused.err, 'there is no page yet')
  }
})

t.test('a store that fails ends it, and exit 5 says so', async (t) => {
  const folder = t.testdir({ pipelines: { 'tick.yaml': tick() } })
  const { terminal } = capturing(folder)
  const settings = settingsOf({}, terminal, noConfig)
  const store = await openStore(settings)
  t.teardown(() => store.close())
  const full = new DagctlError('E501', 'the disk is full', { kind: 'infrastructure' })
  const failing = storeBetween(store, new VirtualClock(), {
    before: (method) => {
      if (method === 'createRun') throw full
    },
  })
  const served = performServe({ store: failing, settings, terminal }, [join(folder, 'pipelines')])
  await t.rejects(served, full)
  t.equal(fail(full, terminal, false), 5)
})
