/** Whether somebody has a run: the engine that owns it, if it lives. Asks the store only. */
import type { Clock } from '../engine/clock.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'

/** Whether the engine that owns the run is alive, as far as can be told from here. */
export async function hasLivingOwner(store: Store, { owner }: RunRecord, clock: Clock): Promise<boolean> {
  const { isGone } = await import('../engine/identity.ts')
  const engine = (await store.engines()).find(({ id }) => id === owner)
  return engine !== undefined && engine.leaseUntil >= clock.now() && !isGone(engine)
}
