/** What one turn of the scheduler writes: runs' changes and claims as one transaction. No store, no clock. */
import type { JsonObject } from './json.ts'
import type { Ready } from './lanes.ts'
import type { LiveRun } from './live-run.ts'
import { runEnding } from './plan.ts'
import { isEnded, nextRunState } from './state.ts'
import type { RunWrite, TaskClaim, TaskPatch } from './store/store.ts'

/** Resolved inputs of an attempt that is to start. */
export interface Start {
  readonly input: JsonObject
  readonly env: { readonly [name: string]: string }
}

/** A ready task that is to be claimed, and what its row becomes if that is granted. */
export interface Claim extends Ready {
  readonly start: Start
  readonly patch: TaskPatch
}

/** What is written of a run besides its tasks. */
export interface Extras {
  readonly answered: readonly number[] | undefined
  readonly cache: NonNullable<RunWrite['cache']>
}

/** A run and what is written of it. */
export interface Written {
  readonly run: LiveRun
  readonly write: RunWrite
}

/** A claim of a ready task at the time `at`: a new try, or the rest of one that slept or was released. */
export function claimOf({ run, node }: Ready, start: Start, at: number): Claim {
  const patch: TaskPatch = {
    state: 'running',
    holding: true,
    tries: node.continues ? node.tries : node.tries + 1,
    continues: false,
    startedAt: node.startedAt ?? at,
    tryStartedAt: node.continues ? (node.tryStartedAt ?? at) : at,
    wakeAt: null,
  }
  return { run, node, start, patch }
}

/** A claim as it is written. */
export function writeOfClaim({ run, node, patch }: Claim): TaskClaim {
  return {
    run: run.record.id,
    node: node.index,
    attempt: node.attempt + 1,
    try: patch.tries ?? 0,
    patch,
    limit: run.pipeline.concurrency.tasks,
    pool: null,
  }
}

/** Everything that has to be written of a run; null where that is nothing. Ends the run with its last task. */
export function writeOf(run: LiveRun, claims: readonly Claim[], extras: Extras, at: number): RunWrite | null {
  const state = endOf(run, at)
  const { answered, cache } = extras
  if (!run.hasPending && claims.length === 0 && state === null && answered === undefined) return null
  return {
    ...run.takePending(),
    run: run.record.id,
    fence: run.record.fence,
    ...(state && { state }),
    ...(answered && { answered }),
    ...(cache.length > 0 && { cache }),
  }
}

function endOf(run: LiveRun, at: number): NonNullable<RunWrite['state']> | null {
  const event = isEnded(run.state) ? null : runEnding(run)
  if (event === null) return null
  run.state = nextRunState(run.state, event)
  return { event, to: run.state, endedAt: at }
}
