/** What a person is told of a run that may not start yet. */
import t from 'tap'
import { waitingNote } from '../../cli/waiting.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { pipelineOf } from '../support/pipelines.ts'

async function twoRuns(limit: number | null) {
  const store = openSqlite({ path: ':memory:' })
  const pipeline = pipelineOf({ a: {} }, { concurrency: { runs: limit, tasks: null } })
  const made = { pipeline, folder: '/', params: {}, trigger: 'manual', backfill: null, omit: [] } as const
  const first = await store.createRun({ ...made, id: 'first', interval: { start: 0, end: 1 } }, 'e1', 1)
  await store.commit({
    engine: 'e1',
    at: 2,
    runs: [],
    claims: [],
    starts: [{ run: first.id, fence: 1, limit, scheduledLimit: null, backfillLimit: null }],
  })
  const second = await store.createRun({ ...made, id: 'second', interval: { start: 1, end: 2 } }, 'e2', 3)
  return { store, pipeline, first, second }
}

t.test('a run beyond the limit is said to wait, for which run, and what to do', async (t) => {
  const { store, pipeline, second } = await twoRuns(1)
  t.match(await waitingNote(store, second, pipeline), /waits for first .*dagctl runs resume first/)
})

t.test('where there is room, or no limit, nothing is said', async (t) => {
  for (const limit of [2, null]) {
    const { store, pipeline, first, second } = await twoRuns(limit)
    t.equal(await waitingNote(store, second, pipeline), null)
    t.equal(await waitingNote(store, first, pipeline), null)
  }
})
