import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { start } from '../support/command-line.ts'
import { startHttp } from '../support/http-server.ts'
import { freePort } from '../support/requirement.ts'
import { forgetAws, startS3rver } from '../support/s3-servers.ts'

// Started processes inherit it.
forgetAws()
Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' })

/** A folder with one pipeline. */
function folder(t: Test, tasks: string, more: object = {}): string {
  return t.testdir({ 'p.yaml': `dagctl: 1\npipeline: p\ntasks:\n${tasks}\n`, ...more })
}

/** The run document of a command line that has ended. */
async function documentOf(started: ReturnType<typeof start>) {
  const { exit, out, err } = await started.ended
  try {
    return { exit, ...JSON.parse(out) }
  } catch {
    throw new Error(`no document, exit ${exit}: ${err}`)
  }
}

t.test('S3Sensor waits asleep, the object appears, the run goes on', async (t) => {
  const s3 = t.testdir()
  const server = await startS3rver(s3)
  t.teardown(() => server.close())
  t.test('with its outputs', async (t) => {
    const sensor = `{ uses: S3Sensor, with: { uri: "s3://${server.bucket}/day/*.jsonl", endpoint: "${server.endpoint}", every: 500ms }, timeout: 1m }`
    const dir = folder(
      t,
      `  landed: ${sensor}\n  next: { uses: Noop, with: { outputs: { got: "{{ tasks.landed.outputs.files }}" } } }`,
    )
    const run = start(dir, ['run', 'p.yaml', '--json'])
    await run.said('landed sleeping')
    await server.put('day/a.jsonl', '{}\n')
    const { exit, tasks } = await documentOf(run)
    t.equal(exit, 0)
    t.match(tasks, [
      { id: 'landed', state: 'succeeded', tries: 1 },
      { id: 'next', outputs: { got: [{ uri: `s3://${server.bucket}/day/a.jsonl`, size: 3 }] } },
    ])
    t.ok(tasks[0].attempts > 1, 'each look is an attempt of the same try')
  })
  t.test('a wrong bucket fails at once, a server that is down is tried again', async (t) => {
    const retry = 'retry: { attempts: 3, delay: 10ms, on: [network] }'
    const dir = folder(
      t,
      [
        `  wrong: { uses: S3Sensor, with: { uri: "s3://no-such-bucket/a", endpoint: "${server.endpoint}" }, ${retry} }`,
        `  down: { uses: S3Sensor, with: { uri: "s3://bucket-1/a", endpoint: "http://127.0.0.1:${await freePort()}" }, ${retry} }`,
      ].join('\n'),
    )
    const { exit, tasks } = await documentOf(start(dir, ['run', 'p.yaml', '--json']))
    t.equal(exit, 4)
    t.match(tasks, [
      {
        id: 'wrong',
        state: 'failed',
        tries: 1,
        failure: { kind: 'invalid_input', message: /no such bucket/ },
      },
      { id: 'down', state: 'failed', tries: 3, failure: { kind: 'network', message: /is the server up/ } },
    ])
  })
})

t.test('FileSensor is woken by the file, long before its time', async (t) => {
  const dir = folder(t, '  landed: { uses: FileSensor, with: { pattern: "inbox/*.csv", every: 1h } }', {
    inbox: {},
  })
  const run = start(dir, ['run', 'p.yaml', '--json'])
  await run.said('landed sleeping')
  writeFileSync(join(dir, 'inbox', 'a.csv'), 'x')
  t.match(await documentOf(run), { exit: 0, tasks: [{ outputs: { count: 1 } }] })
})

t.test('a server that asks to be left alone is left alone', async (t) => {
  const times: number[] = []
  const server = await startHttp(t, (_, response) => {
    times.push(Date.now())
    if (times.length === 1) response.writeHead(503, { 'retry-after': '1' }).end()
    else response.end('{}')
  })
  const dir = folder(
    t,
    `  ask: { uses: Http, with: { url: "${server.url}" }, retry: { attempts: 2, delay: 1ms, on: [network] } }`,
  )
  t.match(await documentOf(start(dir, ['run', 'p.yaml', '--json'])), { exit: 0, tasks: [{ tries: 2 }] })
  const [first = 0, second = 0] = times
  t.ok(second - first >= 1000, `${second - first} ms`)
})

t.test('TriggerPipeline waits for the run that it made, and takes its outputs or its failure', async (t) => {
  const dir = folder(
    t,
    [
      '  good: { uses: TriggerPipeline, with: { pipeline: ./child.yaml, params: { code: 0 } } }',
      '  bad: { uses: TriggerPipeline, with: { pipeline: ./child.yaml, params: { code: 3 } }, retry: { attempts: 1 } }',
    ].join('\n'),
    {
      'child.yaml': `
dagctl: 1
pipeline: child
params: { code: { type: integer } }
tasks: { good: { run: 'sleep 0.2; echo {\\"n\\":7} > $DAGCTL_OUTPUT; exit {{ params.code }}', retry: { attempts: 1 } } }
`,
    },
  )
  const { exit, tasks } = await documentOf(start(dir, ['run', 'p.yaml', '--json']))
  t.equal(exit, 4)
  t.match(tasks, [
    {
      id: 'good',
      state: 'succeeded',
      outputs: { pipeline: 'child', state: 'succeeded', outputs: { good: { n: 7 } } },
    },
    { id: 'bad', state: 'failed', failure: { kind: 'user', message: /run \S+ of child is failed/ } },
  ])
})
