/**
 * What the result of a task depends on, as one digest: the operator, its input with the contents of the data that it
 * names, the environment. Knows no store; the engine decides what a digest is good for.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import canonicalize from 'canonicalize'
import type { Fingerprint } from '../engine/cache.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import { type Objects, OperatorFailure } from './api.ts'
import type { Operators } from './host.ts'
import { localObjects } from './objects.ts'
import { mapMarked, markedStrings } from './uri-marks.ts'

/** The file in which a dataset folder lists its shards with their digests. */
const manifestName = 'manifest.json'

/**
 * Fingerprints over local files.
 * @param release dagctl's own version: built-in operators change with it
 */
export function fingerprintOf(operators: Operators, release: string): Fingerprint {
  return {
    async key({ operator, input, env, cwd, files }) {
      const found = await operators.find(operator.name, operator.version)
      if (found === undefined) return null
      const data = dataOf(cwd)
      try {
        const resolved = await mapMarked(found.input, input, 'input', (uri) => data.digest(uri))
        const listed = await Promise.all([...files].sort().map((pattern) => data.digest(pattern)))
        return sha256(
          canonicalize({
            operator: { ...operator },
            release,
            input: resolved,
            env: { ...env },
            files: listed,
          } satisfies JsonObject) as string,
        )
      } catch (error) {
        if (isUnreadable(error)) return null
        throw error
      }
    },
    async intact({ name, version }, outputs, cwd) {
      const found = await operators.find(name, version)
      if (found === undefined) return false
      const data = dataOf(cwd)
      try {
        for (const { uri, name, beside } of markedStrings(found.output, outputs, 'output')) {
          // `shards` beside a `dataset` tells what was in it: another task may have replaced the folder since.
          const shards = name === 'dataset' ? beside.shards : undefined
          if (!(await data.stands(uri, shards))) return false
        }
        return true
      } catch (error) {
        // A manifest that is no JSON is damage like any other.
        if (isUnreadable(error) || error instanceof SyntaxError) return false
        throw error
      }
    },
  }
}

interface Data {
  /** A digest of everything that a URI names. Throws where something of it cannot be read. */
  digest(uri: string): Promise<string>
  /** Whether it is still there; where the shards that it had are known, with the same ones. */
  stands(uri: string, shards: Json | undefined): Promise<boolean>
}

function dataOf(cwd: string): Data {
  const objects = localObjects({ cwd, attempt: 'fingerprint', owner: 'fingerprint' })
  return {
    async digest(uri) {
      const path = objects.resolve(uri)
      const manifest = await readManifest(path)
      if (manifest !== null) return sha256(manifest)
      const base = baseOf(path)
      const listed = await objects.list(uri)
      const lines = []
      for (const { uri: file } of listed) {
        const name = file === path ? basename(file) : relative(base, file)
        lines.push([name, await digestFile(objects, file)])
      }
      return sha256(JSON.stringify(lines))
    },
    async stands(uri, shards) {
      const path = objects.resolve(uri)
      const manifest = await readManifest(path)
      if (manifest === null) return (await objects.stat(uri)) !== null
      return shardsMatch(objects, path, JSON.parse(manifest), shards)
    },
  }
}

/** Whether every shard that the manifest lists is there in its size, and the list is the one that the outputs tell. */
async function shardsMatch(
  objects: Objects,
  folder: string,
  manifest: Json,
  told: Json | undefined,
): Promise<boolean> {
  const shards = shardsOf(manifest)
  if (
    told !== undefined &&
    canonicalize(digestsOf(shardsOf({ shards: told }))) !== canonicalize(digestsOf(shards))
  )
    return false
  for (const { name, bytes } of shards) {
    if (typeof name !== 'string') return false
    const found = await objects.stat(join(folder, name))
    if (found === null || found.size !== bytes) return false
  }
  return true
}

interface ShardEntry {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

function shardsOf(manifest: Json): readonly ShardEntry[] {
  const shards = (manifest as JsonObject | null)?.shards
  return Array.isArray(shards) ? shards.map((shard) => shard ?? {}) : []
}

function digestsOf(shards: readonly ShardEntry[]): string[] {
  return shards.map(({ sha256 }) => sha256)
}

async function readManifest(folder: string): Promise<string | null> {
  try {
    return await readFile(join(folder, manifestName), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}

async function digestFile(objects: Objects, path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of await objects.open(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

/** The part of a path before its first wildcard, up to a folder: what matching names are relative to. */
function baseOf(path: string): string {
  const fixed = /^[^*?[{]*/.exec(path)?.[0] ?? ''
  return fixed === path ? path : fixed.slice(0, fixed.lastIndexOf('/') + 1)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Data that is gone or may not be read gives no key; anything else is not for us to judge. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof OperatorFailure) return true
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' && code.startsWith('E') && code === code.toUpperCase()
}
