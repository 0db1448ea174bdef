/** The command line as tests use it: in this process with captured output, or as a real process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main } from '../../cli/main.ts'
import type { Signal, Terminal } from '../../cli/terminal.ts'
import { type Clock, systemClock } from '../../engine/clock.ts'
import { systemRandom } from '../../engine/random.ts'

/** The launcher. */
export const launcher = fileURLToPath(new URL('../../bin/dagctl.mjs', import.meta.url))

/** What a command line came to. */
export interface Said {
  readonly exit: number
  readonly out: string
  readonly err: string
}

/** How a command line is called. */
export interface Surroundings {
  readonly env?: { readonly [name: string]: string }
  readonly clock?: Clock
  /** Standard error is a terminal of this size. */
  readonly screen?: { readonly columns: number; readonly rows: number }
}

/** The machine's clock, moved to between two minutes: an instant on a whole minute prints shorter, and moves the columns. */
export function betweenMinutes(): Clock {
  const moved = 20_000 - (systemClock.now() % 60_000)
  return {
    ...systemClock,
    now: () => systemClock.now() + moved,
    at: (at, fire) => systemClock.at(at - moved, fire),
  }
}

/** Runs a command line in this process. */
export async function dagctl(
  cwd: string,
  words: readonly string[],
  surroundings: Surroundings = {},
): Promise<Said> {
  const { terminal, said } = capturing(cwd, surroundings)
  return { exit: await main(words, terminal), ...said() }
}

/** The one JSON document that a command line prints, with its exit. Throws where standard output is anything else. */
export async function json(cwd: string, words: readonly string[], surroundings: Surroundings = {}) {
  const { exit, out } = await dagctl(cwd, [...words, '--json'], surroundings)
  return { exit, document: JSON.parse(out) }
}

/** A terminal whose output is kept, and whose signals a test sends. */
export function capturing(
  cwd: string,
  { env = {}, clock = systemClock, screen }: Surroundings = {},
): { terminal: Terminal; said: () => { out: string; err: string }; signal: (signal: Signal) => void } {
  const text = { out: '', err: '' }
  const listeners = new Set<(signal: Signal) => void>()
  const sink = (name: 'out' | 'err') => ({
    write: (more: string) => {
      text[name] += more
    },
    isTerminal: name === 'err' && screen !== undefined,
    columns: screen?.columns ?? 100,
    rows: screen?.rows ?? 24,
  })
  const terminal: Terminal = {
    cwd,
    env,
    out: sink('out'),
    err: sink('err'),
    clock,
    random: systemRandom,
    onSignal(heard) {
      listeners.add(heard)
      return () => listeners.delete(heard)
    },
    leave: (exit) => {
      throw new Error(`left with ${exit}`)
    },
  }
  return {
    terminal,
    said: () => ({ ...text }),
    signal: (signal) => {
      for (const heard of listeners) heard(signal)
    },
  }
}

/** A real process of the command line. */
export interface Started {
  readonly child: ChildProcess
  /** Resolves with what it said, once it has ended. A signal's exit is 128 + its number, as a shell tells it. */
  readonly ended: Promise<Said>
  /** Resolves when standard error or output holds the text so many times; rejects when the process ends before. */
  said(text: string, times?: number): Promise<void>
}

const signals: { readonly [name: string]: number } = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/** Starts the real command line. */
export function start(cwd: string, words: readonly string[], more: NodeJS.ProcessEnv = {}): Started {
  const env = { ...process.env, ...more }
  const child = spawn(process.execPath, [launcher, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { out: '', err: '' }
  const waiting = new Set<() => void>()
  const hear = (name: 'out' | 'err') => (chunk: Buffer) => {
    text[name] += chunk
    for (const look of waiting) look()
  }
  child.stdout?.on('data', hear('out'))
  child.stderr?.on('data', hear('err'))
  const ended = new Promise<Said>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const look of waiting) look()
      resolve({ exit: code ?? 128 + (signals[signal ?? ''] ?? 0), ...text })
    })
  })
  const said = (wanted: string, times = 1) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if ([text.out, text.err].some((all) => all.split(wanted).length > times)) resolve()
        else if (child.exitCode !== null || child.signalCode !== null)
          reject(new Error(`it ended without saying '${wanted}': ${text.out}${text.err}`))
        else return
        waiting.delete(look)
      }
      waiting.add(look)
      look()
    })
  return { child, ended, said }
}

/** Resolves once the file holds the text. */
export function holds(path: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      try {
        if (!readFileSync(path, 'utf8').includes(text)) return
        watcher.close()
        resolve()
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') reject(error)
      }
    }
    const watcher = watch(dirname(path), look)
    look()
  })
}

/** A shell command that waits for a file, so that a test decides when it ends. It ends by itself should the test die. */
export function waits(file: string): string {
  return `for i in $(seq 600); do [ -e ${file} ] && break; sleep 0.05; done`
}

/** Text in which what differs from run to run has names: ids, instants, lengths of time, the folder. */
export function normal(text: string, folder: string): string {
  return text
    .replaceAll(folder, 'FOLDER')
    .replaceAll(/\d{8}-\d{6}-[0-9a-z]{6}/g, 'RUN')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'INSTANT')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?Z/g, 'TIME')
    .replaceAll(/ *\b\d+\.\d s\b/g, ' 0.0 s')
}
