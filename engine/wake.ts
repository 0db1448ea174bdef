/** How processes on one host call each other: a file that is touched, and watched. The message itself is in the store. */
import { closeSync, openSync, utimesSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder } from './folders.ts'

/** A bell between processes. A call that is missed is made up for when the lease is renewed. */
export interface Wake {
  ring(): void
  /** Calls `heard` at each ring; gives the function that stops it. */
  listen(heard: () => void): () => void
}

/** The bell that is the file `path`. */
export function fileWake(path: string): Wake {
  const make = () => {
    makeFolder(dirname(path))
    closeSync(openSync(path, 'a'))
  }
  return {
    ring() {
      make()
      const now = new Date()
      utimesSync(path, now, now)
    },
    listen(heard) {
      make()
      const watcher = watch(path, heard)
      // Without a watcher (no inotify left) the renewal of the lease still hears every request.
      watcher.on('error', () => watcher.close())
      return () => watcher.close()
    },
  }
}
