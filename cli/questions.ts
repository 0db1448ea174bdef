/** What waits for a person, over all active runs: approvals, reviews, holds, and budgets that are used up. Asks the store only. */
import type { Json, JsonSchema } from '../engine/json.ts'
import type { Question } from '../engine/outcome.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import { TaskNames } from '../engine/task-names.ts'

/** A question that nobody has answered. */
export interface OpenQuestion {
  readonly run: RunRecord
  /** The node that asks; null where the run does. */
  readonly node: number | null
  /** The attempt that asks; 0 where the run does. */
  readonly attempt: number
  readonly task: string | null
  /** From the outermost; null for a task of the file. */
  readonly keys: readonly string[] | null
  /** As the command line names it. */
  readonly name: string | null
  readonly kind: Question['kind'] | 'budget'
  readonly message: string
  readonly form: JsonSchema
  readonly details: Json
  /** Since when, epoch milliseconds; null where no event tells. */
  readonly since: number | null
}

/** The questions of all active runs, the oldest run first. */
export async function openQuestions(store: Store): Promise<readonly OpenQuestion[]> {
  const found: OpenQuestion[] = []
  for (const run of (await store.runs({ active: true })).toReversed())
    found.push(...(await questionsOf(store, run)))
  return found
}

/** The questions of one run. */
export async function questionsOf(store: Store, run: RunRecord): Promise<readonly OpenQuestion[]> {
  const rows = await store.tasks(run.id)
  const asking = rows.flatMap((row) => {
    const question = questionIn(row)
    return question === null ? [] : [{ row, question }]
  })
  const isPaused = run.state === 'paused' && run.pausedFor === 'budget'
  if (asking.length === 0 && !isPaused) return []
  const names = new TaskNames((await store.pipeline(run.version)) as Pipeline, rows)
  const since = await beginnings(store, run.id)
  const budget = isPaused ? [budgetQuestion(run, since.get(null) ?? null)] : []
  const questions = asking.map(({ row, question }): OpenQuestion => {
    const { kind, message, form, details = null } = question
    const keys = names.keys(row)
    return {
      run,
      node: row.node,
      attempt: row.attempt,
      task: names.id(row),
      keys: keys.length === 0 ? null : keys,
      name: names.name(row),
      kind,
      message,
      form,
      details,
      since: since.get(row.node) ?? null,
    }
  })
  return [...budget, ...questions]
}

/** What a node asks a person; null where it waits for none. */
export function questionIn({ state, wakeOn }: TaskRecord): Question | null {
  return state === 'sleeping' ? (wakeOn?.person ?? null) : null
}

function budgetQuestion(run: RunRecord, since: number | null): OpenQuestion {
  const { spentUsd, spentGpuSeconds } = run
  const message = `the budget is used up: ${spentUsd.toFixed(2)} USD, ${(spentGpuSeconds / 3600).toFixed(2)} GPU hours; approve lets the run go on`
  const details = { spentUsd, spentGpuHours: spentGpuSeconds / 3600 }
  const about = { node: null, attempt: 0, task: null, keys: null, name: null, kind: 'budget' } as const
  return { run, ...about, message, form: { type: 'object' }, details, since }
}

/** Since when each node sleeps; under null since when the run is paused. */
async function beginnings(store: Store, run: string): Promise<ReadonlyMap<number | null, number>> {
  const since = new Map<number | null, number>()
  for (const { node, event, at } of await store.events(run))
    if (node === null ? event === 'pause' : event === 'sleep' || event === 'hold') since.set(node, at)
  return since
}
