/** What sensors share: sleeping until the next look, and saying why once. Knows no sensor. */
import {
  durationSchema,
  type Outcome,
  parseDuration,
  sleep,
  type TaskContext,
  type WakeOn,
} from '../../plugins/api.ts'

/** JSON Schema of `every`. */
export const everySchema = {
  ...durationSchema,
  default: '30s',
  description: 'How long to sleep between two looks.',
} as const

/** Why a look found nothing yet, and when the next one comes. */
export interface NotYet {
  /** What is waited for, as a person calls it. */
  readonly what: string
  readonly why: string
  readonly every: string
  readonly on?: WakeOn
  /** Epoch milliseconds before which a look would find nothing new, where that is known. */
  readonly notBefore?: number
}

/** Sleeps; says why when that has changed since the last look, so that a long wait is not a long log. */
export function lookAgain(task: TaskContext, { what, why, every, on, notBefore }: NotYet): Outcome {
  if (task.state !== why) task.log.info(`waiting for ${what}: ${why}`)
  const next = task.clock.now() + parseDuration(every)
  return sleep(notBefore === undefined ? next : Math.min(next, notBefore), why, on)
}
