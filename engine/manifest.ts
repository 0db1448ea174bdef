/**
 * What a run was made of and came to, as one document by whose digest it is named: two runs with the same digest did the
 * same with the same. It holds no id and no times of its own run. Pure.
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { toInstant } from './clock.ts'
import type { Json, JsonObject } from './json.ts'
import type { Pipeline } from './pipeline.ts'
import type { RunRecord, TaskRecord } from './store/records.ts'
import type { EventRecord } from './store/store.ts'
import { TaskNames } from './task-names.ts'

/** A run as the store has it, with what its templates resolve to. */
export interface RunSubject {
  readonly run: RunRecord
  readonly pipeline: Pipeline
  /** In order of `node`. */
  readonly nodes: readonly TaskRecord[]
  /** Those called `recover`. */
  readonly events: readonly EventRecord[]
  /** Resolved `with` by node, of nodes that began; a node is absent where it did not, or where nothing resolves. */
  readonly inputs: ReadonlyMap<number, JsonObject>
  /** Datasets that its tasks updated. */
  readonly datasets: readonly { readonly uri: string; readonly task: string }[]
}

/** What one task, or one instance, was and came to. Digests are SHA-256 (hex) of canonical JSON. */
export interface TaskManifest {
  /** `Name@major`; null for a group. */
  readonly uses: string | null
  readonly state: string
  readonly input: string | null
  /** The input's `seed`, where it has one. */
  readonly seed: number | string | null
  readonly outputs: string | null
  readonly failure: string | null
  /** What recovery changed, in order. */
  readonly changes: readonly JsonObject[]
  /** The run whose outputs were taken. */
  readonly cached: string | null
}

/** The document. Every field is always there. */
export interface Manifest {
  /** Version of this format. */
  readonly manifest: 1
  readonly pipeline: { readonly name: string; readonly version: string }
  readonly params: JsonObject
  /** null where it is only the moment at which the run was asked for, and the pipeline does not read it. */
  readonly interval: { readonly start: string; readonly end: string } | null
  readonly trigger: string
  /** The runtime of every task, whatever the file says; null is what the file says. */
  readonly runtime: string | null
  /** What the run was made with (`dagctl`, `operators`); null where that was not recorded. */
  readonly provenance: JsonObject | null
  readonly state: string
  readonly tasks: { readonly [name: string]: TaskManifest }
  readonly datasets: readonly { readonly uri: string; readonly task: string }[]
}

/** The manifest of a run; of one that has not ended, as it stands. */
export function manifestOf(subject: RunSubject): Manifest {
  const { run, pipeline, nodes, events, datasets } = subject
  const names = new TaskNames(pipeline, nodes)
  const changes = Map.groupBy(
    events.filter(({ node }) => node !== null),
    ({ node }) => node as number,
  )
  const tasks = nodes.map((node) => [
    names.name(node),
    taskOf(subject, node, (changes.get(node.node) ?? []).map(changeOf)),
  ])
  return {
    manifest: 1,
    pipeline: { name: run.pipeline, version: run.version },
    params: run.params,
    interval: intervalOf(run, pipeline),
    trigger: run.trigger,
    runtime: run.runtime,
    provenance: run.provenance,
    state: run.state,
    tasks: Object.fromEntries(tasks),
    datasets: datasets
      .map(({ uri, task }) => ({ uri, task }))
      .toSorted((a, b) => compare(a.uri, b.uri) || compare(a.task, b.task)),
  }
}

/** A run without intervals of a schedule has the moment of its trigger for one; as an input that counts only where a text may read it. */
function intervalOf({ interval: { start, end } }: RunRecord, { tasks }: Pipeline): Manifest['interval'] {
  // Also by a command, as $DAGCTL_INTERVAL_START. A mention too many does no harm.
  if (start === end && !/interval|logicalTime/i.test(JSON.stringify(tasks))) return null
  return { start: toInstant(start), end: toInstant(end) }
}

/** SHA-256 (hex) of a value in canonical JSON (RFC 8785). */
export function digestOf(value: Json | Manifest): string {
  return createHash('sha256')
    .update(canonicalize(value) as string)
    .digest('hex')
}

function taskOf(
  { pipeline, inputs }: RunSubject,
  node: TaskRecord,
  changes: readonly JsonObject[],
): TaskManifest {
  const task = pipeline.tasks[node.task]
  const input = inputs.get(node.node)
  const seed = input?.seed
  return {
    uses: task === undefined || task.isGroup === true ? null : `${task.uses}@${task.version}`,
    state: node.state,
    input: input === undefined ? null : digestOf(input),
    seed: typeof seed === 'number' || typeof seed === 'string' ? seed : null,
    outputs: node.state === 'succeeded' ? digestOf(node.outputs) : null,
    failure: node.state === 'failed' ? (node.failure?.kind ?? null) : null,
    changes,
    cached: node.cached,
  }
}

/** Without the failure's words, in which there may be what differs from run to run. */
function changeOf({ attempt, detail }: EventRecord): JsonObject {
  return { attempt, kind: detail?.kind ?? null, change: detail?.change ?? null }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
