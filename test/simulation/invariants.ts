/** What must hold in a simulated world at each moment (RELIABILITY.md, invariants 1, 3, 4 and 5). Changes nothing. */
import type { Outcome } from '../../engine/outcome.ts'
import type { Pipeline, Task } from '../../engine/pipeline.ts'
import type { Attempt } from '../../engine/runtime/runtime.ts'
import { isEnded } from '../../engine/state.ts'
import type { RunRecord, TaskRecord } from '../../engine/store/records.ts'
import type { Store } from '../../engine/store/store.ts'
import { poolSize } from './random-pipeline.ts'

/** An attempt as the world knows it. */
export interface Process {
  readonly attempt: Attempt
  readonly node: number
  readonly outcome: Outcome | null
}

/** What is looked at. */
export interface Surroundings {
  readonly store: Store
  readonly pipeline: Pipeline
  /** All runs. */
  readonly ids: readonly string[]
  readonly processes: ReadonlyMap<string, Process>
  /** Tasks that were recorded as succeeded, or as not to run, as `run/node`. */
  readonly succeeded: ReadonlySet<string>
  check(holds: boolean, message: string): void
}

/** The invariants of one world. */
export class Invariants {
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** Invariants 1, 3 and 5, at the moment an attempt starts. */
  async claim({ attempt, node }: Process, row: TaskRecord): Promise<void> {
    const durable = row.attempt === attempt.task.attempt && row.holding
    this.#around.check(durable, `attempt ${attempt.id} started before its claim was durable`)
    this.#around.check(
      !this.#around.succeeded.has(`${attempt.run.id}/${node}`),
      `${attempt.task.id} had succeeded and ran again`,
    )
    const held = await this.#around.store.held()
    const limit = this.#around.pipeline.concurrency.tasks
    this.#around.check(limit === null || held.length <= limit, `more than ${limit} tasks hold a slot`)
    const used = held.reduce((sum, { pool, slots }) => sum + (pool === null ? 0 : slots), 0)
    this.#around.check(used <= poolSize, `${used} of ${poolSize} slots of the pool are held`)
    const { foreach } = this.#around.pipeline.tasks[row.task] as Task
    const beside = held.filter((one) => one.run === attempt.run.id && one.task === row.task)
    const most = row.key === null ? null : (foreach?.maxParallel ?? null)
    const siblings =
      most === null
        ? []
        : (await this.#around.store.tasks(attempt.run.id)).filter(({ parent }) => parent === row.parent)
    const parallel = beside.filter(({ node }) => siblings.some((one) => one.node === node)).length
    this.#around.check(
      most === null || parallel <= most,
      `${parallel} instances of ${attempt.task.id} run, of ${most}`,
    )
  }

  /** Invariant 5, of runs. */
  async runs(): Promise<void> {
    const limit = this.#around.pipeline.concurrency.runs
    const running = (await this.#around.store.runs({ active: true })).filter(
      ({ state, startedAt }) => state === 'running' || (state === 'paused' && startedAt !== null),
    )
    this.#around.check(limit === null || running.length <= limit, `${running.length} runs of ${limit} run`)
  }

  /** Invariant 4. */
  async waits(): Promise<void> {
    const { tasks, runs } = this.#around.pipeline.concurrency
    const rows = await this.#rows()
    const records = (await Promise.all(
      this.#around.ids.map((id) => this.#around.store.run(id)),
    )) as RunRecord[]
    const held = rows.flat().filter((task) => task.holding).length
    const active = records.filter(({ state }) => state === 'running').length
    const free = { inline: 64, process: 4, docker: 0 }
    for (const process of this.#around.processes.values())
      if (process.outcome === null) free[process.attempt.runtime]--
    for (const [index, { id, state }] of records.entries()) {
      this.#around.check(
        state !== 'queued' || (runs !== null && active >= runs),
        `run ${id} is queued for nothing`,
      )
      if (state !== 'running') continue
      for (const row of rows[index] as readonly TaskRecord[]) {
        const { runtime, isGroup, foreach, pool } = this.#around.pipeline.tasks[row.task] as Task
        // What stands for others waits for them; what waits for a person, a pool or its siblings is seen elsewhere.
        if (isGroup === true || (row.state === 'running' && row.attempt === 0) || row.wakeOn !== null)
          continue
        if (row.state === 'ready' && (pool !== undefined || foreach?.maxParallel != null)) continue
        const slot = free[runtime] > 0 && (tasks === null || held < tasks)
        const idle = row.wakeAt === null && (row.state === 'ready' ? slot : row.state !== 'waiting')
        const runs = this.#around.processes.get(`${id}-${row.node}-${row.attempt}`)?.outcome === null
        const stuck = !isEnded(row.state) && idle && !(row.state === 'running' && runs)
        this.#around.check(!stuck, `task ${row.node} of ${id} is ${row.state} and waits for nothing`)
      }
    }
  }

  #rows(): Promise<readonly (readonly TaskRecord[])[]> {
    return Promise.all(this.#around.ids.map((id) => this.#around.store.tasks(id)))
  }
}
