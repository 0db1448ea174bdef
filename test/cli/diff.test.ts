/** Manifests of runs and what `dagctl diff` makes of two of them. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { differences } from '../../cli/json-difference.ts'
import { provenanceOf } from '../../cli/provenance.ts'
import { subjectOf } from '../../cli/run-subject.ts'
import { manifestOf } from '../../engine/manifest.ts'
import { failed } from '../../plugins/api.ts'
import { dagctl, json, normal } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const pipeline = `dagctl: 1
pipeline: counting
params: { count: { type: integer, default: 2 } }
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  count: { run: 'printf "{\\"rows\\": %d}" {{ params.count }} > "$DAGCTL_OUTPUT"' }
  tell: { uses: Noop, needs: [count] }
  old: { uses: Noop }
`

/** SHA-256 of a value as RFC 8785 writes it: plain names and whole numbers need no more than names in order. */
function sha256(value: unknown): string {
  const inOrder = (_: string, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one
  return createHash('sha256').update(JSON.stringify(value, inOrder)).digest('hex')
}

async function run(folder: string, ...more: readonly string[]): Promise<string> {
  return (await json(folder, ['run', 'p.yaml', '--interval', '2026-01-01/2026-01-02', ...more])).document.run
    .id
}

async function digest(folder: string, id: string): Promise<string> {
  return (await json(folder, ['runs', 'manifest', id])).document.digest
}

t.test('runs that did the same with the same have the same digest, and no others', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const first = await digest(folder, await run(folder))
  t.match(first, /^[0-9a-f]{64}$/)
  t.equal(await digest(folder, await run(folder)), first)
  t.not(await digest(folder, await run(folder, '--param', 'count=3')), first)
})

t.test('a manifest holds what the run was made of and what each task was given and came to', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const id = await run(folder)
  const { exit, document } = await json(folder, ['runs', 'manifest', id])
  t.equal(exit, 0)
  t.equal(document.run, id)
  const { manifest } = document
  t.match(manifest, {
    manifest: 1,
    pipeline: { name: 'counting' },
    params: { count: 2 },
    interval: { start: '2026-01-01T00:00:00.000Z', end: '2026-01-02T00:00:00.000Z' },
    trigger: 'manual',
    state: 'succeeded',
    datasets: { length: 0 },
  })
  t.equal(manifest.tasks.count.uses, 'Shell@1')
  t.equal(
    manifest.tasks.count.outputs,
    '19b98918aa59c26ee086d8a818e64fded188be8b6e213ac21eea6ec19fa3bc00',
    '{"rows":2}',
  )
  t.equal(manifest.tasks.count.input, sha256({ command: 'printf "{\\"rows\\": %d}" 2 > "$DAGCTL_OUTPUT"' }))
  t.equal(document.digest, sha256(manifest))
  const { out } = await dagctl(folder, ['runs', 'manifest', id])
  t.match(out, new RegExp(`sha256:${document.digest}\n$`))
})

t.test(
  'what recovery changed, updated datasets and what the run was made with are in the manifest',
  async (t) => {
    const recover = {
      gpu_oom: { set: { batchSize: 16 }, attempts: 3, then: 'fail', underRetry: false },
    } as const
    const train = { with: { batchSize: 32, seed: 7 }, recover, produces: ['s3://lake/m'] }
    const made = pipelineOf({ train })
    const engine = await testEngine({ provenance: provenanceOf })
    const id = await engine.run(made)
    await engine.end('train', failed('gpu_oom', 'CUDA out of memory at 0x7f'))
    await engine.pass(1_000)
    await engine.end('train', { model: 'm' })
    const manifest = manifestOf(await subjectOf(engine.store, id, {}))
    await engine.engine.stop()
    t.strictSame(manifest.tasks.train, {
      uses: 'Noop@1',
      state: 'succeeded',
      input: sha256({ batchSize: 16, seed: 7 }),
      seed: 7,
      outputs: sha256({ model: 'm' }),
      failure: null,
      changes: [{ attempt: 1, kind: 'gpu_oom', change: { set: { batchSize: 16 } } }],
      cached: null,
    })
    t.strictSame(manifest.datasets, [{ uri: 's3://lake/m', task: 'train' }])
    t.match(manifest.provenance, { dagctl: /^\d/, operators: [{ name: 'Noop@1', from: /^dagctl \d/ }] })
  },
)

t.test('two runs are told apart by graph, parameters, inputs, outputs and states', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const a = await run(folder)
  const edited = pipeline.replace('  old: { uses: Noop }', '  new: { run: "exit 3" }').replace('1m', '2m')
  writeFileSync(join(folder, 'p.yaml'), edited)
  const b = await run(folder, '--param', 'count=3')
  const { exit, document } = await json(folder, ['diff', a, b])
  t.equal(exit, 0)
  t.equal(document.same, false)
  t.strictSame(document.graph, {
    added: ['new'],
    removed: ['old'],
    changed: [
      { task: 'count', keys: ['timeout'] },
      { task: 'tell', keys: ['timeout'] },
    ],
    pipeline: [],
  })
  t.strictSame(document.params, [{ path: '/count', a: 2, b: 3 }])
  t.equal(document.interval, null)
  const [count, ...others] = document.tasks
  t.strictSame(others, [])
  t.strictSame(count.outputs, [{ path: '/rows', a: 2, b: 3 }])
  t.match(count.input, [{ path: '/command', a: /2/, b: /3/ }])
  const { out } = await dagctl(folder, ['diff', a, b])
  matchesGolden(t, 'cli/diff.out', normal(out, folder))
})

t.test('of equal runs it is said that nothing differs', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const words = ['diff', await run(folder), await run(folder)]
  t.equal((await json(folder, words)).document.same, true)
  t.match((await dagctl(folder, words)).out, /nothing differs but times and ids/)
})

t.test('the moment of a run is no input of it, unless the pipeline reads it', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const start = async () => (await json(folder, ['run', 'p.yaml'])).document.run.id
  const manifest = async (id: string) => (await json(folder, ['runs', 'manifest', id])).document
  const [first, second] = [await start(), await start()]
  t.equal((await manifest(first)).manifest.interval, null)
  t.equal((await manifest(first)).digest, (await manifest(second)).digest)
  t.equal((await json(folder, ['diff', first, second])).document.same, true)
  for (const task of [
    'read: { run: "echo $DAGCTL_INTERVAL_START" }',
    'read: { uses: Noop, when: run.logicalTime == params.day }',
    'read: { uses: Noop, with: { outputs: { day: "{{ date run.interval.start \'yyyy\' }}" } } }',
  ]) {
    const asks = pipeline.replace('params: {', 'params: { day: { type: string, default: never },')
    writeFileSync(join(folder, 'p.yaml'), asks.replace('old: { uses: Noop }', task))
    const [one, other] = [await start(), await start()]
    t.match((await manifest(one)).manifest.interval, { start: /^20/, end: /^20/ }, task)
    const { document } = await json(folder, ['diff', one, other])
    t.equal(document.same, false, task)
    t.match(document.interval, { a: { start: /^20/ }, b: { start: /^20/ } }, task)
  }
  const { exit, out } = await dagctl(folder, ['diff', first, await start()])
  t.equal(exit, 0)
  t.match(out, /interval/)
})

t.test('runs of different pipelines are not compared', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const a = await run(folder)
  writeFileSync(join(folder, 'p.yaml'), pipeline.replace('counting', 'telling'))
  const { exit, err } = await dagctl(folder, ['diff', a, await run(folder)])
  t.equal(exit, 2)
  t.match(err, /E220.*one of counting.*one of telling/)
})

t.test('values differ at the smallest paths that do', async (t) => {
  const a = { same: 1, list: [1, { 'a/b': 2 }], gone: null, kind: [1] }
  const b = { same: 1, list: [1, { 'a/b': 3 }, 4], kind: { 0: 1 } }
  t.strictSame(differences(a, b), [
    { path: '/list/1/a~1b', a: 2, b: 3 },
    { path: '/list/2', b: 4 },
    { path: '/gone', a: null },
    { path: '/kind', a: [1], b: { 0: 1 } },
  ])
  t.strictSame(differences(a, structuredClone(a)), [])
})
