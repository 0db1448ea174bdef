/** A test engine whose store a test stands before, and what it sees of promises as the time goes on. */
import { openSqlite } from '../../engine/store/sqlite.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { type Between, storeBetween } from './store-between.ts'
import { type TestEngineOptions, testEngine } from './test-engine.ts'

/** An engine whose store the test stands before. */
export async function slowEngine(between: Between, options: TestEngineOptions = {}) {
  const { store = openSqlite({ path: ':memory:' }), clock = new VirtualClock() } = options
  const it = await testEngine({ ...options, clock, store: storeBetween(store, clock, between) })
  return { ...it, store }
}

/** Whether a promise has settled, as the time goes on. */
export function watch(promise: Promise<unknown>): { settled: boolean } {
  const seen = { settled: false }
  promise.then(
    () => {
      seen.settled = true
    },
    () => {},
  )
  return seen
}
