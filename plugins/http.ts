/** One HTTP request with its redirects, guarded and bounded. Knows no operator; what a status means is http-expect.ts's. */
import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { urlToHttpOptions } from 'node:url'
import { guardedLookup, refuseHost } from './address-guard.ts'
import { OperatorFailure } from './api.ts'
import { errorCode } from './errno.ts'
import type { HttpAnswer, HttpRequest } from './http-types.ts'
import { retryAfterOf } from './retry-after.ts'

/** Redirects that are followed. */
const mostRedirects = 5
/** What a redirect to another origin does not take along. */
const confidential = new Set(['authorization', 'cookie', 'proxy-authorization'])

/** What a request needs of its surroundings. */
export interface HttpWorld {
  readonly signal: AbortSignal
  readonly clock: { now(): number }
}

/** The request as it stands after some redirects. */
interface Step {
  readonly url: URL
  readonly method: string
  readonly headers: { readonly [name: string]: string }
  readonly body: string | undefined
}

/**
 * Asks, and gives the answer whatever its status. Throws an OperatorFailure: `network` where no answer comes,
 * `invalid_input` where the URL is none, its address is refused, or its certificate is not trusted.
 */
export async function request(order: HttpRequest, world: HttpWorld): Promise<HttpAnswer> {
  const { timeout = 30_000, follow = true, maxBody = 2 ** 20 } = order
  const late = AbortSignal.timeout(timeout)
  const signal = AbortSignal.any([world.signal, late])
  let step = firstStep(order)
  for (let redirects = 0; ; redirects += 1) {
    const { url, method } = step
    try {
      const message = await send(step, signal)
      const next = follow ? redirected(step, message) : null
      if (next === null) return await answerOf(url, message, maxBody, world)
      message.destroy()
      step = next
    } catch (error) {
      if (world.signal.aborted) throw error
      throw failureOf(error, `${method} ${shown(url)}`, late.aborted ? timeout : null)
    }
    if (redirects === mostRedirects)
      throw new OperatorFailure(
        'invalid_input',
        `${order.method ?? 'GET'} ${shown(firstStep(order).url)} was redirected more than ${mostRedirects} times`,
      )
  }
}

/** The URL without what may be secret in it. */
function shown(url: URL): string {
  return url.origin + url.pathname
}

function firstStep({ url: text, method = 'GET', headers = {}, body }: HttpRequest): Step {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new OperatorFailure('invalid_input', `\`${withoutSecrets(text)}\` is no http:// or https:// URL`)
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return { url, method: method.toUpperCase(), headers: Object.fromEntries(lower), body }
}

/** A text that was meant as a URL, up to where a query may begin and without what may be a password. */
function withoutSecrets(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/\/\/[^/]*@/, '//')
}

async function send({ url, method, headers, body }: Step, signal: AbortSignal): Promise<IncomingMessage> {
  refuseHost(url.hostname)
  const { request: start, Agent } = await (url.protocol === 'https:'
    ? import('node:https')
    : import('node:http'))
  const options: RequestOptions = {
    ...urlToHttpOptions(url),
    method,
    headers: { 'user-agent': 'dagctl', accept: '*/*', ...headers },
    lookup: guardedLookup,
    // Of its own, so that nothing of one attempt is left for another.
    agent: new Agent({ keepAlive: false }),
    signal,
  }
  return new Promise((resolve, reject) => {
    const sent = start(options, resolve)
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The request that a redirect asks for, or null where the answer is none. */
function redirected(step: Step, { statusCode = 0, headers: { location } }: IncomingMessage): Step | null {
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return null
  const url = URL.parse(location, step.url.href)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new OperatorFailure(
      'invalid_input',
      `${shown(step.url)} redirects to \`${withoutSecrets(location)}\`, which is no http:// or https:// URL`,
    )
  const sameOrigin = url.origin === step.url.origin
  if (sameOrigin && url.username === '') [url.username, url.password] = [step.url.username, step.url.password]
  // As browsers do (Fetch standard, HTTP-redirect fetch): a POST that is answered by 301 or 302 goes on as a GET.
  const becomesGet =
    (statusCode === 303 && step.method !== 'HEAD') || (statusCode < 303 && step.method === 'POST')
  const kept = Object.entries(step.headers).filter(
    ([name]) =>
      (sameOrigin || !confidential.has(name)) &&
      !(becomesGet && name.startsWith('content-')) &&
      name !== 'host',
  )
  return {
    url,
    method: becomesGet ? 'GET' : step.method,
    headers: Object.fromEntries(kept),
    body: becomesGet ? undefined : step.body,
  }
}

async function answerOf(
  url: URL,
  message: IncomingMessage,
  maxBody: number,
  { clock }: HttpWorld,
): Promise<HttpAnswer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    // Leaving the loop closes the connection.
    if (size > maxBody) break
  }
  const status = message.statusCode ?? 0
  const headers = joined(message.headers)
  return {
    from: shown(url),
    status,
    headers,
    body: Buffer.concat(chunks).subarray(0, maxBody),
    truncated: size > maxBody,
    retryAfter: status === 429 || status === 503 ? retryAfterOf(headers['retry-after'], clock.now()) : null,
  }
}

function joined(headers: IncomingHttpHeaders): { [name: string]: string } {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return Object.fromEntries(entries)
}

const words: { readonly [code: string]: string } = {
  ECONNREFUSED: 'nothing listens there; is the server up?',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ENOTFOUND: 'no such host is known; check the name',
  EAI_AGAIN: 'the name cannot be resolved at the moment',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'it did not accept the connection in time',
}

/** Codes of a TLS connection that no other try mends: the certificate, or no TLS at all. */
const certificate = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO$|HOSTNAME_MISMATCH)/

/**
 * What kept a connection from an answer, as a failure. @param doing what was tried, and of whom
 * @param late the milliseconds that were up, where they were
 */
export function failureOf(error: unknown, doing: string, late: number | null): OperatorFailure {
  if (error instanceof OperatorFailure) return error
  if (late !== null)
    return new OperatorFailure('network', `${doing}: no answer within ${late / 1000} s`, { cause: error })
  const code = errorCode(error) ?? ''
  if (code === 'ERR_ADDRESS_REFUSED')
    return new OperatorFailure('invalid_input', (error as Error).message, { cause: error })
  const said = (error as Error).message.trim()
  if (certificate.test(code))
    return new OperatorFailure('invalid_input', `${doing}: no trusted TLS connection (${code}): ${said}`, {
      cause: error,
    })
  if (code === 'ERR_INVALID_CHAR' || code === 'ERR_INVALID_HTTP_TOKEN' || code === 'ERR_UNESCAPED_CHARACTERS')
    return new OperatorFailure('invalid_input', `${doing}: ${said}`, { cause: error })
  // What is left has no answer to show for it: the line, or a server that breaks off or speaks no HTTP.
  return new OperatorFailure('network', `${doing}: ${words[code] ?? said} (${code || 'no answer'})`, {
    cause: error,
  })
}
