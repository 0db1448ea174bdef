import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, holds, json, type Started, start, waits } from '../support/command-line.ts'
import { each } from '../support/pipelines.ts'
import { ownerlessRun, shell, storeIn } from '../support/stored-runs.ts'

const head = 'dagctl: 1\npipeline: acted\ndefaults: { timeout: 1m, retry: { attempts: 1 } }\n'

const slow = `${head}tasks:
  first: { run: "echo first >> ran; ${waits('go')}" }
  second: { run: "echo second >> ran", needs: [first] }
`

const flaky = `${head}params: { n: { type: integer, default: 1 } }
tasks:
  good: { run: "echo good >> ran" }
  bad: { run: "echo bad {{ params.n }} >> ran; [ -e mended ] || exit 3", needs: [good] }
  also: { run: "echo also >> ran; [ -e mended ] || exit 3", needs: [good] }
  below: { run: "echo below >> ran", needs: [bad] }
`

const ran = (folder: string) => readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n')
const make = (folder: string, file: string) => writeFileSync(join(folder, file), '')
const statesOf = ({ tasks }: { tasks: { state: string }[] }) => tasks.map(({ state }) => state)

async function running(folder: string, words = ['run', 'p.yaml']): Promise<{ started: Started; id: string }> {
  const started = start(folder, words)
  await holds(join(folder, 'ran'), 'first')
  const { document } = await json(folder, ['runs', 'list'])
  return { started, id: document.runs[0].id }
}

t.test(
  'a paused run starts nothing more, until it is resumed: both reach the engine that has it',
  async (t) => {
    const folder = t.testdir({ 'p.yaml': slow })
    const { started, id } = await running(folder)
    const paused = await json(folder, ['runs', 'pause', id, '--by', 'ann'])
    t.equal(paused.exit, 0)
    t.equal(paused.document.run.state, 'paused')
    await started.said(`run ${id} is paused`)
    make(folder, 'go')
    await started.said('first succeeded')
    t.match(await json(folder, ['runs', 'pause', id]), { exit: 0, document: { run: { state: 'paused' } } })
    t.strictSame(statesOf((await json(folder, ['runs', 'show', id])).document), ['succeeded', 'ready'])
    t.strictSame(ran(folder), ['first'])
    const resumed = await json(folder, ['runs', 'resume', id])
    t.equal(resumed.exit, 0)
    t.equal(resumed.document.run.state, 'succeeded')
    t.equal((await started.ended).exit, 0)
    t.strictSame(ran(folder), ['first', 'second'])
    const store = storeIn(folder)
    const events = (await store.events(id)).map(({ node, event }) => `${node ?? 'run'} ${event}`)
    await store.close()
    t.strictSame(
      events.filter((event) => /^run (pause|resume)$|succeed$|claim$/.test(event)),
      ['0 claim', 'run pause', '0 succeed', 'run resume', '1 claim', '1 succeed', 'run succeed'],
    )
    const late = await dagctl(folder, ['runs', 'pause', id])
    t.match(late, { exit: 0, err: `run ${id} has ended already: succeeded` })
  },
)

t.test('a run whose engine died is paused, and resumed, in whatever process asks', async (t) => {
  const folder = t.testdir({ 'p.yaml': slow })
  const { started, id } = await running(folder)
  started.child.kill('SIGKILL')
  await started.ended
  t.match(await json(folder, ['runs', 'pause', id]), { exit: 0, document: { run: { state: 'paused' } } })
  t.equal((await json(folder, ['runs', 'list'])).document.runs[0].state, 'paused')
  make(folder, 'go')
  const { exit, document } = await json(folder, ['runs', 'resume', id])
  t.equal(exit, 0)
  t.strictSame(statesOf(document), ['succeeded', 'succeeded'])
  t.strictSame(ran(folder), ['first', 'second'], 'what ran while nobody had it counts')
})

t.test('retry runs again what did not succeed, and nothing that did', async (t) => {
  const folder = t.testdir({ 'p.yaml': flaky })
  const first = await json(folder, ['run', 'p.yaml'])
  t.equal(first.exit, 4)
  const { id } = first.document.run
  make(folder, 'mended')
  const { exit, document } = await json(folder, ['runs', 'retry', id])
  t.equal(exit, 0)
  t.equal(document.run.id, id)
  t.strictSame(statesOf(document), ['succeeded', 'succeeded', 'succeeded', 'succeeded'])
  t.match(document.tasks[1], { id: 'bad', attempts: 2, tries: 1 })
  t.strictSame(ran(folder).sort(), ['also', 'also', 'bad 1', 'bad 1', 'below', 'good'])
  const again = await dagctl(folder, ['runs', 'retry', id])
  t.match(again, { exit: 0, err: /has ended already: succeeded/ })
})

t.test('retry of one task leaves the others as they ended', async (t) => {
  const folder = t.testdir({ 'p.yaml': flaky })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  make(folder, 'mended')
  const { exit, document } = await json(folder, ['runs', 'retry', id, '--task', 'bad'])
  t.equal(exit, 4, 'one task has still failed')
  t.strictSame(statesOf(document), ['succeeded', 'succeeded', 'failed', 'succeeded'])
  const refused = await dagctl(folder, ['runs', 'retry', id, '--task', 'good'])
  t.match(refused, { exit: 2, err: 'E240 nothing of `good` can be tried again: succeeded' })
  const unknown = await dagctl(folder, ['runs', 'retry', id, '--task', 'aslo'])
  t.match(unknown, { exit: 2, err: /E209[\s\S]*did you mean `also`\?/ })
})

const training = `${head}tasks:
  train:
    run: |
      echo "train from $DAGCTL_CHECKPOINT_STEP" >> ran
      [ -e mended ] && exit 0
      for step in 100 200; do
        mkdir -p $DAGCTL_CHECKPOINT_OUT/s$step
        echo '{"type":"checkpoint","step":'$step',"path":"s'$step'"}' >> $DAGCTL_EVENTS
      done
      exit 3
  evaluate: { run: "echo evaluate >> ran", needs: [train] }
`

t.test('retry from a checkpoint that there is none of is refused, and the run stays as it was', async (t) => {
  const folder = t.testdir({ 'p.yaml': training })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  const before = (await json(folder, ['runs', 'show', id, '--attempts'])).document
  for (const words of [[], ['--task', 'train']]) {
    const refused = await dagctl(folder, ['runs', 'retry', id, ...words, '--from-checkpoint', '150'])
    t.equal(refused.exit, 2)
    t.match(refused.err, 'E206 --from-checkpoint 150: task `train` has no checkpoint of this step')
    t.match(refused.err, 'it has those of 200, 100')
  }
  const below = await dagctl(folder, ['runs', 'retry', id, '--task', 'evaluate', '--from-checkpoint', '100'])
  t.match(below, { exit: 2, err: 'E206 --from-checkpoint 100: nothing that is tried again has a checkpoint' })
  t.strictSame((await json(folder, ['runs', 'show', id, '--attempts'])).document, before)
})

t.test('retry from a checkpoint begins there, and what stands below from the beginning', async (t) => {
  const folder = t.testdir({ 'p.yaml': training })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  make(folder, 'mended')
  const { exit, document } = await json(folder, ['runs', 'retry', id, '--from-checkpoint', '100'])
  t.equal(exit, 0)
  t.strictSame(statesOf(document), ['succeeded', 'succeeded'])
  t.strictSame(ran(folder), ['train from ', 'train from 100', 'evaluate'])
})

t.test('retry reaches the engine that has the run, and follows it to its end', async (t) => {
  const folder = t.testdir({
    'p.yaml': `${head}tasks:
  bad: { run: "echo bad >> ran; [ -e mended ] || exit 3" }
  first: { run: "echo first >> ran; ${waits('go')}" }
`,
  })
  const { started, id } = await running(folder)
  await started.said('bad failed')
  make(folder, 'mended')
  const retry = start(folder, ['runs', 'retry', id, '--json'])
  await started.said('bad succeeded')
  make(folder, 'go')
  t.equal((await started.ended).exit, 0)
  const { exit, out } = await retry.ended
  t.equal(exit, 0)
  t.strictSame(statesOf(JSON.parse(out)), ['succeeded', 'succeeded'])
})

t.test('a run that goes on well has nothing to retry: that is said at once', async (t) => {
  const folder = t.testdir({ 'p.yaml': slow })
  const { started, id } = await running(folder)
  const { exit, err } = await dagctl(folder, ['runs', 'retry', id])
  t.equal(exit, 2)
  t.match(
    err,
    `error E240 nothing of run ${id} can be tried again: it is running, and nothing in it has failed`,
  )
  make(folder, 'go')
  t.equal((await started.ended).exit, 0)
})

t.test('rerun makes a new run of the same version, interval and parameters', async (t) => {
  const folder = t.testdir({ 'p.yaml': flaky, mended: '' })
  const words = ['run', 'p.yaml', '--param', 'n=5', '--interval', '2026-01-01/2026-01-02']
  const { run } = (await json(folder, words)).document
  writeFileSync(join(folder, 'p.yaml'), slow)
  const again = await json(folder, ['runs', 'rerun', run.id])
  t.equal(again.exit, 0)
  t.not(again.document.run.id, run.id)
  const { pipeline, version, interval } = run
  t.match(again.document.run, { pipeline, version, interval, state: 'succeeded' })
  t.equal(ran(folder).filter((line) => line === 'bad 5').length, 2)
  t.equal((await json(folder, ['runs', 'rerun', run.id, '--param', 'n=7'])).exit, 0)
  t.ok(ran(folder).includes('bad 7'))
  t.equal((await dagctl(folder, ['runs', 'rerun', run.id, '--param', 'n=x'])).exit, 2)
})

t.test('a person says that a task of an ended run has succeeded: it goes on from there', async (t) => {
  const folder = t.testdir({ 'p.yaml': flaky.replace(/ {2}also.*\n/, '') })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  const words = ['runs', 'mark', id, 'bad', 'succeeded', '--reason', 'checked by hand', '--by', 'ann']
  const { exit, document } = await json(folder, words)
  t.equal(exit, 0)
  t.strictSame(statesOf(document), ['succeeded', 'succeeded', 'succeeded'])
  t.strictSame(ran(folder), ['good', 'bad 1', 'below'])
  const refused = async (...given: string[]) => {
    const { exit, err } = await dagctl(folder, ['runs', 'mark', id, ...given])
    t.equal(exit, 2, given.join(' '))
    return err
  }
  t.match(await refused('bad', 'failed', '--reason', 'x'), 'E240 task bad cannot be marked as failed')
  t.match(await refused('bad', 'succeeded'), '--reason is missing')
  t.match(await refused('bad', 'good', '--reason', 'x'), 'succeeded or failed')
  t.match(await refused('bda', 'failed', '--reason', 'x'), 'did you mean `bad`?')
})

t.test('a person says what became of a task that runs: its attempt leaves, the run goes on', async (t) => {
  const folder = t.testdir({ 'p.yaml': slow })
  const { started, id } = await running(folder)
  const marked = await json(folder, ['runs', 'mark', id, 'first', 'succeeded', '--reason', 'it is there'])
  t.equal(marked.exit, 0)
  t.equal(marked.document.tasks[0].state, 'succeeded')
  t.equal((await started.ended).exit, 0)
  t.strictSame(ran(folder), ['first', 'second'])
  t.notOk(existsSync(join(folder, 'go')))
})

t.test('what is marked as failed fails the run, and says who said so, and why', async (t) => {
  const folder = t.testdir({ 'p.yaml': slow })
  const { started, id } = await running(folder)
  await json(folder, ['runs', 'mark', id, 'first', 'failed', '--reason', 'wrong input', '--by', 'ann'])
  t.equal((await started.ended).exit, 4)
  const { document } = await json(folder, ['runs', 'show', id])
  t.strictSame(statesOf(document), ['failed', 'upstream_failed'])
  t.match(document.tasks[0].failure, { kind: 'user', message: /ann: wrong input/ })
})

t.test('of a mapped task one instance is tried again, and the task ends anew', async (t) => {
  const folder = t.testdir({})
  const foreach = each(['north', 'south', 'w]'], { key: '{{ item }}' })
  const command = 'echo {{ item }} >> ran; [ {{ item }} = south ] || [ -e mended ] || exit 3'
  await ownerlessRun(folder, 'r1', { mask: shell(command, { foreach }) })
  const first = await json(folder, ['runs', 'resume', 'r1', '--instances'])
  t.equal(first.exit, 4)
  t.strictSame(
    first.document.tasks.map(({ key, state }: { key: string[] | null; state: string }) => [key, state]),
    [
      [null, 'failed'],
      [['north'], 'failed'],
      [['south'], 'succeeded'],
      [['w]'], 'failed'],
    ],
  )
  writeFileSync(join(folder, 'mended'), '')
  const one = await json(folder, ['runs', 'retry', 'r1', '--task', 'mask[w]]', '--instances'])
  t.equal(one.exit, 4)
  t.strictSame(statesOf(one.document), ['failed', 'failed', 'succeeded', 'succeeded'])
  t.equal((await json(folder, ['runs', 'retry', 'r1', '--task', 'mask'])).exit, 0)
  t.strictSame(ran(folder).sort(), ['north', 'north', 'south', 'w]', 'w]'])
})

t.test(
  'a run that was cancelled is opened again once its last attempt has left a living engine',
  async (t) => {
    const folder = t.testdir({
      'p.yaml': `${head}schedule: { cron: "@daily" }
tasks:
  first: { run: "trap 'echo heard >> ran' TERM; echo first >> ran; ${waits('go')}" }
`,
    })
    const days = ['--from', '2026-01-01', '--to', '2026-01-03', '--max-active', '2']
    const { started, id } = await running(folder, ['backfill', 'p.yaml', ...days])
    t.equal((await json(folder, ['runs', 'cancel', id])).document.run.state, 'cancelled')
    await holds(join(folder, 'ran'), 'heard')
    const retry = start(folder, ['runs', 'retry', id])
    await retry.said('is still leaving')
    make(folder, 'go')
    t.equal((await retry.ended).exit, 0)
    t.equal((await json(folder, ['runs', 'show', id])).document.run.state, 'succeeded')
    await started.ended
  },
)

t.test('what stands in a task that a person says has succeeded is settled with it', async (t) => {
  const twice = '{ foreach: [1, 2], run: "exit 3" }'
  const folder = t.testdir({
    'p.yaml': `${head}tasks:\n  all: ${twice}\n  other: { run: "[ -e mended ]" }\n`,
  })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  const marked = await dagctl(folder, ['runs', 'mark', id, 'all', 'succeeded', '--reason', 'by hand'])
  t.notMatch(marked.err, /failed: task all/, 'its instances are no failures any more')
  for (const words of [
    ['mark', id, 'all[0]', 'succeeded', '--reason', 'x'],
    ['retry', id, '--task', 'all[0]'],
  ])
    t.match(await dagctl(folder, ['runs', ...words]), {
      exit: 2,
      err: 'error E240 `all[0]` stands in `all`, which has succeeded',
    })
  make(folder, 'mended')
  const { exit, document } = await json(folder, ['runs', 'retry', id, '--instances'])
  t.equal(exit, 0)
  t.strictSame(
    statesOf(document),
    ['succeeded', 'succeeded', 'failed', 'failed'],
    'instances stay as they ended',
  )
})

t.test('of a run that succeeded nothing is marked, not even what was skipped', async (t) => {
  const folder = t.testdir({
    'p.yaml': `${head}tasks:\n  a: { uses: Noop }\n  left: { when: "false", uses: Noop }\n`,
  })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  t.match(await dagctl(folder, ['runs', 'mark', id, 'left', 'succeeded', '--reason', 'x']), {
    exit: 2,
    err: `error E240 nothing of run ${id} can be marked any more: it has succeeded`,
  })
})
