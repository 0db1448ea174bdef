/** Runs programs for the benchmarks: time, largest memory, output. Knows no workload. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** How a program went. */
export interface Ran {
  /** Wall time from the start to the exit, milliseconds. */
  readonly ms: number
  /** Largest resident memory, MiB, as last seen (looked at 20 times a second). */
  readonly rss: number
  readonly stdout: string
}

/** Runs a program to its end. Throws when it fails: a figure of a failure means nothing. */
export async function time(
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<Ran> {
  const began = performance.now()
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr, rss] = ['', '', 0]
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const looks = setInterval(() => (rss = Math.max(rss, residentPeak(child.pid))), 50)
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('close', resolve).on('error', reject),
  )
  const exited = new Promise<number>((resolve) => child.on('exit', () => resolve(performance.now() - began)))
  try {
    const [code, ms] = await Promise.all([ended, exited])
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr.slice(-2000)}`)
    return { ms, rss, stdout }
  } finally {
    clearInterval(looks)
  }
}

/** Wall time of a program, milliseconds, without asynchronous work of our own in between. Throws when it fails. */
export function timeSync(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): number {
  const began = performance.now()
  const { status, error, stderr } = spawnSync(command, args, {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ms = performance.now() - began
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return ms
}

/** The first line that a program prints with `--version`, or null where it is not installed. */
export function versionOf(command: string): string | null {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  return status === 0 ? (stdout.split('\n')[0] ?? '') : null
}

function residentPeak(pid: number | undefined): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return Number(match?.[1] ?? 0) / 1024
  } catch {
    // It has ended, or this is not Linux.
    return 0
  }
}
