/** The files that a path on the command line stands for: itself, or those in and below a folder. */
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { statOf } from './pipelines.ts'
import type { Terminal } from './terminal.ts'

/** The path itself where it is a file; of a folder every file in and below it whose name is wanted, by name. */
export async function yamlFiles(
  path: string,
  { cwd }: Terminal,
  wanted: (name: string) => boolean,
): Promise<readonly string[]> {
  const found = await statOf(resolve(cwd, path), path)
  return found.isDirectory() ? filesBelow(path, cwd, wanted) : [path]
}

async function filesBelow(folder: string, cwd: string, wanted: (name: string) => boolean): Promise<string[]> {
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true })
  const files: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && entry.name !== 'node_modules')
        files.push(...(await filesBelow(path, cwd, wanted)))
    } else if (wanted(entry.name)) files.push(path)
  }
  return files
}
