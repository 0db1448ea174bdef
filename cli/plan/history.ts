/** How long the tasks of a pipeline took before: the median of its last runs. Reads the store only. */
import type { TaskRecord } from '../../engine/store/records.ts'
import type { Store } from '../../engine/store/store.ts'

/** Ended runs that are looked at, the newest. */
const runs = 20

/** What is known of one task. Milliseconds. */
export interface Past {
  /** From its first start to its end, with all tries and sleeps. */
  readonly duration: number
  /** The same, summed over the instances of a mapped task: what is paid for. */
  readonly busy: number
  /** Runs that this is the median of. */
  readonly runs: number
}

/** What is known of each task, by id; absent where it never succeeded by work of its own. */
export async function historyOf(store: Store, pipeline: string): Promise<ReadonlyMap<string, Past>> {
  const durations = new Map<string, { duration: number[]; busy: number[] }>()
  for (const run of await store.runs({ pipeline, active: false, limit: runs })) {
    const compiled = await store.pipeline(run.version)
    if (compiled === null) continue
    const nodes = await store.tasks(run.id)
    const work = workOf(nodes)
    for (const [index, { id }] of compiled.tasks.entries()) {
      const node = nodes[index]
      const took = node === undefined || node.state !== 'succeeded' ? null : lengthOf(node)
      if (took === null) continue
      const past = durations.get(id) ?? { duration: [], busy: [] }
      durations.set(id, past)
      past.duration.push(took)
      past.busy.push(work.get(index) ?? took)
    }
  }
  return new Map(
    [...durations].map(([id, { duration, busy }]) => [
      id,
      { duration: median(duration), busy: median(busy), runs: duration.length },
    ]),
  )
}

/** Time of the nodes that ran attempts, by task: instances and copies rather than what they stand in. */
function workOf(nodes: readonly TaskRecord[]): ReadonlyMap<number, number> {
  const work = new Map<number, number>()
  for (const node of nodes) {
    const took = node.attempt === 0 ? null : lengthOf(node)
    if (took !== null) work.set(node.task, (work.get(node.task) ?? 0) + took)
  }
  return work
}

function lengthOf({ startedAt, endedAt, cached }: TaskRecord): number | null {
  return startedAt === null || endedAt === null || cached !== null ? null : endedAt - startedAt
}

/** The middle of the values; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}
