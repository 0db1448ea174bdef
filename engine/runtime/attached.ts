/** Adopts an attempt that an earlier engine started. Knows nothing of how it was started. */
import { type FSWatcher, watch } from 'node:fs'
import type { Clock, Timer } from '../clock.ts'
import { files, readEnding, readProcess } from './attempt-folder.ts'
import { isAlive } from './process-identity.ts'
import { vanished, type WatchedAttempt } from './watched-attempt.ts'

/** Milliseconds between two looks whether an adopted process still lives: only its parent would be told of its death. */
const look = 1000

/** Finds the attempt's ending, or waits for it; returns what lets go of it. */
export function adopt(watched: WatchedAttempt, clock: Clock): () => void {
  const { attempt } = watched
  const process = readProcess(attempt)
  if (process === null && readEnding(attempt) === null) {
    watched.settle(vanished(attempt))
    return () => {}
  }
  if (process !== null) watched.leads(process)
  watched.catchUp()
  let watcher: FSWatcher | null = null
  let timer: Timer | null = null
  const close = () => {
    watcher?.close()
    timer?.cancel()
  }
  const check = () => {
    timer?.cancel()
    if (watched.ended) return close()
    // In this order: between the two looks it may end, and then its ending is there.
    const alive = process !== null && isAlive(process)
    if (readEnding(attempt) === null && alive) {
      timer = clock.at(clock.now() + look, check)
      return
    }
    close()
    void watched.end(null)
  }
  try {
    watcher = watch(attempt.folder, { persistent: false }, (_, name) => {
      // A folder's watch tells of what its files gain, too.
      if (name === files.events) watched.hear()
      if (name === files.ending) check()
    })
    watcher.on('error', () => watcher?.close())
  } catch {
    // Without a watch the look each second finds the ending.
    watcher = null
  }
  // What came between the first reading and the watch.
  watched.hear()
  check()
  return close
}
