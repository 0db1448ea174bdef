/** Watches files and folders by the system's own means (inotify), for sensors that sleep. One watch per path. */
import { type FSWatcher, watch } from 'node:fs'
import type { Watch } from './wakers.ts'

interface Watched {
  readonly watcher: FSWatcher
  readonly listeners: Set<() => void>
}

/** A watch that shares one watcher among all who ask for a path. Where a path cannot be watched it stays silent. */
export function fileWatch(): Watch {
  const all = new Map<string, Watched>()
  return (path, changed) => {
    const watched = all.get(path) ?? begin(all, path)
    // Not there, or the system's watches are used up: the sensor's own time wakes it.
    if (watched === null) return () => {}
    watched.listeners.add(changed)
    return () => {
      watched.listeners.delete(changed)
      if (watched.listeners.size > 0) return
      watched.watcher.close()
      if (all.get(path) === watched) all.delete(path)
    }
  }
}

function begin(all: Map<string, Watched>, path: string): Watched | null {
  try {
    const listeners = new Set<() => void>()
    const watcher = watch(path, { persistent: false }, () => {
      for (const changed of [...listeners]) changed()
    })
    const watched = { watcher, listeners }
    watcher.on('error', () => {
      watcher.close()
      if (all.get(path) === watched) all.delete(path)
    })
    all.set(path, watched)
    return watched
  } catch {
    return null
  }
}
