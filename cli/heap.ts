/** How V8 lets the heap of an engine's process grow. Knows nothing of the engine. */
import { setFlagsFromString } from 'node:v8'

/**
 * Collects when a quarter of what lives has been added, where V8 would wait for four times a small heap; what that spares
 * a run of 100,000 tasks stands in docs/benchmarks.md (B2). The flag is read at every collection, so that it can be set
 * in a running process.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=25')
}
