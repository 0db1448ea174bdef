/** Watches files and folders by the system's own means (inotify), for sensors that sleep. One watch per path. */
import { type FSWatcher, watch } from 'node:fs'
import type { Clock, Timer } from './clock.ts'
import type { Watch } from './wakers.ts'

/** Milliseconds between two calls for one path: a folder that is written to all the time wakes its sensors no oftener. */
const pace = 500

interface Watched {
  readonly watcher: FSWatcher
  readonly listeners: Set<() => void>
  calledAt: number
  timer: Timer | null
}

/** A watch that shares one watcher among all who ask for a path. Where a path cannot be watched it stays silent. */
export function fileWatch(clock: Clock): Watch {
  const all = new Map<string, Watched>()
  return (path, changed) => {
    const watched = all.get(path) ?? begin(all, path, clock)
    // Not there, or the system's watches are used up: the sensor's own time wakes it.
    if (watched === null) return () => {}
    watched.listeners.add(changed)
    return () => {
      watched.listeners.delete(changed)
      if (watched.listeners.size > 0) return
      end(watched)
      if (all.get(path) === watched) all.delete(path)
    }
  }
}

function begin(all: Map<string, Watched>, path: string, clock: Clock): Watched | null {
  try {
    const watcher = watch(path, { persistent: false }, () => heard(watched, clock))
    const watched: Watched = {
      watcher,
      listeners: new Set(),
      calledAt: Number.NEGATIVE_INFINITY,
      timer: null,
    }
    watcher.on('error', () => {
      end(watched)
      if (all.get(path) === watched) all.delete(path)
    })
    all.set(path, watched)
    return watched
  } catch {
    return null
  }
}

/** Calls at once, or, where that was a moment ago, once the pace allows. */
function heard(watched: Watched, clock: Clock): void {
  if (watched.timer !== null) return
  const call = () => {
    watched.timer = null
    watched.calledAt = clock.now()
    for (const changed of [...watched.listeners]) changed()
  }
  const now = clock.now()
  // A clock that was set back does not keep anybody waiting.
  const early = now >= watched.calledAt && now < watched.calledAt + pace
  if (early) watched.timer = clock.at(watched.calledAt + pace, call)
  else call()
}

function end({ watcher, timer }: Watched): void {
  timer?.cancel()
  watcher.close()
}
