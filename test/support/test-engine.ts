/** An engine on virtual time over a real store, whose attempts end when the test says so. */
import type { Fingerprint } from '../../engine/cache.ts'
import { Engine } from '../../engine/engine.ts'
import type { Evaluator } from '../../engine/evaluator.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import type { Outcome } from '../../engine/outcome.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { Queue } from '../../engine/queue/queue.ts'
import { seededRandom } from '../../engine/random.ts'
import type { Report } from '../../engine/report.ts'
import type { Resources } from '../../engine/resources.ts'
import type { Attempt } from '../../engine/runtime/runtime.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { NewRun, Store, Wish } from '../../engine/store/store.ts'
import { TaskNames } from '../../engine/task-names.ts'
import type { Watch } from '../../engine/wakers.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

/** An attempt that the engine started, and the test ends. */
export interface HeldAttempt {
  readonly attempt: Attempt
  readonly stops: string[]
  end(outcome: Outcome): void
}

/** What a test may replace. */
export interface TestEngineOptions {
  readonly store?: Store
  readonly clock?: VirtualClock
  readonly evaluator?: Partial<Evaluator>
  readonly cacheKey?: string | null
  readonly fingerprint?: Fingerprint
  readonly report?: (report: Report) => void
  readonly slots?: number
  readonly resources?: Resources
  readonly provenance?: (pipeline: Pipeline) => JsonObject
  readonly env?: { readonly [name: string]: string }
  readonly watch?: Watch
  readonly lease?: { readonly holds: number; readonly renewed: number }
  /** Whether another engine counts as gone. */
  readonly othersGone?: boolean
}

let pids = 0

/** Makes an engine and starts it. */
export async function testEngine(options: TestEngineOptions = {}) {
  const { store = openSqlite({ path: ':memory:' }), clock = new VirtualClock(), cacheKey = null } = options
  const held = new Map<string, HeldAttempt>()
  const byId = new Map<string, HeldAttempt>()
  let live = 0
  const follow = (attempt: Attempt) => {
    live++
    const stops: string[] = []
    const outcome = new Promise<Outcome>((resolve) => {
      const { id, key } = attempt.task
      const one = { attempt, stops, end: resolve }
      held.set(key === null ? id : `${id}[${key}]`, one)
      byId.set(attempt.id, one)
    }).finally(() => live--)
    return { outcome, stop: (reason: string) => void stops.push(reason) }
  }
  const queue: Queue = {
    free: () => (options.slots ?? 100) - live,
    submit: follow,
    attach: follow,
    close: async () => {},
  }
  const engine = new Engine({
    data: '/data',
    store,
    queue,
    evaluator: {
      render: (value) => value,
      test: (expression) => expression === 'true',
      ...options.evaluator,
    },
    fingerprint: options.fingerprint ?? { key: async () => cacheKey, intact: async () => true },
    report: options.report ?? (() => {}),
    ...(options.resources && { resources: options.resources }),
    ...(options.provenance && { provenance: options.provenance }),
    ...(options.env && { env: options.env }),
    ...(options.watch && { watch: options.watch }),
    ...(options.lease && { lease: options.lease }),
    clock: clock.face(),
    random: seededRandom(++pids),
    identity: { host: 'h', pid: pids, startTime: '', bootId: '' },
    isGone: () => options.othersGone ?? true,
    wake: { ring() {}, listen: () => () => {} },
  })
  await engine.start()

  /** Lets everything happen that is due within `ms` milliseconds. */
  const pass = async (ms = 0) => {
    const until = clock.time + ms
    clock.face().at(until + clock.offset, () => {})
    while (clock.nextAt() <= until) await clock.step()
  }
  return {
    engine,
    store,
    clock,
    pass,
    /** Starts a run and lets it come to its first stop. */
    async run(pipeline: Pipeline, more: Partial<NewRun> = {}) {
      const interval = { start: 0, end: 0 }
      const { id } = await engine.create({
        pipeline,
        folder: '/',
        params: {},
        trigger: 'manual',
        interval,
        backfill: null,
        omit: [],
        ...more,
      })
      await pass()
      return id
    },
    /** The newest attempt of a task. */
    held(task: string): HeldAttempt {
      const found = held.get(task)
      if (found === undefined) throw new Error(`no attempt of ${task} was started`)
      return found
    },
    /** The attempt that a row names. */
    heldOf: (run: string, row: TaskRecord) => byId.get(`${run}-${row.node}-${row.attempt}`) as HeldAttempt,
    started: () => [...held.keys()],
    /** Ends a task's newest attempt, and lets what follows happen. */
    async end(task: string, outcome: Outcome | Json = {}) {
      const ended = typeof outcome === 'object' && outcome !== null && 'type' in outcome
      this.held(task).end(ended ? (outcome as Outcome) : { type: 'succeeded', outputs: outcome as never })
      await pass()
    },
    /** `{ id: state }` as the store has it; instances and what stands in them by their names. */
    async states(run: string, pipeline: Pipeline) {
      const rows = await store.tasks(run)
      const names = new TaskNames(pipeline, rows)
      return Object.fromEntries(rows.map((row) => [names.name(row), row.state]))
    },
    /** The row of a task, or of an instance, by its name. */
    async row(run: string, pipeline: Pipeline, name: string): Promise<TaskRecord> {
      const rows = await store.tasks(run)
      const names = new TaskNames(pipeline, rows)
      const row = rows.find((one) => names.name(one) === name)
      if (row === undefined) throw new Error(`no ${name} in ${rows.map((one) => names.name(one))}`)
      return row
    },
    /** The state of a run. */
    async state(run: string) {
      return (await store.run(run))?.state
    },
    /** A person takes a run up that has ended. */
    async reopen(run: string, wish: Wish, by = 'ann') {
      const said = engine.reopen(run, wish, by)
      await pass()
      return said
    },
    /** A person wishes something of a run of this engine. */
    async wish(run: string, wish: Wish) {
      engine.wish(run, wish, 'ann')
      await pass()
    },
  }
}
