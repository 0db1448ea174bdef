/** The options that every command has, as values. Opens nothing. */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { DagctlError } from '../engine/errors.ts'
import type { Terminal } from './terminal.ts'

/** What the global options say. */
export interface Settings {
  /** Absolute: attempts, artifacts, checkpoints, the bell and, unless told otherwise, the store lie in it. */
  readonly data: string
  /** Absolute path of the SQLite file. */
  readonly store: string
  /** Whether standard output is to hold one JSON document. */
  readonly json: boolean
  readonly format: string
}

/** The global options as typed. */
export interface GlobalOptions {
  readonly data?: string
  readonly store?: string
  readonly queue?: string
  readonly config?: string
  readonly json?: boolean
  readonly format?: string
}

/** Checks the global options. `formats` are those of the command, the first is the default. Throws usage errors. */
export function settingsOf(
  options: GlobalOptions,
  terminal: Terminal,
  formats: readonly string[] = ['text', 'json'],
): Settings {
  const { cwd, env } = terminal
  const data = resolve(cwd, options.data ?? '.dagctl')
  const queue = options.queue ?? (env.DAGCTL_QUEUE || 'local')
  if (queue !== 'local') throw unsupported(`--queue ${hidden(queue)}`, 'only `local` is there')
  if (options.config !== undefined) throw unsupported('--config', 'no setting is read from dagctl.yaml')
  if (options.json === true && options.format !== undefined && options.format !== 'json')
    throw wrongOption(`--json and --format ${options.format} contradict each other`, 'give one of them')
  const format = options.json === true ? 'json' : (options.format ?? (formats[0] as string))
  if (!formats.includes(format))
    throw wrongOption(`there is no --format ${format} here`, `one of ${formats.join(', ')}`)
  return {
    data,
    store: storePath(options.store ?? env.DAGCTL_STORE, data, cwd),
    json: format === 'json',
    format,
  }
}

/** Throws where a dagctl.yaml is found upward from the working folder: runs would not heed its settings. */
export function refuseConfig(cwd: string): void {
  const config = configAbove(cwd)
  if (config !== null) throw unsupported(config, 'none of its settings would hold: take it away or rename it')
}

function configAbove(folder: string): string | null {
  const file = join(folder, 'dagctl.yaml')
  if (existsSync(file)) return file
  const parent = dirname(folder)
  return parent === folder ? null : configAbove(parent)
}

/** An option, or a value of one, that a later version brings. */
export function unsupported(what: string, hint: string): DagctlError {
  return new DagctlError('E207', `${what} is not supported yet`, { kind: 'usage', hint })
}

/** An option whose value makes no sense. */
export function wrongOption(message: string, hint?: string): DagctlError {
  return new DagctlError('E206', message, hint === undefined ? { kind: 'usage' } : { kind: 'usage', hint })
}

/** Reads a whole number of at least `least`. */
export function countOf(option: string, text: string, least = 1): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > 1_000_000_000)
    throw wrongOption(`${option} ${text}: not a whole number of at least ${least}`)
  return value
}

function storePath(url: string | undefined, data: string, cwd: string): string {
  if (url === undefined || url === '') return join(data, 'dagctl.db')
  if (/^postgres(ql)?:/.test(url)) throw unsupported(`the store ${hidden(url)}`, 'sqlite:PATH is there')
  if (!url.startsWith('sqlite:'))
    throw wrongOption(`--store ${hidden(url)}: not the URL of a store`, 'write sqlite:PATH')
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  if (path === '') throw wrongOption(`--store ${url}: names no file`, 'write sqlite:PATH')
  return isAbsolute(path) ? path : resolve(cwd, path)
}

/** A URL without the password that may be in it. */
function hidden(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//…@')
}
