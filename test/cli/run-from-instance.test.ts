/** `run --from mask[KEY] --of RUN`: one instance runs again, and what stands below its task. */
import { readFileSync, writeFileSync } from 'node:fs'
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
    ['mask[asia]', /there is no instance `mask\[asia\]`.*`mask\[us\]`/s],
    ['pack[0]', /`pack` has no instances/],
  ] as const) {
    const { exit, err } = await dagctl(folder, ['run', 'p.yaml', '--from', word, '--of', id])
    t.equal(exit, 2)
    t.match(err, said)
  }
})

const grouped = `
dagctl: 1
pipeline: regions
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  prep:
    foreach: [north, south]
    key: "{{ item }}"
    use: ./prep.yaml
    with: { region: "{{ item }}" }
  pack: { uses: Noop, with: { outputs: { all: "{{ tasks.prep.outputs }}" } } }
`

const prep = `
dagctl: 1
pipeline: prep
inputs: { region: { type: string } }
outputs: { made: "{{ tasks.join.outputs.parts }}" }
tasks:
  list: { run: 'echo "{\\"names\\":[\\"a\\",\\"b\\"]}" > "$DAGCTL_OUTPUT"; echo "list $R" >> did', env: { R: "{{ inputs.region }}" } }
  mask:
    foreach: "{{ tasks.list.outputs.names }}"
    key: "{{ item }}"
    run: 'cat n > "$DAGCTL_OUTPUT"; echo "mask $R $P" >> did'
    env: { R: "{{ inputs.region }}", P: "{{ item }}" }
  side: { needs: [list], run: 'echo "side $R" >> did', env: { R: "{{ inputs.region }}" } }
  join: { uses: Noop, with: { outputs: { parts: "{{ tasks.mask.outputs }}" } } }
`

t.test('in groups too only what is named runs again, with what stands below it there', async (t) => {
  const files = { 'p.yaml': grouped, 'prep.yaml': prep, n: '{"n":1}' }
  const folder = t.testdir(files)
  const { exit, document: first } = await json(folder, ['run', 'p.yaml'])
  t.equal(exit, 0)
  const did = async (word: string) => {
    writeFileSync(join(folder, 'n'), '{"n":9}')
    writeFileSync(join(folder, 'did'), '')
    const again = await json(folder, ['run', 'p.yaml', '--from', word, '--of', first.run.id])
    t.equal(again.exit, 0)
    const pack = again.document.tasks.find(({ id }: { readonly id: string }) => id === 'pack')
    return {
      lines: readFileSync(join(folder, 'did'), 'utf8').trim().split('\n').toSorted(),
      made: pack.outputs.all.map(({ made }: { readonly made: object[] }) => made),
    }
  }
  const [old, anew] = [{ n: 1 }, { n: 9 }]
  t.strictSame(await did('prep[south].mask[b]'), {
    lines: ['mask south b'],
    made: [
      [old, old],
      [old, anew],
    ],
  })
  t.strictSame(await did('prep[north].mask'), {
    lines: ['mask north a', 'mask north b'],
    made: [
      [anew, anew],
      [old, old],
    ],
  })
  t.strictSame((await did('prep[north]')).lines, ['list north', 'mask north a', 'mask north b', 'side north'])
  t.strictSame((await did('prep.side')).lines, ['side north', 'side south'])
  t.strictSame((await did('prep')).lines.length, 8)
})

t.test('an instance of a mapped task in a group without instances runs again by itself', async (t) => {
  const alone = grouped.replace(/ {4}foreach.*\n {4}key.*\n/, '').replace('"{{ item }}"', 'east')
  const folder = t.testdir({ 'p.yaml': alone, 'prep.yaml': prep, n: '{"n":1}' })
  const { exit, document: first } = await json(folder, ['run', 'p.yaml'])
  t.equal(exit, 0)
  writeFileSync(join(folder, 'n'), '{"n":9}')
  const again = await json(folder, ['run', 'p.yaml', '--from', 'prep.mask[a]', '--of', first.run.id])
  const pack = again.document.tasks.find(({ id }: { readonly id: string }) => id === 'pack')
  t.strictSame(pack.outputs, { all: { made: [{ n: 9 }, { n: 1 }] } })
})

t.test('what stood in a group that is another kind of task by now does not run by itself', async (t) => {
  const folder = t.testdir({ 'p.yaml': grouped, 'prep.yaml': prep, n: '{"n":1}' })
  const { document: first } = await json(folder, ['run', 'p.yaml'])
  writeFileSync(
    join(folder, 'prep.yaml'),
    prep.replace(/ {4}foreach.*\n {4}key.*\n/, '').replace('{{ item }}', 'x'),
  )
  const words = ['run', 'p.yaml', '--from', 'prep[south].mask[b]', '--of', first.run.id]
  const { exit, err } = await dagctl(folder, words)
  t.equal(exit, 2)
  t.match(err, /prep.mask is another kind of task than in run .*begin with --from prep.mask/s)
})
