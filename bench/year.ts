/** A simulated year of 200 daily pipelines: seconds of a processor, beside the limit of the design. */
import { fileURLToPath } from 'node:url'
import { passYear } from '../test/support/daily-year.ts'
import { time } from './process.ts'
import type { Workload } from './workload.ts'

/** Seconds. */
const most = 30

/** The workload, each figure in a fresh process. */
export async function year(): Promise<Workload> {
  const once = async () => Number((await time(process.execPath, [fileURLToPath(import.meta.url)])).stdout)
  return {
    rows: [
      {
        workload: 'a simulated year of 200 daily pipelines',
        unit: 's',
        goal: `<= ${most} s`,
        ours: { name: 'schedules and engine', run: once },
        others: [{ name: 'limit', run: async () => most }],
      },
    ],
    notes: [
      'time of all threads on processors: what else the machine does is not measured; SQLite in memory',
    ],
    dispose() {},
  }
}

if (import.meta.main) {
  await passYear()
  const { user, system } = process.cpuUsage()
  console.log((user + system) / 1e6)
}
