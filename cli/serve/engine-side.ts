/** What schedules ask of the engine of their process: runs of its own, and the end of others'. */
import type { Clock } from '../../engine/clock.ts'
import type { Engine } from '../../engine/engine.ts'
import type { EngineSide } from '../../engine/firing.ts'
import type { Store } from '../../engine/store/store.ts'
import type { Wake } from '../../engine/wake.ts'

/** Who asks another engine to cancel a run. */
const ourselves = 'schedule'

/** The engine as schedules see it. @param bell calls the other processes at the store */
export function engineSide(
  engine: Engine,
  store: Store,
  { clock, bell }: { readonly clock: Clock; bell(): Promise<Wake> | Wake },
): EngineSide {
  return {
    id: engine.id,
    create: (run) => engine.create(run),
    cancel: async ({ id, owner }) => {
      if (owner === engine.id) return engine.cancel(id)
      await store.request(id, { kind: 'cancel' }, ourselves, clock.now())
      const called = await bell()
      called.ring()
    },
  }
}
