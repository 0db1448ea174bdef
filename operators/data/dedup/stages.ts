/** Lets two passes of one task share its checkpoints. Knows nothing of what the passes do. */
import { join } from 'node:path'
import type { Json, TaskContext } from '../../../plugins/api.ts'

/** What a checkpoint holds: of which pass it is, what that pass keeps itself, and what an earlier pass left for it. */
interface Staged {
  readonly stage: string
  /** Of the input and the options: another one means that the checkpoint is not for this work. */
  readonly identity: string
  readonly inner: Json
  readonly legacy: Json
}

/** Where a task stands that was begun before. */
export interface Standing {
  readonly stage: string
  readonly legacy: Json
}

/** The newest checkpoint's stage, or null where there is none for this identity. */
export async function standing(task: TaskContext, identity: string): Promise<Standing | null> {
  const state = (await task.checkpoint.load())?.state as Staged | null | undefined
  return state?.identity === identity ? { stage: state.stage, legacy: state.legacy } : null
}

/** A task for one stage: it sees only its own checkpoints, and its results lie in a folder of their own where `folder` names one. */
export function stageOf(
  task: TaskContext,
  stage: string,
  {
    identity,
    legacy,
    folder,
  }: { readonly identity: string; readonly legacy: Json; readonly folder?: string },
): TaskContext {
  const checkpoint: TaskContext['checkpoint'] = {
    async load() {
      const found = await task.checkpoint.load()
      const state = found?.state as Staged | null | undefined
      if (!found || state?.stage !== stage || state.identity !== identity || state.inner === null) return null
      return { ...found, state: state.inner }
    },
    save: (step, inner, files) => task.checkpoint.save(step, { stage, identity, inner, legacy }, files),
  }
  // The other members are asked of the task itself, whatever they are.
  return Object.create(task, {
    checkpoint: { value: checkpoint },
    ...(folder === undefined ? {} : { artifacts: { get: () => join(task.artifacts, folder) } }),
  })
}
