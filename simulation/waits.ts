/** What the open tasks of a run that does not end wait for, in words. Pure. */
import { toInstant } from '../engine/clock.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { PlayedTask } from './played.ts'

/** One line for each task that has not ended, or for the run where it waits as a whole. */
export function waitsOf(run: RunRecord, tasks: readonly PlayedTask[]): readonly string[] {
  if (run.state === 'paused')
    return [`the run is paused, and waits for ${run.pausedFor === 'budget' ? 'more budget' : 'a person'}`]
  const states = new Map(tasks.map(({ record }) => [record.node, record.state]))
  return tasks
    .filter(({ record }) => !isEnded(record.state))
    .map(({ name, task, record }) => {
      const open = task.needs.filter((need) => !isEnded(states.get(need) ?? 'waiting'))
      const needs = open.map((need) => tasks[need]?.name ?? '')
      return `\`${name}\` is ${record.state}: ${reasonOf(record, needs)}`
    })
}

function reasonOf({ state, wakeAt, wakeOn }: TaskRecord, needs: readonly string[]): string {
  switch (state) {
    case 'waiting':
      return needs.length === 0 ? 'for the tasks in it' : `for ${needs.join(', ')}`
    case 'running':
      return 'its attempt does not end'
    case 'sleeping':
      if (wakeOn?.person !== undefined) return 'for a person'
      return wakeAt === null ? 'nothing wakes it' : `until ${toInstant(wakeAt)}`
    case 'retrying':
      return wakeAt === null ? 'for its next try' : `for its next try at ${toInstant(wakeAt)}`
    default:
      return wakeAt === null ? 'for a slot' : `until ${toInstant(wakeAt)}`
  }
}
