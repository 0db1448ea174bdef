/** What retention limits, and what pruning came to, in words. Prunes nothing. */
import type { Pruned, Retention } from '../engine/retention.ts'
import { counted, grouped } from './print.ts'

/** Whether anything is not kept for ever. */
export function limitsAnything(retention: Retention): boolean {
  return Object.values(retention).some((limit) => limit !== undefined)
}

/** `3 runs, the logs of 12 runs, 1,234,567 bytes of files`. */
export function prunedInWords({ runs, bytes, ...parts }: Pruned): string {
  const some = Object.entries(parts).filter(([, count]) => count > 0)
  const words = [
    ...(runs > 0 ? [counted(runs, 'run')] : []),
    ...some.map(([part, count]) => `the ${part} of ${counted(count, 'run')}`),
    ...(bytes > 0 ? [`${grouped(bytes)} bytes of files`] : []),
  ]
  return words.length === 0 ? 'nothing' : words.join(', ')
}
