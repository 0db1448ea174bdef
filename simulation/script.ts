/** What a task does instead of its work, try by try, as a test says it. Pure. */
import { parseDuration } from '../engine/duration.ts'
import { type JsonObject, joined } from '../engine/json.ts'
import type { Outcome } from '../engine/outcome.ts'
import type { Act } from '../schemas/pipeline-tests.generated.ts'

/** One try: asks or sleeps, then runs, then ends. Milliseconds; Infinity is forever. */
export interface Turn {
  readonly asks: string | null
  readonly sleeps: number
  readonly takes: number
  readonly ending: Outcome
}

/**
 * The try number `turn`, counted from 0, of a task that does `acts` one after the other, the last again and again.
 * @param madeUp what it succeeds with where the test does not say
 */
export function turnOf(acts: Act | readonly Act[], turn: number, madeUp: JsonObject): Turn {
  const all = [acts].flat()
  let left = turn
  for (const [index, act] of all.entries()) {
    const times = act.times ?? (index + 1 < all.length ? 1 : Number.POSITIVE_INFINITY)
    if (left < times) return asTurn(act, madeUp)
    left -= times
  }
  // The failures are over: it succeeds, and takes as long as it took to fail.
  const { fails: _fails, message: _message, times: _times, ...rest } = all.at(-1) ?? {}
  return asTurn(rest, madeUp)
}

function asTurn(act: Act, madeUp: JsonObject): Turn {
  const { asks = null, sleeps, takes } = act
  return { asks, sleeps: lengthOf(sleeps), takes: lengthOf(takes), ending: endingOf(act, madeUp) }
}

function endingOf({ fails, message, skips, outputs }: Act, madeUp: JsonObject): Outcome {
  if (skips !== undefined) return { type: 'skipped', reason: skips }
  if (fails === undefined)
    return { type: 'succeeded', outputs: joined((outputs ?? {}) as JsonObject, madeUp) }
  const said = message ?? 'as the test says'
  return fails === 'node_lost' || fails === 'spot_interruption'
    ? { type: 'released', kind: fails, message: said }
    : { type: 'failed', kind: fails, message: said }
}

function lengthOf(text: string | undefined): number {
  if (text === undefined) return 0
  return text === 'forever' ? Number.POSITIVE_INFINITY : (parseDuration(text) ?? 0)
}
