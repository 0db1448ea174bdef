/** A store as an engine sees it that may die with it, fail, or answer late. Knows nothing of runs. */
import { DagctlError } from '../../engine/errors.ts'
import type { Random } from '../../engine/random.ts'
import type { Batch, CommitResult } from '../../engine/store/batch.ts'
import type { Store } from '../../engine/store/store.ts'

/** Probabilities per call; what is said of commits holds for `writes` too. */
export interface StoreHazards {
  readonly crashBeforeCommit: number
  readonly crashAfterCommit: number
  /** A commit throws: half of the times nothing was written, half of the times all was. */
  readonly fail: number
  /** The call reaches the store late, whether or not the engine still lives. */
  readonly slow: number
}

/** What the store is told of the world, and may do in it. */
export interface Surroundings {
  readonly hazards: StoreHazards
  readonly random: Random
  /** Other calls that break as commits do, and answer late: none where it is absent. */
  readonly writes?: ReadonlySet<string>
  dead(): boolean
  die(): void
  /** Calls `then` after some time. */
  after(then: () => void): void
  committed(batch: Batch, result: CommitResult): void
}

/** What a failing store throws. */
export const storeFailure = new DagctlError('E501', 'the disk is full', { kind: 'infrastructure' })

/** Calls that answer late; the others are made where the world cannot wait. */
const slowed: ReadonlySet<string> = new Set(['commit', 'cached', 'baseline', 'takeOver', 'requests', 'tasks'])
const never = new Promise<never>(() => {})

/** The store with these hazards. */
export function fallible(real: Store, surroundings: Surroundings): Store {
  const { hazards, random, writes, dead, die, after, committed } = surroundings
  const happens = (probability: number) => random.next() < probability
  const breakable = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (happens(hazards.crashBeforeCommit)) {
      die()
      return never
    }
    const fails = happens(hazards.fail)
    if (fails && happens(0.5)) throw storeFailure
    const result = await call()
    if (fails) throw storeFailure
    if (happens(hazards.crashAfterCommit)) die()
    return result
  }
  const commit = async (batch: Batch): Promise<CommitResult> => {
    const result = await real.commit(batch)
    committed(batch, result)
    return result
  }
  return new Proxy(real, {
    get: (store, name: keyof Store) => {
      const method = (name === 'commit' ? commit : store[name].bind(store)) as (
        ...values: unknown[]
      ) => Promise<unknown>
      const isWrite = writes?.has(name) === true
      return async (...values: unknown[]) => {
        if (dead()) return never
        if ((slowed.has(name) || isWrite) && happens(hazards.slow)) await new Promise<void>(after)
        const breaks = name === 'commit' || isWrite
        const result = await (breaks ? breakable(() => method(...values)) : method(...values))
        return dead() ? never : result
      }
    },
  })
}
