/** B5: from the last statement of a task's code to the first of its dependent's, in a warm worker process. */
import { noop, pipelineOf } from './engine.ts'
import { standing } from './operators-run.ts'
import type { Row, Workload } from './workload.ts'

const length = 500

/** Milliseconds between each task of the chain and the next, sorted. */
function gaps(tasks: readonly { readonly outputs: unknown }[]): number[] {
  const stamps = tasks.map(({ outputs }) => outputs as { readonly began: number; readonly ended: number })
  return stamps
    .slice(1)
    .map(({ began }, at) => began - (stamps[at]?.ended ?? Number.NaN))
    .toSorted((a, b) => a - b)
}

/** Measures quantiles over chains. */
export async function handover(): Promise<Workload> {
  const engine = await standing()
  const chain = pipelineOf(
    'stamps',
    Array.from({ length }, (_, at) => ({
      ...noop,
      id: `t${at}`,
      uses: 'Stamp',
      runtime: 'process' as const,
      needs: at === 0 ? [] : [at - 1],
    })),
  )
  const warm = await engine.run(chain)
  let last = gaps(warm.tasks)
  const row = (name: string, quantile: number, most: number, fresh: boolean): Row => ({
    workload: `chain of ${length} in a worker, ${name} of the gaps`,
    unit: 'ms',
    goal: `<= ${most} ms`,
    ours: {
      name: 'dagctl',
      run: async () => {
        if (fresh) last = gaps((await engine.run(chain)).tasks)
        return last[Math.ceil(last.length * quantile) - 1] ?? Number.NaN
      },
    },
    others: [{ name: 'limit', run: async () => most }],
  })
  return {
    rows: [row('p50', 0.5, 1, true), row('p99', 0.99, 5, true)],
    notes: [
      'SQLite in WAL mode, synchronous=FULL: both the end and the next claim are durable in between',
      'one warm worker process, used again for each task, replaced after 200',
    ],
    dispose: () => void engine.close(),
  }
}
