/**
 * Notes in the audit log by which manifest each ended run is named. It comes after the end, since making a manifest takes
 * time; what is due is in the store with the end, so that another engine notes it where this one dies before. Knows not how
 * manifests are made.
 */
import type { Clock } from './clock.ts'
import type { ManifestDue, NotedManifest, Store } from './store/store.ts'

/** Runs whose notes are one transaction. */
const atOnce = 32

/** Milliseconds for which whoever closes waits for the manifests of its own runs; the rest is a later engine's. */
const closing = 5_000

/** A manifest by its name or why it has none; null where that is not known yet, and is asked again later. */
export type MadeManifest = Omit<NotedManifest, 'due'> | null

/** What it is made of. */
export interface ManifestNotesParts {
  readonly store: Pick<Store, 'manifestsDue' | 'noteManifests'>
  readonly clock: Clock
  /** The engine's id, and its chain in the audit log. */
  readonly engine: string
  /** Makes it, until the signal calls it off. Rejects where the store fails. */
  readonly make: (due: ManifestDue, signal: AbortSignal) => Promise<MadeManifest>
  /** Told where the store fails. */
  readonly failed: (error: unknown) => void
}

/** Notes one batch of runs after the other, and gives way between two runs. */
export class ManifestNotes {
  readonly #parts: ManifestNotesParts
  readonly #abort = new AbortController()
  #working: Promise<void> | null = null
  #again = false
  #closed = false

  constructor(parts: ManifestNotesParts) {
    this.#parts = parts
  }

  /** Something may be due. */
  look(): void {
    if (this.#closed) return
    this.#again = true
    this.#working ??= this.#work().finally(() => {
      this.#working = null
    })
  }

  /** Resolves when what is due of the engine's own runs is noted, or it took too long. */
  async close(): Promise<void> {
    this.look()
    this.#closed = true
    const { clock } = this.#parts
    const timer = clock.at(clock.now() + closing, () => this.#abort.abort())
    await this.#working
    timer.cancel()
  }

  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        while (await this.#noteBatch()) {}
      } catch (error) {
        this.#parts.failed(error)
      }
    }
  }

  /** Whether there may be more at once. */
  async #noteBatch(): Promise<boolean> {
    const { store, clock, engine, make } = this.#parts
    const { signal } = this.#abort
    const due = await store.manifestsDue(engine, clock.now(), atOnce)
    const noted: NotedManifest[] = []
    for (const one of due) {
      if (signal.aborted || (this.#closed && !one.own)) break
      await new Promise<void>((resolve) => clock.soon(resolve))
      const made = await make(one, signal)
      if (made !== null) noted.push({ due: one, ...made })
    }
    if (noted.length > 0) await store.noteManifests(noted, engine, clock.now())
    return due.length === atOnce && noted.length === atOnce
  }
}
