/** What the outcome of an attempt does to its task: success, another try, sleep, release or failure. Pure. */
import type { Failure } from './errors.ts'
import type { LiveRun, Node } from './live-run.ts'
import type { Outcome } from './outcome.ts'
import { apply } from './plan.ts'
import type { Random } from './random.ts'
import { releaseCap, releaseDelay, retryDelay } from './retry.ts'
import type { TaskPatch } from './store/store.ts'

/** The time of the turn and the source of jitter. */
export interface Circumstances {
  /** Epoch milliseconds. */
  readonly at: number
  readonly random: Random
}

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
      const patch = { holding: false, continues: true, carry: outcome.state, wakeAt: outcome.until }
      apply(run, node, 'sleep', now.at, { patch, detail: { until: outcome.until } })
      break
    }
    case 'released':
      release(run, node, outcome, now)
      break
    case 'failed':
      fail(run, node, { kind: outcome.kind, message: outcome.message }, now)
      break
  }
}

/** Fails the current try of a node that is ready, running or sleeping: the next try, or the end. */
export function fail(run: LiveRun, node: Node, failure: Failure, now: Circumstances): void {
  const { retry } = run.task(node)
  const again = node.state !== 'sleeping' || retry.onSleep
  const delay =
    again && node.tries > 0 ? retryDelay(retry, failure.kind, node.tries, now.random.next()) : null
  const detail = { kind: failure.kind, message: failure.message }
  const patch = { holding: false, failure, carry: null, continues: false }
  if (delay === null) apply(run, node, 'fail', now.at, { patch, detail })
  else
    apply(run, node, 'retry', now.at, {
      patch: { ...patch, tryStartedAt: null, wakeAt: now.at + delay },
      detail,
    })
}

/** Back to ready, with backoff and a cap: not the task's fault, no try is counted. A shutdown counts in neither. */
function release(
  run: LiveRun,
  node: Node,
  outcome: Outcome & { type: 'released' },
  now: Circumstances,
): void {
  const { kind, message: why } = outcome
  const counts = kind !== 'shutdown'
  const releases = node.releases + (counts ? 1 : 0)
  if (releases > releaseCap) {
    const message = `released ${releaseCap} times; the last time: ${why}`
    const last: Failure = { kind: 'node_lost', message }
    apply(run, node, 'fail', now.at, { patch: { holding: false, failure: last }, detail: { ...last } })
    return
  }
  const wait = counts ? releaseDelay(releases) : 0
  const wakeAt = wait > 0 ? now.at + wait : null
  const patch = { holding: false, releases, continues: true, wakeAt }
  apply(run, node, 'release', now.at, { patch, detail: { kind, message: why } })
}
