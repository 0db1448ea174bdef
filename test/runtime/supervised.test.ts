import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { systemClock } from '../../engine/clock.ts'
import { readProcess } from '../../engine/runtime/attempt-folder.ts'
import { ProcessRuntime } from '../../engine/runtime/process.ts'
import { identify } from '../../engine/runtime/process-identity.ts'
import type { Attempt, Runtime } from '../../engine/runtime/runtime.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import {
  attemptOf,
  host,
  listener,
  pidIn,
  processRuntime,
  processRuntimeWithoutPerl,
  runs,
  worker,
} from '../support/runtimes.ts'

const shell = (dir: string, command: string, attempt = 1) => attemptOf('Shell', { command }, { dir, attempt })

for (const [name, make] of [
  ['below a warm supervisor', () => processRuntime()],
  ['without Perl', processRuntimeWithoutPerl],
] as const) {
  t.test(`a command ${name}`, async (t) => {
    const runtime = make()
    t.teardown(() => runtime.close())
    const run = (attempt: Attempt) => runtime.start(attempt, () => {}).outcome

    t.test('starts without a shell where it needs none, and finds the right PWD', async (t) => {
      const dir = t.testdir()
      const attempt = shell(dir, '/usr/bin/printenv PWD')
      t.match(await run(attempt), { type: 'succeeded' })
      t.equal(readFileSync(`${attempt.folder}/stdout.log`, 'utf8'), `${dir}\n`)
    })

    t.test('that cannot be started exits as a shell would', async (t) => {
      const dir = t.testdir()
      t.match(await run(shell(dir, './nowhere', 1)), {
        kind: 'user',
        message: /code 127: .*nowhere: not found/,
      })
      t.match(await run(shell(dir, './', 2)), { kind: 'user', message: /code 126: .*Permission denied/i })
      t.match(await run(shell(dir, 'a\0b', 3)), { kind: 'user', message: /null byte/ })
    })

    t.test('that is a script without a first line for a shell is run by one', async (t) => {
      const dir = t.testdir()
      writeFileSync(`${dir}/script`, 'echo "{\\"said\\":$1}" > $DAGCTL_OUTPUT\n', { mode: 0o755 })
      t.strictSame(await run(shell(dir, './script 7')), { type: 'succeeded', outputs: { said: 7 } })
    })

    t.test('does not begin where its attempt was given up meanwhile', async (t) => {
      const dir = t.testdir()
      const attempt = shell(dir, ': > began')
      t.match(await giveUp(runtime, attempt), { type: 'released', kind: 'node_lost' })
      t.match(await run(attempt), { type: 'failed', kind: 'crash' })
      t.notOk(existsSync(`${dir}/began`))
    })

    t.test('leaves nothing behind where it has killed its supervisor', async (t) => {
      const dir = t.testdir()
      const left = `sh -c 'trap : TERM; echo $$ > pid; sleep 60' & until [ -s pid ]; do sleep 0.01; done`
      const outcome = await run(shell(dir, `${left}; kill -9 $PPID; sleep 0.2`))
      t.not(outcome.type, 'succeeded')
      t.notOk(runs(pidIn(`${dir}/pid`)))
    })

    t.test('is not started by a runtime that was closed meanwhile', async (t) => {
      const dir = t.testdir()
      const attempt = shell(dir, ': > began')
      const closing = make()
      closing.start(attempt, () => {})
      await closing.close()
      t.match(await giveUp(runtime, attempt), { type: 'released', kind: 'node_lost' })
      t.notOk(readProcess(attempt))
    })

    t.test('whose folder is gone before it ends has an outcome', async (t) => {
      const dir = t.testdir()
      t.match(await run(shell(dir, 'rm -rf "$(dirname "$DAGCTL_OUTPUT")"; exit 3')), {
        kind: 'user',
        message: /code 3/,
      })
    })
  })
}

function giveUp(runtime: Runtime, attempt: Attempt) {
  return runtime.attach(attempt, () => {}).outcome
}

t.test("an operator's code does not begin where its attempt was given up meanwhile", async (t) => {
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const attempt = attemptOf('Echo', { a: 1 }, { dir: t.testdir() })
  t.match(await giveUp(runtime, attempt), { type: 'released', kind: 'node_lost' })
  t.match(await runtime.start(attempt, () => {}).outcome, { type: 'released', kind: 'node_lost' })
})

t.test('supervisors are warm: used one after the other, another for what runs beside it', async (t) => {
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const dir = t.testdir()
  const supervisorOf = (attempt: Attempt) => readProcess(attempt)?.supervisor?.pid
  const [first, second, beside] = [1, 2, 3].map((number) => shell(dir, '/bin/true', number)) as [
    Attempt,
    Attempt,
    Attempt,
  ]
  await runtime.start(first, () => {}).outcome
  await Promise.all([second, beside].map((attempt) => runtime.start(attempt, () => {}).outcome))
  t.equal(supervisorOf(second), supervisorOf(first))
  t.not(supervisorOf(beside), supervisorOf(second))
})

t.test('an attempt whose supervisor stands still can be stopped', async (t) => {
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const dir = t.testdir()
  const first = shell(dir, '/bin/true', 1)
  await runtime.start(first, () => {}).outcome
  const supervisor = readProcess(first)?.supervisor?.pid as number
  process.kill(supervisor, 'SIGSTOP')
  const attempt = shell(dir, ': > began', 2)
  const second = runtime.start(attempt, () => {})
  const soon = () => new Promise<void>((resolve) => systemClock.soon(resolve))
  while (!existsSync(`${attempt.folder}/checkpoint-out`)) await soon()
  for (let turns = 0; turns < 20; turns++) await soon()
  second.stop('timeout', 100)
  t.match(await second.outcome, { type: 'failed', kind: 'crash', message: /timeout/ })
  t.notOk(existsSync(`${dir}/began`))
  t.notOk(runs(supervisor), 'its supervisor had to go')
})

t.test(
  'a command that kills its supervisor is waited for, then released; what runs beside it goes on',
  async (t) => {
    const runtime = processRuntime()
    t.teardown(() => runtime.close())
    const dir = t.testdir()
    const heard = listener()
    const said = `echo '{"type":"progress","done":1}' >> $DAGCTL_EVENTS`
    const beside = runtime.start(
      shell(dir, `${said}; until [ -e killed ]; do sleep 0.01; done; exit 4`, 1),
      heard.listen,
    )
    await heard.heard('progress')
    const killer = runtime.start(shell(dir, 'kill -9 $PPID; sleep 1.2; : > killed', 2), () => {})
    t.match(await beside.outcome, { kind: 'user', message: /code 4/ })
    t.match(await killer.outcome, { type: 'released', kind: 'node_lost' })
    t.ok(existsSync(`${dir}/killed`), 'it was not taken for lost while it ran')
  },
)

t.test('where Perl does not run, commands are started without it after a few', async (t) => {
  const runtime = new ProcessRuntime({ host, clock: systemClock, worker, perl: 'false' })
  t.teardown(() => runtime.close())
  const dir = t.testdir()
  const outcomes = []
  for (const attempt of [1, 2, 3, 4])
    outcomes.push((await runtime.start(shell(dir, '/bin/true', attempt), () => {}).outcome).type)
  t.strictSame(outcomes, ['released', 'released', 'released', 'succeeded'])
})

t.test('what Perl would take from the environment reaches the command, and no supervisor', async (t) => {
  process.env.PERL5OPT = '-MNo::Such::Module'
  t.teardown(() => delete process.env.PERL5OPT)
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const attempt = shell(t.testdir(), 'test "$PERL5OPT" = -MNo::Such::Module')
  t.match(await runtime.start(attempt, () => {}).outcome, { type: 'succeeded' })
  t.ok(readProcess(attempt)?.supervisor, 'it had a supervisor')
})

t.test('a stop that comes before the command can hear it keeps it from beginning', async (t) => {
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const dir = t.testdir()
  const attempt = shell(dir, ': > began')
  mkdirSync(attempt.folder, { recursive: true })
  writeFileSync(`${attempt.folder}/stopping`, '{"reason":"cancel"}')
  t.match(await runtime.start(attempt, () => {}).outcome, { kind: 'crash', message: /SIGTERM/ })
  t.notOk(existsSync(`${dir}/began`))
})

t.test(
  'the ending of an adopted command is waited for while its supervisor lives, and not for ever',
  async (t) => {
    const stand = (dir: string) => {
      const clock = new VirtualClock()
      const runtime = new ProcessRuntime({ host, clock: clock.face(), worker })
      t.teardown(() => runtime.close())
      const attempt = shell(dir, '/bin/true')
      const itself = identify(process.pid)
      if (itself === null) throw new Error('this process runs')
      const { startTime, bootId } = itself
      mkdirSync(attempt.folder, { recursive: true })
      const gone = { type: 'command', pid: process.pid, startTime: 'another', bootId, oomKills: null }
      const supervisor = { pid: process.pid, startTime }
      writeFileSync(`${attempt.folder}/process.json`, JSON.stringify({ ...gone, supervisor }))
      return { clock, attempt, outcome: runtime.attach(attempt, () => {}).outcome }
    }
    const late = stand(t.testdir({ late: {} }))
    for (let looks = 0; looks < 5; looks++) await late.clock.step()
    writeFileSync(`${late.attempt.folder}/ending.json`, '{"code":0}')
    await late.clock.step()
    t.match(await late.outcome, { type: 'succeeded' })
    const never = stand(t.testdir())
    while (await never.clock.step());
    t.match(await never.outcome, { type: 'released', kind: 'node_lost' })
    t.equal(never.clock.time - new VirtualClock().time, 10_000)
  },
)

t.test('functions that bash exports are run by their names: then every command has its shell', async (t) => {
  const { shell: operator } = await import('../../operators/control/shell.ts')
  t.strictSame(operator.command?.({ command: 'module load cuda' }), ['module', 'load', 'cuda'])
  process.env['BASH_FUNC_module%%'] = '() { :; }'
  t.teardown(() => delete process.env['BASH_FUNC_module%%'])
  t.strictSame(operator.command?.({ command: 'module load cuda' }), ['/bin/sh', '-c', 'module load cuda'])
})
