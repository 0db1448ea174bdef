/** A private PostgreSQL for tests: Debian's programs, a cluster in a temporary folder, loopback only. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort, listens } from './requirement.ts'

/** A server with one user and one database. */
export interface PostgresServer {
  /** With the password. */
  readonly url: string
  readonly port: number
  readonly user: string
  readonly password: string
  /** Runs statements as its owner. */
  execute(sql: string): Promise<void>
  close(): Promise<void>
}

/** The folder of PostgreSQL's programs, or null where they are absent. */
export function postgresPrograms(): string | null {
  return globSync('/usr/lib/postgresql/*/bin').sort().at(-1) ?? null
}

/** Starts a server. PostgreSQL refuses to be root: then it is the user that its package makes. */
export async function startPostgres(programs: string): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'dagctl-postgres-'))
  const [user, password] = ['tester', 'a-password-of-tests']
  const passwords = join(folder, 'password')
  writeFileSync(passwords, password)
  const who = unprivileged()
  if (who !== null) for (const path of [folder, passwords]) chownSync(path, who.uid, who.gid)
  const data = join(folder, 'data')
  const options = { cwd: folder, stdio: 'ignore', ...who } as const
  const cluster = [
    '-D',
    data,
    '-U',
    user,
    '-A',
    'scram-sha-256',
    '--pwfile',
    passwords,
    '--no-sync',
    '--locale',
    'C',
  ]
  execFileSync(join(programs, 'initdb'), cluster, options)
  const port = await freePort()
  const settings = [
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'fsync=off',
    '-c',
    `unix_socket_directories=${folder}`,
  ]
  const child = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), ...settings], options)
  await listens(port, child)
  const url = `postgres://${user}:${password}@127.0.0.1:${port}/postgres`
  await ready(url)
  return {
    url,
    port,
    user,
    password,
    execute: async (sql) => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query(sql)
      await client.end()
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          rmSync(folder, { recursive: true, force: true })
          resolve()
        })
        // Immediate shutdown.
        child.kill('SIGQUIT')
      }),
  }
}

/** It listens before it is ready. */
async function ready(url: string): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      // cannot_connect_now: it is starting up.
      if ((error as { code?: string }).code !== '57P03') throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function unprivileged(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
