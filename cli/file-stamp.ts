/** What tells that a file was written, without reading it. */
import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Changes whenever the file is written, or another one takes its place. */
export function stampOf({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return [mtimeMs, ctimeMs, size, ino].join()
}

/** The stamp of what lies at a path; empty where nothing does, or it cannot be looked at. */
export async function stampAt(path: string): Promise<string> {
  return stat(path).then(stampOf, () => '')
}
