/** What one turn of the scheduler writes: runs' changes and claims as one transaction. No store, no clock. */
import type { Start } from './executor.ts'
import type { Ready } from './lanes.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import { runEnding } from './plan.ts'
import type { ChosenCheckpoint } from './recovery.ts'
import { type Report, taskReport } from './report.ts'
import { type Resources, shareOf } from './resources.ts'
import { isEnded, nextRunState } from './state.ts'
import type { PoolClaim, RunWrite, TaskClaim, TaskPatch } from './store/batch.ts'
import type { Pending } from './unwritten.ts'

/** A ready task that is to be claimed, and what its row becomes if that is granted. */
export interface Claim extends Ready {
  readonly start: Start
  readonly patch: TaskPatch
  readonly pool: PoolClaim | null
}

/** A run and what is written of it. */
export interface Written {
  readonly run: LiveRun
  readonly write: RunWrite
}

/** The slots of a pool that a claim of the node takes; null where its task names no pool. */
export function poolOf(run: LiveRun, node: Node, { pools }: Resources): PoolClaim | null {
  const { pool: name, slots = 1 } = run.task(node)
  if (name === undefined) return null
  const limit = pools[name]?.slots ?? null
  const share = limit === null || run.record.backfill === null ? null : shareOf(limit, slots)
  return { name, slots, limit, share }
}

/** A claim of a ready task at the time `at`: a new try, or the rest of one that slept or was released. */
export function claimOf({ run, node }: Ready, start: Start, resources: Resources, at: number): Claim {
  const pool = poolOf(run, node, resources)
  const restore = chosenCheckpoint(node)
  const patch: TaskPatch = {
    state: 'running',
    holding: true,
    tries: node.continues ? node.tries : node.tries + 1,
    continues: false,
    startedAt: node.startedAt ?? at,
    tryStartedAt: node.continues ? (node.tryStartedAt ?? at) : at,
    claimedAt: at,
    wakeAt: null,
    ...(pool !== null && { pool: pool.name, slots: pool.slots }),
    ...(restore !== null && { recovery: { counts: {}, ...node.recovery, restore } }),
  }
  return { run, node, start: restore === null ? start : { ...start, restore }, patch, pool }
}

/** The checkpoint that was chosen for the node, and its first attempt since: the next one where there was none yet. */
function chosenCheckpoint({ recovery, attempt }: Node): ChosenCheckpoint | null {
  const restore = recovery?.restore
  if (restore === undefined || restore === 'newest') return null
  return typeof restore === 'number' ? { step: restore, since: attempt + 1 } : restore
}

/** A claim as it is written. */
export function writeOfClaim({ run, node, patch, pool }: Claim): TaskClaim {
  return {
    run: run.record.id,
    node: node.index,
    attempt: node.attempt + 1,
    try: patch.tries ?? 0,
    patch,
    limit: run.pipeline.concurrency.tasks,
    pool,
  }
}

/** Everything that has to be written of a run; null where that is nothing. Ends the run with its last task. */
export function writeOf(
  run: LiveRun,
  claims: boolean,
  cache: NonNullable<RunWrite['cache']>,
  at: number,
): RunWrite | null {
  const end = endOf(run, at)
  if (end !== null)
    run.audit('run.ended', 'engine', {
      state: end.to,
      version: run.record.version,
      trigger: run.record.trigger,
    })
  if (!run.hasPending && !claims) return null
  const { tasks, grow, datasets, events, patch, state: moved, takes, audit, answered } = run.takePending()
  const state = end ?? (moved && moveOf(run, moved))
  return {
    run: run.record.id,
    fence: run.record.fence,
    ...(takes && { takes }),
    tasks,
    grow,
    ...(datasets.length > 0 && { datasets }),
    ...(events.length > 0 && { events }),
    ...(Object.keys(patch).length > 0 && { patch }),
    ...(state && { state }),
    ...(audit.length > 0 && { audit }),
    ...(answered.length > 0 && { answered }),
    ...(cache.length > 0 && { cache }),
  }
}

/** What there is to tell of what was written. */
export function* reportsOf(written: readonly Written[], at: number): Generator<Report> {
  for (const { run, write } of written) {
    for (const { node, events } of write.tasks)
      for (const { event } of events) yield taskReport(run, run.nodes[node] as Node, event, at)
    if (write.state && isEnded(write.state.to))
      yield { type: 'run', run: run.record.id, state: write.state.to, at }
  }
}

/** A person's doing to the run: paused, resumed, or (taken up again) queued once more. None of it is an end. */
function moveOf(
  run: LiveRun,
  { event, detail }: NonNullable<Pending['state']>,
): NonNullable<RunWrite['state']> {
  return { event, to: run.state, detail, endedAt: null, ...(run.startedAt === null && { startedAt: null }) }
}

function endOf(run: LiveRun, at: number): NonNullable<RunWrite['state']> | null {
  // A run of which everything is left out ends like any other: once it has started.
  const waits = run.state === 'queued' && !run.cancelled && !run.doomed
  const event = isEnded(run.state) || waits ? null : runEnding(run)
  if (event === null) return null
  run.state = nextRunState(run.state, event)
  return { event, to: run.state, endedAt: at }
}
