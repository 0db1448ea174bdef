/** When a failed task is tried again. Pure: the random number is passed in. */
import type { FailureKind } from './errors.ts'
import type { RetryPolicy } from './pipeline.ts'

/** Releases (node_lost, lost leases) after which a task fails with node_lost. */
export const releaseCap = 20

/**
 * Milliseconds to wait before try `tries + 1`, or null where there is none.
 * Exponential backoff with full jitter: uniform in [0, min(maxDelay, delay x factor^(tries-1))]
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; figures: the guide).
 * @param tries tries begun so far, at least 1
 * @param random uniform in [0, 1)
 */
export function retryDelay(
  policy: RetryPolicy,
  kind: FailureKind,
  tries: number,
  random: number,
): number | null {
  if (tries >= policy.attempts || !policy.on.includes(kind)) return null
  const ceiling = Math.min(policy.maxDelay, policy.delay * policy.factor ** (tries - 1))
  return policy.jitter === 'full' ? Math.floor(ceiling * random) : ceiling
}

/**
 * Milliseconds before a released task may be claimed again: at once after the first release, then 1 s doubled up to
 * 60 s, so that a worker that always vanishes does not spin.
 * @param releases releases so far, this one included
 */
export function releaseDelay(releases: number): number {
  return releases <= 1 ? 0 : Math.min(60_000, 1000 * 2 ** (releases - 2))
}
