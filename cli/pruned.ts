/** Pruning by the limits of the installation, as `db prune` and `serve` do it, and what it came to in words. */
import type { Pruned, Retention } from '../engine/retention.ts'
import { noteOf } from './noted.ts'
import { counted, grouped } from './print.ts'
import type { Stage } from './stage.ts'
import { runFoldersOf } from './wiring.ts'

/** Whether anything is not kept for ever. */
export function limitsAnything(retention: Retention): boolean {
  return Object.values(retention).some((limit) => limit !== undefined)
}

/**
 * Prunes, and notes what was removed, where anything was. Pruning is many transactions: its note is one after them.
 * @param how `dry` removes nothing; `who` is noted, the person when absent
 */
export async function pruneAt(
  { store, settings, terminal }: Stage,
  { dry = false, who }: { readonly dry?: boolean; readonly who?: string } = {},
): Promise<Pruned> {
  const { prune } = await import('../engine/retention.ts')
  const { clock } = terminal
  const folders = await runFoldersOf(settings)
  const { retention } = settings.installation
  const pruned = await prune({
    store,
    folders,
    retention,
    now: clock.now(),
    pause: () => new Promise((resolve) => clock.soon(resolve)),
    dry,
  })
  if (!dry && removedAnything(pruned))
    await store.note(noteOf(terminal, 'store.pruned', {}, { ...pruned }, who))
  return pruned
}

/** Whether anything went. */
export function removedAnything(pruned: Pruned): boolean {
  return Object.values(pruned).some((count) => count > 0)
}

/** `3 runs, the logs of 12 runs, 1,234,567 bytes of files`. */
export function prunedInWords({ runs, bytes, ...parts }: Pruned): string {
  const some = Object.entries(parts).filter(([, count]) => count > 0)
  const words = [
    ...(runs > 0 ? [counted(runs, 'run')] : []),
    ...some.map(([part, count]) => `the ${part} of ${counted(count, 'run')}`),
    ...(bytes > 0 ? [`${grouped(bytes)} bytes of files`] : []),
  ]
  return words.length === 0 ? 'nothing' : words.join(', ')
}
