import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { matcherOf, placeOf } from '../../operators/data/s3-glob.ts'
import { s3Sensor } from '../../operators/data/s3-sensor.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { startHttp } from '../support/http-server.ts'
import { freePort, required } from '../support/requirement.ts'
import { forgetAws, type S3Server, startS3rver, startVersitygw, versitygw } from '../support/s3-servers.ts'
import { runOperator } from '../support/task-context.ts'

forgetAws()

function keysOf({ keys }: S3Server): { [name: string]: string } {
  return { AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: keys.secret }
}

/** The sensor writes nothing. */
const nowhere = t.testdir()

function look(input: JsonObject, env: { readonly [name: string]: string } = {}) {
  return runOperator(s3Sensor, input, { dir: nowhere, env })
}

const servers: readonly { readonly name: string; start(t: Test): Promise<S3Server | null> }[] = [
  { name: 's3rver', start: (t) => startS3rver(t.testdir()) },
  {
    name: 'versitygw',
    async start(t) {
      const program = required(t, versitygw(), 'versitygw (a Go program)', true)
      return program === null ? null : startVersitygw(program, t.testdir())
    },
  },
]

for (const { name, start } of servers) {
  t.test(`${name}: waits for objects, and refuses what no waiting mends`, async (t) => {
    const server = await start(t)
    if (server === null) return
    t.teardown(() => server.close())
    const { endpoint, bucket } = server
    const env = keysOf(server)
    const uri = `s3://${bucket}/day/_SUCCESS`

    const before = await look({ uri, endpoint }, env)
    t.match(before.outcome, { type: 'sleep', state: '0 of 1 files are there' })
    t.match(before.logs, [{ message: `waiting for ${uri}: 0 of 1 files are there` }])

    await server.put('day/_SUCCESS-not', 'x')
    t.match((await look({ uri, endpoint }, env)).outcome, { type: 'sleep' }, 'another key is another object')

    await server.put('day/_SUCCESS', '')
    await server.put('day/a.jsonl', '{}\n{}\n')
    await server.put('day/deep/b.jsonl', '{}\n')
    const marker = await look({ uri, endpoint }, env)
    t.match(marker.outcome, {
      type: 'succeeded',
      outputs: { files: [{ uri, size: 0, modified: /^\d{4}-.*Z$/ }], count: 1, bytes: 0 },
    })
    const count = async (pattern: string) => {
      const { outcome } = await look({ uri: `s3://${bucket}/${pattern}`, endpoint }, env)
      return outcome.type === 'succeeded' ? outcome.outputs.count : outcome.type
    }
    t.equal(await count('day'), 4, 'a folder is all below it')
    t.equal(await count('day/*.jsonl'), 1, '* stops at a slash')
    t.equal(await count('**/*.jsonl'), 2, '** does not')
    t.equal(await count('da'), 'sleep', 'the beginning of a name is no name')
    t.match((await look({ uri: `s3://${bucket}/day/*`, endpoint, count: 9 }, env)).outcome, {
      type: 'sleep',
      state: /of 9 files/,
    })
    t.match((await look({ uri: `s3://${bucket}/day/a.jsonl`, endpoint, minSize: '1KiB' }, env)).outcome, {
      type: 'sleep',
      state: /has 6 bytes, less than 1KiB/,
    })
    t.match((await look({ uri: `s3://${bucket}/day/a.jsonl`, endpoint, minAge: '1h' }, env)).outcome, {
      type: 'sleep',
      state: /changed less than 1h ago/,
    })

    t.match((await look({ uri: 's3://no-such-bucket/a', endpoint }, env)).outcome, {
      type: 'failed',
      kind: 'invalid_input',
      message: /bucket no-such-bucket at http:\/\/127\.0\.0\.1:\d+: there is no such bucket/,
    })
    for (const wrong of [
      { ...env, AWS_ACCESS_KEY_ID: 'nobody' },
      // s3rver lets a wrong secret pass.
      ...(name === 's3rver' ? [] : [{ ...env, AWS_SECRET_ACCESS_KEY: 'not-the-secret' }]),
    ]) {
      const { outcome } = await look({ uri, endpoint }, wrong)
      t.match(outcome, { type: 'failed', kind: 'invalid_input', message: /check the credentials/ })
      t.notMatch(JSON.stringify(outcome), /not-the-secret/)
    }
    t.match((await look({ uri, endpoint })).outcome, {
      type: 'failed',
      kind: 'invalid_input',
      message: /there are no credentials/,
    })
  })
}

t.test('a profile of the shared files, and an endpoint of the environment, are heeded', async (t) => {
  const dir = t.testdir({ s3: {} })
  const server = await startS3rver(join(dir, 's3'))
  t.teardown(() => server.close())
  await server.put('a', 'x')
  const files = {
    AWS_CONFIG_FILE: join(dir, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(dir, 'credentials'),
  }
  writeFileSync(files.AWS_CONFIG_FILE, '[profile lake]\nregion = eu-west-1\n')
  writeFileSync(
    files.AWS_SHARED_CREDENTIALS_FILE,
    `[lake]\naws_access_key_id = ${server.keys.id}\naws_secret_access_key = ${server.keys.secret}\n`,
  )
  Object.assign(process.env, files)
  t.teardown(forgetAws)
  const uri = `s3://${server.bucket}/a`
  const env = { AWS_ENDPOINT_URL: server.endpoint }
  const found = await runOperator(s3Sensor, { uri, profile: 'lake' }, { dir, env })
  t.match(found.outcome, { type: 'succeeded' })
  const keys = { ...env, AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'x', AWS_PROFILE: 'lake' }
  const named = await runOperator(s3Sensor, { uri }, { dir, env: keys })
  t.match(named.outcome, { type: 'succeeded' }, 'a profile counts for more than keys')
  const unknown = await runOperator(s3Sensor, { uri, profile: 'pond', region: 'x' }, { dir, env })
  t.match(unknown.outcome, { type: 'failed', kind: 'invalid_input', message: /no credentials/ })
})

t.test('a server that is down, overloaded or broken is a failure of the network', async (t) => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  const uri = 's3://bucket-1/a'
  const down = `http://127.0.0.1:${await freePort()}`
  t.match((await look({ uri, endpoint: down }, keys)).outcome, {
    type: 'failed',
    kind: 'network',
    message: /bucket bucket-1 at http:\/\/127\.0\.0\.1:\d+: no answer \(ECONNREFUSED.*is the server up\?/,
  })
  t.match((await look({ uri, endpoint: 'http://nowhere.invalid' }, keys)).outcome, { kind: 'network' })
  let answer: [number, { readonly [name: string]: string }, string] = [503, { 'retry-after': '7' }, '']
  const { url: endpoint } = await startHttp(t, (_, response) =>
    response.writeHead(answer[0], answer[1]).end(answer[2]),
  )
  t.match((await look({ uri, endpoint }, keys)).outcome, {
    type: 'failed',
    kind: 'network',
    retryAfter: 7000,
  })
  answer = [500, {}, '<html>']
  t.match((await look({ uri, endpoint }, keys)).outcome, { type: 'failed', kind: 'network' })
  answer = [403, {}, '<Error><Code>AccessDenied</Code><Message>no</Message></Error>']
  t.match((await look({ uri, endpoint }, keys)).outcome, {
    kind: 'invalid_input',
    message: /s3:ListBucket/,
  })
  answer = [200, { 'content-type': 'text/html' }, '<html><body>hello</body>']
  t.match((await look({ uri, endpoint }, keys)).outcome, { kind: 'invalid_input' })
})

t.test('bad input is refused', async (t) => {
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
  for (const [input, message] of [
    [{ uri: 'data/a' }, /uri must be a URI such as `s3:\/\/BUCKET\/KEY`/],
    [{ uri: 's3://' }, /no S3 URI/],
    [{ uri: 's3://UPPER/a' }, /no S3 URI/],
    [{ uri: 's3://bucket-1/a', endpoint: 'ftp://x' }, /no http/],
    [{ uri: 's3://bucket-1/a', endpoint: 'http://169.254.169.254' }, /link-local or metadata/],
    [{ uri: 's3://bucket-1/[a', endpoint: 'http://127.0.0.1:1' }, /never closed/],
    [{ uri: 's3://bucket-1/a', every: 'often' }, /every/],
    [{ uri: 's3://bucket-1/a' }, /no region is set/],
  ] as const) {
    const { outcome } = await look(input, keys)
    t.match(outcome, { type: 'failed', kind: 'invalid_input', message }, JSON.stringify(input))
  }
})

t.test('globs of keys mean what globs of files mean', async (t) => {
  t.strictSame(placeOf('s3://corp-docs/2026/*.jsonl'), {
    bucket: 'corp-docs',
    key: '2026/*.jsonl',
    prefix: '2026/',
    isGlob: true,
  })
  for (const [glob, key, matches] of [
    ['a/*.csv', 'a/b.csv', true],
    ['a/*.csv', 'a/b/c.csv', false],
    ['a/**/c.csv', 'a/c.csv', true],
    ['a/**/c.csv', 'a/b/b/c.csv', true],
    ['a/?.csv', 'a/b.csv', true],
    ['a/[0-9]*', 'a/7x', true],
    ['a/[!0-9]*', 'a/7x', false],
    ['{a,b}/c.{csv,tsv}', 'b/c.tsv', true],
    ['{a,b}/c', 'c/c', false],
    ['a.b+(c)*', 'a.b+(c)d', true],
    ['a.b*', 'aXb', false],
  ] as const)
    t.equal((await matcherOf(glob))(key), matches, `${glob} on ${key}`)
})
