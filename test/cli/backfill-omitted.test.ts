import t from 'tap'
import { leftOut } from '../../cli/backfill-omitted.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const pipeline = pipelineOf({
  train: {},
  canary: { needs: ['train'], effects: 'deploy' },
  watch: { needs: ['canary'] },
  page: { needs: ['watch', 'train'] },
  report: { needs: ['train', 'canary'], trigger: 'all_done' },
})

t.test(
  'what deploys is left out, and what certainly is skipped below it, but not what runs all the same',
  (t) => {
    t.strictSame(leftOut(pipeline), [
      { task: 'canary', why: 'deploys' },
      { task: 'watch', why: 'below' },
      { task: 'page', why: 'below' },
    ])
    t.strictSame(leftOut(pipelineOf({ a: {} })), [])
    t.end()
  },
)

t.test('what is said to be left out is what the engine leaves out', async (t) => {
  const it = await testEngine()
  const { id } = await it.engine.create({
    pipeline,
    folder: '/',
    params: {},
    trigger: 'backfill',
    interval: { start: 0, end: 1 },
    backfill: 'b',
    omit: [1],
  })
  await it.pass()
  await it.end('train')
  await it.end('report')
  const states = await it.states(id, pipeline)
  t.strictSame(
    Object.keys(states).filter((task) => states[task] === 'skipped'),
    leftOut(pipeline).map(({ task }) => task),
  )
  t.equal((await it.store.run(id))?.state, 'succeeded')
})
