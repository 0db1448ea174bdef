/** How long things are kept, and what is pruned when. Files are somebody else's; what the store still needs, the store says. */
import type { Store } from './store/store.ts'

/** How long things are kept, milliseconds; what is absent is kept for ever. */
export interface Retention {
  readonly runs?: { readonly age?: number; readonly count?: number }
  readonly logs?: number
  readonly events?: number
  readonly artifacts?: number
  readonly checkpoints?: number
}

/** Kinds of folders that runs have. */
export const folderKinds = ['attempts', 'artifacts', 'checkpoints'] as const
/** A kind of folder that runs have. */
export type FolderKind = (typeof folderKinds)[number]

/** The folders of runs. */
export interface RunFolders {
  /** Ids of the runs that have a folder of this kind. */
  runs(kind: FolderKind): Promise<readonly string[]>
  /** Removes it with all that lies in it now; nothing where it is not there. Gives the bytes that this frees. */
  remove(kind: FolderKind, run: string): Promise<number>
  /** The bytes that it takes. */
  size(kind: FolderKind, run: string): Promise<number>
}

/** What was pruned, or would be: runs, and runs of which only a part goes. */
export interface Pruned {
  readonly runs: number
  readonly logs: number
  readonly events: number
  readonly artifacts: number
  readonly checkpoints: number
  /** Bytes of files. */
  readonly bytes: number
}

/** What pruning works with. */
export interface PruneParts {
  readonly store: Store
  readonly folders: RunFolders
  readonly retention: Retention
  /** Epoch milliseconds. */
  readonly now: number
  /** Lets what else the process does have its turn. */
  readonly pause: () => Promise<void>
  /** Whether nothing is removed, and only told what would be. */
  readonly dry?: boolean
}

/** Runs that are forgotten in one transaction, and without a pause: nothing waits for longer. */
const together = 200

/** Prunes all that is past its time. Forgets rows before it removes files: what a crash leaves is removed the next time. */
export async function prune(parts: PruneParts): Promise<Pruned> {
  const { store, retention, now, dry = false } = parts
  const { runs, events: eventsAge } = retention
  const forgotten = await forgetRuns(parts)
  let bytes = await removeAll(parts, dry ? forgotten : await store.prunedRuns())
  const before = eventsAge === undefined ? null : now - eventsAge
  const silenced = before === null ? [] : without(await store.runsEnded(before, 'with events'), forgotten)
  for (const some of dry ? [] : slices(silenced)) {
    await store.forgetEvents(some)
    await parts.pause()
  }
  const counts = { logs: 0, artifacts: 0, checkpoints: 0 }
  for (const [kind, name] of partKinds) {
    const age = retention[name]
    if (age === undefined) continue
    const ended = new Set(
      without(await store.runsEnded(now - age, kind === 'artifacts' ? 'not cited' : 'all'), forgotten),
    )
    for (const run of await parts.folders.runs(kind)) {
      if (!ended.has(run)) continue
      bytes += await parts.folders[dry ? 'size' : 'remove'](kind, run)
      counts[name]++
    }
  }
  if (!dry && runs?.age !== undefined) await store.forgetUnused(now - runs.age)
  const { logs, ...others } = counts
  return { runs: forgotten.length, logs, events: silenced.length, ...others, bytes }
}

const partKinds = [
  ['attempts', 'logs'],
  ['artifacts', 'artifacts'],
  ['checkpoints', 'checkpoints'],
] as const satisfies readonly (readonly [FolderKind, keyof Pruned])[]

/** Forgets runs, the oldest first; what they hold of each other lets some go only after others. */
async function forgetRuns({
  store,
  retention,
  now,
  pause,
  dry = false,
}: PruneParts): Promise<readonly string[]> {
  const { age, count } = retention.runs ?? {}
  if (age === undefined && count === undefined) return []
  const limits = { endedBefore: age === undefined ? null : now - age, newest: count ?? null }
  if (dry) return store.prunable(limits)
  const forgotten: string[] = []
  for (;;) {
    const before = forgotten.length
    for (const some of slices(await store.prunable(limits))) {
      for (const id of await store.forgetRuns(some)) forgotten.push(id)
      await pause()
    }
    if (forgotten.length === before) return forgotten
  }
}

function* slices(ids: readonly string[]): Generator<readonly string[]> {
  for (let start = 0; start < ids.length; start += together) yield ids.slice(start, start + together)
}

async function removeAll(
  { store, folders, dry = false }: PruneParts,
  runs: readonly string[],
): Promise<number> {
  let bytes = 0
  for (const run of runs)
    for (const kind of folderKinds) bytes += await folders[dry ? 'size' : 'remove'](kind, run)
  if (!dry) await store.filesRemoved(runs)
  return bytes
}

function without(ids: readonly string[], gone: readonly string[]): readonly string[] {
  const out = new Set(gone)
  return ids.filter((id) => !out.has(id))
}
