import t from 'tap'
import type { Task } from '../../engine/pipeline.ts'
import { each, pipelineOf, type Sketch } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

/** Makes a run that leaves out the tasks of these ids. */
async function runWithout(sketches: { readonly [id: string]: Sketch }, without: readonly string[]) {
  const it = await testEngine()
  const pipeline = pipelineOf(sketches)
  const omit = without.map((id) => Object.keys(sketches).indexOf(id))
  const wanted = { pipeline, folder: '/', params: {}, trigger: 'backfill', backfill: 'b', omit } as const
  const { id } = await it.engine.create({ ...wanted, interval: { start: 0, end: 1 } })
  await it.pass()
  return { it, id, pipeline }
}

t.test('what a run leaves out stays left out when what failed above it is tried again', async (t) => {
  const { it, id, pipeline } = await runWithout(
    { a: {}, deploy: { needs: ['a'] }, after: { needs: ['a'] } },
    ['deploy'],
  )
  await it.end('a', { type: 'failed', kind: 'user', message: 'no' })
  t.strictSame(await it.states(id, pipeline), { a: 'failed', deploy: 'skipped', after: 'upstream_failed' })
  const next = await testEngine({ store: it.store, clock: it.clock })
  t.equal(await next.reopen(id, { kind: 'retry', nodes: null, fromCheckpoint: null }, 'ada'), 'reopened')
  await next.pass()
  await next.end('a')
  await next.end('after')
  t.strictSame(await it.states(id, pipeline), { a: 'succeeded', deploy: 'skipped', after: 'succeeded' })
  t.equal((await it.store.run(id))?.state, 'succeeded')
})

t.test('in a mapped group it is left out of each instance, and what stands below it there too', async (t) => {
  const inGroup = { group: 0 } satisfies Partial<Task>
  const { it, id } = await runWithout(
    {
      each: {
        isGroup: true,
        foreach: each(['x', 'y']),
      },
      'each.train': inGroup,
      'each.deploy': { ...inGroup, needs: ['each.train'] },
      'each.watch': { ...inGroup, needs: ['each.deploy'] },
    },
    ['each.deploy'],
  )
  await it.pass()
  t.strictSame(it.started(), ['each.train'])
  const rows = await it.store.tasks(id)
  const ofDeploy = rows.filter(({ task }) => task === 2).map(({ state }) => state)
  const ofWatch = rows.filter(({ task, node }) => task === 3 && node > 3).map(({ state }) => state)
  t.strictSame(ofDeploy, ['skipped', 'skipped', 'skipped'])
  t.strictSame(ofWatch, ['skipped', 'skipped'])
})
