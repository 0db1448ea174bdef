/** What is expected of an HTTP answer, and the failure that a status means. Pure, but for loading RE2. */
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../engine/json.ts'
import type { Outcome } from '../engine/outcome.ts'
import { valueAt } from '../engine/pointer.ts'
import type { HttpAnswer } from './http-types.ts'

/** Conditions on an answer; all must hold. */
export interface Expectation {
  /** Statuses: 200, or a range as `200-299`. */
  readonly status: readonly (number | string)[]
  /** A pattern in RE2 syntax that is found in the body. */
  readonly body?: string
  /** Values in a JSON body, by JSON pointer (RFC 6901). */
  readonly json?: { readonly [pointer: string]: Json }
}

/** JSON Schema of a URL that is asked; a circuit breaker stands before its host. */
export const urlSchema = {
  type: 'string',
  pattern: '^[hH][tT][tT][pP][sS]?://[^/?#]',
  'x-says': 'a URL that begins with `http://` or `https://`',
  'x-endpoint': true,
  description: 'http:// or https://. Link-local and metadata addresses are refused, also at redirects.',
} as const

/** JSON Schema of an Expectation. */
export const expectationSchema = {
  type: 'object',
  properties: {
    status: {
      type: 'array',
      items: {
        anyOf: [
          { type: 'integer', minimum: 100, maximum: 599 },
          { type: 'string', pattern: '^[1-5][0-9]{2}(-[1-5][0-9]{2})?$' },
        ],
      },
      minItems: 1,
      default: ['200-299'],
      description: 'Statuses, or ranges as `200-299`.',
    },
    body: {
      type: 'string',
      minLength: 1,
      description: 'A pattern in RE2 syntax that must be found in the body.',
    },
    json: {
      type: 'object',
      propertyNames: { pattern: '^(/.*)?$' },
      additionalProperties: true,
      description: 'Values that a JSON body must have, by JSON pointer: `{ /status: ready }`.',
    },
  },
  additionalProperties: false,
  default: {},
  description: 'What the answer must be; by default any status from 200 to 299.',
} as const

/** Whether the status is one of those. */
export function isExpected(status: number, { status: expected }: Expectation): boolean {
  return expected.some((one) => {
    const [from, to = from] = String(one).split('-').map(Number) as [number, number?]
    return status >= from && status <= to
  })
}

/** What of the answer is not as expected, as half a sentence; null where all is. Throws a SyntaxError for a bad pattern. */
export async function unmet(answer: HttpAnswer, expect: Expectation): Promise<string | null> {
  if (!isExpected(answer.status, expect))
    return `the status is ${answer.status}, not ${expect.status.join(' or ')}`
  if (expect.body === undefined && expect.json === undefined) return null
  const text = textOf(answer)
  if (expect.body !== undefined && !(await found(expect.body, text)))
    return `nothing in the body matches ${expect.body}`
  return expect.json === undefined ? null : unmetJson(text, answer, expect.json)
}

function unmetJson(
  text: string,
  { truncated }: HttpAnswer,
  expected: { readonly [pointer: string]: Json },
): string | null {
  if (truncated) return 'the body is too large to be read as JSON'
  const body = jsonOf(text)
  if (body === undefined) return 'the body is no JSON'
  for (const [pointer, value] of Object.entries(expected)) {
    const is = valueAt(body, pointer)
    if (isDeepStrictEqual(is, value)) continue
    const shown = is === undefined ? 'absent' : cut(JSON.stringify(is))
    return `${pointer || 'the body'} is ${shown}, not ${cut(JSON.stringify(value))}`
  }
  return null
}

/** The body as text. */
export function textOf({ body }: HttpAnswer): string {
  return new TextDecoder().decode(body)
}

/** The value of a JSON text; undefined where it is none. */
export function jsonOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    // That it is none is the answer.
    return undefined
  }
}

/** The failure of an answer that is not what was asked for, by its status. @param why what is not as expected */
export function statusFailure({ from, status, retryAfter }: HttpAnswer, why: string): Outcome {
  const wait = retryAfter === null ? {} : { retryAfter }
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { type: 'failed', kind: 'network', message: `${from}: ${why}`, ...wait }
  const hint =
    status === 401 || status === 403
      ? '; check the credentials in `headers`'
      : status === 404
        ? '; check the URL'
        : ''
  const kind = status >= 400 ? 'invalid_input' : 'user'
  return { type: 'failed', kind, message: `${from}: ${why}${hint}` }
}

/** Whether RE2, whose time is linear in the text, finds the pattern. Throws a SyntaxError for one that is none. */
async function found(pattern: string, text: string): Promise<boolean> {
  const { RE2JS } = await import('re2js')
  let compiled: InstanceType<typeof RE2JS>
  try {
    compiled = RE2JS.compile(pattern)
  } catch (cause) {
    throw new SyntaxError(`\`expect.body\`: ${(cause as Error).message}. Write it in RE2 syntax.`, { cause })
  }
  return compiled.matcher(text).find()
}

function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
