/** What attempts cost, and whether a run is over its budget. Pure. Rates are US dollars per hour (dagctl.yaml). */
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { RuntimeName, Task } from './pipeline.ts'
import type { Resources } from './resources.ts'

const hour = 3_600_000

/** What something cost. */
export interface Cost {
  readonly usd: number
  readonly gpuSeconds: number
}

/** What one attempt costs per hour, and how many GPUs it has. */
export interface Rate {
  readonly usd: number
  readonly gpus: number
}

/** The rate of one attempt of a node. */
export function rateOf(run: LiveRun, node: Node, resources: Resources): Rate {
  return rateOfTask(run.task(node), run.runtime(node), resources)
}

/** The rate of one attempt of a task in this runtime. What runs inside the engine costs nothing. */
export function rateOfTask(task: Task, runtime: RuntimeName, { pools, rates }: Resources): Rate {
  if (runtime === 'inline') return { usd: 0, gpus: 0 }
  const { pool, slots = 1, gpus: own = 0, cpus = 1 } = task
  const gpus = own + (pool === undefined ? 0 : (pools[pool]?.gpus ?? 0) * slots)
  const ofPool = pool === undefined ? 0 : (rates.pools[pool] ?? 0) * slots
  return { usd: cpus * rates.cpu + gpus * rates.gpu + ofPool, gpus }
}

/** What the node's running attempt has cost until `at`. */
export function costOf(run: LiveRun, node: Node, resources: Resources, at: number): Cost {
  if (node.claimedAt === null) return { usd: 0, gpuSeconds: 0 }
  const { usd, gpus } = rateOf(run, node, resources)
  const time = Math.max(0, at - node.claimedAt)
  return { usd: (usd * time) / hour, gpuSeconds: (gpus * time) / 1000 }
}

/** How the run is over its budget at `at`, in words, its running attempts included; null where it is not. */
export function overBudget(
  run: LiveRun,
  running: Iterable<Node>,
  resources: Resources,
  at: number,
): string | null {
  const { budget } = run.pipeline
  if (budget === undefined) return null
  let { spentUsd: usd, spentGpuSeconds: gpuSeconds } = run
  for (const node of running) {
    const cost = costOf(run, node, resources, at)
    usd += cost.usd
    gpuSeconds += cost.gpuSeconds
  }
  const gpuHours = gpuSeconds / 3600
  if (budget.usd !== null && usd >= budget.usd)
    return `${usd.toFixed(2)} of ${budget.usd} US dollars are spent`
  if (budget.gpuHours !== null && gpuHours >= budget.gpuHours)
    return `${gpuHours.toFixed(2)} of ${budget.gpuHours} GPU hours are used`
  return null
}
