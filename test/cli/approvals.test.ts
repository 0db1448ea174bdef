import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Question } from '../../engine/outcome.ts'
import { dagctl, json, normal, start } from '../support/command-line.ts'
import { matchesGolden } from '../support/golden.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { ownerlessRun, shell, started, storedRun, storeIn, went } from '../support/stored-runs.ts'

const form = {
  type: 'object',
  properties: { percent: { type: 'integer', minimum: 1, maximum: 100 }, note: { type: 'string' } },
  required: ['percent'],
  additionalProperties: false,
} as const
const release: Question = { kind: 'approval', message: 'Release it?', form, details: { accuracy: 0.9 } }
const hold: Question = { kind: 'hold', message: 'gpu_oom: out of memory', form: { type: 'object' } }

const asking = (node: number, person: Question) =>
  went(node, [...started, { event: person.kind === 'hold' ? 'hold' : 'sleep', attempt: 1 }], {
    state: 'sleeping',
    attempt: 1,
    tries: 1,
    wakeOn: { person },
  })

/** A folder whose store has a run with two questions, one that is out of money, and one that asks nothing. */
async function asked(t: Test): Promise<string> {
  const folder = t.testdir({})
  const store = storeIn(folder)
  const pipeline = pipelineOf({ release: {}, mask: {}, other: {} })
  const running = { event: 'start', to: 'running', startedAt: 1500 } as const
  await storedRun(store, 'r1', pipeline, [
    { state: running, grow: [{ node: 3, task: 1, key: 'a b', parent: 1 }] },
    { tasks: [asking(0, release), asking(3, hold)] },
  ])
  const patch = { pausedFor: 'budget', spentUsd: 12.5, spentGpuSeconds: 5400 } as const
  await storedRun(store, 'r2', pipeline, [
    { state: running },
    { state: { event: 'pause', to: 'paused' }, patch },
  ])
  await storedRun(store, 'r3', pipeline, [{ state: running }])
  await store.close()
  return folder
}

async function requestsIn(folder: string) {
  const store = storeIn(folder)
  const found = await store.requests('gone')
  await store.close()
  return found.map(({ run, wish, by }) => ({ run, wish, by }))
}

t.test('all that waits for a person is listed, over all runs', async (t) => {
  const folder = await asked(t)
  const { exit, document } = await json(folder, ['approvals', 'list'])
  t.equal(exit, 0)
  const [first, second, third] = document.approvals
  t.equal(document.approvals.length, 3)
  t.strictSame(first, {
    run: 'r1',
    pipeline: 'test',
    task: 'release',
    key: null,
    kind: 'approval',
    message: 'Release it?',
    form,
    details: { accuracy: 0.9 },
    since: '1970-01-01T00:00:03.000Z',
  })
  t.match(second, { run: 'r1', task: 'mask', key: ['a b'], kind: 'hold', details: null })
  t.match(third, { run: 'r2', task: null, key: null, kind: 'budget', since: '1970-01-01T00:00:03.000Z' })
  t.match(third.details, { spentUsd: 12.5, spentGpuHours: 1.5 })
  matchesGolden(
    t,
    'cli/approvals-list.out',
    normal((await dagctl(folder, ['approvals', 'list'])).out, folder),
  )
})

t.test('where nothing waits, nothing is listed and nothing is made', async (t) => {
  const folder = t.testdir({})
  t.strictSame((await json(folder, ['approvals', 'list'])).document, { approvals: [] })
  t.match(await dagctl(folder, ['approvals', 'list']), {
    exit: 0,
    out: '',
    err: 'nothing waits for a person\n',
  })
})

t.test(
  'an answer is typed by the form; a run whose engine is gone hears it later, and that is said',
  async (t) => {
    const folder = await asked(t)
    const words = [
      'answer',
      'r1',
      'release',
      'approve',
      '--value',
      'percent=10',
      '--by',
      'ann',
      '--reason',
      'good',
    ]
    const { exit, document } = await json(folder, ['approvals', ...words])
    t.equal(exit, 0)
    t.strictSame(document, {
      answer: {
        run: 'r1',
        task: 'release',
        key: null,
        decision: 'approve',
        values: { percent: 10 },
        heard: false,
      },
    })
    t.strictSame(await requestsIn(folder), [
      {
        run: 'r1',
        wish: {
          kind: 'answer',
          node: 0,
          attempt: 1,
          decision: 'approve',
          values: { percent: 10 },
          reason: 'good',
        },
        by: 'ann',
      },
    ])
    const held = await dagctl(folder, ['approvals', 'answer', 'r1', 'mask[a b]', 'reject'])
    t.match(held, { exit: 0, out: 'mask[a b] of run r1: rejected\n', err: /dagctl runs resume r1/ })
    const [, ...more] = await requestsIn(folder)
    t.strictSame(
      more.map(({ wish }) => wish),
      [{ kind: 'answer', node: 3, attempt: 1, decision: 'reject', values: {} }],
    )
  },
)

t.test('values that do not match are refused all at once, and nothing is written', async (t) => {
  const folder = await asked(t)
  const values = ['--values', '{"percent": 0, "nte": 1}']
  const { exit, err } = await dagctl(folder, ['approvals', 'answer', 'r1', 'release', 'approve', ...values])
  t.equal(exit, 2)
  t.match(err, /E241 the answer does not match the form: .*unknown key `nte`/)
  t.match(err, '`percent` must be at least 1')
  t.match(err, 'did you mean `note`?')
  for (const wrong of [
    ['--value', '=1'],
    ['--values', '[]'],
    ['--values', '{'],
  ])
    t.equal((await dagctl(folder, ['approvals', 'answer', 'r1', 'release', 'approve', ...wrong])).exit, 2)
  t.strictSame(await requestsIn(folder), [])
})

t.test('a value that is given twice is refused, and nothing is written', async (t) => {
  const folder = await asked(t)
  for (const more of [
    ['--values', '{"percent": 6}'],
    ['--value', 'percent=6'],
  ]) {
    const words = ['approvals', 'answer', 'r1', 'release', 'approve', '--value', 'percent=5', ...more]
    t.match(await dagctl(folder, words), { exit: 2, err: 'E206 `percent` is given twice' })
  }
  t.strictSame(await requestsIn(folder), [])
})

t.test('a run that is out of money goes on where that is approved', async (t) => {
  const folder = await asked(t)
  const refused = await dagctl(folder, ['approvals', 'answer', 'r2', 'reject'])
  t.match(refused, { exit: 2, err: /E240 a budget cannot be rejected[\s\S]*dagctl runs cancel r2/ })
  t.equal((await dagctl(folder, ['approvals', 'answer', 'r2', 'approve', '--by', 'ann'])).exit, 0)
  t.strictSame(await requestsIn(folder), [{ run: 'r2', wish: { kind: 'resume' }, by: 'ann' }])
})

t.test('what nobody asked cannot be answered', async (t) => {
  const folder = await asked(t)
  const said = async (...words: string[]) => {
    const { exit, err } = await dagctl(folder, ['approvals', 'answer', ...words])
    t.equal(exit, 2, words.join(' '))
    return err
  }
  t.match(await said('r1', 'approve'), /E240 there is more than one question: `release`, `mask\[a b\]`/)
  t.match(await said('r1', 'other', 'approve'), 'E240 task `other` asks nothing')
  t.match(await said('r3', 'approve'), 'E240 run r3 asks nothing')
  t.match(await said('r1', 'relase', 'approve'), 'did you mean `release`?')
  t.match(await said('r1', 'mask[a c]', 'approve'), 'did you mean `mask[a b]`?')
  t.match(await said('r1', 'release', 'yes'), 'E206')
  t.match(await said('r9', 'approve'), 'E205')
  t.strictSame(await requestsIn(folder), [])
})

const recover = { user: { attempts: 0, then: 'hold', underRetry: false } } as const

t.test('an answer reaches the engine that has the run: approving a hold tries again', async (t) => {
  const folder = t.testdir({})
  await ownerlessRun(folder, 'r1', {
    train: shell('echo train >> ran; [ -e mended ] || { echo no such model >&2; exit 3; }', { recover }),
    after: shell('echo after >> ran', { needs: ['train'] }),
  })
  const run = start(folder, ['runs', 'resume', 'r1'])
  await run.said('it waits for a person')
  const [question] = (await json(folder, ['approvals', 'list'])).document.approvals
  t.match(question, { run: 'r1', task: 'train', kind: 'hold', message: /exited with code 3/, since: /Z$/ })
  writeFileSync(join(folder, 'mended'), '')
  const { exit, document } = await json(folder, ['approvals', 'answer', 'r1', 'approve'])
  t.equal(exit, 0)
  t.equal(document.answer.heard, true)
  t.equal((await run.ended).exit, 0)
  t.equal(readFileSync(join(folder, 'ran'), 'utf8'), 'train\ntrain\nafter\n')
  const { tasks } = (await json(folder, ['runs', 'show', 'r1', '--attempts'])).document
  t.match(tasks[0].history, [
    { attempt: 1, state: 'failed', failure: { kind: 'user' } },
    { attempt: 2, state: 'succeeded' },
  ])
})

t.test('rejecting a hold fails the task, and says who decided so, and why', async (t) => {
  const folder = t.testdir({})
  await ownerlessRun(folder, 'r1', { train: shell('exit 3', { recover }) })
  const run = start(folder, ['runs', 'resume', 'r1'])
  await run.said('it waits for a person')
  await json(folder, ['approvals', 'answer', 'r1', 'train', 'reject', '--by', 'ann', '--reason', 'too dear'])
  t.equal((await run.ended).exit, 4)
  const { tasks } = (await json(folder, ['runs', 'show', 'r1'])).document
  t.match(tasks[0], { state: 'failed', failure: { message: /ann .*too dear/ } })
})

t.test('an answer that nobody could hear is heard by whoever goes on with the run', async (t) => {
  const folder = t.testdir({})
  await ownerlessRun(folder, 'r1', { train: shell('[ -e mended ] || exit 3', { recover }) })
  const run = start(folder, ['runs', 'resume', 'r1'])
  await run.said('it waits for a person')
  run.child.kill('SIGKILL')
  await run.ended
  writeFileSync(join(folder, 'mended'), '')
  const { document } = await json(folder, ['approvals', 'answer', 'r1', 'train', 'approve'])
  t.equal(document.answer.heard, false)
  t.equal((await dagctl(folder, ['runs', 'resume', 'r1'])).exit, 0)
})
