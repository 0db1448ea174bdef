import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkFile } from '../../cli/pipelines.ts'
import { noConfig, settingsOf } from '../../cli/settings.ts'
import { withEngine } from '../../cli/stage.ts'
import { bellOf, openStore } from '../../cli/wiring.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { Store } from '../../engine/store/store.ts'
import { capturing } from '../support/command-line.ts'

/** A run on the engine of the command line. */
interface Lent {
  readonly engine: Engine
  readonly store: Store
  readonly run: string
  /** Resolves when the task sleeps. */
  asleep(task: string): Promise<void>
  ring(): Promise<void>
}

/** Makes a run of a pipeline of these tasks, and lends it. */
async function lend(t: Test, tasks: string, work: (lent: Lent) => Promise<void>): Promise<void> {
  const dir = t.testdir({
    'p.yaml': `dagctl: 1\npipeline: p\ntasks:\n${tasks}\n`,
    'a.jsonl': '{"n":1}\n{"n":2}\n',
  })
  const { terminal } = capturing(dir)
  const settings = settingsOf({}, terminal, noConfig)
  const store = await openStore(settings)
  const { pipeline } = await checkFile('p.yaml', terminal)
  const sleepers = new Set<string>()
  const waiting = new Map<string, () => void>()
  try {
    await withEngine({ store, settings, terminal }, async (engine, listen) => {
      listen((report) => {
        if (report.type !== 'task' || report.event !== 'sleep') return
        sleepers.add(report.task)
        waiting.get(report.task)?.()
      })
      const made = { pipeline: pipeline as Pipeline, folder: dir, params: {}, trigger: 'manual' } as const
      const { id } = await engine.create({
        ...made,
        interval: { start: 0, end: 1 },
        backfill: null,
        omit: [],
      })
      const asleep = (task: string) =>
        sleepers.has(task) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(task, resolve))
      const ring = async () => (await bellOf(settings)).ring()
      await work({ engine, store, run: id, asleep, ring })
    })
  } finally {
    await store.close()
  }
}

t.test('an approval sleeps until it is answered; a rejection fails what asked', async (t) => {
  const form = '{ properties: { percent: { type: integer, minimum: 1 } }, required: [percent] }'
  const tasks = [
    `  go: { uses: Approval, with: { message: "Go?", form: ${form} } }`,
    '  no: { uses: Approval, with: { message: "No?" } }',
    '  look: { uses: HumanReview, with: { input: a.jsonl } }',
  ].join('\n')
  await lend(t, tasks, async ({ engine, store, run, asleep }) => {
    await Promise.all(['go', 'no', 'look'].map(asleep))
    const rows = await store.tasks(run)
    t.match(rows, [
      { state: 'sleeping', wakeAt: null, wakeOn: { person: { kind: 'approval', message: 'Go?' } } },
      { state: 'sleeping' },
      { wakeOn: { person: { kind: 'review', details: { records: 2, sample: [{ n: 1 }, { n: 2 }] } } } },
    ])
    const answer = (node: number, decision: 'approve' | 'reject', values = {}) =>
      engine.wish(run, { kind: 'answer', node, attempt: 1, decision, values }, 'ada')
    await answer(0, 'approve', { percent: 5 })
    await answer(1, 'reject', { reason: 'not today' })
    await answer(2, 'approve', { verdict: 'accept' })
    t.match(await engine.finished(run), { state: 'failed' })
    t.match(await store.tasks(run), [
      { state: 'succeeded', outputs: { approved: true, values: { percent: 5 }, by: 'ada' }, tries: 1 },
      { state: 'failed', failure: { kind: 'user', message: 'rejected by ada: not today' } },
      { state: 'succeeded', outputs: { verdict: 'accept', records: 2, shown: 2 } },
    ])
  })
})

t.test('DatasetSensor is woken by the update that it waits for', async (t) => {
  const sensor = 'uses: DatasetSensor, with: { datasets: ["s3://lake/a", "s3://lake/b"], every: 1h }'
  await lend(t, `  fresh: { ${sensor} }`, async ({ engine, store, run, asleep, ring }) => {
    await asleep('fresh')
    for (const [at, uri] of ['s3://lake/a', 's3://lake/b'].entries()) await store.updateDataset(uri, 10 + at)
    await ring()
    t.match(await engine.finished(run), { state: 'succeeded' })
    t.match(await store.tasks(run), [
      {
        outputs: {
          updates: [{ uri: 's3://lake/a' }, { uri: 's3://lake/b', at: '1970-01-01T00:00:00.011Z' }],
        },
      },
    ])
  })
})

t.test(
  'a file that grows is looked at when it can be old enough, though nothing changes any more',
  async (t) => {
    const sensor = 'uses: FileSensor, with: { pattern: "*.csv", minAge: 300ms, every: 1h }'
    await lend(t, `  landed: { ${sensor} }`, async ({ engine, run, asleep, store }) => {
      await asleep('landed')
      writeFileSync(join((await store.run(run))?.folder ?? '', 'a.csv'), 'x')
      t.match(await engine.finished(run), { state: 'succeeded' })
    })
  },
)
