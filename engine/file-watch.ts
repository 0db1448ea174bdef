/** Watches files and folders by the system's own means (inotify), for sensors that sleep. One watch per path. */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Clock, Timer } from './clock.ts'
import type { Watch } from './wakers.ts'

/** Milliseconds between two calls for one path: a folder that is written to all the time wakes its sensors no oftener. */
const pace = 1000

interface Watched {
  readonly listeners: Set<() => void>
  close(): void
}

/**
 * A watch that shares one watcher among all who ask for a path; of one that is not there it tells when it comes. Where
 * nothing can be watched it stays silent.
 */
export function fileWatch(clock: Clock): Watch {
  const all = new Map<string, Watched>()
  // Whoever is told leaves, looks, and comes back: its next change is not the first, and is told at the pace.
  const toldAt = new Map<string, number>()
  return (path, changed) => {
    const watched = all.get(path) ?? begin({ all, toldAt, clock }, path)
    // Not there, or the system's watches are used up: the sensor's own time wakes it.
    if (watched === null) return () => {}
    watched.listeners.add(changed)
    return () => {
      watched.listeners.delete(changed)
      if (watched.listeners.size > 0) return
      watched.close()
      if (all.get(path) === watched) all.delete(path)
    }
  }
}

interface Kept {
  readonly all: Map<string, Watched>
  readonly toldAt: Map<string, number>
  readonly clock: Clock
}

function begin({ all, toldAt, clock }: Kept, path: string): Watched | null {
  const listeners = new Set<() => void>()
  let timer: Timer | null = null
  const tell = () => {
    timer = null
    const now = clock.now()
    for (const [other, at] of toldAt) if (at <= now - pace || at > now) toldAt.delete(other)
    toldAt.set(path, now)
    for (const changed of [...listeners]) changed()
  }
  const hear = () => {
    if (timer !== null) return
    const now = clock.now()
    const before = toldAt.get(path) ?? Number.NEGATIVE_INFINITY
    if (before <= now - pace || before > now) tell()
    else timer = clock.at(before + pace, tell)
  }
  const watcher = watcherOf(path, hear)
  if (watcher === null) return null
  const close = () => {
    timer?.cancel()
    watcher.close()
  }
  const watched = { listeners, close }
  watcher.on('error', () => {
    close()
    if (all.get(path) === watched) all.delete(path)
  })
  all.set(path, watched)
  return watched
}

/** Of what is no folder, or not there, the folder around it is watched, for that name only. */
function watcherOf(path: string, changed: () => void): FSWatcher | null {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      return watch(path, { persistent: false }, changed)
    return watch(dirname(path), { persistent: false }, (_, name) => {
      if (name === null || name === basename(path)) changed()
    })
  } catch {
    return null
  }
}
