/** The `HttpSensor` operator: waits until a server answers as expected. Sleeps between two looks and holds no slot meanwhile. */
import {
  defineOperator,
  durationSchema,
  type Expectation,
  expectationSchema,
  failed,
  parseDuration,
  statusFailure,
  succeeded,
  textOf,
  unmet,
  urlSchema,
} from '../../plugins/api.ts'
import { everySchema, lookAgain } from './sensor.ts'

/** Whom to ask, and what for. */
interface HttpSensorInput {
  readonly url: string
  readonly method: 'GET' | 'HEAD'
  readonly headers: { readonly [name: string]: string }
  readonly expect: Expectation
  readonly pending: readonly number[]
  readonly timeout: string
  readonly every: string
}

/** Bytes of a body that outputs hold. */
const smallBody = 64 * 1024

/** Headers that tell which thing it is that was found. */
const telling = ['content-type', 'content-length', 'etag', 'last-modified', 'location', 'date']

/** Succeeds when an answer is as expected. */
export const httpSensor = defineOperator<HttpSensorInput>({
  name: 'HttpSensor',
  stage: 'data',
  summary: 'Waits until a URL answers as expected; sleeps between two looks, without holding a slot.',
  input: {
    type: 'object',
    properties: {
      url: urlSchema,
      method: { type: 'string', enum: ['GET', 'HEAD'], default: 'GET' },
      headers: { type: 'object', additionalProperties: { type: 'string' }, default: {} },
      expect: expectationSchema,
      pending: {
        type: 'array',
        items: { type: 'integer', minimum: 100, maximum: 599 },
        default: [404],
        description:
          'Statuses that mean: not there yet. Of the others 408, 425, 429 and 5xx are failures of the network, which the retry policy takes, 4xx are an invalid input, and all else is waited for.',
      },
      timeout: { ...durationSchema, default: '30s', description: 'For one look.' },
      every: everySchema,
    },
    required: ['url'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      status: { type: 'integer' },
      url: { type: 'string', description: 'Who answered in the end, without its query.' },
      headers: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: `Of these those that there are: ${telling.join(', ')}.`,
      },
      body: {
        type: ['string', 'null'],
        description: 'The body as text; null where it has more than 64 KiB.',
      },
    },
    required: ['status', 'url', 'headers', 'body'],
    additionalProperties: false,
  },
  runtimes: ['inline', 'process'],
  sensor: true,
  example:
    'landed: { uses: HttpSensor, with: { url: "https://data.example.com/{{ run.interval.start }}.ready", method: HEAD, every: 1m }, timeout: 6h }',
  async run(input, task) {
    const { url, method, headers, expect, pending, every } = input
    const reads = expect.body !== undefined || expect.json !== undefined
    const answer = await task.http({
      url,
      method,
      headers,
      timeout: parseDuration(input.timeout),
      maxBody: reads ? 2 ** 20 : smallBody,
    })
    let why: string | null
    try {
      why = await unmet(answer, expect)
    } catch (error) {
      if (error instanceof SyntaxError) return failed('invalid_input', error.message)
      throw error
    }
    const { status, from } = answer
    if (why !== null)
      return status < 400 || pending.includes(status)
        ? lookAgain(task, { what: from, why, every })
        : statusFailure(answer, why)
    const found = telling.flatMap((name) => {
      const value = answer.headers[name]
      return value === undefined ? [] : [[name, value] as const]
    })
    const small = !answer.truncated && answer.body.length <= smallBody
    return succeeded({
      status,
      url: from,
      headers: Object.fromEntries(found),
      body: small ? textOf(answer) : null,
    })
  },
})
