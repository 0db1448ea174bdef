/** A store through which a test sees and delays what an engine asks of the real one. */
import type { Store } from '../../engine/store/store.ts'
import type { VirtualClock } from '../../simulation/virtual-clock.ts'

/** What a test does to a store. */
export interface Between {
  /** Virtual milliseconds before a batch is committed. */
  delay?: number
  /** Called before a method reaches the store; what it throws is the method's error. */
  before?(method: keyof Store, values: readonly unknown[]): void | Promise<void>
}

/** The store as an engine sees it. `between` may be changed at any time. */
export function storeBetween(store: Store, clock: VirtualClock, between: Between): Store {
  return new Proxy(store, {
    get: (_, name: keyof Store) => {
      // A store that is awaited is asked for a `then`.
      if (typeof store[name] !== 'function') return undefined
      const method = store[name].bind(store) as (...values: unknown[]) => Promise<unknown>
      return async (...values: unknown[]) => {
        await between.before?.(name, values)
        const { delay = 0 } = between
        if (name === 'commit' && delay > 0)
          await new Promise<void>((resolve) => clock.face().soonAfter(delay, resolve))
        return method(...values)
      }
    },
  })
}
