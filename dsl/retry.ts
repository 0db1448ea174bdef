/** What retry and timeout a task gets: its own, the file's defaults, the operator's, the built-in ones. Pure. */

import { parseDuration } from '../engine/duration.ts'
import { type FailureKind, failureKinds } from '../engine/errors.ts'
import type { Effects, RetryPolicy } from '../engine/pipeline.ts'
import type { Retry } from '../schemas/pipeline.generated.ts'

/** Source: DSL.md, "retry"; the guide's row of retries (base 1-5 s, doubled, cap 60-300 s, 3-5 attempts, jitter). */
export const builtInRetry: RetryPolicy = {
  attempts: 4,
  delay: 2000,
  factor: 2,
  maxDelay: 120_000,
  jitter: 'full',
  on: ['crash', 'timeout', 'network', 'oom', 'model_load'],
  onSleep: false,
}

/** What a `retry:` without `on` covers: all but what trying again cannot change. */
const coveredByFile: readonly FailureKind[] = failureKinds.filter(
  (kind) => kind !== 'invalid_input' && kind !== 'gate_failed',
)

/** The policy of a task: `own` over `defaults` over the built-in one; of these only `own` counts for a deployment. `effects` are the task's. */
export function retryOf(own: Retry | undefined, defaults: Retry | undefined, effects: Effects): RetryPolicy {
  const deploys = effects === 'deploy'
  if (!own && (deploys || !defaults)) return deploys ? { ...builtInRetry, attempts: 1 } : builtInRetry
  const given = { ...(deploys ? undefined : defaults), ...own }
  return {
    attempts: given.attempts ?? builtInRetry.attempts,
    delay: milliseconds(given.delay) ?? builtInRetry.delay,
    factor: given.factor ?? builtInRetry.factor,
    maxDelay: milliseconds(given.maxDelay) ?? builtInRetry.maxDelay,
    jitter: given.jitter ?? builtInRetry.jitter,
    on: given.on ?? coveredByFile,
    onSleep: given.on?.includes('timeout') ?? false,
  }
}

/** Milliseconds, or null for no limit: the task's, the file's default (not for a deployment), the operator's. `effects` are the task's. */
export function timeoutOf(
  own: string | undefined,
  defaults: string | undefined,
  { effects, timeout }: { readonly effects: Effects; readonly timeout: number | null },
): number | null {
  const fallback = effects === 'deploy' ? undefined : defaults
  return milliseconds(own ?? fallback) ?? timeout
}

function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (parseDuration(text) ?? undefined)
}
