/** `task.checkpoint`: the checkpoints of one (run, task, instance). Knows nothing of how they lie on disk. */
import { toInstant } from '../engine/clock.ts'
import {
  checkpointFor,
  filesNamed,
  NoSuchCheckpoint,
  sealCheckpoint,
} from '../engine/runtime/checkpoint-folder.ts'
import type { Attempt } from '../engine/runtime/runtime.ts'
import { type Checkpoints, OperatorFailure } from './api.ts'
import { errorCode, fileFailure } from './errno.ts'

/** What saving and loading say, and to whom. */
export interface CheckpointHooks {
  /** A checkpoint was passed over; says which and why. */
  warn(message: string): void
  /** A checkpoint is durable. */
  saved(step: number): void
  readonly clock: { now(): number }
}

/** The checkpoints that all attempts of this attempt's (run, task, instance) share. */
export function checkpointsOf(attempt: Attempt, hooks: CheckpointHooks): Checkpoints {
  const { checkpoints: folder, operator } = attempt
  const owner = `${operator.name}@${operator.version}`
  return {
    async load() {
      try {
        return await checkpointFor(attempt, (name, why) => hooks.warn(`${name} is not used: ${why}`))
      } catch (error) {
        if (error instanceof NoSuchCheckpoint) throw new OperatorFailure('invalid_input', error.message)
        throw fileFailure(error, 'user', 'cannot read the checkpoints in', folder)
      }
    },
    async save(step, state, files = []) {
      if (!Number.isFinite(step))
        throw new OperatorFailure('user', `a checkpoint's step is a number, not ${step}`)
      try {
        await sealCheckpoint(folder, {
          step,
          state,
          attempt: attempt.id,
          operator: owner,
          saved: toInstant(hooks.clock.now()),
          files: await filesNamed(files),
        })
      } catch (error) {
        if (errorCode(error) === undefined && error instanceof Error)
          throw new OperatorFailure('user', error.message)
        throw fileFailure(error, 'user', 'cannot save a checkpoint in', folder)
      }
      hooks.saved(step)
    },
  }
}
