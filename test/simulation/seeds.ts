/** What each seed of the simulation is made to show: a storm against the same in peace, cancelled runs, second chances, what makes runs. */
import { needCounter } from '../../engine/live-run.ts'
import type { Pipeline, Task } from '../../engine/pipeline.ts'
import { mostPreemptions } from '../../engine/preemption.ts'
import { seededRandom } from '../../engine/random.ts'
import { isEnded } from '../../engine/state.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import { TaskNames } from '../../engine/task-names.ts'
import { type NeedCounts, triggerVerdict } from '../../engine/trigger-rule.ts'
import { calm, slow, stormy } from './hazards.ts'
import { randomPipeline } from './random-pipeline.ts'
import { checkpoints } from './seeds-checkpoints.ts'
import { makers } from './seeds-makers.ts'
import { simulate } from './world.ts'

/** How much was seen. */
export interface Seen {
  readonly crashes: number
  readonly attempts: number
  /** Runs whose ends were compared with those in peace. */
  readonly compared: number
  readonly cancelled: number
  readonly preemptions: number
  /** Tasks that were preempted as often as may be. */
  readonly spared: number
  /** Runs that did not succeed at first. */
  readonly retried: number
  /** How often it was looked at what each task waits for. */
  readonly waits: number
}

const nothing: Seen = {
  crashes: 0,
  attempts: 0,
  compared: 0,
  cancelled: 0,
  preemptions: 0,
  spared: 0,
  retried: 0,
  waits: 0,
}

/** Each plays its seeds, and throws at the first that shows a fault. */
export const plays = { storm, cancel, retry, makers, checkpoints } as const

/** A run's rows, with what the file says of them. */
interface Rows {
  readonly pipeline: Pipeline
  readonly rows: readonly TaskRecord[]
}

/** The rows of the needs: the tasks beside it in the same group, or the same instance of one. */
function needsOf(row: TaskRecord, { pipeline, rows }: Rows): NeedCounts {
  const { needs } = pipeline.tasks[row.task] as Task
  const counts = { total: needs.length, succeeded: 0, failed: 0, skipped: 0 }
  for (const need of needs) {
    const found =
      row.node < pipeline.tasks.length
        ? rows[need]
        : rows.find((one) => one.task === need && one.parent === row.parent && one.key === null)
    counts[needCounter((found as TaskRecord).state)]++
  }
  return counts
}

/** `all_success` with failed and skipped needs ends at the first of them: which state that gives, time decides. */
function hasRace(of: Rows): boolean {
  return of.rows.some((row) => row.key === null && isRace(row, of))
}

function isRace(row: TaskRecord, of: Rows): boolean {
  const { failed, skipped } = needsOf(row, of)
  return of.pipeline.tasks[row.task]?.trigger === 'all_success' && failed > 0 && skipped > 0
}

/** Whether the row only stands for copies: a task of the file in a mapped group. */
function isAggregate(row: TaskRecord, { pipeline }: Rows): boolean {
  if (row.node >= pipeline.tasks.length) return false
  for (
    let { group } = pipeline.tasks[row.task] as Task;
    group !== undefined;
    group = pipeline.tasks[group]?.group
  )
    if (pipeline.tasks[group]?.foreach !== undefined) return true
  return false
}

/** Final states that the final states of what they hang on do not allow. */
function inconsistencies(of: Rows): string[] {
  const { pipeline, rows } = of
  const found: string[] = []
  const names = new TaskNames(pipeline, rows)
  for (const row of rows) {
    const task = pipeline.tasks[row.task] as Task
    const children = rows.filter((one) => one.parent === row.node && !isAggregate(one, of))
    found.push(...excesses(row, task, names.name(row)))
    const holder = row.parent === null ? null : (rows[row.parent] as TaskRecord)
    // In a group that never opened nothing is decided by triggers.
    if (row.key !== null || isAggregate(row, of) || (holder !== null && holder.startedAt === null)) continue
    const needs = needsOf(row, of)
    const verdict = triggerVerdict(task.trigger, needs)
    const allowed =
      verdict === 'unblock'
        ? ['succeeded', 'failed', 'skipped']
        : verdict === 'block'
          ? ['upstream_failed']
          : ['skipped']
    if (isRace(row, of)) allowed.push('skipped')
    if (!allowed.includes(row.state))
      found.push(`${names.name(row)} (${task.trigger}) is ${row.state}, its needs: ${JSON.stringify(needs)}`)
    if (row.startedAt !== null && children.length > 0 && row.state !== endOf(children))
      found.push(`${names.name(row)} is ${row.state}, what is in it ${endOf(children)}`)
  }
  return found
}

/** Counts beyond what the policies allow: recoveries are no tries, and only a person lets a task try more often. */
function excesses(row: TaskRecord, { retry, recover = {} }: Task, name: string): string[] {
  const held = Object.values(recover).some((entry) => entry.then === 'hold')
  const found =
    held || row.tries <= retry.attempts ? [] : [`${name} was tried ${row.tries} times of ${retry.attempts}`]
  if (row.preemptions > mostPreemptions) found.push(`${name} was preempted ${row.preemptions} times`)
  return found
}

/** What stands for these rows: failed, cancelled, succeeded, skipped, the first that any of them is. */
function endOf(rows: readonly TaskRecord[]): string {
  const has = (state: string) => rows.some((row) => row.state === state)
  if (has('failed') || has('upstream_failed')) return 'failed'
  return ['cancelled', 'succeeded'].find(has) ?? 'skipped'
}

/** What two runs of the same seed must have in common, by the names of nodes: their numbers are as time has it. */
function told({ pipeline, rows }: Rows, cached: boolean): string {
  const names = new TaskNames(pipeline, rows)
  const all = rows.map((row) => [
    names.name(row),
    { state: row.state, outputs: row.outputs, ...(!cached && { tries: row.tries }) },
  ])
  return JSON.stringify(all.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}

async function storm(seeds: readonly number[]): Promise<Seen> {
  let { crashes, attempts, compared, preemptions, spared, waits } = nothing
  for (const seed of seeds) {
    const flavour = {
      skips: seed % 3 === 0,
      timeouts: seed % 5 === 0,
      cached: seed % 4 === 0,
      // Instances of one task have the same input here: which of them made what is reused, time would decide.
      nested: seed % 4 > 1,
      crowded: seed % 17 === 3,
    }
    const pipeline = randomPipeline(seededRandom(seed), flavour)
    const runs = 1 + (seed % 3)
    const peace = await simulate(seed, pipeline, flavour, seed % 2 === 0 ? calm : slow, runs)
    const storm = await simulate(seed, pipeline, flavour, stormy, runs)
    crashes += storm.crashes
    attempts += storm.attempts
    preemptions += storm.preemptions + peace.preemptions
    const all = [...storm.tasks, ...peace.tasks].flat()
    spared += all.filter((task) => task.preemptions === mostPreemptions).length
    waits += storm.waits + peace.waits
    for (const [i, rows] of storm.tasks.entries()) {
      const of = { pipeline, rows }
      const before = { pipeline, rows: peace.tasks[i] ?? [] }
      if (!rows.every(({ state }) => isEnded(state)))
        throw new Error(`seed ${seed}: the run ended before its tasks`)
      const wrong = inconsistencies(of)
      if (wrong.length > 0) throw new Error(`seed ${seed}: ${wrong.join('; ')}`)
      if (flavour.timeouts || hasRace(of) || hasRace(before)) continue
      compared++
      const [expected, found] = [told(before, flavour.cached), told(of, flavour.cached)]
      if (found !== expected) throw new Error(`seed ${seed}: run ${i} differs\n${expected}\n${found}`)
    }
  }
  return { ...nothing, crashes, attempts, compared, preemptions, spared, waits }
}

async function cancel(seeds: readonly number[]): Promise<Seen> {
  let cancelled = 0
  for (const seed of seeds) {
    const flavour = {
      skips: true,
      timeouts: true,
      cached: true,
      nested: seed % 2 === 0,
      deadline: seed % 3 === 0,
    }
    const pipeline = randomPipeline(seededRandom(seed), flavour)
    const { runs, tasks } = await simulate(seed, pipeline, flavour, { ...stormy, cancel: 0.05 }, 2)
    for (const [i, run] of runs.entries()) {
      if (!tasks[i]?.every(({ state }) => isEnded(state)))
        throw new Error(`seed ${seed}: open tasks in a run that is ${run.state}`)
      if (run.overdue && run.state !== 'failed') throw new Error(`seed ${seed}: overdue, and ${run.state}`)
      if (run.state === 'cancelled') cancelled++
    }
  }
  return { ...nothing, cancelled }
}

/** What failed or was cancelled is tried again until it succeeds; what had succeeded never runs again (the world sees to it). */
async function retry(seeds: readonly number[]): Promise<Seen> {
  let retried = 0
  for (const seed of seeds) {
    const flavour = { skips: seed % 2 === 0, timeouts: true, cached: false, nested: seed % 3 !== 0 }
    const pipeline = randomPipeline(seededRandom(seed), flavour)
    const hazards = { ...stormy, cancel: seed % 5 === 0 ? 0.02 : 0 }
    const { runs, tasks, retried: first } = await simulate(seed, pipeline, flavour, hazards, 2, true)
    retried += first
    for (const [i, run] of runs.entries()) {
      const bad = tasks[i]?.filter(({ state }) => state !== 'succeeded' && state !== 'skipped') ?? []
      if (run.state !== 'succeeded' || bad.length > 0)
        throw new Error(
          `seed ${seed}: after all was mended the run is ${run.state}, ${bad.length} tasks did not succeed`,
        )
    }
  }
  return { ...nothing, retried }
}
