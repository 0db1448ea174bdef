/** Causes for which a task waits, and the pipelines in which they are tried. Knows nothing of the tests. */
import type { Test } from 'tap'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import type { BackfillRecord } from '../../engine/store/store.ts'
import type { Facts } from '../../engine/why/facts.ts'
import { whyOf } from '../../engine/why/why.ts'
import { pipelineOf, type Sketch } from './pipelines.ts'
import { factsOf, nodesOf } from './why-facts.ts'

/** Why a task waits, and what is told of it. */
export interface Cause {
  readonly name: string
  readonly pipeline: Pipeline
  /** Fields of the task `it`, or of the nodes. */
  readonly it?: Partial<TaskRecord>
  readonly nodes?: readonly TaskRecord[]
  readonly node?: number
  readonly facts?: Partial<Facts>
  /** Kinds, what they must name, and where it is known until when. */
  readonly because: readonly (readonly [kind: string, what: RegExp, until?: number | null])[]
}

/** Each cause is named, with what and until when, and nothing else is. */
export function namesEach(t: Test, causes: readonly Cause[]): void {
  for (const { name, pipeline, it = {}, nodes, node, facts, because } of causes) {
    const rows = nodes ?? nodesOf(pipeline, { it })
    const { waitsFor } = whyOf(factsOf(pipeline, rows, facts), node ?? 0)
    t.strictSame(
      waitsFor.map(({ kind }) => kind),
      because.map(([kind]) => kind),
      name,
    )
    for (const [place, [, what, until]] of because.entries()) {
      t.match(waitsFor[place]?.what, what, name)
      if (until !== undefined) t.equal(waitsFor[place]?.until, until, name)
    }
  }
}

/** Two slots of the pool `gpu`. */
export const gpu = { pools: { gpu: { slots: 2, gpus: 1 } }, rates: { cpu: 0, gpu: 0, pools: {} } }
/** A backfill that may have one active run. */
export const backfill = { id: 'bf', maxActive: 1, state: 'running' } as BackfillRecord
/** The owner of a run whose process is no more. */
export const gone = { id: 'engine', lives: false, place: 'host-a, process 7' }
/** One run at a time, with one task at a time. */
export const limited = { concurrency: { runs: 1, tasks: 1 } }

const mapped: Sketch = { foreach: { items: [], key: null, maxParallel: 1, whenEach: false } }
/** What makes a task a group. */
export const group: Sketch = { isGroup: true, uses: '' }

/** One task, `it`. */
export const one = pipelineOf({ it: {} })
/** `one` every night at two, in a window from 22:00 to 06:00. */
export const scheduled: Pipeline = {
  ...one,
  schedule: {
    cron: ['0 2 * * *'],
    every: null,
    timezone: 'Europe/Berlin',
    start: null,
    end: null,
    window: { from: 22 * 60, to: 6 * 60 },
  },
}
/** A mapped task, of which one instance runs at a time. */
export const map = pipelineOf({ it: mapped })
/** A group that is mapped: its task stands for its copies. */
export const cells = pipelineOf({
  cell: { ...group, ...mapped },
  'cell.a': { group: 0 },
  'cell.b': { group: 0, needs: ['cell.a'] },
})
/** The nodes of `cells` while its one copy is under way: its first task runs, its second waits. */
export const grid = nodesOf(
  cells,
  { cell: { state: 'running' }, 'cell.a': { state: 'running' }, 'cell.b': { state: 'running' } },
  [
    { task: 0, key: 'k1', parent: 0, state: 'running' },
    { task: 1, parent: 3, state: 'running', attempt: 1, holding: true },
    { task: 2, parent: 3 },
  ],
)
