/**
 * Notes in the audit log by which manifest each ended run is named. It comes after the end, since making a manifest takes
 * time; what is due is in the store with the end, so that another engine notes it where this one dies before. Knows not how
 * manifests are made.
 */
import type { Clock } from './clock.ts'
import type { ManifestDue, NotedManifest, Store } from './store/store.ts'

/** Runs whose notes are one transaction. */
const atOnce = 32

/** What it is made of. */
export interface ManifestNotesParts {
  readonly store: Pick<Store, 'manifestsDue' | 'noteManifests'>
  readonly clock: Clock
  /** The engine's id, and its chain in the audit log. */
  readonly engine: string
  /** SHA-256 (hex) of a run's manifest; where it cannot be made, that is noted. */
  readonly digest: (due: ManifestDue) => Promise<string>
  /** Told where the store fails. */
  readonly failed: (error: unknown) => void
}

/** Notes one batch of runs after the other, and gives way between two runs. */
export class ManifestNotes {
  readonly #parts: ManifestNotesParts
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

  /** Resolves when what was due is noted; of more than a batch the rest is left to a later engine. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await this.#noteDue()
      } catch (error) {
        this.#parts.failed(error)
      }
    }
  }

  #digest(due: ManifestDue): Promise<Omit<NotedManifest, 'due'>> {
    return this.#parts.digest(due).then(
      (digest) => ({ digest, reason: null }),
      ({ message }: Error) => ({ digest: null, reason: message }),
    )
  }

  async #noteDue(): Promise<void> {
    const { store, clock, engine } = this.#parts
    for (;;) {
      const due = await store.manifestsDue(engine, clock.now(), atOnce)
      const noted: NotedManifest[] = []
      for (const one of due) {
        await new Promise<void>((resolve) => clock.soon(resolve))
        noted.push({ due: one, ...(await this.#digest(one)) })
      }
      if (noted.length > 0) await store.noteManifests(noted, engine, clock.now())
      if (due.length < atOnce || this.#closed) return
    }
  }
}
