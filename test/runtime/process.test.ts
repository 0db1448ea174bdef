import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { JsonObject } from '../../engine/json.ts'
import { type LogLine, readEnding, readLogs } from '../../engine/runtime/attempt-folder.ts'
import { attemptOf, listener, processRuntime } from '../support/runtimes.ts'
import type { TaskOptions } from '../support/task-context.ts'

const runtime = processRuntime(3)
t.teardown(() => runtime.close())

function start(name: string, input: JsonObject, options: TaskOptions) {
  const heard = listener()
  const attempt = attemptOf(name, input, options)
  return { ...heard, attempt, ...runtime.start(attempt, heard.listen) }
}

const run = (name: string, input: JsonObject, options: TaskOptions) => start(name, input, options).outcome
const shell = (command: string, options: TaskOptions) => run('Shell', { command }, options)

t.test('how a command ended says the kind of its failure', async (t) => {
  const dir = t.testdir()
  let attempt = 0
  for (const [command, kind, message] of [
    ['echo out; echo "no such table" >&2; exit 3', 'user', 'it exited with code 3: no such table'],
    ['exit 75', 'crash', 'it exited with code 75, a temporary failure'],
    ['kill -SEGV $$', 'crash', /it was ended by SIGSEGV/],
    ['sh -c "kill -9 \\$\\$"; exit $?', 'crash', /it was ended by SIGKILL/],
    ['echo "torch.OutOfMemoryError: CUDA out of memory. Tried" >&2; exit 1', 'gpu_oom', /CUDA out of memory/],
    ['echo "CUDA out of memory"; exit 1', 'gpu_oom', /accelerator/],
    ['printf "Traceback\\nMemoryError\\n" >&2; exit 1', 'oom', /memory is used up/],
    ['does-not-exist', 'user', /code 127: .*does-not-exist: not found/],
    ['exit 255', 'user', 'it exited with code 255'],
    [
      `echo '{"type":"failure","kind":"model_load","message":"no weights"}' >> $DAGCTL_EVENTS; exit 1`,
      'model_load',
      'no weights',
    ],
    [`echo '{"type":"failure","kind":"odd","message":"m"}' >> $DAGCTL_EVENTS; exit 1`, 'user', 'odd: m'],
    ['printf "\\033[31mred\\033[0m\\a alarm" >&2; exit 1', 'user', 'it exited with code 1: red  alarm'],
  ] as const) {
    attempt += 1
    t.match(await shell(command, { dir, attempt }), { type: 'failed', kind, message }, command)
  }
  const later = `echo '{"type":"failure","kind":"network","message":"429","retryAfter":9000}' >> $DAGCTL_EVENTS; exit 1`
  t.match(await shell(later, { dir, attempt: 98 }), { kind: 'network', message: '429', retryAfter: 9000 })
  const told = await shell(`echo '{"type":"failure","kind":"oom"}' >> $DAGCTL_EVENTS; exit 0`, {
    dir,
    attempt: 99,
  })
  t.strictSame(told, { type: 'succeeded', outputs: {} }, 'exit 0 is a success whatever was said')
})

t.test('outputs of a command that are no JSON object in a regular file are invalid_input', async (t) => {
  const dir = t.testdir({ secret: '{"a":1}' })
  let attempt = 0
  for (const [command, message] of [
    ['echo nonsense > $DAGCTL_OUTPUT', /is no JSON/],
    ['echo [1] > $DAGCTL_OUTPUT', /holds no JSON object/],
    [': > $DAGCTL_OUTPUT', /is no JSON/],
    ['ln -s $PWD/secret $DAGCTL_OUTPUT', /is a symbolic link/],
    ['mkfifo $DAGCTL_OUTPUT', /is not a regular file/],
    ['mkdir $DAGCTL_OUTPUT', /is not a regular file/],
    ['printf "{\\"a\\":\\"\\377\\"}" > $DAGCTL_OUTPUT', /is no JSON/],
    ['head -c 17000000 /dev/zero > $DAGCTL_OUTPUT', /has 17000000 bytes, more than the 16777216 allowed/],
  ] as const) {
    attempt += 1
    t.match(
      await shell(command, { dir, attempt }),
      { type: 'failed', kind: 'invalid_input', message },
      command,
    )
  }
  const { kind } = (await run('Big', { bytes: 17_000_000 }, { dir, attempt: 99 })) as { kind: string }
  t.equal(kind, 'invalid_input', 'nor may code return more')
})

t.test('a command finds its input, its folders and who it is in its environment', async (t) => {
  const dir = t.testdir({ 'a.txt': '' })
  const command = `
    set -eu
    test -f a.txt && test -d "$DAGCTL_WORK" && test -d "$DAGCTL_ARTIFACTS" && test -d "$DAGCTL_CHECKPOINT_OUT"
    test -z "$DAGCTL_CHECKPOINT" && test -z "\${DAGCTL_SECRET_KEY-}" && test "$COLOR" = red
    read -r nothing && exit 9 || true
    printf '{"run":"%s","task":"%s","key":"%s","attempt":"%s","start":"%s"}' \
      "$DAGCTL_RUN_ID" "$DAGCTL_TASK_ID" "$DAGCTL_TASK_KEY" "$DAGCTL_ATTEMPT" "$DAGCTL_INTERVAL_START" > "$DAGCTL_OUTPUT"`
  process.env.DAGCTL_SECRET_KEY = 'k'
  t.teardown(() => delete process.env.DAGCTL_SECRET_KEY)
  const { outcome, attempt } = start(
    'Shell',
    { command },
    { dir, key: 'de', attempt: 4, env: { COLOR: 'red', TOKEN: 'crimson' } },
  )
  t.strictSame(await outcome, {
    type: 'succeeded',
    outputs: { run: 'run-1', task: 'test', key: 'de', attempt: '4', start: '2026-01-01T00:00:00.000Z' },
  })
  t.strictSame(JSON.parse(readFileSync(`${attempt.folder}/input.json`, 'utf8')), { command })
  for (const name of readdirSync(attempt.folder)) {
    const path = `${attempt.folder}/${name}`
    if (statSync(path).isFile())
      t.notMatch(readFileSync(path, 'utf8'), /crimson/, 'the environment is not written down')
  }
})

t.test('what a command leaves running in its group ends with it', async (t) => {
  const dir = t.testdir()
  const { runs, pidIn } = await import('../support/runtimes.ts')
  t.match(
    await shell('sh -c "trap : TERM; echo \\$\\$ > pid; sleep 60" & until [ -s pid ]; do sleep 0.01; done', {
      dir,
    }),
    {
      type: 'succeeded',
    },
  )
  t.notOk(runs(pidIn(`${dir}/pid`)))
})

t.test('after a stop, the children of a command that is gone have the grace to finish', async (t) => {
  const dir = t.testdir()
  const child = `trap 'sleep 0.2; : > saved; exit' TERM; echo '{"type":"progress","done":1}' >> $DAGCTL_EVENTS; while :; do sleep 0.02; done`
  writeFileSync(`${dir}/child.sh`, child)
  const { outcome, stop, heard } = start('Shell', { command: '/bin/sh child.sh & wait' }, { dir })
  await heard('progress')
  stop('cancel', 60_000)
  t.match(await outcome, { type: 'failed', kind: 'crash', message: /SIGTERM/ })
  t.ok(existsSync(`${dir}/saved`))
})

t.test('progress is heard while the command runs', async (t) => {
  const dir = t.testdir()
  const say = (done: number) => `echo '{"type":"progress","done":${done},"total":2}' >> $DAGCTL_EVENTS`
  const { outcome, heard, events } = start(
    'Shell',
    { command: `${say(1)}; until [ -e go ]; do sleep 0.01; done; ${say(2)}` },
    { dir },
  )
  t.match(await heard('progress'), { done: 1, total: 2, unit: '' })
  writeFileSync(`${dir}/go`, '')
  await outcome
  t.match(events.at(-1), { done: 2 })
})

t.test('lines that are no events are told of and do no harm', async (t) => {
  const dir = t.testdir()
  const command = `
    echo nonsense >> $DAGCTL_EVENTS
    echo '{"type":"metric","name":"a"}' >> $DAGCTL_EVENTS
    echo '{"type":"log","level":"loud","message":"m"}' >> $DAGCTL_EVENTS
    { head -c 3000000 /dev/zero | tr '\\0' x; echo; } >> $DAGCTL_EVENTS
    echo '{"type":"metric","name":"a","value":1}' >> $DAGCTL_EVENTS
    printf '{"type":"metric","name":"torn"' >> $DAGCTL_EVENTS`
  const { outcome, events, logs } = start('Shell', { command }, { dir })
  t.match(await outcome, { type: 'succeeded' })
  t.strictSame(
    events.filter(({ type }) => type === 'metric'),
    [{ type: 'metric', name: 'a', value: 1, labels: {} }],
  )
  t.equal(logs().filter((message) => /is no event/.test(message)).length, 3)
  t.equal(logs().filter((message) => /longer than 1048576 bytes/.test(message)).length, 1)
})

t.test('a checkpoint that a command announces is sealed, and the next attempt finds it', async (t) => {
  const dir = t.testdir()
  const save = (step: number) => `
    mkdir -p $DAGCTL_CHECKPOINT_OUT/s${step}/deep
    echo ${step} > $DAGCTL_CHECKPOINT_OUT/s${step}/deep/weights
    echo '{"type":"checkpoint","step":${step},"path":"s${step}"}' >> $DAGCTL_EVENTS`
  const first = start('Shell', { command: `${save(1)}\n${save(2)}\nexit 75` }, { dir })
  t.match(await first.outcome, { kind: 'crash' })
  t.strictSame(
    first.events.filter(({ type }) => type === 'checkpoint'),
    [
      { type: 'checkpoint', step: 1 },
      { type: 'checkpoint', step: 2 },
    ],
  )
  t.strictSame(readdirSync(`${first.attempt.folder}/checkpoint-out`), [], 'what is sealed is taken out')
  const command = `printf '{"weights":%s,"step":%s}' $(cat $DAGCTL_CHECKPOINT/deep/weights) $DAGCTL_CHECKPOINT_STEP > $DAGCTL_OUTPUT`
  t.strictSame(await shell(command, { dir, attempt: 2 }), {
    type: 'succeeded',
    outputs: { weights: 2, step: 2 },
  })
})

t.test('a checkpoint with a link in it, or elsewhere, is refused and the task goes on', async (t) => {
  const dir = t.testdir({ secret: 'x', elsewhere: { 'a.txt': '' } })
  let attempt = 0
  for (const [make, path] of [
    ['ln -s $PWD/secret $DAGCTL_CHECKPOINT_OUT/a', undefined],
    [':', '../work'],
    [':', '/etc'],
    ['ln -s $PWD/elsewhere $DAGCTL_CHECKPOINT_OUT/s1', 's1'],
    [':', 'absent'],
  ] as const) {
    attempt += 1
    const announced = JSON.stringify({ type: 'checkpoint', step: 1, path })
    const one = start(
      'Shell',
      { command: `${make}; echo '${announced}' >> $DAGCTL_EVENTS` },
      { dir, attempt },
    )
    t.match(await one.outcome, { type: 'succeeded' })
    t.match(one.logs(), [/the checkpoint of step 1 is not kept: /])
    t.notOk(one.events.some(({ type }) => type === 'checkpoint'))
  }
})

t.test(
  'workers are warm: used again, replaced after so many attempts, an error or a spawned command',
  async (t) => {
    const dir = t.testdir()
    const mine = processRuntime(3)
    t.teardown(() => mine.close())
    let attempt = 0
    const pid = async (name = 'Pid', input = {}) => {
      attempt += 1
      const outcome = await mine.start(attemptOf(name, input, { dir, attempt }), () => {}).outcome
      return outcome.type === 'succeeded' ? outcome.outputs.pid : null
    }
    const first = await pid()
    t.equal(await pid(), first)
    t.equal(await pid(), first)
    const second = await pid()
    t.not(second, first, 'three attempts are enough')
    t.equal(await pid('Fail', { kind: 'user', message: 'x' }), null)
    const third = await pid()
    t.not(third, second, 'one that failed is not used again')
    await pid('Spawn', { command: ':' })
    t.not(await pid(), third, 'one whose operator ran a command is not used again')
  },
)

t.test('the successor of a worker is there before that one is replaced', async (t) => {
  const dir = t.testdir()
  const mine = processRuntime(10)
  t.teardown(() => mine.close())
  const pid = async (attempt: number) => {
    const outcome = await mine.start(attemptOf('Pid', {}, { dir, attempt }), () => {}).outcome
    return outcome.type === 'succeeded' ? Number(outcome.outputs.pid) : Number.NaN
  }
  const children = () =>
    readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number)
  const first = await pid(1)
  const before = children()
  for (let attempt = 2; attempt <= 10; attempt++) t.equal(await pid(attempt), first)
  const there = children()
  const next = await pid(11)
  t.not(next, first)
  t.notOk(before.includes(next))
  t.ok(there.includes(next))
})

t.test('a worker that dies with its attempt gives a classified outcome', async (t) => {
  const dir = t.testdir()
  let attempt = 0
  for (const [name, input, kind, message] of [
    ['Signal', { signal: 'SIGSEGV' }, 'crash', /it was ended by SIGSEGV/],
    ['Signal', { signal: 'SIGKILL' }, 'crash', /it was ended by SIGKILL/],
    ['Exit', { code: 0 }, 'user', /before the operator returned/],
    ['Exit', { code: 4 }, 'user', /it exited with code 4/],
    ['Exit', { code: 75 }, 'crash', /temporary failure/],
    ['LateThrow', {}, 'user', /thrown where nobody caught it: too late to be caught/],
  ] as const) {
    attempt += 1
    const { outcome, attempt: spec } = start(name, input, { dir, attempt })
    const ended = await outcome
    t.match(ended, { type: 'failed', kind, message }, `${name} ${JSON.stringify(input)}`)
    t.strictSame(readEnding(spec), { outcome: ended }, 'a later engine finds the same')
  }
  t.match(
    await run('Echo', { ok: true }, { dir, attempt: 99 }),
    { outputs: { ok: true } },
    'the next attempt has a worker',
  )
})

t.test('a worker whose heap is full is oom', async (t) => {
  const before = process.execArgv
  process.execArgv = [...before, '--max-old-space-size=40']
  t.teardown(() => {
    process.execArgv = before
  })
  const mine = processRuntime()
  t.teardown(() => mine.close())
  const outcome = await mine.start(attemptOf('HeapOom', {}, { dir: t.testdir() }), () => {}).outcome
  t.match(outcome, { type: 'failed', kind: 'oom', message: /memory is used up/ })
})

t.test('an operator that blocks its thread is killed after the grace', async (t) => {
  const { outcome, stop, heard } = start('Blocked', {}, { dir: t.testdir() })
  await heard('progress')
  stop('timeout', 50)
  t.match(await outcome, {
    type: 'failed',
    kind: 'crash',
    message: /killed: it did not end within 0.05 s of SIGTERM \(timeout\)/,
  })
})

t.test('what cannot start has an outcome', async (t) => {
  const dir = t.testdir({ file: '' })
  const homeless = { ...attemptOf('Shell', { command: 'true' }, { dir }), cwd: `${dir}/absent` }
  t.match(await runtime.start(homeless, () => {}).outcome, {
    type: 'failed',
    kind: 'user',
    message: /cannot start: ENOENT.*absent/,
  })
  const blocked = attemptOf('Echo', {}, { dir })
  t.match(await runtime.start({ ...blocked, folder: `${dir}/file/x` }, () => {}).outcome, {
    type: 'failed',
    kind: 'user',
    message: /cannot start/,
  })
})

t.test('the log of an attempt has what was logged and what was printed', async (t) => {
  const dir = t.testdir()
  const said = start('Say', {}, { dir })
  await said.outcome
  const lines: LogLine[] = await Array.fromAsync(readLogs(said.attempt.folder))
  t.strictSame(
    lines.map(({ stream, level, text }) => ({ stream, level, text })),
    [
      { stream: 'log', level: 'info', text: 'hello {"n":1}' },
      { stream: 'log', level: 'warn', text: 'careful' },
      { stream: 'stdout', level: 'info', text: 'printed' },
      { stream: 'stderr', level: 'error', text: 'complained' },
      { stream: 'stdout', level: 'info', text: 'without an end of line' },
    ],
  )
  t.ok(lines.every(({ at }) => at !== null && at > 1_700_000_000_000))
  const command = start(
    'Shell',
    { command: `echo one; echo two >&2; echo '{"type":"log","message":"three"}' >> $DAGCTL_EVENTS` },
    { dir, attempt: 2 },
  )
  await command.outcome
  t.strictSame(await Array.fromAsync(readLogs(command.attempt.folder)), [
    { at: null, stream: 'log', level: 'info', text: 'three' },
    { at: null, stream: 'stdout', level: 'info', text: 'one' },
    { at: null, stream: 'stderr', level: 'error', text: 'two' },
  ])
  t.strictSame(await Array.fromAsync(readLogs(`${dir}/absent`)), [])
})

const small = mkdtempSync(join(tmpdir(), 'dagctl-small-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]).status === 0
t.teardown(() => {
  if (mounted) spawnSync('umount', [small])
  rmSync(small, { recursive: true })
})

t.test('on a full disk', { skip: mounted ? false : 'this machine allows no mount' }, async (t) => {
  const dir = t.testdir()
  const fill = 'head -c 1000000 /dev/zero > "$DAGCTL_WORK/fill" 2>/dev/null'
  const on = (name: string, input: JsonObject, folder: string) => {
    const heard = listener()
    const attempt = { ...attemptOf(name, input, { dir }), folder: `${small}/${folder}` }
    return { ...heard, ...runtime.start(attempt, heard.listen) }
  }
  const clear = () => rmSync(`${small}/a`, { recursive: true, force: true })

  t.test('a command ends as it ended, though its ending cannot be written', async (t) => {
    t.match(await on('Shell', { command: `${fill}; exit 0` }, 'a').outcome, { type: 'succeeded' })
    clear()
    t.match(await on('Shell', { command: `${fill}; exit 3` }, 'a').outcome, {
      kind: 'user',
      message: /code 3/,
    })
    clear()
    t.match(await on('Shell', { command: `${fill}; kill -SEGV $$` }, 'a').outcome, {
      kind: 'crash',
      message: /SIGSEGV/,
    })
    clear()
  })

  t.test('code in a worker tells its outcome by message', async (t) => {
    const filled = on('Spawn', { command: `head -c 1000000 /dev/zero > ${small}/a/fill; :` }, 'a')
    t.match(await filled.outcome, { type: 'succeeded', outputs: { code: 0 } })
    clear()
  })

  t.test('an attempt whose folder cannot be made fails and says why', async (t) => {
    writeFileSync(`${small}/fill`, Buffer.alloc(64 * 1024))
    for (const name of ['Echo', 'Shell']) {
      const { outcome } = on(name, { command: `: ${'x'.repeat(20_000)}` }, 'a')
      t.match(await outcome, { type: 'failed', kind: 'user', message: /cannot start: ENOSPC/ })
      clear()
    }
  })
})
