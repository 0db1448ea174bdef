/** Tells when something in folders may have changed: at once where the file system says so, else now and then. */
import { type FSWatcher, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock, Timer } from '../../engine/clock.ts'
import { mayHoldPipeline } from './pipeline-files.ts'

/** What is watched. All paths are absolute. */
export interface Watched {
  /** Folders in which whatever may hold a pipeline matters. */
  readonly folders: readonly string[]
  /** Files that matter wherever they lie. */
  readonly files: readonly string[]
}

/** Milliseconds: an editor's writes are taken together; where no watcher tells, a look comes this often. */
const waits = { settled: 100, unasked: 30_000 } as const

/** Watches the folders it is told of, and those of the files it is told of. */
export class FolderWatch {
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #watchers = new Map<string, FSWatcher>()
  #folders: ReadonlySet<string> = new Set()
  #files: ReadonlySet<string> = new Set()
  #timer: Timer | null = null
  #dueAt = Number.POSITIVE_INFINITY

  /** @param changed called when it is time to look */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock
    this.#changed = changed
    this.#lookBy(waits.unasked)
  }

  /** Watches these from now on, and nothing else. */
  watch({ folders, files }: Watched): void {
    this.#folders = new Set(folders)
    this.#files = new Set(files)
    const wanted = new Set([...folders, ...files.map((file) => dirname(file))])
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
        if (this.#matters(folder, name)) this.#lookBy(waits.settled)
      })
      watcher.on('error', () => this.#forget(folder, watcher))
      this.#watchers.set(folder, watcher)
    } catch {
      // No inotify left, or the folder is gone: the unasked look comes all the same.
    }
  }

  #matters(folder: string, name: string | null): boolean {
    if (name === null || this.#files.has(join(folder, name))) return true
    return this.#folders.has(folder) && mayMatter(name)
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
function mayMatter(name: string): boolean {
  return mayHoldPipeline(name) || !/[^.]\.[^.]/.test(name)
}
