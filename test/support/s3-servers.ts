/** Real S3 servers for tests: s3rver (in this process), and versitygw (stricter) where its program is there. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { freePort, listens } from './requirement.ts'

/** A server with one bucket. */
export interface S3Server {
  readonly endpoint: string
  readonly bucket: string
  readonly keys: { readonly id: string; readonly secret: string }
  put(key: string, body: string): Promise<void>
  close(): Promise<void>
}

function putter(endpoint: string, bucket: string, keys: S3Server['keys']): S3Server['put'] {
  return async (key, body) => {
    const client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: keys.id, secretAccessKey: keys.secret },
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body) }))
    client.destroy()
  }
}

/** Takes from this process what the machine that it runs on says of AWS: no test may depend on it. */
export function forgetAws(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  })
}

/** Starts s3rver over a folder. */
export async function startS3rver(directory: string): Promise<S3Server> {
  const { default: S3rver } = await import('s3rver')
  const bucket = 'corp-docs'
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: bucket }],
  })
  const { port } = await server.run()
  const endpoint = `http://127.0.0.1:${port}`
  const keys = { id: 'S3RVER', secret: 'S3RVER' }
  return { endpoint, bucket, keys, put: putter(endpoint, bucket, keys), close: () => server.close() }
}

/** The program of versitygw: `DAGCTL_TEST_VERSITYGW`, else from the path; null where it is absent. */
export function versitygw(): string | null {
  const named = process.env.DAGCTL_TEST_VERSITYGW
  if (named !== undefined) return existsSync(named) ? named : null
  try {
    return execFileSync('/bin/sh', ['-c', 'command -v versitygw'], { encoding: 'utf8' }).trim()
  } catch {
    return null
  }
}

/** Starts versitygw over a folder. */
export async function startVersitygw(program: string, folder: string): Promise<S3Server> {
  const bucket = 'corp-docs'
  mkdirSync(join(folder, 'objects', bucket), { recursive: true })
  mkdirSync(join(folder, 'about'), { recursive: true })
  const keys = { id: 'someone', secret: 'a-secret-of-tests' }
  const port = await freePort()
  const backend = ['posix', '--sidecar', join(folder, 'about'), join(folder, 'objects')]
  const child: ChildProcess = spawn(program, ['--quiet', '--port', `127.0.0.1:${port}`, ...backend], {
    env: { ...process.env, ROOT_ACCESS_KEY: keys.id, ROOT_SECRET_KEY: keys.secret },
    stdio: 'ignore',
  })
  await listens(port, child)
  const endpoint = `http://127.0.0.1:${port}`
  const close = () =>
    new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  return { endpoint, bucket, keys, put: putter(endpoint, bucket, keys), close }
}
