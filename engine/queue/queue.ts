/** The seam of queues: where an attempt runs. The store is the truth, a queue is not. */
import type { RuntimeName } from '../pipeline.ts'
import type { Attempt, AttemptEvent, RunningAttempt } from '../runtime/runtime.ts'

/** Takes attempts whose claims are durable and has them run somewhere. */
export interface Queue {
  /** How many more attempts of this runtime it would start at once. */
  free(runtime: RuntimeName): number
  submit(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt
  /** Finds an attempt that another engine submitted. */
  attach(attempt: Attempt, listen: (event: AttemptEvent) => void): RunningAttempt
  close(): Promise<void>
}
