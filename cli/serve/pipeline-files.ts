/** Which files of a folder may hold pipelines, and when they last changed. Reads no contents. */
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { stampOf } from '../file-stamp.ts'

/** What lies in the folders that are watched. */
export interface Listing {
  /** Absolute paths of YAML files, in order, with what changes when they are written. */
  readonly files: ReadonlyMap<string, string>
  /** Absolute paths of every folder that was looked into. */
  readonly folders: readonly string[]
}

/** Folders below which nobody keeps pipelines. Those that begin with a dot are left out too. */
const passedBy: ReadonlySet<string> = new Set(['node_modules'])

/** Whether a name is one of a file that may hold a pipeline: tests of pipelines and settings do not. */
export function mayHoldPipeline(name: string): boolean {
  return /\.ya?ml$/.test(name) && !/\.test\.ya?ml$/.test(name) && !/^dagctl\.ya?ml$/.test(name)
}

/** Lists a folder and all below it, but for `except`. Throws where the folder itself cannot be read. */
export async function listFiles(roots: readonly string[], except: string): Promise<Listing> {
  const files = new Map<string, string>()
  const folders: string[] = []
  const open = roots.toReversed()
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(absent(roots.includes(folder)))
    if (entries === null) continue
    folders.push(folder)
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && !isPassedBy(entry) && path !== except) open.push(path)
      else if (!entry.isDirectory() && mayHoldPipeline(entry.name)) {
        const found = await stat(path).catch(absent(false))
        if (found?.isFile()) files.set(path, stampOf(found))
      }
    }
  }
  return { files, folders }
}

function isPassedBy({ name }: Dirent): boolean {
  return name.startsWith('.') || passedBy.has(name)
}

/** What went away while it was looked at is not there. */
function absent(needed: boolean): (error: NodeJS.ErrnoException) => null {
  return (error) => {
    if (needed || !['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(error.code ?? '')) throw error
    return null
  }
}
