/** What differed between two runs of a pipeline, from what their manifests are made of. Pure. */
import type { Json, JsonObject } from '../engine/json.ts'
import { digestOf, type Manifest, manifestOf, type RunSubject } from '../engine/manifest.ts'
import type { Pipeline, Task } from '../engine/pipeline.ts'
import type { TaskRecord } from '../engine/store/records.ts'
import { TaskNames } from '../engine/task-names.ts'
import { type Difference, differences } from './json-difference.ts'
import { instantOf } from './print.ts'

/** Differences that are told of one value. */
const most = 100

/** What one run is, on its side of a comparison. */
export interface Side {
  readonly id: string
  readonly version: string
  readonly state: string
  /** Digest of its manifest. */
  readonly digest: string
  readonly startedAt: string | null
  readonly endedAt: string | null
}

/** Something that is one thing in `a` and another in `b`. */
export interface Pair<Value = Json> {
  readonly a: Value
  readonly b: Value
}

/** A task, or an instance, of which something differed. What is the same is absent. */
export interface TaskDifference {
  readonly task: string
  readonly state?: Pair
  readonly failure?: Pair
  readonly input?: readonly Difference[]
  readonly outputs?: readonly Difference[]
  /** What recovery changed. */
  readonly changes?: Pair
  readonly cached?: Pair
  /** Milliseconds from start to end; told of every task here that has an end in both runs. */
  readonly duration?: Pair<number>
}

/** The document of `diff`. */
export interface Diff {
  readonly pipeline: string
  readonly a: Side
  readonly b: Side
  /** Whether nothing differed but times and ids. */
  readonly same: boolean
  readonly graph: {
    readonly added: readonly string[]
    readonly removed: readonly string[]
    /** Tasks of both, and the keys of their definitions that differ. */
    readonly changed: readonly { readonly task: string; readonly keys: readonly string[] }[]
    /** Keys of the pipeline as a whole that differ. */
    readonly pipeline: readonly string[]
  }
  readonly params: readonly Difference[]
  readonly interval: Pair<Manifest['interval']> | null
  readonly trigger: Pair | null
  readonly runtime: Pair | null
  /** dagctl and operators. */
  readonly provenance: readonly Difference[]
  readonly tasks: readonly TaskDifference[]
  readonly datasets: readonly Difference[]
  /** Milliseconds; null where a run has not ended. */
  readonly duration: Pair<number | null>
}

/** Compares two runs of one pipeline. */
export function diffOf(a: RunSubject, b: RunSubject): Diff {
  const [first, second] = [manifestOf(a), manifestOf(b)]
  const [left, right] = [sideOf(a, first), sideOf(b, second)]
  return {
    pipeline: first.pipeline.name,
    a: left,
    b: right,
    same: left.digest === right.digest,
    graph: graphOf(a.pipeline, b.pipeline),
    params: differences(first.params, second.params),
    interval: pairOf(first.interval, second.interval),
    trigger: pairOf(first.trigger, second.trigger),
    runtime: pairOf(first.runtime, second.runtime),
    provenance: provenanceOf(first, second),
    tasks: tasksOf(a, b, first, second),
    datasets: datasetsOf(first, second),
    duration: { a: durationOf(a.run), b: durationOf(b.run) },
  }
}

function sideOf({ run }: RunSubject, manifest: Manifest): Side {
  const { id, version, state, startedAt, endedAt } = run
  const digest = digestOf(manifest)
  return { id, version, state, digest, startedAt: instantOf(startedAt), endedAt: instantOf(endedAt) }
}

/** Needs are indices, which say nothing beyond one version: they are compared by name. */
function graphOf(a: Pipeline, b: Pipeline): Diff['graph'] {
  const [before, after] = [named(a), named(b)]
  const changed = [...before].flatMap(([task, definition]) => {
    const other = after.get(task)
    if (other === undefined) return []
    const keys = keysThatDiffer(definition, other)
    return keys.length === 0 ? [] : [{ task, keys }]
  })
  const { tasks: _a, version: _va, ...wholeA } = a
  const { tasks: _b, version: _vb, ...wholeB } = b
  return {
    added: [...after.keys()].filter((task) => !before.has(task)),
    removed: [...before.keys()].filter((task) => !after.has(task)),
    changed,
    pipeline: keysThatDiffer(asJson(wholeA), asJson(wholeB)),
  }
}

function named({ tasks }: Pipeline): ReadonlyMap<string, JsonObject> {
  const nameOf = (index: number) => tasks[index]?.id ?? ''
  const definition = ({ id: _id, needs, group, ...rest }: Task) =>
    asJson({
      ...rest,
      needs: needs.map(nameOf).toSorted(),
      ...(group !== undefined && { group: nameOf(group) }),
    })
  return new Map(tasks.map((task) => [task.id, definition(task)]))
}

function keysThatDiffer(a: JsonObject, b: JsonObject): readonly string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].filter((key) => differences(a[key], b[key]).length > 0)
}

/** Operators are told by name, whatever their place in the list. */
function provenanceOf(a: Manifest, b: Manifest): readonly Difference[] {
  const byName = ({ provenance }: Manifest): JsonObject => {
    const { operators, ...rest } = provenance ?? {}
    const list = Array.isArray(operators) ? (operators as readonly JsonObject[]) : []
    return { ...rest, ...Object.fromEntries(list.map(({ name, ...of }) => [String(name), of])) }
  }
  return differences(byName(a), byName(b))
}

function datasetsOf(a: Manifest, b: Manifest): readonly Difference[] {
  const byUri = ({ datasets }: Manifest): JsonObject =>
    Object.fromEntries(datasets.map(({ uri, task }) => [uri, task]))
  return differences(byUri(a), byUri(b)).slice(0, most)
}

function tasksOf(a: RunSubject, b: RunSubject, first: Manifest, second: Manifest): readonly TaskDifference[] {
  const [rowsA, rowsB] = [rowsByName(a), rowsByName(b)]
  return Object.keys(first.tasks).flatMap((task) => {
    const [one, other] = [first.tasks[task], second.tasks[task]]
    const [rowA, rowB] = [rowsA.get(task), rowsB.get(task)]
    // What only one of the graphs has is told there.
    if (one === undefined || other === undefined || rowA === undefined || rowB === undefined) return []
    const found = {
      ...field('state', pairOf(one.state, other.state)),
      ...field('failure', pairOf(one.failure, other.failure)),
      ...(one.input !== other.input && { input: few(a.inputs.get(rowA.node), b.inputs.get(rowB.node)) }),
      ...(one.outputs !== other.outputs && { outputs: few(rowA.outputs, rowB.outputs) }),
      ...field('changes', pairOf<Json>(one.changes, other.changes)),
      ...field('cached', pairOf(one.cached, other.cached)),
    }
    if (Object.keys(found).length === 0) return []
    const [lastA, lastB] = [durationOf(rowA), durationOf(rowB)]
    const duration = lastA === null || lastB === null ? null : { a: lastA, b: lastB }
    return [{ task, ...found, ...(duration && { duration }) }]
  })
}

function rowsByName({ pipeline, nodes }: RunSubject): ReadonlyMap<string, TaskRecord> {
  const names = new TaskNames(pipeline, nodes)
  return new Map(nodes.map((node) => [names.name(node), node]))
}

function few(a: Json | undefined, b: Json | undefined): readonly Difference[] {
  return differences(a, b).slice(0, most)
}

function pairOf<Value extends Json>(a: Value, b: Value): Pair<Value> | null {
  return differences(a, b).length === 0 ? null : { a, b }
}

function field<Name extends string>(name: Name, pair: Pair | null): { [name in Name]?: Pair } {
  return pair === null ? {} : ({ [name]: pair } as { [name in Name]: Pair })
}

function durationOf({
  startedAt,
  endedAt,
}: {
  readonly startedAt: number | null
  readonly endedAt: number | null
}): number | null {
  return startedAt === null || endedAt === null ? null : endedAt - startedAt
}

/** A value without what JSON does not have. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value))
}
