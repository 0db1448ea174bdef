import t, { type Test } from 'tap'
import { shownName } from '../../cli/print.ts'
import { shellWord } from '../../engine/shell-word.ts'
import { dagctl, json, normal } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { started, storedRun, storeIn, went } from '../support/stored-runs.ts'

/** A run that never ends has run for long. */
const still = (out: string, folder: string) => normal(out, folder).replaceAll(/\d+h \d+m/g, 'LONG')

const oom = { kind: 'gpu_oom', message: 'CUDA out of memory' } as const

/** A trainer that was given less until it fitted. */
async function recovered(t: Test): Promise<string> {
  const folder = t.testdir({})
  const store = storeIn(folder)
  const again = (attempt: number) => ({ event: 'claim', attempt, detail: { try: 1 } }) as const
  const change = (attempt: number, set: object, more = {}) =>
    ({ event: 'recover', attempt, detail: { ...oom, change: { set, ...more }, count: attempt } }) as never
  const due = { event: 'retry_due', attempt: 1 } as const
  await storedRun(store, 'r1', pipelineOf({ train: {}, after: { needs: ['train'] } }), [
    { state: { event: 'start', to: 'running', startedAt: 1500 } },
    {
      tasks: [
        went(
          0,
          [
            ...started,
            change(1, { batchSize: 16 }),
            due,
            again(2),
            change(2, { batchSize: 8 }, { restore: 'newest' }),
            due,
            again(3),
            { event: 'succeed', attempt: 3 },
          ],
          { state: 'succeeded', attempt: 3, tries: 1, startedAt: 2000, endedAt: 3000, outputs: {} },
        ),
      ],
    },
  ])
  await store.close()
  return folder
}

t.test('the history says what recovery changed, and why', async (t) => {
  const folder = await recovered(t)
  const { document } = await json(folder, ['runs', 'show', 'r1', '--attempts'])
  t.match(document.tasks[0], { id: 'train', state: 'succeeded', attempts: 3, tries: 1 })
  t.match(document.tasks[0].history, [
    { attempt: 1, state: 'failed', failure: oom, change: { set: { batchSize: 16 } } },
    { attempt: 2, state: 'failed', failure: oom, change: { set: { batchSize: 8 }, restore: 'newest' } },
    { attempt: 3, state: 'succeeded', failure: null, change: null },
  ])
  const { out } = await dagctl(folder, ['runs', 'show', 'r1', '--attempts'])
  matchesGolden(t, 'cli/runs-show-recovered.out', still(out, folder))
})

t.test('instances are shown where they are asked for, with every key from the outermost', async (t) => {
  const folder = t.testdir({})
  const store = storeIn(folder)
  const pipeline = pipelineOf({ g: { isGroup: true }, 'g.mask': { group: 0 } })
  await storedRun(store, 'r1', pipeline, [
    {
      state: { event: 'start', to: 'running', startedAt: 1500 },
      grow: [
        { node: 2, task: 0, key: 'one', parent: 0 },
        { node: 3, task: 1, key: null, parent: 2 },
        { node: 4, task: 1, key: 'k', parent: 3 },
      ],
    },
    {
      tasks: [
        went(4, [...started, { event: 'fail', attempt: 1, detail: { kind: 'user', message: 'no' } }], {
          state: 'failed',
          attempt: 1,
          tries: 1,
          failure: { kind: 'user', message: 'no' },
          startedAt: 2000,
          endedAt: 3000,
        }),
      ],
    },
  ])
  await store.close()
  const rows = async (...words: string[]) =>
    (await json(folder, ['runs', 'show', 'r1', ...words])).document.tasks.map(
      ({ id, key }: { id: string; key: string[] | null }) => [id, key],
    )
  t.strictSame(await rows(), [
    ['g', null],
    ['g.mask', null],
  ])
  t.strictSame(await rows('--instances'), [
    ['g', null],
    ['g.mask', null],
    ['g', ['one']],
    ['g.mask', ['one']],
    ['g.mask', ['one', 'k']],
  ])
  const shown = await dagctl(folder, ['runs', 'show', 'r1', '--instances', '--attempts'])
  t.match(shown.err, "dagctl logs r1 'g[one].mask[k]'")
  matchesGolden(t, 'cli/runs-show-instances.out', still(shown.out, folder))
})

t.test('of what failed only what failed itself is told at length', async (t) => {
  const folder = t.testdir({
    'p.yaml': `dagctl: 1
pipeline: p
tasks:
  each: { foreach: [a, b], key: "{{ item }}", run: "[ {{ item }} = a ]", retry: { attempts: 1 }, timeout: 1m }
`,
  })
  const { exit, err } = await dagctl(folder, ['run', 'p.yaml'])
  t.equal(exit, 4)
  t.strictSame(err.match(/^failed: task .*/gm), ['failed: task each[b] (user) after 1 attempt'])
})

t.test('keys that a terminal would obey, or that fill it, leave tables and commands readable', (t) => {
  const long = `mask[${'k'.repeat(300)}END]`
  t.match(shownName(long), /^mask\[k+…k+END\]$/)
  t.equal(shownName(long).length, 48)
  t.equal(shownName('mask[a\nb]'), 'mask[a\\u000ab]')
  t.equal(shellWord('mask'), 'mask')
  t.equal(shellWord("mask[it's]"), "'mask[it'\\''s]'")
  t.equal(shellWord("mask[a\nit's]"), "$'mask[a\\u000ait\\'s]'")
  t.end()
})
