/** The tasks that words name, where something is to be done to them: all of them must be such that it can be. */
import type { Clock } from '../engine/clock.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { shapeOf } from '../engine/shape.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import { TaskNames } from '../engine/task-names.ts'
import { hasLivingOwner } from './owner.ts'
import { nodesOf, outermost, settledBy } from './task-words.ts'

/** The nodes that are to be tried again. Throws E240 where a word names none that could be. */
export async function triedAgain(
  store: Store,
  run: RunRecord,
  words: readonly string[],
): Promise<readonly number[]> {
  const { rows, pipeline } = await tasksOf(store, run)
  const found = words.map((word) => {
    const nodes = nodesOf(pipeline, rows, word)
    const some = nodes.filter((node) => isUnsuccessful(rows[node]))
    const settled = some.map((node) => settledBy(rows, node))
    if (some.length > 0 && settled.includes(null)) return outermost(rows, nodes)
    const whole = settled.find((row) => row !== null)
    if (whole) throw refused(...insideOf(new TaskNames(pipeline, rows).name(whole), word))
    const states = [...new Set(nodes.map((node) => rows[node]?.state))].join(', ')
    throw refused(`nothing of \`${word}\` can be tried again: ${states}`, 'what failed or was cancelled can')
  })
  return [...new Set(found.flat())]
}

/** Throws E240 where a living engine has the run and nothing of it has failed: there is nothing to try again, only to wait. */
export async function failedSoFar(store: Store, run: RunRecord, clock: Clock): Promise<void> {
  if (isEnded(run.state) || !(await hasLivingOwner(store, run, clock))) return
  if ((await store.tasks(run.id)).some(isUnsuccessful)) return
  throw refused(
    `nothing of run ${run.id} can be tried again: it is ${run.state}, and nothing in it has failed`,
    `see \`dagctl runs show ${run.id}\`, or what a task waits for: \`dagctl why ${run.id} TASK\``,
  )
}

/** The nodes to be marked. Throws E240 where one is in a state that cannot be marked so. */
export async function marked(
  store: Store,
  run: RunRecord,
  word: string,
  as: 'succeeded' | 'failed',
): Promise<readonly number[]> {
  const { rows, pipeline } = await tasksOf(store, run)
  const names = new TaskNames(pipeline, rows)
  const { isAggregate } = shapeOf(pipeline)
  // What stands for copies has no state of its own; the copies have.
  const own = nodesOf(pipeline, rows, word).filter((node) => {
    const row = rows[node] as TaskRecord
    return !isAggregate(row.task) || names.keys(row).length > 0
  })
  const nodes = outermost(rows, own)
  if (nodes.length === 0)
    throw refused(`\`${word}\` has no instances yet`, 'see `dagctl runs show --instances`')
  for (const node of nodes) {
    const row = rows[node] as TaskRecord
    if (row.state === 'succeeded' || (as === 'failed' && isEnded(row.state)))
      throw refused(
        `task ${names.name(row)} cannot be marked as ${as}: it is ${row.state}`,
        row.state === 'succeeded'
          ? 'what succeeded stays; `dagctl runs rerun` makes a new run'
          : '`dagctl runs retry` tries it again',
      )
    const whole = settledBy(rows, node)
    if (whole !== null) throw refused(...insideOf(names.name(whole), names.name(row)))
  }
  if (run.state === 'succeeded')
    throw refused(
      `nothing of run ${run.id} can be marked any more: it has succeeded`,
      'what succeeded stays; `dagctl runs rerun` makes a new run',
    )
  return nodes
}

async function tasksOf(
  store: Store,
  run: RunRecord,
): Promise<{ readonly rows: readonly TaskRecord[]; readonly pipeline: Pipeline }> {
  return { rows: await store.tasks(run.id), pipeline: (await store.pipeline(run.version)) as Pipeline }
}

function insideOf(whole: string, name: string): [message: string, hint: string] {
  return [
    `\`${name}\` stands in \`${whole}\`, which has succeeded`,
    'what succeeded stays; `dagctl runs rerun` makes a new run',
  ]
}

function isUnsuccessful(row: TaskRecord | undefined): boolean {
  return ['failed', 'upstream_failed', 'cancelled'].includes(row?.state ?? '')
}

function refused(message: string, hint: string): DagctlError {
  return new DagctlError('E240', message, { kind: 'usage', hint })
}
