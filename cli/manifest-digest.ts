/** The digests of ended runs' manifests, for the audit log. */
import type { ManifestDue, Store } from '../engine/store/store.ts'

/** What is asked of manifest-worker.ts: a run, and what its templates may read. */
export interface Question {
  /** Absolute path of the SQLite file. */
  readonly store: string
  readonly run: string
  readonly env: { readonly [name: string]: string }
}

/** What comes of it. */
export type Answer = { readonly digest: string } | { readonly error: string }

/** Rows of tasks up to which a manifest is made in the engine's own process: some 25 ms. */
const small = 1_000

/** SHA-256 (hex) of a run's manifest. Throws E205 where the store does not know it. */
export async function digestOfRun(store: Store, run: string, env: Question['env']): Promise<string> {
  const [{ subjectOf }, { digestOf, manifestOf }] = await Promise.all([
    import('./run-subject.ts'),
    import('../engine/manifest.ts'),
  ])
  return digestOf(manifestOf(await subjectOf(store, run, env)))
}

/** Makes those of small runs here, of others beside the engine, which would stand still meanwhile. @param path of the store */
export function manifestDigests(
  store: Store,
  path: string,
  env: Question['env'],
): (due: ManifestDue) => Promise<string> {
  return async ({ run, tasks }) => {
    if (tasks <= small) return digestOfRun(store, run, env)
    const { Beside } = await import('./beside.ts')
    const beside = new Beside<Question, Answer>('manifest-worker')
    try {
      const answer = await beside.ask({ store: path, run, env })
      if ('error' in answer) throw new Error(answer.error)
      return answer.digest
    } finally {
      beside.rest()
    }
  }
}
