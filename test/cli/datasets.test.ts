import t from 'tap'
import { betweenMinutes, dagctl, json, normal } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { storedRun, storeIn } from '../support/stored-runs.ts'

t.test('a dataset is updated from outside, and listed with its newest update', async (t) => {
  const folder = t.testdir({})
  t.strictSame((await json(folder, ['datasets', 'list'])).document, { datasets: [] })
  const store = storeIn(folder)
  await storedRun(store, 'r1', pipelineOf({ pack: {} }), [
    { datasets: [{ uri: 's3://lake/packed', task: 'pack' }] },
  ])
  await store.close()
  const surroundings = { clock: betweenMinutes() }
  const { exit, document } = await json(folder, ['datasets', 'update', 's3://lake/docs'], surroundings)
  t.equal(exit, 0)
  t.match(document, { datasets: [{ uri: 's3://lake/docs', run: null, task: null, updatedAt: /Z$/ }] })
  t.equal(
    (await dagctl(folder, ['datasets', 'update', 's3://lake/docs'], surroundings)).out,
    's3://lake/docs was updated\n',
  )
  const listed = (await json(folder, ['datasets', 'list'])).document.datasets
  t.match(listed, [
    { uri: 's3://lake/docs', run: null, task: null },
    { uri: 's3://lake/packed', run: 'r1', task: 'pack', updatedAt: '1970-01-01T00:00:02.000Z' },
  ])
  t.equal(listed.length, 2)
  matchesGolden(t, 'cli/datasets-list.out', normal((await dagctl(folder, ['datasets', 'list'])).out, folder))
})

t.test('what names no dataset is refused', async (t) => {
  const folder = t.testdir({})
  for (const uri of ['', 'two words', 'a\u001b[31m']) {
    const { exit, err } = await dagctl(folder, ['datasets', 'update', uri])
    t.equal(exit, 2)
    t.match(err, 'E206')
  }
})
