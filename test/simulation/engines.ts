/** Engines of simulated worlds: what is the same for all of them. Knows no hazards. */
import { Engine, type EngineParts } from '../../engine/engine.ts'

/** What differs from engine to engine. */
export type OwnParts = Pick<
  EngineParts,
  'store' | 'queue' | 'evaluator' | 'fingerprint' | 'resources' | 'clock' | 'random' | 'isGone' | 'wake'
> &
  Partial<Pick<EngineParts, 'report'>> & { readonly pid: number }

/** An engine of a process of this number, not started yet. */
export function simulatedEngine({ pid, ...parts }: OwnParts): Engine {
  const identity = { host: 'h', pid, startTime: String(pid), bootId: 'b' }
  return new Engine({ ...parts, data: '/data', identity })
}
