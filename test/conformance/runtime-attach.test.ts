import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { systemClock } from '../../engine/clock.ts'
import { readEnding, readProcess } from '../../engine/runtime/attempt-folder.ts'
import type { Attempt } from '../../engine/runtime/runtime.ts'
import {
  attemptOf,
  listener,
  pidIn,
  processRuntime,
  processRuntimeWithoutPerl,
  runs,
} from '../support/runtimes.ts'

const program = fileURLToPath(import.meta.resolve('../support/engine-to-kill.ts'))

/** Starts the attempt in an engine of its own, and kills that engine when it says `when`. */
async function startAndKill(
  attempt: Attempt,
  dir: string,
  when: 'progress' | 'outcome',
  options: readonly string[] = [],
): Promise<void> {
  writeFileSync(`${dir}/spec`, JSON.stringify(attempt))
  const engine = spawn(process.execPath, [program, `${dir}/spec`, ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: engine.stdout }))
    if (JSON.parse(line).type === when) break
  engine.kill('SIGKILL')
  if (engine.exitCode === null && engine.signalCode === null) await once(engine, 'exit')
}

/** Resolves when the attempt has written its ending. */
async function ended(attempt: Attempt): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = () => readEnding(attempt) !== null && resolve()
  const watcher = watch(attempt.folder, look)
  look()
  await promise
  watcher.close()
}

function pidOf(attempt: Attempt): number {
  const found = readProcess(attempt)
  if (found === null) throw new Error('no process is on record')
  return found.pid
}

/** Kills the attempt and what is to write its ending, which comes first: it would write that of a killed command. */
async function killAll(attempt: Attempt): Promise<void> {
  const found = readProcess(attempt)
  if (found === null) throw new Error('no process is on record')
  if (found.supervisor !== null) process.kill(found.supervisor.pid, 'SIGKILL')
  process.kill(-found.pid, 'SIGKILL')
  while (runs(found.pid) || runs(found.supervisor?.pid ?? found.pid))
    await new Promise<void>((resolve) => systemClock.soon(resolve))
}

const say = `echo '{"type":"progress","done":1,"unit":"starts"}' >> $DAGCTL_EVENTS`

const command = {
  options: [] as readonly string[],
  make: () => processRuntime(),
  waits: (dir: string) =>
    attemptOf(
      'Shell',
      {
        command: `${say}; until [ -e go ]; do sleep 0.02; done; ${say}; echo '{"went":true}' > $DAGCTL_OUTPUT`,
      },
      { dir },
    ),
  rude: (dir: string) =>
    attemptOf('Shell', { command: `trap '' TERM; ${say}; while :; do sleep 60; done` }, { dir }),
  quick: (dir: string) => attemptOf('Shell', { command: `echo '{"went":true}' > $DAGCTL_OUTPUT` }, { dir }),
}

const kits = [
  { ...command, name: 'a command' },
  {
    ...command,
    name: 'a command without Perl',
    options: ['--no-perl'],
    make: processRuntimeWithoutPerl,
  },
  {
    options: [],
    make: () => processRuntime(),
    name: "an operator's code in a worker",
    waits: (dir: string) => attemptOf('WaitForGo', {}, { dir }),
    rude: (dir: string) => attemptOf('Rude', {}, { dir }),
    quick: (dir: string) => attemptOf('Echo', { went: true }, { dir }),
  },
]

for (const kit of kits) {
  t.test(`${kit.name} outlives its engine`, async (t) => {
    const runtime = kit.make()
    t.teardown(() => runtime.close())
    const attach = (attempt: Attempt) => {
      const heard = listener()
      return { ...heard, running: runtime.attach(attempt, heard.listen) }
    }

    t.test('still running: the next engine watches it, hears of it and takes its result', async (t) => {
      const dir = t.testdir()
      const attempt = kit.waits(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      t.ok(runs(pidOf(attempt)))
      const { running, heard } = attach(attempt)
      t.match(await heard('progress'), { done: 1, unit: 'starts' }, 'the newest progress is told again')
      writeFileSync(`${dir}/go`, '')
      t.match(await running.outcome, { type: 'succeeded', outputs: { went: true } })
    })

    t.test('ended meanwhile: its result is taken', async (t) => {
      const dir = t.testdir()
      const attempt = kit.waits(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      writeFileSync(`${dir}/go`, '')
      await ended(attempt)
      t.match(await attach(attempt).running.outcome, { type: 'succeeded', outputs: { went: true } })
    })

    t.test('ended before: its result is taken again', async (t) => {
      const dir = t.testdir()
      const attempt = kit.quick(dir)
      await startAndKill(attempt, dir, 'outcome', kit.options)
      const { running, events } = attach(attempt)
      t.strictSame(await running.outcome, { type: 'succeeded', outputs: { went: true } })
      t.strictSame(events, [])
    })

    t.test('vanished: released as node_lost', async (t) => {
      const dir = t.testdir()
      const attempt = kit.rude(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      await killAll(attempt)
      t.match(await attach(attempt).running.outcome, {
        type: 'released',
        kind: 'node_lost',
        message: /gone without a trace/,
      })
      const again = attach(attempt)
      t.match(await again.running.outcome, { type: 'released' }, 'a release is not written down as an ending')
    })

    t.test('vanishes while it is watched: released as node_lost', async (t) => {
      const dir = t.testdir()
      const attempt = kit.rude(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      const { running, heard } = attach(attempt)
      await heard('progress')
      await killAll(attempt)
      t.match(await running.outcome, { type: 'released', kind: 'node_lost' })
    })

    t.test('its number belongs to another process: node_lost, and that one is not touched', async (t) => {
      const dir = t.testdir()
      const attempt = kit.rude(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      await killAll(attempt)
      const stranger = spawn('sleep', ['60'], { detached: true })
      t.teardown(() => stranger.kill('SIGKILL'))
      for (const change of [{ pid: stranger.pid }, { pid: stranger.pid, startTime: '1' }]) {
        const path = `${attempt.folder}/process.json`
        writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
        const { running } = attach(attempt)
        running.stop('cancel', 0)
        t.match(await running.outcome, { type: 'released', kind: 'node_lost' })
      }
      t.ok(runs(stranger.pid ?? 0))
    })

    t.test('of an earlier start of the machine: node_lost', async (t) => {
      const dir = t.testdir()
      const attempt = kit.waits(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      const pid = pidOf(attempt)
      const path = `${attempt.folder}/process.json`
      writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), bootId: 'another' }))
      t.match(await attach(attempt).running.outcome, { type: 'released', kind: 'node_lost' })
      process.kill(-pid, 'SIGKILL')
    })

    t.test('a stop by the next engine ends it, by SIGKILL after the grace', async (t) => {
      const dir = t.testdir()
      const attempt = kit.rude(dir)
      await startAndKill(attempt, dir, 'progress', kit.options)
      const { running } = attach(attempt)
      running.stop('timeout', 50)
      t.match(await running.outcome, { type: 'failed', kind: 'crash', message: /killed: .*0.05 s.*timeout/ })
      t.notOk(runs(pidOf(attempt)))
      t.match(
        await attach(attempt).running.outcome,
        { type: 'failed', kind: 'crash' },
        'and a third engine finds the same',
      )
    })

    t.test('a runtime that closes leaves it running, and another one takes it over', async (t) => {
      const dir = t.testdir()
      const attempt = kit.waits(dir)
      const first = kit.make()
      const heard = listener()
      first.start(attempt, heard.listen)
      await heard.heard('progress')
      await first.close()
      t.ok(runs(pidOf(attempt)))
      const { running } = attach(attempt)
      writeFileSync(`${dir}/go`, '')
      t.match(await running.outcome, { type: 'succeeded', outputs: { went: true } })
    })

    t.test('an engine with nothing left to do is kept by nothing', async (t) => {
      const dir = t.testdir()
      const attempt = kit.quick(dir)
      writeFileSync(`${dir}/spec`, JSON.stringify(attempt))
      const engine = spawn(process.execPath, [program, `${dir}/spec`, ...kit.options], { stdio: 'ignore' })
      const [code] = await once(engine, 'exit')
      t.equal(code, 0)
    })

    t.test('a torn ending of a process that is gone is none', async (t) => {
      const dir = t.testdir()
      const attempt = kit.quick(dir)
      await startAndKill(attempt, dir, 'outcome', kit.options)
      const pid = pidOf(attempt)
      writeFileSync(`${attempt.folder}/ending.json`, '{"outc')
      if (runs(pid)) process.kill(-pid, 'SIGKILL')
      t.match(await attach(attempt).running.outcome, { type: 'released', kind: 'node_lost' })
    })
  })
}

for (const options of [[], ['--no-perl']])
  t.test(`what a stopped command left behind ends with the next engine ${options}`, async (t) => {
    const dir = t.testdir()
    const left = `sh -c 'trap : TERM; echo $$ > pid; while :; do sleep 60; done' & until [ -s pid ]; do sleep 0.01; done`
    const command = `${left}; ${say}; until [ -e go ]; do sleep 0.02; done`
    const attempt = attemptOf('Shell', { command }, { dir })
    await startAndKill(attempt, dir, 'progress', options)
    writeFileSync(`${attempt.folder}/stopping`, '{"reason":"cancel"}')
    writeFileSync(`${dir}/go`, '')
    await ended(attempt)
    t.ok(runs(pidIn(`${dir}/pid`)), 'it had the rest of the grace')
    const runtime = processRuntime()
    t.teardown(() => runtime.close())
    t.match(await runtime.attach(attempt, () => {}).outcome, { type: 'succeeded' })
    t.notOk(runs(pidIn(`${dir}/pid`)))
  })

t.test('code that waits for nothing, in a worker without an engine, has an ending', async (t) => {
  const dir = t.testdir()
  const attempt = attemptOf('Idle', {}, { dir })
  await startAndKill(attempt, dir, 'progress')
  await ended(attempt)
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const { outcome } = runtime.attach(attempt, () => {})
  t.match(await outcome, { type: 'failed', kind: 'user', message: /before the operator returned/ })
})

t.test('a command never begins where its engine died before its process was on record', async (t) => {
  const dir = t.testdir()
  const attempt = attemptOf('Shell', { command: ': > began' }, { dir })
  await startAndKill(attempt, dir, 'outcome', ['--no-perl'])
  t.ok(existsSync(`${dir}/began`), 'with an engine it begins')
  // The supervisor as it is spawned, but nobody says `go`.
  const { supervisor } = await import('../../engine/runtime/supervised.ts')
  rmSync(`${dir}/began`)
  rmSync(`${attempt.folder}/ending.json`)
  const alone = spawn('/bin/sh', ['-c', supervisor, 'dagctl', attempt.folder, '/bin/sh', '-c', ': > began'], {
    cwd: dir,
    detached: true,
  })
  alone.stdin.end()
  const [code] = await once(alone, 'exit')
  t.equal(code, 75)
  t.notOk(existsSync(`${dir}/began`))
  t.notOk(readdirSync(attempt.folder).includes('ending.json'))
})

t.test(
  'checkpoints that were announced while no engine watched are sealed by the next one, once',
  async (t) => {
    const dir = t.testdir()
    const save = (step: number) =>
      `mkdir $DAGCTL_CHECKPOINT_OUT/s${step}; echo ${step} > $DAGCTL_CHECKPOINT_OUT/s${step}/w; echo '{"type":"checkpoint","step":${step},"path":"s${step}"}' >> $DAGCTL_EVENTS`
    const command = `${save(1)}; ${say}; until [ -e go ]; do sleep 0.02; done; ${save(2)}`
    const attempt = attemptOf('Shell', { command }, { dir })
    await startAndKill(attempt, dir, 'progress')
    writeFileSync(`${dir}/go`, '')
    await ended(attempt)
    const runtime = processRuntime()
    t.teardown(() => runtime.close())
    const heard = listener()
    t.match(await runtime.attach(attempt, heard.listen).outcome, { type: 'succeeded' })
    t.ok(heard.events.some((event) => event.type === 'checkpoint' && event.step === 2))
    const again = listener()
    await runtime.attach(attempt, again.listen).outcome
    t.strictSame(
      again.events.filter(({ type }) => type === 'checkpoint'),
      [],
    )
    t.equal(readdirSync(attempt.checkpoints).length, 2)
  },
)

t.test('a sleep and a failure that ended without an engine keep what wakes and what delays', async (t) => {
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  for (const outcome of [
    { type: 'sleep', until: null, state: { n: 1 }, on: { runs: ['r'], paths: ['/data'] } },
    { type: 'failed', kind: 'network', message: 'later', retryAfter: 9000 },
  ]) {
    const dir = t.testdir()
    const attempt = attemptOf('End', { outcome }, { dir })
    await startAndKill(attempt, dir, 'outcome')
    t.strictSame(await runtime.attach(attempt, () => {}).outcome, outcome)
  }
})
