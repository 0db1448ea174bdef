/** Reads files that a stranger wrote: never through a link, regular files only, with a cap. Knows nothing of what is in them. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** How a file that a stranger may have put there is opened: never through a link, and without waiting for a FIFO's other end. */
export const noLink = constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What is wrong with a stranger's file; the message names it. */
export class StrangerFileError extends Error {}

/** A descriptor, or null where there is no such file. Throws `StrangerFileError` for a link, folder or special file. */
export function openStranger(path: string): number | null {
  let descriptor: number
  try {
    descriptor = openSync(path, constants.O_RDONLY | noLink)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw new StrangerFileError(
      code === 'ELOOP' ? `${path} is a symbolic link` : `${path} cannot be read (${code})`,
    )
  }
  if (fstatSync(descriptor).isFile()) return descriptor
  closeSync(descriptor)
  throw new StrangerFileError(`${path} is not a regular file`)
}

/** The bytes of a file of at most `cap` bytes, or null where there is none. */
export function readStranger(path: string, cap: number): Buffer | null {
  const descriptor = openStranger(path)
  if (descriptor === null) return null
  try {
    const { size } = fstatSync(descriptor)
    if (size > cap) throw new StrangerFileError(`${path} has ${size} bytes, more than the ${cap} allowed`)
    return readAt(descriptor, 0, size)
  } finally {
    closeSync(descriptor)
  }
}

/** The last `length` bytes, or null where there is no file. */
export function readEnd(path: string, length: number): Buffer | null {
  const descriptor = openStranger(path)
  if (descriptor === null) return null
  try {
    const { size } = fstatSync(descriptor)
    const start = Math.max(0, size - length)
    return readAt(descriptor, start, size - start)
  } finally {
    closeSync(descriptor)
  }
}

/** Up to `length` bytes from `start`; fewer where the file ends before. */
export function readAt(descriptor: number, start: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const read = readSync(descriptor, buffer, filled, length - filled, start + filled)
    if (read === 0) break
    filled += read
  }
  return buffer.subarray(0, filled)
}
