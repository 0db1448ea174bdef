/** Data by URI, for operators: local files. Writes are atomic. Knows nothing of what is in the files. */
import { createHash } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { glob, open, readdir, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { type ObjectInfo, type Objects, type ObjectWriter, OperatorFailure } from './api.ts'
import { errorCode, fileFailure } from './errno.ts'
import { FileWriter } from './objects-writer.ts'

/** Bytes per read of a stream: fewer, larger reads than Node's default of 64 KiB. */
const readSize = 256 * 1024

/** Whose objects they are. */
export interface ObjectsOptions {
  /** Absolute folder that relative paths mean. */
  readonly cwd: string
  /** Unique per attempt; part of temporary names. */
  readonly attempt: string
  /** The same for all attempts of one (run, task, instance): tells what an earlier attempt left half-written. */
  readonly owner: string
}

/** `Objects` over the local file system. `dispose` removes what was never committed. */
export interface LocalObjects extends Objects {
  dispose(): Promise<void>
}

/** Makes the objects of one attempt. */
export function localObjects(options: ObjectsOptions): LocalObjects {
  const tag = createHash('sha256').update(options.owner).digest('hex').slice(0, 8)
  const unfinished = new Set<FileWriter>()
  const swept = new Map<string, Promise<void>>()
  const names = { tag, attempt: options.attempt, swept }
  const locate = (uri: string) => toPath(uri, options.cwd)
  return {
    resolve: locate,
    list: (pattern) => list(locate(pattern)),
    stat: async (uri) => {
      const path = locate(uri)
      const found = await statOrNull(path)
      return found === null ? null : describe(path, found)
    },
    open: (uri, { start = 0 } = {}) => openFile(locate(uri), start),
    put: async (uri): Promise<ObjectWriter> => {
      const writer = await FileWriter.create(locate(uri), names, () => unfinished.delete(writer))
      unfinished.add(writer)
      return writer
    },
    dispose: async () => {
      await Promise.all([...unfinished].map((writer) => writer.abort()))
    },
  }
}

/** The absolute path that a URI means. Throws `invalid_input` for schemes other than `file:`. */
function toPath(uri: string, cwd: string): string {
  if (uri === '') throw new OperatorFailure('invalid_input', 'an empty URI names no object')
  if (uri.includes('\0'))
    throw new OperatorFailure('invalid_input', `the URI ${JSON.stringify(uri)} holds a NUL character`)
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase()
  if (scheme === undefined) return resolve(cwd, uri)
  if (scheme !== 'file') {
    throw new OperatorFailure(
      'invalid_input',
      `${uri}: URIs of scheme ${scheme}:// are not supported yet, only local files`,
    )
  }
  const path = /^file:\/\/(?:localhost)?(\/.*)$/i.exec(uri)?.[1]
  if (path === undefined)
    throw new OperatorFailure('invalid_input', `${uri}: a file URI has three slashes, file:///folder/file`)
  try {
    return resolve(decodeURIComponent(path))
  } catch {
    throw new OperatorFailure(
      'invalid_input',
      `${uri}: has a '%' that encodes nothing; a plain '%' is written %25`,
    )
  }
}

function describe(path: string, found: Stats): ObjectInfo {
  return { uri: path, size: found.size, modified: Math.floor(found.mtimeMs) }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw fileFailure(error, 'invalid_input', 'cannot read', path)
  }
}

/** Files that a path or a glob names. A name that exists is itself, whatever characters it holds. Hidden files only by name. */
async function list(pattern: string): Promise<readonly ObjectInfo[]> {
  const literal = await statOrNull(pattern)
  if (literal?.isFile()) return [describe(pattern, literal)]
  const paths = literal?.isDirectory() ? await filesIn(pattern) : await expand(pattern)
  paths.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const found: ObjectInfo[] = []
  for (const path of paths) {
    // Between the listing and here a file may have gone; what is gone is not listed.
    const info = await statOrNull(path)
    if (info?.isFile()) found.push(describe(path, info))
  }
  return found
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names.filter((name) => !name.startsWith('.')).map((name) => join(folder, name))
  } catch (error) {
    throw fileFailure(error, 'invalid_input', 'cannot list', folder)
  }
}

async function expand(pattern: string): Promise<string[]> {
  if (!/[*?[{]/.test(pattern)) return []
  return [...new Set(await Array.fromAsync(glob(pattern)))]
}

/** Opens a regular file without ever waiting: a FIFO with no writer would hang for ever. */
async function openFile(path: string, start: number): Promise<Readable> {
  try {
    const handle = await open(await realpath(path), constants.O_RDONLY | constants.O_NONBLOCK)
    const info = await handle.stat()
    if (!info.isFile()) {
      await handle.close()
      const what = info.isDirectory() ? 'it is a folder' : 'it is not a regular file'
      throw new OperatorFailure('invalid_input', `cannot read ${path}: ${what}`)
    }
    return handle.createReadStream({ start, highWaterMark: readSize })
  } catch (error) {
    throw fileFailure(error, 'invalid_input', 'cannot read', path)
  }
}
