/**
 * Puts a finished folder where it belongs, as a whole: nobody ever sees half of it.
 * Knows nothing of what is in the folder but that `manifest.json` marks it as a dataset.
 */
import { cp, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import { manifestName } from './records-manifest.ts'
import { writeFailure } from './records-write.ts'

/**
 * The absolute folder of a result: `output` where the user named one, else `dataset` among the attempt's artifacts.
 * Throws `invalid_input` where that folder holds something else than a dataset, which must not be replaced, or holds
 * one of the `inputs` (paths).
 */
export async function outputFolder(
  task: TaskContext,
  output: string | undefined,
  inputs: readonly string[],
): Promise<string> {
  if (output === undefined) return join(task.artifacts, 'dataset')
  const folder = task.objects.resolve(output)
  for (const input of inputs) {
    if (input.startsWith(`${folder}/`)) {
      throw new OperatorFailure(
        'invalid_input',
        `\`output\` ${folder} holds the input ${input}; name another folder`,
      )
    }
  }
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new OperatorFailure('invalid_input', `\`output\` ${folder} cannot be used: ${error.message}`)
  })
  if (names && names.length > 0 && !names.includes(manifestName)) {
    throw new OperatorFailure(
      'invalid_input',
      `\`output\` ${folder} holds files that are no dataset; name another folder or empty it`,
    )
  }
  return folder
}

/**
 * Moves `from` to `to`, replacing the dataset that may be there. On one file system this is a rename; across two it is
 * copied beside the place first. A crash leaves the old folder, the new one or, between two renames, the old one under
 * its hidden name `.NAME.previous`.
 */
export async function place(from: string, to: string): Promise<void> {
  const previous = join(dirname(to), `.${basename(to)}.previous`)
  try {
    await mkdir(dirname(to), { recursive: true })
    const ready = await besideOrSame(from, to)
    await rm(previous, { recursive: true, force: true })
    await rename(to, previous).catch(ignoreMissing)
    await rename(ready, to)
    await syncFolder(dirname(to))
    await rm(previous, { recursive: true, force: true })
  } catch (error) {
    throw writeFailure(error, to)
  }
}

/** The folder itself where a rename can reach the place, else a copy of it beside the place. */
async function besideOrSame(from: string, to: string): Promise<string> {
  const [source, target] = await Promise.all([stat(from), stat(dirname(to))])
  if (source.dev === target.dev) return from
  const copy = join(dirname(to), `.${basename(to)}.incoming`)
  try {
    await rm(copy, { recursive: true, force: true })
    await cp(from, copy, { recursive: true })
    await syncTree(copy)
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw error
  }
  await rm(from, { recursive: true, force: true })
  return copy
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    await (entry.isDirectory() ? syncTree(path) : syncFolder(path))
  }
  await syncFolder(folder)
}

/** Brings a folder's entries (or a file's bytes) to the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path)
  await handle.sync().finally(() => handle.close())
}

/** Writes a small file and syncs it. */
export async function writeSynced(path: string, text: string | Uint8Array): Promise<void> {
  try {
    const handle = await open(path, 'w')
    await handle
      .writeFile(text)
      .then(() => handle.sync())
      .finally(() => handle.close())
  } catch (error) {
    throw writeFailure(error, path)
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
