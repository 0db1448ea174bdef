/** What a backfill will take, by what earlier runs of the pipeline took. Pure: says null, never a guess, where nothing is known. */
import { rateOfTask } from './costs.ts'
import { graphOf } from './graph.ts'
import type { Pipeline, Task } from './pipeline.ts'
import type { Resources } from './resources.ts'
import type { RunRecord, TaskRecord } from './store/records.ts'
import type { EventRecord } from './store/store.ts'

/** An earlier run that succeeded. */
export interface EarlierRun {
  readonly run: RunRecord
  /** As the run was pinned to it. */
  readonly pipeline: Pipeline
  readonly rows: readonly TaskRecord[]
  readonly events: readonly EventRecord[]
}

/** What is to be estimated. */
export interface EstimateQuestion {
  readonly pipeline: Pipeline
  /** Ids of tasks that no run starts. */
  readonly without: ReadonlySet<string>
  /** Runs that are to be made, and how many of them at once. */
  readonly runs: number
  readonly maxActive: number
  readonly earlier: readonly EarlierRun[]
  readonly resources: Resources
  /** Attempts in processes or containers that run at once. */
  readonly processSlots: number
}

/** Milliseconds and dollars, for all runs together; null where they cannot be known. */
export interface Estimate {
  /** Earlier runs that it stands on. */
  readonly basedOn: number
  /** Time that attempts run, added up. */
  readonly taskTime: number | null
  /** Time from the first start to the last end. */
  readonly wallTime: number | null
  /** null also where no rate is set. */
  readonly usd: number | null
  /** Tasks that ran in none of the earlier runs. */
  readonly unknown: readonly string[]
}

/** How long one task of one run takes: its attempts together, and from its first start to its end, waits included. */
interface Taken {
  readonly running: number
  readonly elapsed: number
}

/** Medians over the earlier runs, task by task, multiplied by the runs that are to be made. */
export function estimateBackfill(question: EstimateQuestion): Estimate {
  const { pipeline, without, runs, earlier, resources } = question
  const samples = samplesOf(earlier)
  const taken = new Map<string, Taken>()
  const unknown: string[] = []
  for (const { id, isGroup } of pipeline.tasks) {
    if (without.has(id)) continue
    const found = samples.get(id)
    if (found !== undefined) taken.set(id, medianOf(found))
    else if (isGroup !== true) unknown.push(id)
  }
  const basedOn = earlier.length
  if (unknown.length > 0) return { basedOn, taskTime: null, wallTime: null, usd: null, unknown }
  const perRun = pipeline.tasks.reduce((sum, { id }) => sum + (taken.get(id)?.running ?? 0), 0)
  return {
    basedOn,
    taskTime: perRun * runs,
    wallTime: wallTime(question, taken),
    usd: hasRates(resources) ? runs * costOf(question, taken) : null,
    unknown,
  }
}

/** What each task took, in each run in which it ran; nothing where a `when` left it out of all of them. */
function samplesOf(earlier: readonly EarlierRun[]): Map<string, Taken[]> {
  const samples = new Map<string, Taken[]>()
  for (const { pipeline, rows, events } of earlier) {
    const running = new Map<number, number>()
    for (const [node, time] of runningTimes(events)) {
      const task = rows[node]?.task
      if (task !== undefined) running.set(task, (running.get(task) ?? 0) + time)
    }
    const skipped = skippedTasks(rows, events)
    for (const [index, { id, isGroup }] of pipeline.tasks.entries()) {
      const row = rows[index]
      const time = running.get(index) ?? (isGroup === true || skipped.has(index) ? 0 : undefined)
      if (row === undefined || time === undefined) continue
      const elapsed = row.startedAt === null || row.endedAt === null ? time : row.endedAt - row.startedAt
      const list = samples.get(id) ?? []
      list.push({ running: time, elapsed: skipped.has(index) ? 0 : elapsed })
      samples.set(id, list)
    }
  }
  return samples
}

/** Milliseconds that the attempts of each node ran: from each claim to what came next. */
function runningTimes(events: readonly EventRecord[]): Map<number, number> {
  const claimed = new Map<number, number>()
  const times = new Map<number, number>()
  for (const { node, event, at } of events) {
    if (node === null) continue
    const since = claimed.get(node)
    if (since !== undefined) times.set(node, (times.get(node) ?? 0) + at - since)
    if (event === 'claim') claimed.set(node, at)
    else claimed.delete(node)
  }
  return times
}

/**
 * Tasks that the run itself decided to skip. A run that left tasks out from its beginning tells nothing of that: what
 * stands below them might have run.
 */
function skippedTasks(rows: readonly TaskRecord[], events: readonly EventRecord[]): ReadonlySet<number> {
  const decided = new Set(events.filter(({ event }) => event === 'skip').map(({ node }) => node))
  const whole = rows.every(({ node, state }) => state !== 'skipped' || decided.has(node))
  return new Set(whole ? rows.filter(({ state }) => state === 'skipped').map(({ node }) => node) : [])
}

/** No barrier stands between runs: as many rounds as it takes, but no faster than each limit lets tasks through. */
function wallTime(question: EstimateQuestion, taken: ReadonlyMap<string, Taken>): number {
  const { pipeline, runs, maxActive, resources, processSlots } = question
  const busy = (which: (task: Task) => boolean, slots = (_: Task) => 1) =>
    runs *
    pipeline.tasks
      .filter(which)
      .reduce((sum, task) => sum + (taken.get(task.id)?.running ?? 0) * slots(task), 0)
  const bounds = [
    Math.ceil(runs / maxActive) * longestPath(pipeline, taken),
    busy(() => true) / (pipeline.concurrency.tasks ?? Number.POSITIVE_INFINITY),
    busy(({ runtime }) => runtime !== 'inline') / processSlots,
  ]
  for (const [name, { slots }] of Object.entries(resources.pools)) {
    // Backfills take at most half of a pool, rounded up.
    const inPool = busy(
      ({ pool }) => pool === name,
      (task) => task.slots ?? 1,
    )
    if (inPool > 0) bounds.push(inPool / Math.ceil(slots / 2))
  }
  return Math.max(...bounds)
}

/** From the start of a run to its end, were nothing in its way. What stands in a group is in the group's time. */
function longestPath({ tasks }: Pipeline, taken: ReadonlyMap<string, Taken>): number {
  const graph = graphOf(tasks)
  const open = tasks.map((_, index) => graph.needs(index))
  const starts = new Float64Array(tasks.length)
  const ready = tasks.flatMap((_, index) => (open[index] === 0 ? [index] : []))
  let longest = 0
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    const { id, group } = tasks[node] as Task
    const end = (starts[node] as number) + (group === undefined ? (taken.get(id)?.elapsed ?? 0) : 0)
    longest = Math.max(longest, end)
    graph.eachDependent(node, (index) => {
      starts[index] = Math.max(starts[index] as number, end)
      open[index] = (open[index] as number) - 1
      if (open[index] === 0) ready.push(index)
    })
  }
  return longest
}

function hasRates({ rates }: Resources): boolean {
  return rates.cpu > 0 || rates.gpu > 0 || Object.values(rates.pools).some((rate) => rate > 0)
}

/** Dollars of one run. */
function costOf({ pipeline, resources }: EstimateQuestion, taken: ReadonlyMap<string, Taken>): number {
  return pipeline.tasks.reduce((sum, task) => {
    const { usd } = rateOfTask(task, task.runtime, resources)
    return sum + ((taken.get(task.id)?.running ?? 0) / 3_600_000) * usd
  }, 0)
}

function medianOf(samples: readonly Taken[]): Taken {
  return {
    running: median(samples.map(({ running }) => running)),
    elapsed: median(samples.map(({ elapsed }) => elapsed)),
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return ((low ?? 0) + (high ?? 0)) / 2
}
