/** The options that every command has, as values, with what dagctl.yaml says. Opens nothing. */
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Installation } from '../dsl/config.ts'
import { DagctlError } from '../engine/errors.ts'
import { unlimited } from '../engine/resources.ts'
import type { Terminal } from './terminal.ts'

/** What the global options say, and dagctl.yaml where they say nothing. */
export interface Settings {
  /** Absolute: attempts, artifacts, checkpoints, the bell and, unless told otherwise, the store lie in it. */
  readonly data: string
  /** Absolute path of the SQLite file. */
  readonly store: string
  /** Whether standard output is to hold one JSON document. */
  readonly json: boolean
  readonly format: string
  /** Absolute path of the dagctl.yaml that was read; null where there is none, or it was not heeded. */
  readonly config: string | null
  /** Whether it has errors: it then says nothing. */
  readonly broken: boolean
  /** What it says, or the defaults. */
  readonly installation: Installation
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

/** The settings of an installation without a dagctl.yaml. */
const defaults: Installation = {
  data: null,
  store: null,
  resources: unlimited,
  env: [],
  slots: {},
  retention: {},
}

/** A dagctl.yaml as it was found and read. */
export type Config = Pick<Settings, 'config' | 'broken' | 'installation'>

/** No dagctl.yaml. */
export const noConfig: Config = { config: null, broken: false, installation: defaults }

/** Checks the global options. `formats` are those of the command, the first is the default. Throws usage errors. */
export function settingsOf(
  options: GlobalOptions,
  { cwd, env }: Terminal,
  config: Config,
  formats: readonly string[] = ['text', 'json'],
): Settings {
  const { installation } = config
  // What the file names lies beside it.
  const base = config.config === null ? cwd : dirname(config.config)
  const data = options.data === undefined ? dataFolder(installation, base, cwd) : resolve(cwd, options.data)
  const queue = options.queue ?? (env.DAGCTL_QUEUE || 'local')
  if (queue !== 'local') throw unsupported(`--queue ${hidden(queue)}`, 'only `local` is there')
  if (options.json === true && options.format !== undefined && options.format !== 'json')
    throw wrongOption(`--json and --format ${options.format} contradict each other`, 'give one of them')
  const format = options.json === true ? 'json' : (options.format ?? (formats[0] as string))
  if (!formats.includes(format))
    throw wrongOption(`there is no --format ${format} here`, `one of ${formats.join(', ')}`)
  const given = options.store ?? (env.DAGCTL_STORE || undefined)
  const store = given === undefined ? storePath(installation.store, data, base) : storePath(given, data, cwd)
  return { data, store, json: format === 'json', format, ...config }
}

/** Where dagctl.yaml is, absolute: what `--config` names, else the first upward from the working folder; null if none. */
export function configPath(given: string | undefined, cwd: string): string | null {
  return given === undefined ? configAbove(cwd) : resolve(cwd, given)
}

function configAbove(folder: string): string | null {
  const file = join(folder, configName)
  if (existsSync(file)) return file
  const parent = dirname(folder)
  return parent === folder ? null : configAbove(parent)
}

/** What the file of an installation's settings is called. */
export const configName = 'dagctl.yaml'

function dataFolder({ data }: Installation, base: string, cwd: string): string {
  return data === null ? resolve(cwd, '.dagctl') : resolve(base, data)
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

function storePath(url: string | null, data: string, cwd: string): string {
  if (url === null || url === '') return join(data, 'dagctl.db')
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
