/** Which updates of datasets each pipeline has still to make a run of. One question to the store for all pipelines. */
import type { Entry } from './schedule-entry.ts'
import type { Store } from './store/store.ts'
import { dueBy, nothingPending, type Pending, type Update, withUpdates } from './triggers.ts'

interface Watched {
  cursor: number
  pending: Pending
}

/** The pipelines that are due by datasets. */
export class DatasetWatch {
  readonly #store: Store
  readonly #touched: (entry: Entry) => void
  readonly #watched = new Map<Entry, Watched>()
  /** The newest update that every pipeline has seen. */
  #seen = 0
  #again = false
  /** The look under way. */
  looked: Promise<void> | null = null

  /** @param touched told of each pipeline that has something new to look at */
  constructor(store: Store, touched: (entry: Entry) => void) {
    this.#store = store
    this.#touched = touched
  }

  /** How many pipelines there are. */
  get size(): number {
    return this.#watched.size
  }

  /** Takes up a pipeline, or its changed schedule. @param cursor updates up to this one have made their runs */
  async enter(entry: Entry, cursor: number): Promise<void> {
    this.#watched.delete(entry)
    if (entry.schedule.datasets === undefined) return
    const watched = await this.#since(entry, cursor)
    // Who enters later has asked for itself what is older.
    if (this.#watched.size === 0) this.#seen = watched.pending.through
    this.#watched.set(entry, watched)
  }

  leave(entry: Entry): void {
    this.#watched.delete(entry)
  }

  /** Asks the store what is new. Asked again meanwhile, it looks once more afterwards. */
  look(): Promise<void> {
    this.#again = true
    this.looked ??= this.#lookAll().finally(() => {
      this.looked = null
    })
    return this.looked
  }

  /** The update by which the pipeline is due, and the newest that a run made now covers. */
  async due(entry: Entry): Promise<{ readonly update: Update; readonly through: number } | null> {
    const watched = this.#watched.get(entry)
    if (watched === undefined || dueBy(entry.schedule, watched.pending) === null) return null
    // Another engine may have made the run meanwhile, or this one just has.
    const cursor = await this.#cursorOf(entry.name)
    if (cursor > watched.cursor) Object.assign(watched, await this.#since(entry, cursor))
    const update = dueBy(entry.schedule, watched.pending)
    return update && { update, through: watched.pending.through }
  }

  async #lookAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      const updates = await this.#store.datasetUpdates(this.#seen)
      const last = updates.at(-1)
      if (last === undefined) continue
      this.#seen = last.seq
      for (const [entry, watched] of this.#watched) {
        watched.pending = withUpdates(entry.schedule, watched.pending, updates)
        if (dueBy(entry.schedule, watched.pending) !== null) this.#touched(entry)
      }
    }
  }

  async #since(entry: Entry, cursor: number): Promise<Watched> {
    for (;;) {
      const updates = await this.#store.datasetUpdates(cursor)
      const pending = withUpdates(entry.schedule, nothingPending(cursor), updates)
      // What all pipelines were told of meanwhile is not told again.
      if (pending.through >= this.#seen) return { cursor, pending }
    }
  }

  async #cursorOf(name: string): Promise<number> {
    const [row] = await this.#store.scheduledPipelines(name)
    return row?.datasetCursor ?? 0
  }
}
