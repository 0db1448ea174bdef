/** Making folders where a person says: anywhere, also where none can be. Knows nothing of what lies in them. */
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it; nothing where it is there. Throws the system's error, EPERM where a file system takes
 * no folder: /proc answers ENOENT then, at which Node's own `recursive` tries again for ever.
 * @param path absolute
 */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT') throw error
    if (existsSync(dirname(path)))
      throw Object.assign(new Error(`EPERM: no folder can be made there, mkdir '${path}'`), { code: 'EPERM' })
    makeFolder(dirname(path))
    makeFolder(path)
  }
}
