/** What a run that was just made waits for, in a sentence for people. Asks the store only. */
import type { Pipeline } from '../engine/pipeline.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'

/** The runs that fill the limit of its pipeline, and what to do where nobody goes on with them; null where there is room. */
export async function waitingNote(
  store: Store,
  { id, pipeline: name, backfill }: RunRecord,
  { concurrency }: Pipeline,
): Promise<string | null> {
  if (concurrency.runs === null || backfill !== null) return null
  const active = await store.runs({ pipeline: name, active: true })
  const before = active.filter((run) => run.id !== id && run.backfill === null && run.state !== 'queued')
  if (before.length < concurrency.runs) return null
  const runs = before.map((run) => run.id).join(', ')
  const last = before.at(-1)?.id
  return `waits for ${runs} (concurrency.runs: ${concurrency.runs}); where its process is gone: dagctl runs resume ${last}, or cancel`
}
