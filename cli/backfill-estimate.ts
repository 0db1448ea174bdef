/** The estimate of a planned backfill: from the store's history to what people and programs read. */
import type { Installation } from '../dsl/config.ts'
import { type EarlierRun, type Estimate, estimateBackfill } from '../engine/backfill-estimate.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { processSlots } from '../engine/queue/local.ts'
import type { Store } from '../engine/store/store.ts'
import { type BackfillOrder, isToEnd, type Standing } from './backfill.ts'
import { leftOut } from './backfill-omitted.ts'
import { counted, duration } from './print.ts'

/** Earlier runs that are looked at, and among how many of the newest they are looked for. */
const looksAt = { runs: 10, among: 500 } as const

/** What the plan will take, by the last succeeded runs of the pipeline, of any version. */
export async function estimateOf(
  store: Store,
  order: BackfillOrder,
  { rows, own }: Standing,
  { resources, slots }: Pick<Installation, 'resources' | 'slots'>,
): Promise<Estimate> {
  const { pipeline, maxActive, includeDeploy } = order
  const without = new Set(includeDeploy ? [] : leftOut(pipeline).map(({ task }) => task))
  return estimateBackfill({
    pipeline,
    without,
    runs: rows.filter((row) => isToEnd(row, own)).length,
    maxActive,
    earlier: await earlierRuns(store, pipeline.name),
    resources,
    processSlots: slots.process ?? processSlots(),
  })
}

async function earlierRuns(store: Store, pipeline: string): Promise<EarlierRun[]> {
  const ended = await store.runs({ pipeline, active: false, limit: looksAt.among })
  const succeeded = ended.filter(({ state }) => state === 'succeeded').slice(0, looksAt.runs)
  return Promise.all(
    succeeded.map(async (run) => ({
      run,
      pipeline: (await store.pipeline(run.version)) as Pipeline,
      rows: await store.tasks(run.id),
      events: await store.events(run.id),
    })),
  )
}

/** `estimate` in the JSON of a dry run. */
export function estimateDocument({ basedOn, taskTime, wallTime, usd, unknown }: Estimate): object {
  const seconds = (time: number | null) => (time === null ? null : time / 1000)
  return { basedOn, taskSeconds: seconds(taskTime), wallSeconds: seconds(wallTime), usd, unknown }
}

/** The estimate as a sentence. */
export function estimateText({ basedOn, taskTime, wallTime, usd, unknown }: Estimate): string {
  if (basedOn === 0) return 'time and cost unknown: no run of this pipeline has succeeded yet'
  const by = basedOn === 1 ? 'by the last succeeded run' : `by the last ${basedOn} succeeded runs`
  if (taskTime === null || wallTime === null) {
    const named = unknown.slice(0, 5).join(', ')
    const rest = unknown.length > 5 ? ` and ${counted(unknown.length - 5, 'other')}` : ''
    return `time and cost unknown: ${by} nothing is known of ${named}${rest}`
  }
  const cost = usd === null ? 'cost unknown: no rate is set' : `$${usd.toFixed(2)}`
  return `about ${duration(wallTime)}, ${duration(taskTime)} of tasks, ${cost} (${by})`
}
