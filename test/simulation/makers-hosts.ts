/**
 * The processes of a simulated world in which schedules, datasets and backfills make runs: some serve, some are a person's
 * command. Each has an engine of its own on the one store; they die, and what they were doing with them.
 */
import { Adoption } from '../../cli/serve/adoption.ts'
import { engineSide } from '../../cli/serve/engine-side.ts'
import type { Settings } from '../../cli/settings.ts'
import { noConfig } from '../../cli/settings.ts'
import type { Stage } from '../../cli/stage.ts'
import type { Signal, Terminal } from '../../cli/terminal.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ScheduleReport } from '../../engine/firing.ts'
import type { Queue } from '../../engine/queue/queue.ts'
import { seededRandom } from '../../engine/random.ts'
import type { Report } from '../../engine/report.ts'
import type { Resources } from '../../engine/resources.ts'
import { Schedules } from '../../engine/schedules.ts'
import type { Store } from '../../engine/store/store.ts'
import type { Wake } from '../../engine/wake.ts'
import type { ClockFace } from '../../simulation/virtual-clock.ts'
import { simulatedEngine } from './engines.ts'
import { storeFailure } from './fallible-store.ts'
import type { Scenario } from './makers-scenario.ts'

/** Milliseconds between two looks for what dead engines left. */
const adoptEvery = 8000

/** One process. */
export interface Host {
  readonly pid: number
  readonly face: ClockFace
  /** As this process sees it. */
  readonly store: Store
  /** Who hears the signals that it is sent. */
  readonly hearers: Set<(signal: Signal) => void>
  readonly kind: 'serving' | 'command'
  /** Milliseconds of the world. */
  readonly bornAt: number
  /** Milliseconds of the world since when it looks after the schedules; null while it does not. */
  servesSince: number | null
}

/** What processes are told of the world, and may do in it. */
export interface Surroundings {
  readonly seed: number
  readonly scenario: Scenario
  readonly resources: Resources
  time(): number
  queue(host: Host): Queue
  isGone(pid: number): boolean
  bell(host: Host): Wake
  told(report: ScheduleReport, host: Host): void
  /** It is done, or its store failed: it is gone in good order. */
  exits(host: Host): void
  broken(error: unknown): void
}

/** Where nothing is: whoever watches files there hears nothing. */
const settings: Settings = {
  ...noConfig,
  data: '/nowhere',
  store: '/nowhere/db',
  json: false,
  format: 'text',
}

/** What processes do. */
export class Hosts {
  readonly #around: Surroundings

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** `dagctl serve`: an engine, the schedules, and what dead engines left. */
  async serve(host: Host): Promise<void> {
    const { face, store } = host
    const { scenario, told } = this.#around
    const fails = (error: unknown) => this.#failed(host, error)
    try {
      const engine = this.#engine(host, (report) => schedules.hear(report))
      const schedules = new Schedules({
        store,
        engine: engineSide(engine, store, { clock: face, bell: () => this.#around.bell(host) }),
        clock: face,
        paramsOf: () => ({}),
        report: (report) => {
          if (!face.dead) told(report, host)
        },
        fatal: fails,
      })
      await engine.start()
      const adoption = new Adoption(store, engine, () => {})
      const adopt = async () => {
        await adoption.look(face.now())
        face.soonAfter(adoptEvery, () => void adopt().catch(fails))
      }
      await adopt()
      for (const pipeline of [scenario.timed, scenario.fed]) {
        const place = { file: `/${pipeline.name}.yaml`, folder: '/' }
        await schedules.enter(pipeline, await store.schedulePipeline(pipeline, place, face.now()))
      }
      schedules.start()
      if (!face.dead) host.servesSince = this.#around.time()
    } catch (error) {
      fails(error)
    }
  }

  /** A command of a person, which leaves when it is done. */
  async perform(host: Host, command: (stage: Stage) => Promise<unknown>): Promise<void> {
    const { face, store, hearers, pid } = host
    const silent = { write: () => {}, isTerminal: false, columns: 80, rows: 24 }
    const terminal: Terminal = {
      cwd: '/',
      env: {},
      out: silent,
      err: silent,
      clock: face,
      random: seededRandom(this.#around.seed * 1009 + pid),
      onSignal: (heard) => {
        hearers.add(heard)
        return () => hearers.delete(heard)
      },
      leave: () => {
        throw new Error('nobody sends three signals here')
      },
    }
    const means = {
      engine: (report: (report: Report) => void) => this.#engine(host, report),
      bell: this.#around.bell(host),
    }
    try {
      await command({ store, settings, terminal, means })
      if (!face.dead) this.#around.exits(host)
    } catch (error) {
      this.#failed(host, error)
    }
  }

  #engine(host: Host, report: (report: Report) => void): Engine {
    const { seed, queue, isGone, bell, resources } = this.#around
    const { pid, store, face } = host
    const engine = simulatedEngine({
      pid,
      store,
      queue: queue(host),
      evaluator: { render: (value) => value, test: () => true },
      resources,
      fingerprint: { key: async () => null, intact: async () => true },
      clock: face,
      random: seededRandom(seed * 1000 + pid),
      isGone: (other) => isGone(other.pid),
      wake: bell(host),
      report: (told) => {
        if (!face.dead) report(told)
      },
    })
    engine.failing.catch((error) => this.#failed(host, error))
    return engine
  }

  #failed(host: Host, error: unknown): void {
    if (host.face.dead) return
    if (error === storeFailure) this.#around.exits(host)
    else this.#around.broken(error)
  }
}
