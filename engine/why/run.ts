/** What holds back a whole run: its engine, a person, money, other runs. Pure. */
import type { RunRecord } from '../store/records.ts'
import type { Facts, Reason } from './facts.ts'
import { counted, listed } from './words.ts'

/** Why nothing of the run goes on, whatever its tasks wait for besides; empty where it does. */
export function runReasons(facts: Facts): Reason[] {
  return [...engineReasons(facts), ...pauseReasons(facts)]
}

function engineReasons({ run, owner }: Facts): Reason[] {
  if (owner.lives) return []
  const what = `the engine of run ${run.id} is gone: go on with \`dagctl runs resume ${run.id}\``
  return [{ kind: 'engine', what, since: null, until: null }]
}

function pauseReasons({ run, events, pipeline }: Facts): Reason[] {
  if (run.state !== 'paused') return []
  const since = events.findLast(({ node, event }) => node === null && event === 'pause')?.at ?? null
  const resume = `\`dagctl runs resume ${run.id}\``
  if (run.pausedFor !== 'budget') {
    const what = `run ${run.id} is paused: go on with ${resume}`
    return [{ kind: 'person', what, since, until: null }]
  }
  const { usd = null, gpuHours = null } = pipeline.budget ?? {}
  const spent = [
    ...(usd === null ? [] : [`${run.spentUsd.toFixed(2)} of ${usd} USD`]),
    ...(gpuHours === null ? [] : [`${(run.spentGpuSeconds / 3600).toFixed(2)} of ${gpuHours} GPU hours`]),
  ].join(', ')
  const what = `run ${run.id} used up its budget (${spent}): to go on all the same, ${resume}`
  return [{ kind: 'budget', what, since, until: null }]
}

/** Why a queued run has not started: every limit that has no room, what stands before it, or nothing but its turn. */
export function queueReasons(facts: Facts): readonly Reason[] {
  const { run, pipeline, others } = facts
  const started = others.filter(hasStarted)
  const reasons: readonly Reason[] =
    run.backfill === null
      ? [
          ...full(facts, started.filter(isLive), pipeline.concurrency.runs, 'concurrency.runs'),
          ...scheduledBefore(facts, started),
        ]
      : backfillReasons(facts, started)
  if (reasons.length > 0) return reasons
  const before = others.filter((other) => other.state === 'queued' && isBefore(other, run))
  if (before.length > 0) {
    const what = `${counted(before.length, 'queued run')} of ${run.pipeline} before it: ${names(before)}`
    return [{ kind: 'runs', what, since: run.createdAt, until: null }]
  }
  if (!facts.owner.lives) return []
  const what = `run ${run.id} is queued, with room: its engine starts it next`
  return [{ kind: 'turn', what, since: run.createdAt, until: null }]
}

function full(
  { run }: Facts,
  holding: readonly RunRecord[],
  limit: number | null,
  name: string,
): readonly Reason[] {
  if (limit === null || holding.length < limit) return []
  const what = `${name} is ${limit}, and taken by ${counted(holding.length, 'run')}: ${names(holding)}`
  return [{ kind: 'runs', what, since: run.createdAt, until: null }]
}

/** `overlap: queue`: one scheduled run at a time, or as many as `concurrency.runs` says, which is told by itself. */
function scheduledBefore({ run, pipeline }: Facts, started: readonly RunRecord[]): readonly Reason[] {
  const waits = run.trigger === 'schedule' && (pipeline.schedule?.overlap ?? 'queue') === 'queue'
  if (!waits || pipeline.concurrency.runs !== null) return []
  const before = started.filter(({ trigger }) => trigger === 'schedule')
  if (before.length === 0) return []
  const what = `the scheduled run before it has not ended: ${names(before)} (overlap: queue)`
  return [{ kind: 'runs', what, since: run.createdAt, until: null }]
}

function backfillReasons(facts: Facts, started: readonly RunRecord[]): readonly Reason[] {
  const { run, backfill } = facts
  if (backfill === null) return []
  const resume = `\`dagctl backfills resume ${backfill.id}\``
  const what = `backfill ${backfill.id} is paused: go on with ${resume}`
  const paused: readonly Reason[] =
    backfill.state === 'paused' ? [{ kind: 'person', what, since: null, until: null }] : []
  const own = started.filter((other) => other.backfill === run.backfill)
  return [...paused, ...full(facts, own, backfill.maxActive, `max-active of backfill ${backfill.id}`)]
}

function isLive({ backfill }: RunRecord): boolean {
  return backfill === null
}

/** Paused before it ever started, a run holds no place among the running ones. */
function hasStarted({ state, startedAt }: RunRecord): boolean {
  return state === 'running' || (state === 'paused' && startedAt !== null)
}

/** Runs of one backfill, and those outside of any, stand in lines of their own. */
function isBefore(other: RunRecord, run: RunRecord): boolean {
  if (other.backfill !== run.backfill) return false
  return other.createdAt < run.createdAt || (other.createdAt === run.createdAt && other.id < run.id)
}

function names(runs: readonly RunRecord[]): string {
  return listed(runs.map(({ id, state }) => (state === 'paused' ? `${id} (paused)` : id)))
}
