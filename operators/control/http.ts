/** The `Http` operator: one request as a task. How it is sent, and which addresses are refused, is the SDK's. */
import {
  defineOperator,
  durationSchema,
  type Expectation,
  expectationSchema,
  failed,
  type HttpAnswer,
  type Json,
  jsonOf,
  type Outcome,
  parseDuration,
  statusFailure,
  succeeded,
  textOf,
  unmet,
  urlSchema,
} from '../../plugins/api.ts'

/** The request, and what its answer is to be. */
interface HttpInput {
  readonly url: string
  readonly method: string
  readonly headers: { readonly [name: string]: string }
  readonly body?: string
  readonly json?: Json
  readonly expect: Expectation
  readonly follow: boolean
  readonly timeout: string
}

/** Headers of an answer that are no data, and may be secret. */
const kept = (name: string) => !/^(set-cookie|www-authenticate|proxy-authenticate)$/.test(name)

/** Sends a request; succeeds when the answer is as expected. */
export const http = defineOperator<HttpInput>({
  name: 'Http',
  stage: 'control',
  summary: 'Sends an HTTP request, and succeeds when the answer is as expected.',
  input: {
    type: 'object',
    properties: {
      url: urlSchema,
      method: {
        type: 'string',
        enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
        default: 'GET',
        description:
          'The retry policy sends it again after a failure, whatever the method: where that must not be, set `retry: { attempts: 1 }`.',
      },
      headers: {
        type: 'object',
        additionalProperties: { type: 'string' },
        default: {},
        description: 'Credentials among them are not taken along to another host by a redirect.',
      },
      body: { type: 'string', description: 'The body as it is; `json` is the other way to give one.' },
      json: { description: 'A value that is sent as a JSON body, with its content type.' },
      expect: expectationSchema,
      follow: {
        type: 'boolean',
        default: true,
        description: 'Whether redirects are followed, five at most.',
      },
      timeout: { ...durationSchema, default: '30s', description: 'For the whole exchange.' },
    },
    required: ['url'],
    not: { required: ['body', 'json'] },
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
        description: 'Names in lower case; cookies are left out.',
      },
      body: { type: ['string', 'null'], description: 'The body as text; null where it has more than 1 MiB.' },
      json: { description: 'The body as JSON; null where it is none.' },
    },
    required: ['status', 'url', 'headers', 'body', 'json'],
    additionalProperties: false,
  },
  runtimes: ['inline', 'process'],
  effects: 'data',
  example:
    'publish: { uses: Http, with: { url: "https://api.example.com/builds", method: POST, json: { day: "{{ run.interval.start }}" } } }',
  async run(input, task) {
    const { url, method, follow, timeout, json } = input
    const body = json === undefined ? input.body : JSON.stringify(json)
    const headers =
      json === undefined ? input.headers : { 'content-type': 'application/json', ...input.headers }
    const answer = await task.http({
      url,
      method,
      headers,
      follow,
      timeout: parseDuration(timeout),
      ...(body === undefined ? {} : { body }),
    })
    if (answer.truncated)
      task.log.warn(`the body of ${answer.from} has more than 1 MiB; it is not among the outputs`)
    return outcomeOf(answer, input.expect)
  },
})

async function outcomeOf(answer: HttpAnswer, expect: Expectation): Promise<Outcome> {
  let why: string | null
  try {
    why = await unmet(answer, expect)
  } catch (error) {
    if (error instanceof SyntaxError) return failed('invalid_input', error.message)
    throw error
  }
  if (why !== null) return statusFailure(answer, why)
  const body = answer.truncated ? null : textOf(answer)
  return succeeded({
    status: answer.status,
    url: answer.from,
    headers: Object.fromEntries(Object.entries(answer.headers).filter(([name]) => kept(name))),
    body,
    json: body === null ? null : (jsonOf(body) ?? null),
  })
}
