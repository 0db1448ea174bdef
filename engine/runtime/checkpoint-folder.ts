/** Checkpoints on disk: sealed folders that verify or are not used. Knows nothing of who saves or restores. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, posix, sep } from 'node:path'
import type { Json } from '../json.ts'
import type { Attempt } from './runtime.ts'
import { noLink } from './stranger-file.ts'

/** Newest checkpoints that stay; the one before the newest is what a torn newest falls back to. */
const kept = 2
const sealed = /^checkpoint-(\d{8,})$/
const copySize = 1024 * 1024
/** What a small file is read with: it may still grow. */
const leastCopy = 16 * 1024

/** A file of a checkpoint: its path inside the folder, bytes, SHA-256 in hex. */
interface SealedFile {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

/** What `manifest.json` says; its own SHA-256 stands beside it, so that an altered manifest is found too. */
interface Manifest {
  readonly format: 1
  readonly step: number
  readonly state: Json
  /** RFC 3339 UTC. */
  readonly saved: string
  readonly attempt: string
  /** `Name@1`: a checkpoint of another operator or version is not restored. */
  readonly operator: string
  readonly parent: string | null
  readonly files: readonly SealedFile[]
}

/** What is to be kept. */
export interface NewCheckpoint {
  readonly step: number
  readonly state: Json
  readonly attempt: string
  readonly operator: string
  /** RFC 3339 UTC. */
  readonly saved: string
  /** Absolute path of each file by the name that it has in the checkpoint. */
  readonly files: ReadonlyMap<string, string>
}

/** A checkpoint whose sizes and sums were just checked. */
export interface VerifiedCheckpoint {
  readonly step: number
  /** The id of the attempt that sealed it. */
  readonly attempt: string
  readonly state: Json
  readonly folder: string
}

/**
 * Seals a checkpoint: copies the files (never through a link, since a file that still grows must not change what was
 * sealed), writes the manifest last, syncs, renames; then prunes. Throws system errors and `Error` for a bad file.
 */
export async function sealCheckpoint(folder: string, checkpoint: NewCheckpoint): Promise<void> {
  await mkdir(folder, { recursive: true })
  // DATA/checkpoints/RUN/TASK: each may be new, also where whoever made it died before it was synced.
  if ((await sealedIn(folder)).length === 0)
    for (const up of ['..', '../..', '../../..']) await sync(join(folder, up))
  const temporary = join(folder, `.checkpoint.${checkpoint.attempt}.tmp`)
  await rm(temporary, { recursive: true, force: true })
  await mkdir(join(temporary, 'files'), { recursive: true })
  try {
    const files: SealedFile[] = []
    for (const [inner, path] of checkpoint.files) files.push(await copyInto(temporary, inner, path))
    for (const inner of foldersOf(files)) await sync(join(temporary, 'files', inner))
    const { step, state, attempt, operator, saved } = checkpoint
    await place(temporary, { format: 1, step, state, saved, attempt, operator, files })
    await sync(folder)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
  await prune(folder, checkpoint.attempt)
}

/** Writes the manifest, and gives the folder the next name: another where an attempt of before, not gone yet, was first. */
async function place(temporary: string, said: Omit<Manifest, 'parent'>): Promise<void> {
  const folder = dirname(temporary)
  const path = join(temporary, 'manifest.json')
  for (let others = 0; ; others++) {
    const parent = (await sealedIn(folder))[0] ?? null
    await writeSynced(path, textOf({ ...said, parent }))
    await sync(temporary)
    try {
      await rename(temporary, join(folder, nameAfter(parent)))
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOTEMPTY' && code !== 'EEXIST') || others === 9) throw error
      await rm(path)
    }
  }
}

/**
 * The newest checkpoint of `operator` that verifies, or null.
 * @param skipped told each one that was passed over, and why
 */
export async function newestCheckpoint(
  folder: string,
  operator: string,
  skipped: (name: string, why: string) => void,
): Promise<VerifiedCheckpoint | null> {
  for (const name of await sealedIn(folder)) {
    const found = await verify(join(folder, name), operator)
    if (typeof found !== 'string') return found
    skipped(name, found)
  }
  return null
}

/** A checkpoint that was asked for by its step is not there, or does not verify. */
export class NoSuchCheckpoint extends Error {}

/**
 * The checkpoint that an attempt goes on from: the newest that verifies, or the one of the step that was chosen, unless
 * an attempt that went on from that has sealed a newer one. Throws NoSuchCheckpoint where there is none of that step.
 */
export async function checkpointFor(
  { checkpoints, operator, restore }: Pick<Attempt, 'checkpoints' | 'operator' | 'restore'>,
  skipped: (name: string, why: string) => void,
): Promise<VerifiedCheckpoint | null> {
  const owner = `${operator.name}@${operator.version}`
  if (restore === undefined) return newestCheckpoint(checkpoints, owner, skipped)
  const steps: number[] = []
  for (const name of await sealedIn(checkpoints)) {
    const said = await manifestIn(join(checkpoints, name), owner)
    if (
      typeof said !== 'string' &&
      said.step !== restore.step &&
      attemptNumber(said.attempt) < restore.since
    ) {
      steps.push(said.step)
      continue
    }
    const found = typeof said === 'string' ? said : await verify(join(checkpoints, name), owner)
    if (typeof found !== 'string') return found
    skipped(name, found)
  }
  const others = steps.length === 0 ? 'there is none of any other' : `there are those of ${steps.join(', ')}`
  throw new NoSuchCheckpoint(`there is no valid checkpoint of step ${restore.step}; ${others}`)
}

/** The steps of the checkpoints of `operator` (`Name@1`), newest first. Their files are not read: they may be large. */
export async function checkpointSteps(folder: string, operator: string): Promise<readonly number[]> {
  const found = await Promise.all(
    (await sealedIn(folder)).map((name) => manifestIn(join(folder, name), operator)),
  )
  return found.flatMap((manifest) => (typeof manifest === 'string' ? [] : [manifest.step]))
}

/** The last part of an attempt's id. */
function attemptNumber(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1))
}

/** The manifest of a checkpoint, or the sentence that says why it cannot be used. */
async function manifestIn(folder: string, operator: string): Promise<Manifest | string> {
  let manifest: Manifest
  try {
    const text = await readFile(join(folder, 'manifest.json'), { encoding: 'utf8', flag: noLink })
    manifest = JSON.parse(text)?.manifest
    if (manifest?.format !== 1 || textOf(manifest) !== text) return 'its manifest was altered or torn'
    // Its own name is in none, but the one before: that tells where it was sealed.
    if (nameAfter(manifest.parent) !== basename(folder)) return 'its manifest is that of another checkpoint'
    const inner = [...foldersOf(manifest.files)].map((path) => join(folder, 'files', path))
    for (const path of [folder, ...inner])
      if (!(await lstat(path)).isDirectory()) return `${path} is not a folder`
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`
  }
  return manifest.operator === operator ? manifest : `it is of ${manifest.operator}, this is ${operator}`
}

/** The checkpoint, or the sentence that says why it cannot be used. */
async function verify(folder: string, operator: string): Promise<VerifiedCheckpoint | string> {
  const manifest = await manifestIn(folder, operator)
  if (typeof manifest === 'string') return manifest
  for (const { name, size, sha256 } of manifest.files) {
    try {
      const is = await hashFile(join(folder, 'files', name), null)
      if (is.size !== size || is.sha256 !== sha256) return `its file ${name} was altered or torn`
    } catch (error) {
      return `its file ${name} cannot be read: ${(error as Error).message}`
    }
  }
  return {
    step: manifest.step,
    attempt: manifest.attempt,
    state: manifest.state,
    folder: join(folder, 'files'),
  }
}

/** Names of sealed checkpoints, newest first. */
async function sealedIn(folder: string): Promise<string[]> {
  // Most tasks have none, and an error takes half a millisecond.
  if (!existsSync(folder)) return []
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return names.filter((name) => sealed.test(name)).sort((a, b) => numberOf(b) - numberOf(a))
}

/** The name of a new checkpoint where this one is the newest. */
function nameAfter(newest: string | null): string {
  return `checkpoint-${String(newest === null ? 1 : numberOf(newest) + 1).padStart(8, '0')}`
}

function numberOf(name: string): number {
  return Number(sealed.exec(name)?.[1] ?? 0)
}

/** What is older than the last `kept`, and what earlier attempts left unsealed; a later one may be at it. */
async function prune(folder: string, attempt: string): Promise<void> {
  const old = (await sealedIn(folder)).slice(kept)
  const torn = (await readdir(folder)).filter(
    (name) => name.endsWith('.tmp') && attemptNumber(name.slice(0, -4)) < attemptNumber(attempt),
  )
  for (const name of old) await rm(join(folder, name), { recursive: true, force: true })
  for (const name of torn) {
    // Whoever is gone for us may still write there: what we take apart must not get a name.
    const away = join(folder, `.gone${name}`)
    await rename(join(folder, name), away).catch((error) => {
      if (error.code !== 'ENOENT') throw error
    })
    await rm(away, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** The folders in which the files lie, by their paths inside the checkpoint; the one of all is ''. */
function foldersOf(files: readonly SealedFile[]): Set<string> {
  const found = new Set([''])
  for (const { name } of files)
    for (let one = posix.dirname(name); one !== '.'; one = posix.dirname(one)) found.add(one)
  return found
}

async function copyInto(folder: string, name: string, path: string): Promise<SealedFile> {
  if (posix.normalize(name) !== name || name.startsWith('../') || name.startsWith('/') || name === '..') {
    throw new Error(`a checkpoint's file cannot be named '${name}'`)
  }
  const target = join(folder, 'files', ...name.split('/'))
  if (name.includes('/')) await mkdir(dirname(target), { recursive: true })
  const out = await open(target, 'wx', 0o444)
  try {
    const { size, sha256 } = await hashFile(path, out)
    await out.sync()
    return { name, size, sha256 }
  } finally {
    await out.close()
  }
}

/** Reads a regular file, never through a link, and writes what it reads to `out`. */
async function hashFile(path: string, out: FileHandle | null): Promise<{ size: number; sha256: string }> {
  const handle = await open(path, noLink)
  try {
    const is = await handle.stat()
    if (!is.isFile()) throw new Error(`${path} is not a regular file; only those are kept in a checkpoint`)
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(Math.min(Math.max(is.size + 1, leastCopy), copySize))
    let size = 0
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, size)
      if (bytesRead === 0) return { size, sha256: hash.digest('hex') }
      const chunk = buffer.subarray(0, bytesRead)
      hash.update(chunk)
      for (let offset = 0; out !== null && offset < bytesRead; ) {
        offset += (await out.write(chunk, offset)).bytesWritten
      }
      size += bytesRead
    }
  } finally {
    await handle.close()
  }
}

/**
 * Every file below `folder` by its path inside it, with `/`. A link or special file is an error: a stranger wrote them.
 */
export async function filesBelow(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) continue
    if (!entry.isFile()) throw new Error(`${path} is not a regular file; only those are kept in a checkpoint`)
    files.set(
      path
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
      path,
    )
  }
  return files
}

/** Files by their last names; two of one name cannot lie in one checkpoint. */
export async function filesNamed(paths: readonly string[]): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const path of paths) {
    const name = basename(path)
    if (files.has(name))
      throw new Error(`two files of the checkpoint are named ${name}: ${files.get(name)} and ${path}`)
    if ((await lstat(path)).isSymbolicLink())
      throw new Error(`${path} is a symbolic link; a checkpoint keeps files`)
    files.set(name, path)
  }
  return files
}

/** The whole text of `manifest.json`, with the sum of what it says. */
function textOf(manifest: Manifest): string {
  const sha256 = createHash('sha256').update(JSON.stringify(manifest)).digest('hex')
  return JSON.stringify({ sha256, manifest })
}

async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o444)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
