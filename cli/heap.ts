/** How V8 lets the heap of an engine's process grow. Knows nothing of the engine. */
import { setFlagsFromString } from 'node:v8'

/**
 * Collects when a quarter of what lives has been added, where V8 would wait for four times a small heap: 100,000 tasks
 * live in 75 MiB, and a run of them took 480 to 550 MiB with V8's own growth, at most 390 with this one at the same
 * speed (docs/benchmarks.md, B2). The flag is read at every collection, so that it can be set in a running process.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=25')
}
