/** Looks after an attempt whose process is no child of this one. Knows nothing of how it was started. */
import { type FSWatcher, watch } from 'node:fs'
import type { Clock, Timer } from '../clock.ts'
import { type AttemptProcess, abandon, files, readEnding, readProcess } from './attempt-folder.ts'
import { isAlive } from './process-identity.ts'
import type { WatchedAttempt } from './watched-attempt.ts'

/** Milliseconds between two looks whether a process still lives: only its parent would be told of its death. */
const look = 1000

/** Looks at which a process may be missing while what is to write its ending lives. */
const patience = 10

/**
 * Looks each second, and ends the attempt where its process is gone.
 *
 * @param least looks at which it may be missing whatever else: what was told last may still be on its way
 * @returns what lets go of it, and a look that comes earlier
 */
export function attend(watched: WatchedAttempt, process: AttemptProcess | null, clock: Clock, least = 1) {
  const { attempt } = watched
  let missed = 0
  let timer: Timer | null = null
  const wait = () => {
    timer = clock.at(clock.now() + look, check)
  }
  const gone = () => {
    if (process !== null && isAlive(process)) {
      missed = 0
      return false
    }
    // In this order: between the two looks it may end, and then its ending is there.
    if (readEnding(attempt) !== null) return true
    const { supervisor = null } = process ?? {}
    missed += 1
    return missed > (supervisor !== null && isAlive(supervisor) ? patience : least)
  }
  const check = () => {
    timer?.cancel()
    if (watched.ended) return
    if (gone()) void watched.end(null)
    else wait()
  }
  wait()
  return { release: () => timer?.cancel(), check }
}

/** Finds the attempt's ending, or waits for it; returns what lets go of it. */
export function adopt(watched: WatchedAttempt, clock: Clock): () => void {
  const { attempt } = watched
  const process = processOf(watched)
  if (process === null && readEnding(attempt) === null) {
    watched.neverBegan()
    return () => {}
  }
  if (process !== null) watched.leads(process)
  watched.catchUp()
  const { release, check } = attend(watched, process, clock, 0)
  const watcher = watchFolder(attempt.folder, (name) => {
    // A folder's watch tells of what its files gain, too.
    if (name === files.events) watched.hear()
    if (name === files.ending) check()
  })
  void watched.outcome.then(() => watcher?.close())
  // What came between the first reading and the watch.
  watched.hear()
  check()
  return () => {
    watcher?.close()
    release()
  }
}

/** The process on record. Where there is none, none can come any more. */
function processOf(watched: WatchedAttempt): AttemptProcess | null {
  const { attempt } = watched
  const found = readProcess(attempt)
  if (found !== null || readEnding(attempt) !== null) return found
  try {
    abandon(attempt)
  } catch (error) {
    const message = `attempt ${attempt.id} cannot be marked as given up: ${(error as Error).message}`
    watched.tell({ type: 'log', level: 'warn', message })
  }
  return readProcess(attempt)
}

/** Without a watch the look each second finds what there is. */
function watchFolder(folder: string, changed: (name: string | null) => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, (_, name) => changed(name))
    return watcher.on('error', () => watcher.close())
  } catch {
    return null
  }
}
