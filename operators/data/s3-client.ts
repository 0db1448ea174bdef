/**
 * S3, as operators use it: configured as AWS's own tools are, its errors as failures that name the bucket and where it was
 * looked for. The one importer of the S3 client. Credentials are in no message.
 */
import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import {
  type FailureKind,
  guardedLookup,
  type ObjectInfo,
  OperatorFailure,
  refuseHost,
  retryAfterOf,
  type TaskContext,
} from '../../plugins/api.ts'
import { matcherOf, type S3Place } from './s3-glob.ts'

/** Where the S3 is, and who asks. What is absent comes from the environment (`AWS_*`) and the shared files, as AWS documents. */
export interface S3Settings {
  readonly endpoint?: string
  readonly region?: string
  readonly profile?: string
}

/** Most objects that one listing may give. */
const mostObjects = 100_000

/** The objects that a place means: the one of that key, else those below `key/`; those that match a glob. By key. */
export async function listObjects(
  place: S3Place,
  settings: S3Settings,
  task: TaskContext,
): Promise<readonly ObjectInfo[]> {
  const at = whereOf(settings, task)
  const { S3Client } = await import('@aws-sdk/client-s3')
  let client: S3Client | undefined
  try {
    client = new S3Client(configOf(at, task))
    return await find(client, place, task)
  } catch (error) {
    if (task.signal.aborted) throw error
    throw failureOf(error, place.bucket, at, task.clock.now())
  } finally {
    client?.destroy()
  }
}

/** Where requests go; a custom endpoint, or null for AWS itself. */
interface Where {
  readonly endpoint: URL | null
  readonly region: string | undefined
  readonly profile: string | undefined
}

function whereOf({ endpoint, region, profile }: S3Settings, { env }: TaskContext): Where {
  const text = endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined)
  const url = text === undefined ? null : URL.parse(text)
  if (text !== undefined && (url === null || !/^https?:$/.test(url.protocol)))
    throw new OperatorFailure('invalid_input', `the S3 endpoint \`${text}\` is no http:// or https:// URL`)
  const said = region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined)
  const named = profile ?? (env.AWS_PROFILE || undefined)
  // Servers other than AWS have no regions to speak of, but the signature needs one.
  return {
    endpoint: url,
    region: said ?? (url !== null && named === undefined ? 'us-east-1' : undefined),
    profile: named,
  }
}

const silent = { trace() {}, debug() {}, info() {}, error() {} }

function configOf({ endpoint, region, profile }: Where, { env, log }: TaskContext): S3ClientConfig {
  if (endpoint !== null) refuseHost(endpoint.hostname)
  const guard = { lookup: guardedLookup, keepAlive: true }
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env
  // What the client would take from this process' environment, but with what the task's own `env` says over it.
  const keys = id && secret ? { accessKeyId: id, secretAccessKey: secret } : null
  return {
    // It would print warnings, and log requests.
    logger: { ...silent, warn: (...words) => log.warn(words.join(' ')) },
    // The pipeline's retry policy is the one that counts.
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: 30_000,
      httpAgent: new Agent(guard),
      httpsAgent: new TlsAgent(guard),
    },
    ...(endpoint === null ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(keys !== null && profile === undefined
      ? { credentials: token ? { ...keys, sessionToken: token } : keys }
      : {}),
  }
}

async function find(client: S3Client, place: S3Place, task: TaskContext): Promise<readonly ObjectInfo[]> {
  const { bucket, key, prefix, isGlob } = place
  if (isGlob) {
    const matches = await matcherOf(key)
    return Array.fromAsync(list(client, { bucket, prefix, matches }, task))
  }
  if (key !== '' && !key.endsWith('/')) {
    // Of all keys that begin so the key itself comes first, so the first page tells.
    const first = { bucket, prefix: key, matches: (one: string) => one === key, firstPage: true }
    const found = await Array.fromAsync(list(client, first, task))
    if (found.length > 0) return found
  }
  const folder = key === '' || key.endsWith('/') ? key : `${key}/`
  return Array.fromAsync(list(client, { bucket, prefix: folder, matches: () => true }, task))
}

/** What is listed. */
interface Listing {
  readonly bucket: string
  readonly prefix: string
  readonly matches: (key: string) => boolean
  readonly firstPage?: boolean
}

async function* list(
  client: S3Client,
  { bucket, prefix, matches, firstPage = false }: Listing,
  { signal }: TaskContext,
): AsyncGenerator<ObjectInfo> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  let given = 0
  let token: string | undefined
  do {
    const page = await client.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
      { abortSignal: signal },
    )
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      // A key with a `/` at its end is what some tools make of an empty folder.
      if (Key === '' || Key.endsWith('/') || !matches(Key)) continue
      if (given === mostObjects)
        throw new OperatorFailure(
          'invalid_input',
          `more than ${mostObjects} objects match in bucket ${bucket}`,
        )
      given += 1
      yield { uri: `s3://${bucket}/${Key}`, size: Size, modified: LastModified?.getTime() ?? 0 }
    }
    token = !firstPage && page.IsTruncated ? page.NextContinuationToken : undefined
  } while (token !== undefined)
}

/** Names of errors that another configuration mends, and what to do. */
const wrong: { readonly [name: string]: string } = {
  NoSuchBucket: 'there is no such bucket; check the name in `uri`, and `endpoint` and `region`',
  InvalidBucketName: 'the bucket cannot have that name',
  AccessDenied: 'access is denied; the credentials need s3:ListBucket on this bucket',
  InvalidAccessKeyId: 'the access key is not known; check the credentials',
  // What versitygw says for it.
  XAdminUserNotFound: 'the access key is not known; check the credentials',
  SignatureDoesNotMatch: 'the secret key is wrong; check the credentials',
  ExpiredToken: 'the session token has expired; renew the credentials',
  InvalidToken: 'the session token is not valid; renew the credentials',
  RequestTimeTooSkewed: 'the clock of this machine differs too much from the server’s',
  AuthorizationHeaderMalformed: 'the region is wrong; set `region`',
  PermanentRedirect: 'the bucket is in another region; set `region`',
  CredentialsProviderError:
    'there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile`',
}

/** An error of the client, as far as it tells. */
interface S3Error extends Error {
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: { readonly [name: string]: string } }
}

function failureOf(thrown: unknown, bucket: string, at: Where, now: number): OperatorFailure {
  if (thrown instanceof OperatorFailure) return thrown
  const error = thrown as S3Error
  const { name, code = '', $metadata, $response } = error
  const status = $metadata?.httpStatusCode
  const where = `bucket ${bucket} at ${at.endpoint?.origin ?? `AWS (region ${at.region ?? 'not set'})`}`
  const fail = (kind: FailureKind, why: string, retryAfter: number | null = null) =>
    new OperatorFailure(kind, `${where}: ${why}`, {
      cause: error,
      ...(retryAfter === null ? {} : { retryAfter }),
    })
  if (error instanceof SyntaxError) return new OperatorFailure('invalid_input', error.message)
  if (error.message === 'Region is missing')
    return fail('invalid_input', 'no region is set; set `region`, or AWS_REGION')
  const known = Object.hasOwn(wrong, name) ? wrong[name] : undefined
  if (known !== undefined) return fail('invalid_input', `${known} (${name})`)
  if (status !== undefined && (status === 429 || status >= 500)) {
    const wait =
      status < 500 || status === 503 ? retryAfterOf($response?.headers?.['retry-after'], now) : null
    return fail('network', `the server answers ${status} (${name})`, wait)
  }
  if (status === 401 || status === 403) return fail('invalid_input', `${wrong.AccessDenied} (${name})`)
  if (status !== undefined && status >= 300)
    return fail('invalid_input', `the server answers ${status} (${name}: ${error.message})`)
  if (status !== undefined)
    return fail('invalid_input', `what answers there is no S3 (${error.message}); check \`endpoint\``)
  if (code === 'ERR_ADDRESS_REFUSED') return fail('invalid_input', error.message)
  if (/^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO$)/.test(code))
    return fail('invalid_input', `no trusted TLS connection (${code})`)
  return fail('network', `no answer (${code || name}: ${error.message}); is the server up?`)
}
