/** The manifests of ended runs by their digests, for the audit log. */
import { DagctlError } from '../engine/errors.ts'
import type { MadeManifest, ManifestNotesParts } from '../engine/manifest-notes.ts'
import type { Store } from '../engine/store/store.ts'

/** What is asked of manifest-worker.ts: a run, and what its templates may read. */
export interface Question {
  /** Absolute path of the SQLite file. */
  readonly store: string
  readonly run: string
  readonly env: { readonly [name: string]: string }
}

/** What comes of it; `failed` is of the store. */
export type Answer = { readonly made: MadeManifest } | { readonly failed: string }

/** Rows of tasks, and bytes of outputs, up to which a manifest is made in the engine's own process: some 25 ms. */
const small = { tasks: 1_000, bytes: 1024 * 1024 } as const

/** Processes that may end over a run before it is noted that it has no manifest. */
const mostDeaths = 3

/** The digest of a run's manifest, or what keeps it from having one. Rejects where the store fails. */
export async function made(store: Store, run: string, env: Question['env']): Promise<MadeManifest> {
  const [{ subjectOf }, { digestOf, manifestOf }] = await Promise.all([
    import('./run-subject.ts'),
    import('../engine/manifest.ts'),
  ])
  try {
    return { digest: digestOf(manifestOf(await subjectOf(store, run, env))), reason: null }
  } catch (error) {
    if (error instanceof DagctlError && error.kind === 'infrastructure') throw error
    return { digest: null, reason: (error as Error).message }
  }
}

/** Makes those of small runs here, of others beside the engine, which would stand still meanwhile. @param path of the store */
export function manifests(store: Store, path: string, env: Question['env']): ManifestNotesParts['make'] {
  const deaths = new Map<string, number>()
  return async ({ run, tasks, bytes }, signal) => {
    if (tasks <= small.tasks && bytes <= small.bytes) return made(store, run, env)
    const { Beside } = await import('./beside.ts')
    const beside = new Beside<Question, Answer>('manifest-worker')
    const stop = () => beside.rest()
    signal.addEventListener('abort', stop)
    let answer: Answer
    try {
      answer = await beside.ask({ store: path, run, env })
    } catch (error) {
      // Whoever stops this machine's processes may come first: it is asked again, but not for ever.
      const died = (deaths.get(run) ?? 0) + 1
      deaths.set(run, died)
      return signal.aborted || died < mostDeaths ? null : { digest: null, reason: (error as Error).message }
    } finally {
      signal.removeEventListener('abort', stop)
      beside.rest()
    }
    deaths.delete(run)
    if ('failed' in answer) throw new DagctlError('E501', answer.failed, { kind: 'infrastructure' })
    return answer.made
  }
}
