import type { LookupFunction } from 'node:net'
import t, { type Test } from 'tap'
import { guarded, isRefused } from '../../plugins/address-guard.ts'
import { request } from '../../plugins/http.ts'
import { isExpected, unmet } from '../../plugins/http-expect.ts'
import type { HttpRequest } from '../../plugins/http-types.ts'
import { retryAfterOf } from '../../plugins/retry-after.ts'
import { startHttp } from '../support/http-server.ts'
import { freePort } from '../support/requirement.ts'

const now = Date.parse('2026-05-01T12:00:00Z')
const world = { signal: new AbortController().signal, clock: { now: () => now } }
const send = (order: HttpRequest) => request(order, world)
const textOf = async (order: HttpRequest) => Buffer.from((await send(order)).body).toString()

t.test(
  'link-local and metadata addresses are refused however they are written, others are not',
  async (t) => {
    for (const address of [
      '169.254.169.254',
      '169.254.0.1',
      'fe80::1',
      'fe80::1%eth0',
      'febf::1',
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '::a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      '2002:a9fe:a9fe::1',
      'fd00:ec2::254',
      '100.100.100.200',
      '192.0.0.192',
      '168.63.129.16',
    ])
      t.ok(isRefused(address), address)
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '192.168.1.1',
      '169.253.1.1',
      '::1',
      'fec0::1',
      '93.184.216.34',
    ])
      t.notOk(isRefused(address), address)
    for (const host of [
      '169.254.169.254',
      '[::ffff:169.254.169.254]',
      '[fe80::1]',
      '0xa9fea9fe',
      '2852039166',
      '0251.254.169.254',
    ])
      await t.rejects(
        send({ url: `http://${host}/latest/meta-data` }),
        { kind: 'invalid_input', message: /link-local or metadata/ },
        host,
      )
  },
)

t.test('a name that leads to such an address is refused when it is resolved', async (t) => {
  const resolving =
    (...addresses: string[]): LookupFunction =>
    (_host, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
  const resolve = (lookup: LookupFunction) =>
    new Promise((answer, refuse) =>
      guarded(lookup)('inside.example', { all: true }, (error, found) =>
        error ? refuse(error) : answer(found),
      ),
    )
  await t.rejects(resolve(resolving('93.184.216.34', '169.254.169.254')), {
    code: 'ERR_ADDRESS_REFUSED',
    message: /inside\.example is 169\.254\.169\.254, which is a link-local/,
  })
  t.match(await resolve(resolving('127.0.0.1')), [{ address: '127.0.0.1' }])
})

t.test('redirects are followed, and each is checked', async (t) => {
  const other = await startHttp(t, ({ headers }, response) => response.end(JSON.stringify(headers)))
  const server = await startHttp(t, ({ method, path, headers, body }, response) => {
    const [, status, location] = /^\/to\/(\d+)\/(.*)$/.exec(path) ?? []
    if (status === undefined) response.end(JSON.stringify({ method, path, headers, body }))
    else response.writeHead(Number(status), { location: decodeURIComponent(location ?? '') }).end()
  })
  const to = (status: number, location: string) =>
    `${server.url}/to/${status}/${encodeURIComponent(location)}`
  const landed = async (order: HttpRequest) => JSON.parse(await textOf(order))

  t.match(await landed({ url: to(302, '/end?x=1') }), { method: 'GET', path: '/end?x=1' })
  const post = { method: 'POST', body: 'b', headers: { 'Content-Type': 'text/plain' } }
  const posted = await landed({ url: to(302, '/end'), ...post })
  t.match(posted, { method: 'GET', body: '' })
  t.notOk('content-type' in posted.headers)
  t.match(await landed({ url: to(307, '/end'), ...post }), { method: 'POST', body: 'b' })
  t.match(await landed({ url: to(303, '/end'), method: 'PUT', body: 'b' }), { method: 'GET', body: '' })

  const secret = { authorization: 'Bearer s', cookie: 'a=b', 'x-plain': '1' }
  t.match(await landed({ url: to(302, '/end'), headers: secret }), { headers: secret })
  const elsewhere = await landed({ url: to(302, `${other.url}/`), headers: secret })
  t.match(elsewhere, { 'x-plain': '1', authorization: undefined, cookie: undefined })
  const named = to(302, `${other.url}/`).replace('http://', 'http://me:pass@')
  t.match(await landed({ url: named }), { authorization: undefined })

  for (const [location, message] of [
    ['http://169.254.169.254/latest/meta-data', /link-local/],
    ['http://[fe80::1]/', /link-local/],
    ['file:///etc/passwd', /redirects to `file:\/\/\/etc\/passwd`/],
    [`${server.url}/to/302/${encodeURIComponent('http://169.254.1.1/')}`, /link-local/],
  ] as const)
    await t.rejects(send({ url: to(302, location) }), { kind: 'invalid_input', message }, location)
  const round = await startHttp(t, (_, response) => response.writeHead(301, { location: '/' }).end())
  await t.rejects(send({ url: round.url }), { kind: 'invalid_input', message: /more than 5 times/ })
  t.equal(round.asked.length, 6)
  t.match(await send({ url: to(302, '/end'), follow: false }), { status: 302 })
})

t.test('no answer is a failure of the network, and says from whom', async (t) => {
  const server = await startHttp(t, ({ path }, response) => {
    if (path === '/break') response.socket?.destroy()
    if (path === '/half') {
      response.writeHead(200, { 'content-length': '10' })
      response.write('half')
      setImmediate(() => response.socket?.destroy())
    }
  })
  for (const [url, message, timeout] of [
    [
      `http://127.0.0.1:${await freePort()}/x?token=secret`,
      /GET http:\/\/127\.0\.0\.1:\d+\/x: nothing listens there.*ECONNREFUSED/,
    ],
    ['http://nowhere.invalid/', /no such host is known.*ENOTFOUND/],
    [`${server.url}/break`, /the connection broke/],
    [`${server.url}/half`, /ECONNRESET/],
    [`${server.url}/never`, /no answer within 0\.2 s/, 200],
  ] as const) {
    const failure = await send(timeout === undefined ? { url } : { url, timeout }).catch((error) => error)
    t.match(failure, { kind: 'network', message }, url)
    t.notMatch(failure.message, 'secret')
  }
})

t.test('what no other try mends is invalid_input', async (t) => {
  const server = await startHttp(t, (_, response) => response.end())
  for (const [order, message] of [
    [{ url: 'data.example.com' }, /no http:\/\/ or https:\/\/ URL/],
    [{ url: 'ftp://me:secret@example.com/a?b' }, /`ftp:\/\/example\.com\/a` is no http/],
    [{ url: server.url.replace('http:', 'https:') }, /no trusted TLS connection/],
    [{ url: server.url, headers: { 'a b': 'c' } }, /HTTP token/],
    [{ url: server.url, headers: { a: 'x\r\nInjected: y' } }, /Invalid character/],
  ] as const) {
    const failure = await send(order).catch((error) => error)
    t.match(failure, { kind: 'invalid_input', message }, order.url)
    t.notMatch(failure.message, 'secret')
  }
})

t.test('a stop ends a request at once, and is no failure of the network', async (t) => {
  const stop = new AbortController()
  const server = await startHttp(t, () => stop.abort(new Error('asked to stop (cancel)')))
  const ask = () => request({ url: server.url }, { ...world, signal: stop.signal })
  const stopped = { name: 'AbortError', cause: { message: 'asked to stop (cancel)' } }
  await t.rejects(ask(), stopped, 'while it waits for an answer')
  await t.rejects(ask(), stopped, 'before it began')
  t.equal(server.asked.length, 1)
})

t.test('a body is read as far as it is wanted', async (t) => {
  const server = await startHttp(t, (_, response) => response.end('x'.repeat(3_000_000)))
  for (const [maxBody, length] of [
    [2 ** 20, 2 ** 20],
    [5_000_000, 3_000_000],
  ] as const) {
    const { truncated, body } = await send({ url: server.url, maxBody })
    t.strictSame([truncated, body.length], [length < 3_000_000, length])
  }
})

t.test('Retry-After is seconds or a date', async (t) => {
  for (const [header, wait] of [
    ['120', 120_000],
    ['0', 0],
    ['Fri, 01 May 2026 12:00:30 GMT', 30_000],
    ['Friday, 01-May-26 12:00:30 GMT', 30_000],
    ['Fri, 01 May 2026 11:00:00 GMT', 0],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['99999999999999999999', null],
    [undefined, null],
  ] as const)
    t.equal(retryAfterOf(header, now), wait, header ?? 'absent')
  const server = await startHttp(t, ({ path }, response) =>
    response.writeHead(Number(path.slice(1)), { 'retry-after': '9' }).end(),
  )
  t.match(await send({ url: `${server.url}/503` }), { retryAfter: 9000 })
  t.match(await send({ url: `${server.url}/429` }), { retryAfter: 9000 })
  t.match(await send({ url: `${server.url}/200` }), { retryAfter: null })
})

t.test('an expectation says which of its parts does not hold', async (t: Test) => {
  const answer = (status: number, body: string) =>
    ({ from: 'x', status, headers: {}, body: Buffer.from(body), truncated: false, retryAfter: null }) as const
  const status = ['200-299', 304]
  t.ok(isExpected(204, { status }))
  t.ok(isExpected(304, { status }))
  t.notOk(isExpected(300, { status }))
  t.equal(await unmet(answer(200, ''), { status }), null)
  t.match(await unmet(answer(500, ''), { status }), /the status is 500, not 200-299 or 304/)
  t.equal(await unmet(answer(200, 'all is ready'), { status, body: 'is\\s+ready' }), null)
  t.match(await unmet(answer(200, 'no'), { status, body: 'ready' }), /nothing in the body matches ready/)
  await t.rejects(unmet(answer(200, ''), { status, body: '(?=a)' }), /RE2/)
  const json = { '/state': 'done', '/parts/0/n~1m': 1 }
  t.equal(await unmet(answer(200, '{"state":"done","parts":[{"n/m":1}]}'), { status, json }), null)
  t.match(await unmet(answer(200, '{"state":"new"}'), { status, json }), '/state is "new", not "done"')
  t.match(await unmet(answer(200, '{}'), { status, json }), '/state is absent')
  t.match(await unmet(answer(200, '<p>'), { status, json }), /no JSON/)
  const slow = '(x+x+)+y'
  t.match(await unmet(answer(200, 'x'.repeat(50_000)), { status, body: slow }), /nothing in the body/)
})
