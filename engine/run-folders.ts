/** The folders of runs below a data folder: `KIND/RUN/…`. Knows nothing of what lies in them. */
import type { Dirent } from 'node:fs'
import { lstat, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FolderKind, RunFolders } from './retention.ts'

/** The folders below `data` (absolute). Links are removed, never followed. */
export function runFolders(data: string): RunFolders {
  const entriesOf = async (path: string): Promise<readonly Dirent[]> => {
    try {
      return await readdir(path, { withFileTypes: true })
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
      throw error
    }
  }
  const folder = (kind: FolderKind, run: string) => join(data, kind, run)
  return {
    runs: async (kind) =>
      (await entriesOf(join(data, kind))).filter((entry) => entry.isDirectory()).map(({ name }) => name),
    size: (kind, run) => sizeOf(folder(kind, run)),
    async remove(kind, run) {
      const path = folder(kind, run)
      let bytes = 0
      // One by one, as they are now: what a person's retry adds meanwhile stays, and the folder with it.
      for (const { name } of await entriesOf(path)) {
        const inner = join(path, name)
        bytes += await sizeOf(inner)
        await rm(inner, { recursive: true, force: true })
      }
      await rmdir(path).catch((error: NodeJS.ErrnoException) => {
        if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code ?? '')) throw error
      })
      return bytes
    },
  }
}

/** The bytes of a file, or of all files in a folder and below; 0 where there is none, or no longer. */
async function sizeOf(path: string): Promise<number> {
  try {
    const found = await lstat(path)
    if (!found.isDirectory()) return found.size
    let bytes = 0
    for (const name of await readdir(path)) bytes += await sizeOf(join(path, name))
    return bytes
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0
    throw error
  }
}
