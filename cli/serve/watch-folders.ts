/** Tells when something in folders may have changed: at once where the file system says so, else now and then. */
import { type FSWatcher, watch } from 'node:fs'
import type { Clock, Timer } from '../../engine/clock.ts'
import { mayHoldPipeline } from './pipeline-files.ts'

/** Milliseconds: an editor's writes are taken together; where no watcher tells, a look comes this often. */
const waits = { settled: 100, unasked: 30_000 } as const

/** Watches the folders it is told of. */
export class FolderWatch {
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: Timer | null = null
  #dueAt = Number.POSITIVE_INFINITY

  /** @param changed called when it is time to look */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock
    this.#changed = changed
    this.#lookBy(waits.unasked)
  }

  /** Watches these folders from now on, and no others. */
  watch(folders: readonly string[]): void {
    const wanted = new Set(folders)
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#begin(folder)
  }

  close(): void {
    this.#timer?.cancel()
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #begin(folder: string): void {
    try {
      const watcher = watch(folder, (_event, name) => {
        if (matters(name)) this.#lookBy(waits.settled)
      })
      watcher.on('error', () => this.#forget(folder, watcher))
      this.#watchers.set(folder, watcher)
    } catch {
      // No inotify left, or the folder is gone: the unasked look comes all the same.
    }
  }

  #forget(folder: string, watcher: FSWatcher): void {
    watcher.close()
    if (this.#watchers.get(folder) === watcher) this.#watchers.delete(folder)
  }

  #lookBy(wait: number): void {
    const at = this.#clock.now() + wait
    // A clock that was set back must not put the look off.
    if (this.#dueAt <= at) return
    this.#timer?.cancel()
    this.#dueAt = at
    this.#timer = this.#clock.at(at, () => {
      this.#dueAt = Number.POSITIVE_INFINITY
      this.#lookBy(waits.unasked)
      this.#changed()
    })
  }
}

/** Whether a change of this name can matter: a YAML file, or what may be a folder. Tasks write much else beside pipelines. */
function matters(name: string | null): boolean {
  return name === null || mayHoldPipeline(name) || !/[^.]\.[^.]/.test(name)
}
