/** Watches a run that another process owns, through the store, until it ends. Knows no engine. */
import { type FSWatcher, watch } from 'node:fs'
import type { Timer } from '../engine/clock.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** Milliseconds: looks are this far apart at least; and at most, where the file system tells of no change. */
const looks = { least: 100, most: 2000 } as const

/** What is watched. */
export interface Watched {
  readonly store: Store
  readonly settings: Settings
  readonly terminal: Terminal
  readonly run: string
}

/**
 * The run as it ended; null when a person stopped watching it, or `changed` did. `changed` is called with the run at each
 * look, and ends the watch by returning true.
 */
export function follow(
  { store, settings, terminal, run }: Watched,
  changed: (run: RunRecord) => boolean | Promise<boolean>,
): Promise<RunRecord | null> {
  const { clock } = terminal
  return new Promise((resolve, reject) => {
    let timer: Timer | null = null
    let lookedAt = 0
    let looking = false
    let over = false
    const end = () => {
      over = true
      timer?.cancel()
      silence()
      for (const watcher of watchers) watcher.close()
    }
    const schedule = (wait: number) => {
      timer?.cancel()
      // The clock may have been set back since the last look.
      timer = clock.at(Math.min(lookedAt, clock.now()) + wait, look)
    }
    const look = async () => {
      if (looking || over) return
      looking = true
      try {
        lookedAt = clock.now()
        const found = await store.run(run)
        const stop = found === null || (await changed(found))
        if (over) return
        if (stop || isEnded(found.state)) {
          end()
          resolve(stop ? null : found)
        } else schedule(looks.most)
      } catch (error) {
        end()
        reject(error)
      } finally {
        looking = false
      }
    }
    const silence = terminal.onSignal(() => {
      end()
      resolve(null)
    })
    const watchers = watchStore(settings.store, () => {
      if (!looking && !over) schedule(looks.least)
    })
    void look()
  })
}

/** Watches the database and its log. Where that is not possible the slow look still comes. */
function watchStore(path: string, changed: () => void): readonly FSWatcher[] {
  return [path, `${path}-wal`].flatMap((file) => {
    try {
      const watcher = watch(file, changed)
      watcher.on('error', () => watcher.close())
      return [watcher]
    } catch {
      return []
    }
  })
}
