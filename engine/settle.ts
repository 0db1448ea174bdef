/** What the outcome of an attempt does to its task: success, another try, sleep, release, a person, or failure. Pure. */
import type { Failure } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { Outcome, Question } from './outcome.ts'
import type { Recovery, RetryPolicy } from './pipeline.ts'
import { apply } from './plan.ts'
import type { Random } from './random.ts'
import { recovered, recoveryVerdict } from './recovery.ts'
import { releaseCap, releaseDelay, retryDelay } from './retry.ts'
import type { TaskPatch } from './store/batch.ts'

/** The time of the turn, the source of jitter, and what resolves the values of a recovery. */
export interface Circumstances {
  /** Epoch milliseconds. */
  readonly at: number
  readonly random: Random
  /** The `set` of a recovery, resolved against the failed try's `with`; or why it does not resolve. */
  readonly setOf: (
    run: LiveRun,
    node: Node,
    entry: Recovery,
  ) => { readonly set: JsonObject | null } | { readonly why: string }
}

/** A failure, and how long the other side asked to be left alone. */
export type FailureToSettle = Failure & { readonly retryAfter?: number }

/** Takes a running node through the event that its attempt's outcome means. */
export function settle(run: LiveRun, node: Node, outcome: Outcome, now: Circumstances): void {
  const over: TaskPatch = { holding: false, failure: null, carry: null }
  switch (outcome.type) {
    case 'succeeded':
      apply(run, node, 'succeed', now.at, { patch: { ...over, outputs: outcome.outputs } })
      break
    case 'skipped':
      apply(run, node, 'skip', now.at, { patch: over, detail: { reason: outcome.reason } })
      break
    case 'sleep': {
      const { until, state: carry, on: wakeOn = null } = outcome
      const patch = { holding: false, continues: true, carry, wakeAt: until, wakeOn }
      apply(run, node, 'sleep', now.at, { patch, detail: { until } })
      break
    }
    case 'released':
      release(run, node, outcome, now)
      break
    case 'failed': {
      const { kind, message } = outcome
      const isLost = kind === 'node_lost' || kind === 'spot_interruption'
      if (isLost && recoveryVerdict(run.task(node), kind, node.recovery) === null)
        release(run, node, { type: 'released', kind, message }, now)
      else fail(run, node, outcome, now)
      break
    }
  }
}

/** Fails the current try of a node that is ready, running or sleeping: a recovery, the next try, a person, or the end. */
export function fail(
  run: LiveRun,
  node: Node,
  { kind, message, retryAfter = 0 }: FailureToSettle,
  now: Circumstances,
): void {
  const failure: Failure = { kind, message }
  const verdict = node.tries > 0 ? recoveryVerdict(run.task(node), kind, node.recovery) : null
  if (verdict?.type === 'again') recover(run, node, { failure, retryAfter, ...verdict }, now)
  else if (verdict?.type === 'hold') hold(run, node, failure, now)
  else if (verdict?.type === 'fail') end(run, node, failure, now)
  else retry(run, node, failure, retryAfter, now)
}

function end(run: LiveRun, node: Node, failure: Failure, { at }: Circumstances): void {
  const patch = { holding: false, failure, carry: null, continues: false }
  apply(run, node, 'fail', at, { patch, detail: { ...failure } })
}

function retry(run: LiveRun, node: Node, failure: Failure, retryAfter: number, now: Circumstances): void {
  const { retry } = run.task(node)
  const again = node.state !== 'sleeping' || retry.onSleep
  const delay =
    again && node.tries > 0 ? retryDelay(retry, failure.kind, node.tries, now.random.next()) : null
  if (delay === null) {
    end(run, node, failure, now)
    return
  }
  const wakeAt = now.at + Math.max(delay, retryAfter)
  const patch = {
    holding: false,
    failure,
    carry: null,
    continues: false,
    tryStartedAt: null,
    wakeAt,
    wakeOn: null,
  }
  apply(run, node, 'retry', now.at, { patch, detail: { ...failure } })
}

/** Changes what the entry says, and tries again at once: it is no try but for a fallback, and its time starts anew. */
function recover(
  run: LiveRun,
  node: Node,
  asked: {
    readonly failure: Failure
    readonly retryAfter: number
    readonly entry: Recovery
    readonly count: number
  },
  now: Circumstances,
): void {
  const { failure, entry, count, retryAfter } = asked
  const resolved = now.setOf(run, node, entry)
  if ('why' in resolved) {
    const message = `${failure.message}; and recover.${failure.kind}.set does not resolve: ${resolved.why}`
    end(run, node, { ...failure, message }, now)
    return
  }
  const { set } = resolved
  const recovery = recovered(node.recovery, failure.kind, { entry, count }, set)
  const change = changeOf(entry, set)
  const wakeAt = now.at + Math.max(retryAfter, delayOf(run.task(node).retry, { entry, count, failure }, now))
  const continues = entry.fallback === undefined
  const patch = {
    holding: false,
    failure,
    carry: null,
    recovery,
    tryStartedAt: null,
    wakeAt,
    wakeOn: null,
    continues,
  }
  apply(run, node, 'recover', now.at, { patch, detail: { ...failure, change, count } })
}

/** What changed is tried at once; what only waits, waits as `retry` says. */
function delayOf(
  retry: RetryPolicy,
  {
    entry,
    count,
    failure: { kind },
  }: { readonly entry: Recovery; readonly count: number; readonly failure: Failure },
  { random }: Circumstances,
): number {
  if ((entry.set ?? entry.runtime ?? entry.restore ?? entry.fallback) !== undefined) return 0
  const anyway = { ...retry, attempts: Number.POSITIVE_INFINITY, on: [kind] }
  return retryDelay(anyway, kind, count, random.next()) ?? 0
}

function changeOf({ runtime, restore, fallback }: Recovery, set: JsonObject | null): JsonObject {
  return {
    ...(set && { set }),
    ...(runtime !== undefined && { runtime }),
    ...(restore !== undefined && { restore }),
    ...(fallback !== undefined && { fallback: { uses: fallback.uses } }),
  }
}

/** Waits for a person: `approve` tries again, `reject` fails. The clock of the timeout stands still meanwhile. */
function hold(run: LiveRun, node: Node, failure: Failure, { at }: Circumstances): void {
  const person: Question = {
    kind: 'hold',
    message: `${failure.kind}: ${failure.message}`,
    form: { type: 'object', additionalProperties: false },
  }
  const patch = {
    holding: false,
    failure,
    carry: null,
    continues: false,
    tryStartedAt: null,
    wakeAt: null,
    wakeOn: { person },
  }
  apply(run, node, 'hold', at, { patch, detail: { ...failure } })
}

/** Back to ready, with backoff and a cap: not the task's fault, no try is counted. A shutdown counts in neither. */
function release(
  run: LiveRun,
  node: Node,
  outcome: Outcome & { type: 'released' },
  now: Circumstances,
): void {
  const { kind, message: why } = outcome
  const counts = kind === 'node_lost' || kind === 'spot_interruption'
  const releases = node.releases + (counts ? 1 : 0)
  if (releases > releaseCap) {
    const message = `released ${releaseCap} times; the last time: ${why}`
    const last: Failure = { kind: 'node_lost', message }
    apply(run, node, 'fail', now.at, { patch: { holding: false, failure: last }, detail: { ...last } })
    return
  }
  const wait = counts ? releaseDelay(releases) : 0
  const wakeAt = wait > 0 ? now.at + wait : null
  const preemptions = node.preemptions + (kind === 'preempted' ? 1 : 0)
  const patch = { holding: false, releases, preemptions, continues: true, wakeAt }
  apply(run, node, 'release', now.at, { patch, detail: { kind, message: why } })
}
