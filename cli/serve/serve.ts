/** Serves: an engine, schedules, and the folders that hold their pipelines, until somebody ends it. */
import type { Timer } from '../../engine/clock.ts'
import type { Engine } from '../../engine/engine.ts'
import { exits } from '../../engine/errors.ts'
import type { Report } from '../../engine/report.ts'
import type { Pruned } from '../../engine/retention.ts'
import { Schedules } from '../../engine/schedules.ts'
import { conduct } from '../conduct.ts'
import { paramsOf } from '../params.ts'
import { counted, grouped } from '../print.ts'
import { prunedInWords } from '../pruned.ts'
import { bellAt, type Stage, withEngine } from '../stage.ts'
import type { Signal } from '../terminal.ts'
import { Adoption } from './adoption.ts'
import { engineSide } from './engine-side.ts'
import { Log } from './log.ts'
import { PipelineFolders } from './pipeline-folders.ts'
import { Pruning } from './pruning.ts'
import { Registry, shownPath } from './registry.ts'
import { Tellings } from './tellings.ts'
import { FolderWatch } from './watch-folders.ts'

/** Milliseconds between two looks for runs that dead engines left. */
const adoptEvery = 3000

/** Serves the pipelines of these folders (absolute) and gives the exit. */
export function performServe(stage: Stage, folders: readonly string[]): Promise<number> {
  return withEngine(stage, async (engine, listen) => {
    const service = new Service(stage, engine, folders)
    listen((report) => service.hear(report))
    try {
      return await service.serve()
    } finally {
      await service.close()
    }
  })
}

class Service {
  readonly #stage: Stage
  readonly #engine: Engine
  readonly #log: Log
  readonly #tellings: Tellings
  readonly #schedules: Schedules
  readonly #folders: PipelineFolders
  readonly #watch: FolderWatch
  readonly #adoption: Adoption
  readonly #pruning: Pruning
  readonly #roots: readonly string[]
  readonly #registry: Registry
  #looks: Promise<void> = Promise.resolve()
  #adopting: Promise<void> = Promise.resolve()
  #adoptTimer: Timer | null = null
  #isClosed = false
  #fail: (error: unknown) => void = () => {}
  readonly #failing: Promise<never>

  constructor(stage: Stage, engine: Engine, roots: readonly string[]) {
    const { store, settings, terminal } = stage
    this.#stage = stage
    this.#engine = engine
    this.#roots = roots
    this.#log = new Log(terminal, settings.json)
    this.#tellings = new Tellings(this.#log)
    this.#failing = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.#failing.catch(() => {})
    this.#schedules = new Schedules({
      store,
      engine: engineSide(engine, store, { clock: terminal.clock, bell: () => bellAt(stage) }),
      clock: terminal.clock,
      paramsOf: (pipeline) => paramsOf(pipeline),
      report: (report) => this.#tellings.schedule(report),
      fatal: (error) => this.#fail(error),
    })
    this.#watch = new FolderWatch(terminal.clock, () => void this.#look())
    this.#registry = new Registry({
      stage,
      schedules: this.#schedules,
      log: this.#log,
      watch: (watched) => {
        if (!this.#isClosed) this.#watch.watch(watched)
      },
    })
    this.#folders = new PipelineFolders(roots, settings, terminal.cwd, this.#registry)
    this.#pruning = new Pruning(
      stage,
      (pruned) => this.#pruned(pruned),
      (error) => this.#fail(error),
    )
    this.#adoption = new Adoption(store, engine, ({ id, pipeline }) => {
      this.#tellings.knows(id, pipeline)
      this.#log.say(
        { event: 'adopted', pipeline, run: id },
        `${pipeline} run ${id} of an engine that is gone`,
      )
    })
  }

  #pruned(pruned: Pruned): void {
    this.#log.say({ event: 'pruned', ...pruned }, prunedInWords(pruned))
  }

  hear(report: Report): void {
    this.#tellings.engine(report)
    this.#schedules.hear(report)
  }

  /** Until a signal, or a failure of the store. */
  async serve(): Promise<number> {
    const { terminal } = this.#stage
    const heard: Signal[] = []
    const silence = terminal.onSignal((signal) => heard.push(signal))
    const note = (text: string) => this.#log.say({ event: 'stopping', text }, text)
    try {
      const ended = conduct({
        engine: this.#engine,
        display: { report: () => {}, note, close: () => {} },
        terminal,
        done: this.#failing,
        onInterrupt: 'drain',
        onStop: () => void this.close(),
        goOn: 'dagctl serve',
      })
      await Promise.race([this.#begin(), ended])
      await ended
      // To be stopped is how it ends; Ctrl-C, or not to wait for what runs, is a person's.
      return heard.length === 1 && heard[0] === 'terminate' ? exits.ok : exits.interrupted
    } finally {
      silence()
    }
  }

  /** Makes no more runs and looks at no more files. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#watch.close()
    this.#adoptTimer?.cancel()
    await Promise.all([this.#schedules.stop(), this.#adopting, this.#pruning.close()])
  }

  async #begin(): Promise<void> {
    await this.#adopt()
    for (const { file, name } of await this.#registry.recall(this.#roots)) this.#folders.remember(file, name)
    await this.#look()
    if (this.#isClosed) return
    this.#schedules.start()
    this.#registry.begin()
    this.#pruning.begin()
    const [pipelines, schedules] = [this.#registry.size, this.#schedules.size]
    const { cwd } = this.#stage.terminal
    const roots = this.#roots.map((root) => shownPath(root, cwd)).join(', ')
    this.#log.say(
      { event: 'serving', pipelines, schedules, engine: this.#engine.id },
      `${counted(pipelines, 'pipeline')}, ${grouped(schedules)} with a schedule, of ${roots}`,
    )
  }

  /** One look at the folders after the other. */
  #look(): Promise<void> {
    this.#looks = this.#looks.then(async () => {
      if (this.#isClosed) return
      try {
        await this.#folders.look()
      } catch (error) {
        this.#fail(error)
      }
    })
    return this.#looks
  }

  /** Looks for what dead engines left, now and from now on. */
  #adopt(): Promise<void> {
    const { clock } = this.#stage.terminal
    this.#adopting = this.#adoption.look(clock.now()).then(
      () => {
        if (this.#isClosed) return
        this.#adoptTimer = clock.at(clock.now() + adoptEvery, () => void this.#adopt())
      },
      (error) => this.#fail(error),
    )
    return this.#adopting
  }
}
