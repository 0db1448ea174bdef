/** What a scheduler is made of. Types only. */
import type { Fingerprint } from './cache.ts'
import type { Clock } from './clock.ts'
import type { Evaluator } from './evaluator.ts'
import type { Queue } from './queue/queue.ts'
import type { Random } from './random.ts'
import type { Report } from './report.ts'
import type { Resources } from './resources.ts'
import type { Store } from './store/store.ts'
import type { Watch } from './wakers.ts'

/** What a scheduler works with; everything from outside comes in here. */
export interface SchedulerParts {
  /** The engine's id. */
  readonly engine: string
  /** Absolute data folder: attempts, artifacts and checkpoints lie below it. */
  readonly data: string
  readonly store: Store
  readonly queue: Queue
  readonly evaluator: Evaluator
  readonly fingerprint: Fingerprint
  readonly clock: Clock
  readonly random: Random
  readonly resources: Resources
  /** Allow-listed variables of the environment, for templates. */
  readonly env: { readonly [name: string]: string }
  readonly watch: Watch | undefined
  readonly report: (report: Report) => void
  /** The store failed, or we have a bug: nothing goes on. */
  readonly fatal: (error: unknown) => void
}
