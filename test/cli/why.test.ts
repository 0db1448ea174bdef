/** `dagctl why`: what a person is told of a task, and the document. */
import { join } from 'node:path'
import t from 'tap'
import { ownIdentity } from '../../engine/identity.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { dagctl, json, normal, start } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'
import { pipelineOf } from '../support/pipelines.ts'

const failing = `dagctl: 1
pipeline: failing
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  load: { run: "exit 3" }
  train: { uses: Noop, needs: [load] }
  report: { uses: Noop, needs: [train] }
`

/** A store in which two runs of a pipeline with \`concurrency.runs: 1\` are active; a living engine owns them. */
async function twoRuns(folder: string): Promise<void> {
  const store = openSqlite({ path: join(folder, '.dagctl', 'dagctl.db') })
  const pipeline = pipelineOf(
    { land: { uses: 'FileSensor' }, mask: { needs: ['land'] }, train: { needs: ['mask'] } },
    { name: 'nightly', concurrency: { runs: 1, tasks: null } },
  )
  const made = { pipeline, folder, params: {}, trigger: 'manual', backfill: null, omit: [] } as const
  await store.renew({ ...ownIdentity(), id: 'engine', leaseUntil: Date.UTC(2100, 0) })
  await store.createRun({ ...made, id: 'first', interval: { start: 0, end: 1 } }, 'engine', 1_000)
  await store.createRun({ ...made, id: 'second', interval: { start: 1, end: 2 } }, 'engine', 2_000)
  const start = { run: 'first', fence: 1, limit: 1, scheduledLimit: null, backfillLimit: null }
  await store.commit({ engine: 'engine', at: 2_000, runs: [], claims: [], starts: [start] })
  const commit = (at: number, event: 'unblock' | 'sleep', attempt: number, patch: object) =>
    store.commit({
      engine: 'engine',
      at,
      runs: [{ run: 'first', fence: 1, grow: [], tasks: [{ node: 0, events: [{ event, attempt }], patch }] }],
      claims:
        event === 'unblock'
          ? [
              {
                run: 'first',
                node: 0,
                attempt: 1,
                try: 1,
                patch: { state: 'running', holding: true },
                limit: null,
                pool: null,
              },
            ]
          : [],
      starts: [],
    })
  await commit(3_000, 'unblock', 0, { state: 'ready' })
  await commit(4_000, 'sleep', 1, {
    state: 'sleeping',
    holding: false,
    wakeAt: Date.UTC(2099, 0),
    wakeOn: { paths: ['/data/in.jsonl'] },
  })
  await store.close()
}

t.test('of a task that waits, people are told for what, and since and until when', async (t) => {
  const folder = t.testdir({ '.dagctl': {} })
  await twoRuns(folder)
  const said = []
  for (const words of [
    ['first', 'train'],
    ['first', 'land'],
    ['second', 'land'],
  ])
    said.push((await dagctl(folder, ['why', ...words])).out)
  matchesGolden(t, 'cli/why.out', said.join('\n'))
})

t.test('the document of why has the state and every reason', async (t) => {
  const folder = t.testdir({ '.dagctl': {} })
  await twoRuns(folder)
  const { exit, document } = await json(folder, ['why', 'first', 'land'])
  t.equal(exit, 0)
  t.strictSame(document, {
    state: 'sleeping',
    waitsFor: [
      {
        kind: 'event',
        what: 'something changes at /data/in.jsonl',
        since: '1970-01-01T00:00:04.000Z',
        until: null,
      },
      {
        kind: 'time',
        what: 'it looks again then',
        since: '1970-01-01T00:00:04.000Z',
        until: '2099-01-01T00:00:00.000Z',
      },
    ],
  })
})

t.test(
  'of a task that has ended, people are told why it ended so; the document waits for nothing',
  async (t) => {
    const folder = t.testdir({ 'p.yaml': failing })
    const { document } = await json(folder, ['run', 'p.yaml'])
    const { id } = document.run
    const said = []
    for (const task of ['load', 'train', 'report']) said.push((await dagctl(folder, ['why', id, task])).out)
    matchesGolden(t, 'cli/why-ended.out', normal(said.join(''), folder))
    t.strictSame((await json(folder, ['why', id, 'report'])).document, {
      state: 'upstream_failed',
      waitsFor: [],
    })
  },
)

t.test('a run or a task that is not there is a usage error', async (t) => {
  const folder = t.testdir({ '.dagctl': {} })
  await twoRuns(folder)
  for (const [words, text] of [
    [['none', 'land'], /there is no run none/],
    [['first', 'lnad'], /no task `lnad`[\s\S]*did you mean `land`/],
    [['first', 'land[3]'], /there is no instance `land\[3\]`/],
  ] as const) {
    const { exit, err } = await dagctl(folder, ['why', ...words])
    t.equal(exit, 2)
    t.match(err, text)
  }
})

t.test('while a run goes on elsewhere, and after its engine was killed, why says so', async (t) => {
  const folder = t.testdir({ 'p.yaml': failing.replace('exit 3', 'echo on; sleep 60') })
  const { child, ended, said } = start(folder, ['run', 'p.yaml'])
  await said('load running')
  const id = (await json(folder, ['runs', 'list'])).document.runs[0].id
  const kinds = async () =>
    (await json(folder, ['why', id, 'load'])).document.waitsFor.map(({ kind }: { kind: string }) => kind)
  t.strictSame(await kinds(), ['attempt'])
  child.kill('SIGKILL')
  await ended
  t.strictSame(await kinds(), ['engine', 'attempt'])
  t.equal((await dagctl(folder, ['runs', 'cancel', id])).exit, 0)
})
