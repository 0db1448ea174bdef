/** A run as JSON shows it, from what the store holds. Knows no terminal. */
import type { Failure } from '../engine/errors.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { EventRecord, Store } from '../engine/store/store.ts'
import { TaskNames } from '../engine/task-names.ts'
import { instantOf, intervalOf } from './print.ts'

/** One attempt of a task, as its events tell it. */
export interface AttemptRow {
  readonly attempt: number
  readonly try: number | null
  readonly state: string
  readonly failure: Failure | null
  /** What recovery changed before the next try: `set`, `runtime`, `restore`, `fallback`; null where it did nothing. */
  readonly change: JsonObject | null
  readonly startedAt: string | null
  readonly endedAt: string | null
}

/** One task, or one instance of a mapped task. */
export interface TaskRow {
  readonly id: string
  readonly key: readonly string[] | null
  readonly state: string
  readonly attempts: number
  readonly tries: number
  readonly cached: string | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly failure: Failure | null
  readonly outputs: Json
  readonly history?: readonly AttemptRow[]
}

/** The document of `run`, `runs show` and `runs resume`. */
export interface RunDocument {
  readonly run: {
    readonly id: string
    readonly pipeline: string
    readonly version: string
    readonly state: string
    readonly interval: { readonly start: string; readonly end: string }
    readonly startedAt: string | null
    readonly endedAt: string | null
  }
  readonly tasks: readonly TaskRow[]
}

/** What else a document holds. */
export interface DocumentOptions {
  readonly instances?: boolean | undefined
  readonly attempts?: boolean | undefined
}

/** The document of a run. */
export async function documentOf(
  store: Store,
  run: RunRecord,
  pipeline: Pipeline,
  options: DocumentOptions = {},
): Promise<RunDocument> {
  const all = await store.tasks(run.id)
  const names = new TaskNames(pipeline, all)
  const rows = options.instances === true ? all : all.filter((row) => names.keys(row).length === 0)
  const histories = options.attempts === true ? historiesOf(await store.events(run.id)) : null
  const { id, version, state } = run
  return {
    run: {
      id,
      pipeline: run.pipeline,
      version,
      state,
      interval: intervalOf(run.interval),
      startedAt: instantOf(run.startedAt),
      endedAt: instantOf(run.endedAt),
    },
    tasks: rows.map((row) => ({
      ...taskRow(row, names),
      ...(histories && { history: histories.get(row.node) ?? [] }),
    })),
  }
}

function taskRow(row: TaskRecord, names: TaskNames): TaskRow {
  const keys = names.keys(row)
  return {
    id: names.id(row),
    key: keys.length === 0 ? null : keys,
    state: row.state,
    attempts: row.attempt,
    tries: row.tries,
    cached: row.cached,
    startedAt: instantOf(row.startedAt),
    endedAt: instantOf(row.endedAt),
    failure: row.state === 'succeeded' ? null : row.failure,
    outputs: row.outputs,
  }
}

/** How an event ends the attempt that it names. */
const endings: { readonly [event: string]: string } = {
  succeed: 'succeeded',
  fail: 'failed',
  retry: 'failed',
  // What recovery changes, and what a person is asked, comes after a failure.
  recover: 'failed',
  hold: 'failed',
  mark_succeeded: 'succeeded',
  mark_failed: 'failed',
  release: 'released',
  sleep: 'sleeping',
  skip: 'skipped',
  cancel: 'cancelled',
}

type Open = { -readonly [field in keyof AttemptRow]: AttemptRow[field] }

/** Attempts by node, in order. What happens between two attempts belongs to none. */
function historiesOf(events: readonly EventRecord[]): Map<number, Open[]> {
  const histories = new Map<number, Open[]>()
  for (const { node, attempt, event, at, detail } of events) {
    if (node === null || attempt === null) continue
    if (event === 'claim') {
      const tried = typeof detail?.try === 'number' ? detail.try : null
      const row: Open = {
        attempt,
        try: tried,
        state: 'running',
        failure: null,
        change: null,
        startedAt: instantOf(at),
        endedAt: null,
      }
      histories.set(node, [...(histories.get(node) ?? []), row])
      continue
    }
    const open = histories.get(node)?.at(-1)
    const state = endings[event]
    if (open === undefined || state === undefined || open.attempt !== attempt || open.endedAt !== null)
      continue
    open.state = state
    open.endedAt = instantOf(at)
    if (state === 'failed' || state === 'released') open.failure = failureOf(detail)
    if (event === 'recover') open.change = changeOf(detail)
  }
  return histories
}

function failureOf(detail: EventRecord['detail']): Failure | null {
  if (typeof detail?.kind !== 'string' || typeof detail.message !== 'string') return null
  return { kind: detail.kind as Failure['kind'], message: detail.message }
}

function changeOf(detail: EventRecord['detail']): JsonObject | null {
  const change = detail?.change
  return typeof change === 'object' && change !== null && !Array.isArray(change)
    ? (change as JsonObject)
    : null
}
