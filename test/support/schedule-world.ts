/** Schedules on virtual time, over a real store and a real engine whose attempts end at once or when the test says so. */
import type { Clock } from '../../engine/clock.ts'
import { Engine, lease } from '../../engine/engine.ts'
import type { ScheduleReport } from '../../engine/firing.ts'
import type { Pipeline, Schedule } from '../../engine/pipeline.ts'
import { seededRandom } from '../../engine/random.ts'
import type { Report } from '../../engine/report.ts'
import type { Attempt } from '../../engine/runtime/runtime.ts'
import { Schedules } from '../../engine/schedules.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { Store } from '../../engine/store/store.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf } from './pipelines.ts'

/** What a test may replace. */
export interface WorldOptions {
  readonly store?: Store
  readonly clock?: VirtualClock
  /** Milliseconds between two heartbeats, of the engine's lease too. */
  readonly heartbeat?: number
  /** Whether attempts run until the test ends them. */
  readonly held?: boolean
}

let pids = 0

/** A pipeline of one task with this schedule. */
export function scheduled(name: string, schedule: Partial<Schedule>, more: Partial<Pipeline> = {}): Pipeline {
  const whole = { cron: [], every: null, timezone: 'UTC', start: null, end: null, ...schedule }
  const pipeline = { ...pipelineOf({ a: {} }), name, schedule: whole }
  return { ...pipeline, version: `${name} ${JSON.stringify([schedule, more])}`, ...more }
}

/** An engine with schedules, both started. */
export async function scheduleWorld(options: WorldOptions = {}) {
  const { store = openSqlite({ path: ':memory:' }), clock = new VirtualClock(), held = false } = options
  const face = clock.face()
  const attempts = new Map<string, () => void>()
  const ask = (attempt: Attempt) => {
    const succeeded = { type: 'succeeded', outputs: {} } as const
    const outcome = held
      ? new Promise<typeof succeeded>((resolve) => attempts.set(attempt.run.id, () => resolve(succeeded)))
      : Promise.resolve(succeeded)
    return { outcome, stop: () => attempts.get(attempt.run.id)?.() }
  }
  const told: ScheduleReport[] = []
  let hear: (report: Report) => void = () => {}
  const engine = new Engine({
    data: '/data',
    store,
    queue: { free: () => 1000, submit: ask, attach: ask, close: async () => {} },
    evaluator: { render: (value) => value, test: () => true },
    fingerprint: { key: async () => null, intact: async () => true },
    report: (report) => hear(report),
    clock: rarelyRenewed(face, options.heartbeat ?? lease.renewed),
    random: seededRandom(++pids),
    identity: { host: 'h', pid: pids, startTime: '', bootId: '' },
    isGone: () => false,
    wake: { ring() {}, listen: () => () => {} },
  })
  await engine.start()
  let failure: unknown = null
  const schedules = new Schedules({
    store,
    engine: {
      id: engine.id,
      create: (run) => engine.create(run),
      cancel: ({ id }) => engine.cancel(id),
    },
    clock: face,
    paramsOf: () => ({}),
    report: (report) => told.push(report),
    fatal: (error) => {
      failure = error
    },
    ...(options.heartbeat === undefined ? {} : { heartbeat: options.heartbeat }),
  })
  hear = (report) => schedules.hear(report)
  schedules.start()

  /** Lets everything happen that is due within `ms` milliseconds. */
  const pass = async (ms: number) => {
    const until = clock.time + ms
    clock.face().soonAfter(ms, () => {})
    while (clock.nextAt() <= until) {
      await clock.step()
      if (failure !== null) throw failure
    }
    await schedules.idle()
  }
  return {
    engine,
    store,
    clock,
    schedules,
    told,
    pass,
    /** Lets everything happen until the clock on the wall shows this. */
    passUntil: (wall: number) => pass(wall - clock.offset - clock.time),
    /** Enters a pipeline, or its new version, now. */
    async enter(pipeline: Pipeline) {
      const place = { file: `/${pipeline.name}.yaml`, folder: '/' }
      await schedules.enter(pipeline, await store.schedulePipeline(pipeline, place, face.now()))
    },
    /** Ends the attempt of a run. */
    end(run: string) {
      const end = attempts.get(run)
      if (end === undefined) throw new Error(`no attempt of ${run} was started`)
      attempts.delete(run)
      end()
    },
    /** Runs of a pipeline, oldest first. */
    async runs(pipeline: string): Promise<readonly RunRecord[]> {
      return (await store.runs({ pipeline })).toReversed()
    },
    /** Its process is gone: nothing of it happens any more. */
    die() {
      face.dead = true
    },
  }
}

/** A clock by which an engine renews its lease more rarely: a year of renewals each 3 s is not what is tested. */
function rarelyRenewed(clock: Clock, every: number): Clock {
  return {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    soon: (fire) => clock.soon(fire),
    at: (at, fire) => clock.at(at - clock.now() === lease.renewed ? clock.now() + every : at, fire),
  }
}
