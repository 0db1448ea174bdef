/** What each seed of the simulation is made to show: a storm against the same in peace, and cancelled runs. */
import { needCounter } from '../../engine/live-run.ts'
import type { Pipeline, Task } from '../../engine/pipeline.ts'
import { seededRandom } from '../../engine/random.ts'
import { isEnded } from '../../engine/state.ts'
import type { TaskRecord } from '../../engine/store/store.ts'
import { type NeedCounts, triggerVerdict } from '../../engine/trigger-rule.ts'
import { randomPipeline } from './random-pipeline.ts'
import { calm, simulate, slow, stormy } from './world.ts'

/** How much was seen. */
export interface Seen {
  readonly crashes: number
  readonly attempts: number
  /** Runs whose ends were compared with those in peace. */
  readonly compared: number
  readonly cancelled: number
}

/** Each plays its seeds, and throws at the first that shows a fault. */
export const plays = { storm, cancel } as const

function needsOf(task: Task, tasks: readonly TaskRecord[]): NeedCounts {
  const needs = { total: task.needs.length, succeeded: 0, failed: 0, skipped: 0 }
  for (const need of task.needs) needs[needCounter((tasks[need] as TaskRecord).state)]++
  return needs
}

/** `all_success` with failed and skipped needs ends at the first of them: which state that gives, time decides. */
function isRace(task: Task, tasks: readonly TaskRecord[]): boolean {
  const { failed, skipped } = needsOf(task, tasks)
  return task.trigger === 'all_success' && failed > 0 && skipped > 0
}

/** Final states that the final states of their needs do not allow. */
function inconsistencies(pipeline: Pipeline, tasks: readonly TaskRecord[]): string[] {
  const found: string[] = []
  for (const [index, task] of pipeline.tasks.entries()) {
    const { state } = tasks[index] as TaskRecord
    const needs = needsOf(task, tasks)
    const verdict = triggerVerdict(task.trigger, needs)
    const allowed =
      verdict === 'unblock'
        ? ['succeeded', 'failed', 'skipped']
        : verdict === 'block'
          ? ['upstream_failed']
          : ['skipped']
    if (isRace(task, tasks)) allowed.push('skipped')
    if (!allowed.includes(state))
      found.push(`${task.id} (${task.trigger}) is ${state}, its needs: ${JSON.stringify(needs)}`)
  }
  return found
}

async function storm(seeds: readonly number[]): Promise<Seen> {
  let crashes = 0
  let attempts = 0
  let compared = 0
  for (const seed of seeds) {
    const flavour = { skips: seed % 3 === 0, timeouts: seed % 5 === 0, cached: seed % 4 === 0 }
    const pipeline = randomPipeline(seededRandom(seed), flavour)
    const runs = 1 + (seed % 3)
    const peace = await simulate(seed, pipeline, flavour, seed % 2 === 0 ? calm : slow, runs)
    const storm = await simulate(seed, pipeline, flavour, stormy, runs)
    crashes += storm.crashes
    attempts += storm.attempts
    for (const [i, tasks] of storm.tasks.entries()) {
      if (!tasks.every(({ state }) => isEnded(state)))
        throw new Error(`seed ${seed}: the run ended before its tasks`)
      const wrong = inconsistencies(pipeline, tasks)
      if (wrong.length > 0) throw new Error(`seed ${seed}: ${wrong.join('; ')}`)
      if (
        flavour.timeouts ||
        pipeline.tasks.some((task) => isRace(task, tasks) || isRace(task, peace.tasks[i] ?? []))
      )
        continue
      compared++
      const told = ({ state, tries, outputs }: TaskRecord) => ({
        state,
        outputs,
        ...(!flavour.cached && { tries }),
      })
      const expected = peace.tasks[i]?.map(told)
      const found = tasks.map(told)
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        throw new Error(
          `seed ${seed}: run ${i} differs\n${JSON.stringify(expected)}\n${JSON.stringify(found)}`,
        )
      }
    }
  }
  return { crashes, attempts, compared, cancelled: 0 }
}

async function cancel(seeds: readonly number[]): Promise<Seen> {
  let cancelled = 0
  for (const seed of seeds) {
    const flavour = { skips: true, timeouts: true, cached: true }
    const pipeline = randomPipeline(seededRandom(seed), flavour)
    const { runs, tasks } = await simulate(seed, pipeline, flavour, { ...stormy, cancel: 0.05 }, 2)
    for (const [i, run] of runs.entries()) {
      if (run.state !== 'cancelled') continue
      cancelled++
      if (!tasks[i]?.every(({ state }) => isEnded(state)))
        throw new Error(`seed ${seed}: open tasks in a cancelled run`)
    }
  }
  return { crashes: 0, attempts: 0, compared: 0, cancelled }
}
