/** Facts of a run for tests of reasons: from the few fields that a test is about. */
import type { Pipeline } from '../../engine/pipeline.ts'
import { unlimited } from '../../engine/resources.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import type { EventRecord } from '../../engine/store/store.ts'
import type { Facts, Holder, Rival } from '../../engine/why/facts.ts'
import { runRecord, taskRecord } from './stored-records.ts'

/** Nodes of the pipeline's tasks with these fields, in the order of the tasks; then nodes that the run grew by. */
export function nodesOf(
  { tasks }: Pipeline,
  fields: { readonly [id: string]: Partial<TaskRecord> },
  grown: readonly Partial<TaskRecord>[] = [],
): readonly TaskRecord[] {
  const first = tasks.map(({ id, group }, node) => taskRecord(node, { parent: group ?? null, ...fields[id] }))
  return [...first, ...grown.map((more, index) => taskRecord(tasks.length + index, more))]
}

/** Something that happened to a node, or (null) to the run. */
export function happened(
  node: number | null,
  event: string,
  at: number,
  detail: EventRecord['detail'] = null,
): EventRecord {
  return { seq: at, run: 'own', node, attempt: node === null ? null : 1, event, at, detail }
}

/** An attempt of another run in another pipeline. */
export function holder(more: Partial<Holder> = {}): Holder {
  return {
    run: 'other',
    pipeline: 'others',
    backfill: null,
    owner: 'another engine',
    node: 0,
    task: 'train',
    runtime: 'inline',
    pool: null,
    slots: 1,
    preemptible: false,
    since: 500,
    ...more,
  }
}

/** A ready task of another run in another pipeline. */
export function rival(more: Partial<Rival> = {}): Rival {
  return {
    run: 'other',
    pipeline: 'others',
    backfill: null,
    task: 'tune',
    pool: null,
    slots: 1,
    priority: 0,
    since: null,
    ...more,
  }
}

/** The facts, at ten seconds, of a run whose engine lives and that nobody else is in the way of. */
export function factsOf(pipeline: Pipeline, tasks: readonly TaskRecord[], more: Partial<Facts> = {}): Facts {
  return {
    at: 10_000,
    run: runRecord(),
    pipeline,
    tasks,
    events: [],
    others: [],
    holders: [],
    rivals: [],
    owner: { id: 'engine', lives: true, place: 'host-a, process 7' },
    backfill: null,
    resources: unlimited,
    ...more,
  }
}
