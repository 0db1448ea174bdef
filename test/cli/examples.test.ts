/** Every example of the documentation is run, as a user would who copied it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, json } from '../support/command-line.ts'
import { examples } from '../support/examples.ts'

const settings = 'dagctl: 1\nenv: [REGION]\npools: { gpu: { slots: 4 } }\n'

t.setTimeout(120_000)

for (const { name, text } of examples) {
  t.test(`${name} runs to its end`, async (t) => {
    const folder = t.testdir({ 'dagctl.yaml': settings })
    writeFileSync(join(folder, 'example.yaml'), text)
    const { exit, out, err } = await dagctl(folder, ['run', 'example.yaml', '--json'], {
      env: { REGION: 'eu' },
    })
    t.equal(exit, 0, err)
    t.equal(JSON.parse(out).run.state, 'succeeded')
  })
}

t.test('runs show tells the batch sizes that recovery tried, and why', async (t) => {
  const { text = '' } = examples.find(({ name }) => name === '18-recover-memory') ?? {}
  const folder = t.testdir({ 'example.yaml': text })
  const { document } = await json(folder, ['run', 'example.yaml', '--attempts'])
  t.match(document.tasks, [{ id: 'train', outputs: { batchSize: 8 }, tries: 1 }])
  t.match(document.tasks[0].history, [
    { failure: { kind: 'gpu_oom', message: /CUDA out of memory/ }, change: { set: { batchSize: 16 } } },
    { failure: { kind: 'gpu_oom' }, change: { set: { batchSize: 8 } } },
    { state: 'succeeded', failure: null, change: null },
  ])
  const { out } = await dagctl(folder, ['runs', 'show', document.run.id, '--attempts'])
  t.match(out, /gpu_oom.*batchSize.*16[\s\S]*gpu_oom.*batchSize.*8/)
})
