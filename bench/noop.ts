/** B2: Noop tasks through the whole engine, durably, beside the raw rate of commits on a database opened the same way. */
import { measureNoops } from './noop-once.ts'
import type { Row, Workload } from './workload.ts'

const runs: readonly (readonly [string, number, string | null])[] = [
  ['wide', 1_000, null],
  ['wide', 10_000, null],
  ['wide', 100_000, '>= 20,000 tasks/s, <= 400 MB (381 MiB)'],
  ['layered', 10_000, null],
  ['layered', 100_000, '>= 20,000 tasks/s, <= 400 MB (381 MiB)'],
  ['chain', 1_000, null],
  ['chain', 10_000, '>= 0.7 of raw commits'],
]

/** Measures the three shapes. */
export async function noop(): Promise<Workload> {
  const largest = new Map<string, number>()
  const notes = ['SQLite in WAL mode, synchronous=FULL; from the first claim to the last outcome']
  const rows = runs.map(([shape, size, goal]): Row => {
    const workload = `${shape}, ${size.toLocaleString('en-US')} Noop`
    let raw = 0
    return {
      workload,
      unit: 'tasks/s',
      goal,
      ours: {
        name: 'dagctl',
        run: async () => {
          const figures = await measureNoops(shape, size)
          raw = figures.raw
          largest.set(workload, Math.max(largest.get(workload) ?? 0, figures.memory))
          return figures.tasks
        },
      },
      others: [{ name: 'raw', unit: 'commits/s', run: async () => raw }],
    }
  })
  return {
    rows,
    get notes() {
      return [
        ...notes,
        ...Array.from(
          largest,
          ([workload, memory]) => `${workload}: at most ${Math.round(memory)} MiB resident`,
        ),
      ]
    },
    dispose: () => {},
  }
}
