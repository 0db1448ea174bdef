/** `run --from mask[KEY] --of RUN`: one instance runs again, and what stands below its task. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, json } from '../support/command-line.ts'

const pipeline = `
dagctl: 1
pipeline: shards
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  list: { uses: Noop, with: { outputs: { names: [eu, us] } } }
  mask:
    foreach: "{{ tasks.list.outputs.names }}"
    key: "{{ item }}"
    run: cat "$FILE" > "$DAGCTL_OUTPUT"
    env: { FILE: "{{ item }}.json" }
  pack: { uses: Noop, with: { outputs: { all: "{{ tasks.mask.outputs }}" } } }
`

t.test('one instance runs again with new data; the others, and what was before, keep theirs', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline, 'eu.json': '{"n":1}', 'us.json': '{"n":2}' })
  const first = (await json(folder, ['run', 'p.yaml'])).document.run.id
  for (const name of ['eu', 'us']) writeFileSync(join(folder, `${name}.json`), '{"n":9}')
  const words = ['run', 'p.yaml', '--from', 'mask[us]', '--of', first, '--instances']
  const { exit, document } = await json(folder, words)
  t.equal(exit, 0)
  const rows = document.tasks.map(
    (row: { id: string; key: unknown; cached: unknown; outputs: unknown }) => row,
  )
  t.match(rows, [
    { id: 'list', cached: first },
    { id: 'mask', key: null, cached: null, outputs: [{ n: 1 }, { n: 9 }] },
    { id: 'pack', outputs: { all: [{ n: 1 }, { n: 9 }] } },
    { id: 'mask', key: ['eu'], cached: first, attempts: 0 },
    { id: 'mask', key: ['us'], cached: null, attempts: 1 },
  ])
  const below = await json(folder, [
    'run',
    'p.yaml',
    '--from',
    'pack',
    '--of',
    document.run.id,
    '--instances',
  ])
  t.match(below.document.tasks[3], { key: ['eu'], state: 'succeeded', outputs: { n: 1 } })
})

t.test('an instance that the run did not have, or a task without any, is a usage error', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline, 'eu.json': '{"n":1}', 'us.json': '{"n":2}' })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  for (const [word, said] of [
    ['mask[asia]', /mask had no instance \[asia\]/],
    ['pack[0]', /pack has no instances/],
  ] as const) {
    const { exit, err } = await dagctl(folder, ['run', 'p.yaml', '--from', word, '--of', id])
    t.equal(exit, 2)
    t.match(err, said)
  }
})
