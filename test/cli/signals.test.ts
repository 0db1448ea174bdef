import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { holds, json, type Started, start, waits } from '../support/command-line.ts'

const pipeline = `dagctl: 1
pipeline: slow
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  first: { run: "echo first >> ran; ${waits('go')}; echo '{\\"x\\": 1}' > $DAGCTL_OUTPUT" }
  second: { run: "echo second {{ tasks.first.outputs.x }} >> ran" }
`

async function running(folder: string): Promise<{ started: Started; id: string }> {
  const started = start(folder, ['run', 'slow.yaml'])
  await started.said('first running')
  // The command of the attempt is under way once it has written its line.
  await holds(join(folder, 'ran'), 'first')
  const { document } = await json(folder, ['runs', 'list'])
  return { started, id: document.runs[0].id }
}

const ran = (folder: string) => readFileSync(join(folder, 'ran'), 'utf8')
const statesOf = (document: { tasks: { state: string }[] }) => document.tasks.map(({ state }) => state)

t.test('Ctrl-C cancels the run and what runs of it: exit 130', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  started.child.kill('SIGINT')
  t.equal((await started.ended).exit, 130)
  const { document } = await json(folder, ['runs', 'show', id])
  t.equal(document.run.state, 'cancelled')
  t.strictSame(statesOf(document), ['cancelled', 'cancelled'])
  t.equal((await json(folder, ['runs', 'list', '--active'])).document.runs.length, 0)
})

t.test(
  'a second Ctrl-C leaves what does not heed the first; `runs resume` then sees to its end',
  async (t) => {
    const stubborn = `dagctl: 1
pipeline: slow
tasks:
  first: { run: "trap 'echo heard >> ran' TERM; echo first >> ran; ${waits('go')}", timeout: 1m, retry: { attempts: 1 } }
`
    const folder = t.testdir({ 'slow.yaml': stubborn })
    const { started, id } = await running(folder)
    started.child.kill('SIGINT')
    await started.said('cancelling')
    await holds(join(folder, 'ran'), 'heard')
    started.child.kill('SIGINT')
    const { exit, err } = await started.ended
    t.equal(exit, 130)
    t.match(err, `dagctl runs resume ${id}`)
    writeFileSync(join(folder, 'go'), '')
    const resumed = await json(folder, ['runs', 'resume', id])
    t.equal(resumed.document.run.state, 'cancelled', 'a cancelled run stays cancelled')
  },
)

t.test('a run whose process was killed goes on with `runs resume`, and nothing runs twice', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  started.child.kill('SIGKILL')
  t.equal((await started.ended).exit, 137)
  t.equal((await json(folder, ['runs', 'show', id])).document.run.state, 'running')
  const resumed = start(folder, ['runs', 'resume', id, '--json'])
  writeFileSync(join(folder, 'go'), '')
  const { exit, out } = await resumed.ended
  t.equal(exit, 0)
  const document = JSON.parse(out)
  t.strictSame(statesOf(document), ['succeeded', 'succeeded'])
  t.strictSame(
    document.tasks.map(({ attempts }: { attempts: number }) => attempts),
    [1, 1],
    'the attempt that outlived its engine counts',
  )
  t.equal(ran(folder), 'first\nsecond 1\n')

  const undisturbed = t.testdir({ 'slow.yaml': pipeline, go: '' })
  const { document: same } = await json(undisturbed, ['run', 'slow.yaml'])
  const outputsOf = (of: { tasks: { outputs: unknown }[] }) => of.tasks.map(({ outputs }) => outputs)
  t.strictSame(outputsOf(document), outputsOf(same), 'as in a run that was never killed')
})

t.test('an attempt that ended while no engine lived has its result taken', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  started.child.kill('SIGKILL')
  await started.ended
  writeFileSync(join(folder, 'go'), '')
  const { exit, document } = await json(folder, ['runs', 'resume', id])
  t.equal(exit, 0)
  t.strictSame(statesOf(document), ['succeeded', 'succeeded'])
  t.equal(ran(folder), 'first\nsecond 1\n')
})

t.test('SIGTERM leaves the run active, and nothing running; it goes on later', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  started.child.kill('SIGTERM')
  t.equal((await started.ended).exit, 130)
  t.match((await json(folder, ['runs', 'show', id])).document, {
    run: { state: 'running' },
    tasks: [{ state: 'ready' }, { state: 'waiting' }],
  })
  writeFileSync(join(folder, 'go'), '')
  const { exit, document } = await json(folder, ['runs', 'resume', id])
  t.equal(exit, 0)
  t.match(document.tasks[0], { attempts: 2, tries: 1 })
})

t.test(
  'SIGKILL after SIGTERM, before what runs has left: that it was asked to leave is not its fault',
  async (t) => {
    const slow = `dagctl: 1
pipeline: slow
tasks:
  first: { run: "trap 'echo heard >> ran; ${waits('die')}; exit 143' TERM; echo first >> ran; ${waits('go')}", timeout: 1m, retry: { attempts: 1 } }
`
    const folder = t.testdir({ 'slow.yaml': slow })
    const { started, id } = await running(folder)
    started.child.kill('SIGTERM')
    await holds(join(folder, 'ran'), 'heard')
    started.child.kill('SIGKILL')
    t.equal((await started.ended).exit, 137)
    writeFileSync(join(folder, 'die'), '')
    writeFileSync(join(folder, 'go'), '')
    const { exit, document } = await json(folder, ['runs', 'resume', id])
    t.equal(exit, 0)
    t.match(document.tasks[0], { state: 'succeeded', attempts: 2, tries: 1 })
  },
)

t.test('`runs cancel` reaches the engine that has the run, which exits 4', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  const { exit, document } = await json(folder, ['runs', 'cancel', id])
  t.equal(exit, 0)
  t.equal(document.run.state, 'cancelled')
  const { exit: ranExit, err } = await started.ended
  t.equal(ranExit, 4, 'it was cancelled by somebody else')
  t.notMatch(err, /\n {4}at /)
})

t.test('`runs cancel` cancels a run whose engine is dead', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  started.child.kill('SIGKILL')
  await started.ended
  const { exit, document } = await json(folder, ['runs', 'cancel', id])
  t.equal(exit, 0)
  t.strictSame([document.run.state, ...statesOf(document)], ['cancelled', 'cancelled', 'cancelled'])
})

t.test('`runs resume` of a run that a living engine has follows it to its end', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  const follower = start(folder, ['runs', 'resume', id])
  await follower.said('belongs to a living engine')
  writeFileSync(join(folder, 'go'), '')
  const [own, followed] = await Promise.all([started.ended, follower.ended])
  t.strictSame([own.exit, followed.exit], [0, 0])
  t.match(followed.out, `run ${id} of slow`)
})

t.test('whoever follows takes the run over when its engine dies', async (t) => {
  const folder = t.testdir({ 'slow.yaml': pipeline })
  const { started, id } = await running(folder)
  const follower = start(folder, ['runs', 'resume', id])
  await follower.said('belongs to a living engine')
  started.child.kill('SIGKILL')
  await started.ended
  writeFileSync(join(folder, 'go'), '')
  t.equal((await follower.ended).exit, 0)
  t.equal(ran(folder), 'first\nsecond 1\n')
})

t.test('killed again and again as it goes, a run ends as one that was never killed', async (t) => {
  const layers = 6
  const tasks = Array.from({ length: layers * 2 }, (_, index) => {
    const above = index < 2 ? [] : [`t${index - 2 - (index % 2)}`, `t${index - 1 - (index % 2)}`]
    const sum = ['1', ...above.map((id) => `{{ tasks.${id}.outputs.n }}`)].join(' + ')
    return `  t${index}: { run: "echo t${index} >> ran; printf '{\\"n\\": %d}' $(( ${sum} )) > $DAGCTL_OUTPUT" }`
  }).join('\n')
  const yaml = `dagctl: 1\npipeline: slow\ndefaults: { timeout: 1m, retry: { attempts: 1 } }\ntasks:\n${tasks}\n`
  const folder = t.testdir({ calm: { 'slow.yaml': yaml }, killed: { 'slow.yaml': yaml } })
  const calm = await json(join(folder, 'calm'), ['run', 'slow.yaml'])

  const killed = join(folder, 'killed')
  let kills = 0
  let started = start(killed, ['run', 'slow.yaml'])
  for (;;) {
    await started.said('succeeded in')
    started.child.kill('SIGKILL')
    if ((await started.ended).exit !== 137) break
    kills++
    const { id, state } = (await json(killed, ['runs', 'list'])).document.runs[0]
    if (state === 'succeeded') break
    started = start(killed, ['runs', 'resume', id])
  }
  t.ok(kills >= 2, `${kills} times killed`)
  const { document } = await json(killed, ['runs', 'list'])
  const ended = await json(killed, ['runs', 'show', document.runs[0].id])
  const outline = (of: { tasks: { id: string; state: string; outputs: unknown }[] }) =>
    of.tasks.map(({ id, state, outputs }) => ({ id, state, outputs }))
  t.strictSame(outline(ended.document), outline(calm.document))
  t.equal(new Set(ran(killed).trim().split('\n')).size, layers * 2)
})
