/** B8: a backfill of 3,650 daily intervals x 10 Noop beside a live run every second, and how long the live runs wait for their start. */
import { join } from 'node:path'
import { type Measured, type Place, places } from './backfill-once.ts'
import { time } from './process.ts'
import type { Row, Workload } from './workload.ts'

const intervals = 3650

/** Each measurement is a process of its own; a second row shows the delays of the same measurements. */
export async function backfill(): Promise<Workload> {
  const program = join(import.meta.dirname, 'backfill-once.ts')
  const all = new Map<Place, number[]>(places.map((place) => [place, []]))
  const rows = places.flatMap((place): Row[] => {
    const measured: Measured[] = []
    return [
      {
        workload: `${intervals.toLocaleString('en-US')} x 10 Noop, ${place}`,
        unit: 'tasks/s',
        goal: '>= 5,000 tasks/s',
        others: [],
        ours: {
          name: 'backfill',
          run: async () => {
            const { stdout } = await time(process.execPath, [program, place, String(intervals)])
            const once: Measured = JSON.parse(stdout)
            measured.push(once)
            all.get(place)?.push(...once.delays)
            return once.tasksPerSecond
          },
        },
      },
      {
        workload: `start of a live run beside it, longest of each, ${place}`,
        unit: 'ms',
        goal: 'p99 <= 100 ms',
        others: [],
        ours: { name: 'delay', run: async () => Math.max(...(measured.shift()?.delays ?? [])) },
      },
    ]
  })
  return {
    rows,
    get notes() {
      return [
        'SQLite in WAL mode, synchronous=FULL; 16 runs of the backfill at once; tasks/s from the first claim to the last outcome',
        'a live run is one Noop, made every second; its delay is from its making to the claim of its task, the making itself included',
        ...Array.from(all, ([place, delays]) => `${place}: ${inWords(delays)}`),
      ]
    },
    dispose: () => {},
  }
}

function inWords(delays: readonly number[]): string {
  const sorted = delays.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.ceil(sorted.length * share) - 1] ?? 0).toFixed(1)
  return `${sorted.length} live runs, delay p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`
}
