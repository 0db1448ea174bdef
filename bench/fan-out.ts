/** B9: a chain beside thousands of blocked tasks, and mapped tasks over ever more items. */
import { fileURLToPath } from 'node:url'
import type { Pipeline, Task } from '../engine/pipeline.ts'
import { noop, pipelineOf, runPipeline } from './engine.ts'
import { time } from './process.ts'
import type { Workload } from './workload.ts'

/** Tasks of the chain, and tasks that are blocked while it runs. */
const sizes = { chain: 3000, blocked: 5000 } as const
const fans = [100, 1000, 10_000, 100_000] as const

/** A chain of Noops, and behind its end tasks that wait all the while. */
function chainBeside(blocked: number): Pipeline {
  const chain = Array.from(
    { length: sizes.chain },
    (_, i): Task => ({ ...noop, id: `t${i}`, needs: i === 0 ? [] : [i - 1] }),
  )
  const behind = Array.from(
    { length: blocked },
    (_, i): Task => ({ ...noop, id: `b${i}`, needs: [sizes.chain - 1] }),
  )
  return pipelineOf(`chain-${blocked}`, [...chain, ...behind])
}

function fanOut(items: number): Pipeline {
  const foreach = {
    items: Array.from({ length: items }, (_, item) => item),
    key: null,
    maxParallel: null,
    whenEach: false,
  }
  return pipelineOf(`fan-${items}`, [{ ...noop, id: 'fan', needs: [], foreach }])
}

/** What a child process measures once: milliseconds per task of a chain, or microseconds per item and MiB. */
async function once(what: string, size: number): Promise<void> {
  if (what === 'chain') {
    const { seconds } = await runPipeline(chainBeside(size), `t${sizes.chain - 1}`)
    console.log(JSON.stringify({ perTask: (seconds * 1000) / sizes.chain }))
  } else {
    const { seconds, peakMemory } = await runPipeline(fanOut(size))
    console.log(JSON.stringify({ perTask: (seconds * 1e6) / size, memory: peakMemory }))
  }
}

/** The workload, each figure in a fresh process. */
export async function fanOuts(): Promise<Workload> {
  const measured = (what: string, size: number, field: 'perTask' | 'memory') => async () => {
    const { stdout } = await time(process.execPath, [fileURLToPath(import.meta.url), what, String(size)])
    return JSON.parse(stdout)[field] as number
  }
  const [smallest] = fans
  return {
    rows: [
      {
        workload: `chain of ${sizes.chain} Noop beside ${sizes.blocked.toLocaleString('en-US')} blocked tasks`,
        unit: 'ms per task' as const,
        ours: { name: 'beside them', run: measured('chain', sizes.blocked, 'perTask') },
        others: [{ name: 'alone', run: measured('chain', 0, 'perTask') }],
        goal: 'no visible effect',
      },
      ...fans.slice(1).map((items) => ({
        workload: `foreach over ${items.toLocaleString('en-US')} items, Noop`,
        unit: 'µs per item' as const,
        ours: { name: 'foreach', run: measured('fan', items, 'perTask') },
        others: [{ name: `over ${smallest}`, run: measured('fan', smallest, 'perTask') }],
        goal: 'linear',
      })),
      {
        workload: 'memory of a foreach over 100,000 items, Noop',
        unit: 'MiB' as const,
        ours: { name: 'peak', run: measured('fan', 100_000, 'memory') },
        others: [{ name: 'limit', run: async () => 400e6 / 2 ** 20 }],
        goal: '<= 400 MB (381 MiB)',
      },
    ],
    notes: ['durability: SQLite WAL, synchronous=FULL; from the first claim to the last outcome'],
    dispose() {},
  }
}

if (import.meta.main) await once(process.argv[2] ?? 'fan', Number(process.argv[3] ?? 1000))
