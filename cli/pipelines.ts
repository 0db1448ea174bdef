/** From the word on the command line to a compiled pipeline: a file is read and compiled, a name is looked up. */
import { close, constants, existsSync, open, read, type Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Compiled } from '../dsl/compile.ts'
import type { Installation } from '../dsl/config.ts'
import type { Problem } from '../dsl/problems.ts'
import { isFile, type Source } from '../dsl/source.ts'
import type { Load, Unreadable } from '../dsl/used-files.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { unlimited } from '../engine/resources.ts'
import { InvalidPipeline } from './failure.ts'
import { stampAt } from './file-stamp.ts'
import { noConfig, type Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { reading } from './wiring.ts'

/** Bytes after which a file is cut: enough for the compiler to say that it is too large. */
const readAtMost = 33 * 1024 * 1024

/** A compiled pipeline and the absolute folder that its relative paths mean. */
export interface Found {
  readonly pipeline: Pipeline
  readonly folder: string
}

/** A file as it was checked; a dagctl.yaml is one without a pipeline. */
export interface Checked extends Compiled {
  /** As named on the command line. */
  readonly file: string
  readonly bytes: Uint8Array
}

/** A pipeline file as it was checked, with every other file that was looked for on the way. */
export interface CheckedPipeline extends Checked {
  /** Stamps, from before the file was read, by absolute path; behind a link both paths. Those that are not there too. */
  readonly uses: ReadonlyMap<string, string>
}

/** The pipeline that a word names: of a file, or one that the store knows. Warnings go to standard error. Throws usage errors and `InvalidPipeline`. */
export async function findPipeline(word: string, settings: Settings, terminal: Terminal): Promise<Found> {
  if (!isFile(word)) return { ...(await knownPipeline(word, settings, terminal)) }
  const checked = await checkFile(word, terminal, false, settings.installation)
  const { pipeline, problems, forUse } = checked
  const report = await reportOf(checked)
  if (problems.some(({ severity }) => severity === 'error'))
    throw new InvalidPipeline(word, report, problems.map(rowWithFile(word)))
  if (pipeline === null || forUse)
    throw new DagctlError('E213', `${word} has inputs or outputs: it is made to be used by other files`, {
      kind: 'usage',
      hint: '`dagctl validate` checks it; name a pipeline that has a task with `use`',
    })
  if (report !== '') terminal.err.write(`${report}\n`)
  return { pipeline, folder: dirname(resolve(terminal.cwd, word)) }
}

/**
 * Reads and compiles a file for an installation; where that is null nobody knows its pools and variables, and none is wrong.
 * Throws E202 or E203 where it cannot be read.
 */
export async function checkFile(
  file: string,
  { cwd }: Terminal,
  strict = false,
  installation: Pick<Installation, 'resources' | 'env'> | null = noConfig.installation,
): Promise<CheckedPipeline> {
  const bytes = await readWhole(file, cwd, 'a pipeline file')
  const [{ compile }, { catalogue }, id] = await Promise.all([
    import('../dsl/compile.ts'),
    import('./catalogue.ts'),
    idOf(file, cwd),
  ])
  const uses = new Map<string, string>()
  const load: Load = (path, from) => loadUsed(path, from, { cwd, uses })
  const { resources, env } = installation ?? { resources: unlimited, env: 'any' as const }
  // Where no pool is declared, any may be named.
  const pools = Object.keys(resources.pools).length === 0 ? null : resources.pools
  const options = { strict, load, env, pools }
  return { file, bytes, uses, ...(await compile({ text: bytes, file, id }, catalogue, options)) }
}

/** What a file is called whatever links lead to it. A pipe was read, and is called nothing else. */
async function idOf(file: string, cwd: string): Promise<string> {
  const path = resolve(cwd, file)
  return realpath(path).catch(() => path)
}

/** The file that `use: PATH` in another file means, seen from there. */
async function loadUsed(
  path: string,
  from: Source,
  { cwd, uses }: { readonly cwd: string; readonly uses: Map<string, string> },
): Promise<Source | Unreadable> {
  const file = isAbsolute(path) ? path : join(dirname(from.file), path)
  try {
    const id = await idOf(file, cwd)
    // Where it is used more than once, what counts is what was read first.
    for (const one of new Set([resolve(cwd, file), id])) if (!uses.has(one)) uses.set(one, await stampAt(one))
    return { text: await readWhole(file, cwd, 'a pipeline file'), file, id }
  } catch (error) {
    if (!(error instanceof DagctlError)) throw error
    return { why: error.message }
  }
}

/** All problems of a file, and of those that it uses, as people read them; empty where there are none. */
export async function reportOf({
  file,
  problems,
  bytes,
  used,
}: Pick<Checked, 'file' | 'problems' | 'bytes' | 'used'>): Promise<string> {
  if (problems.length === 0) return ''
  const texts = new Map(used.map(({ file, text }) => [file, text]))
  texts.set(file, new TextDecoder('utf-8').decode(bytes))
  const { format } = await import('../dsl/problems.ts')
  return problems.map((problem) => format(problem, texts.get(problem.file) ?? null)).join('\n')
}

/** Whether a problem is told for the first time: files that several others use are checked with each of them. */
export function isNew(told: Set<string>): (problem: Problem) => boolean {
  return ({ file, line, column, code, message }) => {
    const key = JSON.stringify([normalize(file), line, column, code, message])
    return told.size < told.add(key).size
  }
}

/** A problem as JSON shows it beside those of another file. */
function rowWithFile(main: string): (problem: Problem) => object {
  return (problem) => ({
    ...problemRow(problem),
    ...(problem.file === main ? {} : { file: problem.file }),
  })
}

/** A problem as JSON shows it. */
export function problemRow({ severity, code, message, line, column, hint }: Problem): object {
  return { severity, code, message, line, column, hint }
}

async function knownPipeline(name: string, settings: Settings, { cwd }: Terminal): Promise<Found> {
  const found = await reading(settings, (store) => store.latest(name))
  if (found !== null) return found
  const file = existsSync(resolve(cwd, name)) ? name : `${name}.yaml`
  throw new DagctlError('E204', `no pipeline \`${name}\` has run in ${basename(settings.data)} yet`, {
    kind: 'usage',
    hint: `a file is named by a word with / or ending in .yaml: did you mean ./${file}?`,
  })
}

/** The bytes of a file, at most 33 MiB of them. Throws E202 or E203, which names `what` it is not. */
export async function readWhole(file: string, cwd: string, what: string): Promise<Uint8Array> {
  const path = resolve(cwd, file)
  const found = await statOf(path, file)
  if (found.isDirectory()) {
    throw new DagctlError('E203', `${file} is a folder, not ${what}`, {
      kind: 'usage',
      hint: '`dagctl validate` takes folders; everything else takes one file',
    })
  }
  try {
    return await readSome(path)
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** What lies at a path. Throws E202 where there is nothing, or it cannot be looked at. */
export async function statOf(path: string, file: string): Promise<Stats> {
  try {
    return await stat(path)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function unreadable(file: string, error: unknown): DagctlError {
  const { code = '', message } = error as NodeJS.ErrnoException
  const whys: { readonly [code: string]: string } = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'a part of its path is no folder',
    EACCES: 'you may not read it',
    ELOOP: 'its links lead in a circle',
    ENAMETOOLONG: 'its name is too long',
  }
  const shown = JSON.stringify(file).slice(1, -1)
  return new DagctlError('E202', `cannot read ${shown}: ${whys[code] ?? message}`, {
    kind: 'usage',
    cause: error,
  })
}

async function readSome(path: string): Promise<Uint8Array> {
  const file = await promisify(open)(path, constants.O_RDONLY)
  try {
    const chunks: Uint8Array[] = []
    for (let total = 0; total < readAtMost; ) {
      const chunk = new Uint8Array(Math.min(1024 * 1024, readAtMost - total))
      const { bytesRead } = await promisify(read)(file, chunk, 0, chunk.length, null)
      if (bytesRead === 0) break
      chunks.push(chunk.subarray(0, bytesRead))
      total += bytesRead
    }
    return Buffer.concat(chunks)
  } finally {
    await promisify(close)(file)
  }
}
