/** B2: Noop tasks through the whole engine, durably (FULL), beside the raw rate of commits of the same database. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keepHeapSmall } from '../cli/heap.ts'
import { systemClock } from '../engine/clock.ts'
import { Engine } from '../engine/engine.ts'
import { isGone, ownIdentity } from '../engine/identity.ts'
import type { Pipeline, Task } from '../engine/pipeline.ts'
import { LocalQueue, type LocalQueueOptions } from '../engine/queue/local.ts'
import { systemRandom } from '../engine/random.ts'
import type { Report } from '../engine/report.ts'
import { InlineRuntime } from '../engine/runtime/inline.ts'
import { openSqlite } from '../engine/store/sqlite.ts'
import { Connection } from '../engine/store/sqlite-connection.ts'
import type { Store } from '../engine/store/store.ts'
import { fileWake } from '../engine/wake.ts'
import { builtin } from '../operators/catalogue.ts'
import { Host, operatorsOf } from '../plugins/host.ts'

/** The graphs that are measured. */
export const shapes = ['wide', 'chain', 'layered'] as const
/** One of the graphs that are measured. */
export type Shape = (typeof shapes)[number]

/** What one run of Noop tasks took. */
export interface Measured {
  /** From the first claim to the last outcome. */
  readonly tasksPerSecond: number
  /** MiB. */
  readonly peakMemory: number
}

/** Runs `size` Noop tasks once, in a fresh folder. */
async function runNoops(shape: Shape, size: number): Promise<Measured> {
  const { seconds, peakMemory } = await runPipeline(noops(shape, size))
  return { tasksPerSecond: size / seconds, peakMemory }
}

/**
 * Runs a pipeline of Noop tasks once, in a fresh folder: seconds from the first claim to the end of the task `until`, or
 * of the last one.
 */
export async function runPipeline(
  pipeline: Pipeline,
  until?: string,
): Promise<{ readonly seconds: number; readonly peakMemory: number }> {
  const data = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const store = openSqlite({ path: join(data, 'dagctl.db') })
  let first = Number.POSITIVE_INFINITY
  let last = 0
  const engine = engineOn(data, store, (report) => {
    if (report.type !== 'task') return
    if (report.event === 'claim') first = Math.min(first, performance.now())
    else if (until === undefined || (report.task === until && report.event === 'succeed'))
      last = performance.now()
  })
  await engine.start()
  const interval = { start: 0, end: 0 }
  const made = {
    pipeline,
    folder: data,
    params: {},
    trigger: 'manual',
    interval,
    backfill: null,
    omit: [],
  } as const
  const { id } = await engine.create(made)
  const { state } = await engine.finished(id)
  if (state !== 'succeeded') throw new Error(`the run ${state}`)
  await engine.stop()
  await store.close()
  rmSync(data, { recursive: true })
  return { seconds: (last - first) / 1000, peakMemory: process.resourceUsage().maxRSS / 1024 }
}

/** An engine whose tasks run inside it, or in the runtimes given; nothing is templated and nothing cached. */
export function engineOn(
  data: string,
  store: Store,
  report: (report: Report) => void,
  runtimes: LocalQueueOptions['runtimes'] = {
    inline: new InlineRuntime(new Host(operatorsOf(builtin)), systemClock),
  },
): Engine {
  keepHeapSmall()
  return new Engine({
    data,
    store,
    queue: new LocalQueue({ runtimes }),
    evaluator: { render: (value) => value, test: () => true },
    fingerprint: { key: async () => null, intact: async () => true },
    clock: systemClock,
    random: systemRandom,
    identity: ownIdentity(),
    isGone,
    wake: fileWake(join(data, 'wake')),
    report,
  })
}

/** Transactions of one small write each, per second, on a database opened as ours (WAL, FULL). */
function rawCommits(count = 2000): number {
  const data = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const db = new Connection({ path: join(data, 'raw.db') })
  const start = performance.now()
  for (let i = 0; i < count; i++) {
    db.transaction(() => db.run('INSERT INTO events (run, event, at) VALUES (1, ?, ?)', 'raw', i))
  }
  const elapsed = performance.now() - start
  db.close()
  rmSync(data, { recursive: true })
  return count / (elapsed / 1000)
}

/** A pipeline of Noop tasks. */
export function noops(shape: Shape, size: number): Pipeline {
  const width = Math.ceil(Math.sqrt(size))
  const needsOf = (i: number): number[] => {
    if (shape === 'chain') return i === 0 ? [] : [i - 1]
    if (shape === 'wide' || i < width) return []
    const above = (Math.floor(i / width) - 1) * width
    return [above + (i % width), above + ((i + 1) % width)].sort((a, b) => a - b)
  }
  const tasks = Array.from({ length: size }, (_, i): Task => ({ ...noop, id: `t${i}`, needs: needsOf(i) }))
  return pipelineOf(`${shape}-${size}`, tasks)
}

/** A pipeline of these tasks without limits. */
export function pipelineOf(version: string, tasks: readonly Task[]): Pipeline {
  return {
    name: 'noops',
    version,
    description: null,
    owner: null,
    tags: {},
    schedule: null,
    params: {},
    concurrency: { runs: null, tasks: null },
    tasks,
  }
}

/** A Noop task but for its place in the graph. */
export const noop: Omit<Task, 'id' | 'needs'> = {
  description: null,
  uses: 'Noop',
  version: 1,
  with: {},
  shell: [],
  env: {},
  trigger: 'all_success',
  when: null,
  gate: [],
  retry: { attempts: 1, delay: 0, factor: 1, maxDelay: 0, jitter: 'none', on: [], onSleep: false },
  timeout: null,
  runtime: 'inline',
  cache: null,
  effects: 'none',
}

if (import.meta.main) {
  const [shape = 'wide', size = '10000'] = process.argv.slice(2)
  const raw = rawCommits()
  const { tasksPerSecond, peakMemory } = await runNoops(shape as Shape, Number(size))
  console.log(
    `${shape} ${size}: ${Math.round(tasksPerSecond)} tasks/s, raw ${Math.round(raw)} commits/s, ratio ${(tasksPerSecond / raw).toFixed(2)}, ${Math.round(peakMemory)} MiB`,
  )
}
