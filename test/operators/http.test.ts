import t from 'tap'
import { http } from '../../operators/control/http.ts'
import { httpSensor } from '../../operators/data/http-sensor.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { startHttp } from '../support/http-server.ts'
import { freePort } from '../support/requirement.ts'
import { runOperator } from '../support/task-context.ts'

const clock = { now: () => Date.parse('2026-05-01T12:00:00Z') }
/** The operators write nothing. */
const dir = t.testdir()
const ask = (input: JsonObject) => runOperator(http, input, { dir, clock })
const look = (input: JsonObject) => runOperator(httpSensor, input, { dir, clock })

t.test('Http sends what it is told, and gives what came back', async (t) => {
  const server = await startHttp(t, ({ body }, response) => {
    response.setHeader('x-kind', 'test')
    response.setHeader('set-cookie', 'session=secret')
    response.writeHead(201, { 'content-type': 'application/json' }).end(`{"got":${body || 'null'}}`)
  })
  const { outcome } = await ask({
    url: `${server.url}/builds?day=1`,
    method: 'POST',
    headers: { Authorization: 'Bearer t' },
    json: { day: '2026-05-01' },
  })
  t.match(server.asked, [
    {
      method: 'POST',
      path: '/builds?day=1',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
      body: '{"day":"2026-05-01"}',
    },
  ])
  t.match(outcome, {
    type: 'succeeded',
    outputs: {
      status: 201,
      url: `${server.url}/builds`,
      headers: { 'x-kind': 'test', 'set-cookie': undefined },
      body: '{"got":{"day":"2026-05-01"}}',
      json: { got: { day: '2026-05-01' } },
    },
  })
  await ask({ url: server.url, method: 'PUT', body: 'as it is' })
  t.match(server.asked.at(-1), { method: 'PUT', body: 'as it is' })
})

t.test('Http: a status decides which kind of failure it is', async (t) => {
  const server = await startHttp(t, ({ path }, response) =>
    response.writeHead(Number(path.slice(1)), { 'retry-after': '30' }).end('{"state":"new"}'),
  )
  for (const [status, kind, retryAfter] of [
    [500, 'network', undefined],
    [503, 'network', 30_000],
    [429, 'network', 30_000],
    [400, 'invalid_input', undefined],
    [401, 'invalid_input', undefined],
    [404, 'invalid_input', undefined],
    [304, 'user', undefined],
  ] as const) {
    const { outcome } = await ask({ url: `${server.url}/${status}` })
    t.match(outcome, { type: 'failed', kind, message: new RegExp(`/${status}: the status is ${status}`) })
    t.equal((outcome as { retryAfter?: number }).retryAfter, retryAfter, `${status}`)
  }
  t.match((await ask({ url: `${server.url}/404`, expect: { status: [404] } })).outcome, { type: 'succeeded' })
  t.match((await ask({ url: `${server.url}/200`, expect: { json: { '/state': 'done' } } })).outcome, {
    type: 'failed',
    kind: 'user',
    message: /\/state is "new", not "done"/,
  })
  t.match((await ask({ url: `http://127.0.0.1:${await freePort()}` })).outcome, { kind: 'network' })
})

t.test('Http leaves a body out that is too large, and says so', async (t) => {
  const server = await startHttp(t, (_, response) => response.end('x'.repeat(2 ** 20 + 1)))
  const { outcome, logs } = await ask({ url: server.url })
  t.match(outcome, { type: 'succeeded', outputs: { body: null, json: null } })
  t.match(logs, [{ level: 'warn', message: /more than 1 MiB/ }])
})

t.test('HttpSensor sleeps until the answer is as expected', async (t) => {
  let state = 404
  const server = await startHttp(t, (_, response) =>
    response.writeHead(state, { etag: '"7"', 'x-other': 'y' }).end('{"state":"ready"}'),
  )
  const input = { url: `${server.url}/day.ready`, every: '1m', expect: { json: { '/state': 'ready' } } }
  const first = await look(input)
  t.match(first.outcome, {
    type: 'sleep',
    until: clock.now() + 60_000,
    state: 'the status is 404, not 200-299',
  })
  t.match(first.logs, [{ message: /waiting for http:.*day\.ready: the status is 404/ }])
  state = 200
  t.match((await look(input)).outcome, {
    type: 'succeeded',
    outputs: { status: 200, headers: { etag: '"7"', 'x-other': undefined }, body: '{"state":"ready"}' },
  })
  t.match((await look({ ...input, expect: { json: { '/state': 'done' } } })).outcome, {
    type: 'sleep',
    state: '/state is "ready", not "done"',
  })
  t.match((await look({ url: server.url, method: 'HEAD' })).outcome, { outputs: { status: 200, body: '' } })
  t.equal(server.asked.at(-1)?.method, 'HEAD')
})

t.test('HttpSensor: failures are failures, and not waited for', async (t) => {
  const server = await startHttp(t, ({ path }, response) =>
    response.writeHead(Number(path.slice(1)), { 'retry-after': 'Fri, 01 May 2026 12:00:10 GMT' }).end(),
  )
  for (const [status, expected] of [
    [503, { type: 'failed', kind: 'network', retryAfter: 10_000 }],
    [502, { type: 'failed', kind: 'network' }],
    [403, { type: 'failed', kind: 'invalid_input', message: /check the credentials/ }],
    [410, { type: 'failed', kind: 'invalid_input' }],
    [204, { type: 'succeeded' }],
  ] as const)
    t.match((await look({ url: `${server.url}/${status}` })).outcome, expected, `${status}`)
  t.match((await look({ url: `${server.url}/503`, pending: [404, 503] })).outcome, { type: 'sleep' })
})

t.test('bad input is refused', async (t) => {
  for (const input of [
    {},
    { url: '' },
    { url: 'data.example.com' },
    { url: 'http://127.0.0.1', method: 'FETCH' },
    { url: 'http://127.0.0.1', expect: { status: ['2xx'] } },
    { url: 'http://127.0.0.1', expect: { state: 'ready' } },
    { url: 'http://127.0.0.1', body: 'a', json: 1 },
    { url: 'http://169.254.169.254/latest/meta-data' },
  ])
    t.match((await ask(input)).outcome, { type: 'failed', kind: 'invalid_input' }, JSON.stringify(input))
  t.match((await look({ url: 'http://169.254.169.254' })).outcome, {
    kind: 'invalid_input',
    message: /link-local/,
  })
  const server = await startHttp(t, (_, response) => response.end('x'))
  t.match((await look({ url: server.url, expect: { body: '(' } })).outcome, {
    kind: 'invalid_input',
    message: /RE2/,
  })
})
