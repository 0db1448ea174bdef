/** Serves: an engine, schedules, and the folders that hold their pipelines, until somebody ends it. */
import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { Engine } from '../../engine/engine.ts'
import { exits } from '../../engine/errors.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { Schedules } from '../../engine/schedules.ts'
import type { ScheduledPipeline } from '../../engine/store/store.ts'
import { conduct } from '../conduct.ts'
import { paramsOf } from '../params.ts'
import { counted } from '../print.ts'
import { type Stage, withEngine } from '../stage.ts'
import { bellOf } from '../wiring.ts'
import { Adoption } from './adoption.ts'
import { Log } from './log.ts'
import { type Finds, PipelineFolders } from './pipeline-folders.ts'
import { Tellings } from './tellings.ts'
import { FolderWatch } from './watch-folders.ts'

/** Milliseconds between two looks for runs that dead engines left. */
const adoptEvery = 3000
/** Who asks another engine to cancel a run. */
const ourselves = 'schedule'

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

class Service implements Finds {
  readonly #stage: Stage
  readonly #engine: Engine
  readonly #log: Log
  readonly #tellings: Tellings
  readonly #schedules: Schedules
  readonly #folders: PipelineFolders
  readonly #watch: FolderWatch
  readonly #adoption: Adoption
  readonly #roots: readonly string[]
  readonly #stored = new Map<string, ScheduledPipeline>()
  /** Pipelines whose file was read, or broken and kept. */
  readonly #entered = new Set<string>()
  #looks: Promise<void> = Promise.resolve()
  #isServing = false
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
      engine: {
        id: engine.id,
        create: (run) => engine.create(run),
        cancel: async ({ id, owner }) => {
          if (owner === engine.id) return engine.cancel(id)
          await store.request(id, { kind: 'cancel' }, ourselves, terminal.clock.now())
          ;(await bellOf(settings)).ring()
        },
      },
      clock: terminal.clock,
      paramsOf: (pipeline) => paramsOf(pipeline),
      report: (report) => this.#tellings.schedule(report),
      fatal: (error) => this.#fail(error),
    })
    this.#folders = new PipelineFolders(roots, settings.data, terminal.cwd, this)
    this.#watch = new FolderWatch(terminal.clock, () => void this.#look())
    this.#adoption = new Adoption(store, engine, ({ id, pipeline }) => {
      this.#tellings.knows(id, pipeline)
      this.#log.say(
        { event: 'adopted', pipeline, run: id },
        `${pipeline} run ${id} of an engine that is gone`,
      )
    })
  }

  hear(report: Parameters<Tellings['engine']>[0]): void {
    this.#tellings.engine(report)
    this.#schedules.hear(report)
  }

  /** Until a signal, or a failure of the store. */
  async serve(): Promise<number> {
    const { terminal, store } = this.#stage
    let how: 'interrupt' | 'terminate' | null = null
    const silence = terminal.onSignal((signal) => {
      how ??= signal
    })
    try {
      const ended = conduct({
        engine: this.#engine,
        display: {
          report: () => {},
          note: (text) => this.#log.say({ event: 'stopping', text }, text),
          close() {},
        },
        terminal,
        done: this.#failing,
        onInterrupt: 'drain',
        onStop: () => void this.close(),
        goOn: 'dagctl serve',
      })
      await Promise.race([this.#begin(store), ended])
      await ended
      return how === 'terminate' ? exits.ok : exits.interrupted
    } finally {
      silence()
    }
  }

  /** Makes no more runs and looks at no more files. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#watch.close()
    await this.#schedules.stop()
  }

  async #begin(store: Stage['store']): Promise<void> {
    await this.#adopt()
    for (const row of await store.scheduledPipelines()) {
      this.#stored.set(row.name, row)
      const isOurs = this.#roots.some((root) => !relative(root, row.file).startsWith('..'))
      if (isOurs && existsSync(row.file)) this.#folders.remember(row.file, row.name)
    }
    await this.#look()
    if (this.#isClosed) return
    this.#schedules.start()
    this.#isServing = true
    const [pipelines, schedules] = [this.#entered.size, this.#schedules.size]
    this.#log.say(
      { event: 'serving', pipelines, schedules, engine: this.#engine.id },
      `${counted(pipelines, 'pipeline')}, ${schedules === pipelines ? 'each' : schedules} with a schedule, of ${this.#roots.map((root) => this.#shown(root)).join(', ')}`,
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

  async #adopt(): Promise<void> {
    const { clock } = this.#stage.terminal
    await this.#adoption.look(clock.now())
    if (this.#isClosed) return
    clock.at(clock.now() + adoptEvery, () => {
      if (!this.#isClosed) this.#adopt().catch((error) => this.#fail(error))
    })
  }

  folders(folders: readonly string[]): void {
    if (!this.#isClosed) this.#watch.watch(folders)
  }

  async holds(file: string, pipeline: Pipeline): Promise<void> {
    const { name, version, schedule } = pipeline
    const before = this.#stored.get(name)
    await this.#enter(pipeline, await this.#store(file, pipeline))
    if (!this.#isServing) return
    const isNew = before?.version !== version
    const what = schedule === null ? 'has no schedule' : 'is scheduled'
    this.#log.say(
      { event: 'pipeline', pipeline: name, version, file },
      `${name} of ${this.#shown(file)} ${what}${isNew && before !== undefined ? '; new runs are of its new version' : ''}`,
    )
  }

  async broken(file: string, report: string, keeps: string | null): Promise<void> {
    if (keeps !== null && !this.#entered.has(keeps)) await this.#enterStored(keeps)
    const then = keeps === null ? 'it is not scheduled' : `the last good version of ${keeps} stays in force`
    this.#log.say(
      { event: 'broken', file, keeps, report },
      `${this.#shown(file)} has errors; ${then}\n${report}`,
    )
  }

  async mended(file: string, pipeline: string): Promise<void> {
    this.#log.say({ event: 'mended', file, pipeline }, `${this.#shown(file)} is good again`)
  }

  async double(file: string, pipeline: string, other: string): Promise<void> {
    this.#log.say(
      { event: 'double', file, pipeline, other },
      `${this.#shown(file)} is not scheduled: ${this.#shown(other)} has a pipeline \`${pipeline}\` too; give one of them another name`,
    )
  }

  async gone(file: string, pipeline: string): Promise<void> {
    this.#entered.delete(pipeline)
    await this.#schedules.leave(pipeline)
    this.#log.say(
      { event: 'gone', file, pipeline },
      `${pipeline} is no longer scheduled: ${this.#shown(file)} has it no more; its runs go on`,
    )
  }

  async unreadable(error: Error): Promise<void> {
    const { message } = error
    this.#log.say({ event: 'unreadable', message }, `${message}; the pipelines stay as they are`)
  }

  /** The pipeline as the store has it; written only where something is new. */
  async #store(file: string, pipeline: Pipeline): Promise<ScheduledPipeline> {
    const { store, terminal } = this.#stage
    const known = this.#stored.get(pipeline.name)
    const folder = folderOf(file)
    if (known?.version === pipeline.version && known.file === file && !this.#entered.has(pipeline.name))
      return known
    const stored = await store.schedulePipeline(pipeline, { file, folder }, terminal.clock.now())
    this.#stored.set(pipeline.name, stored)
    return stored
  }

  async #enterStored(name: string): Promise<void> {
    const { store } = this.#stage
    const row = this.#stored.get(name)
    const pipeline = row === undefined ? null : await store.pipeline(row.version)
    if (row !== undefined && pipeline !== null) await this.#enter(pipeline, row)
  }

  async #enter(pipeline: Pipeline, stored: ScheduledPipeline): Promise<void> {
    this.#entered.add(pipeline.name)
    await this.#schedules.enter(pipeline, stored)
  }

  #shown(path: string): string {
    const shown = relative(this.#stage.terminal.cwd, path)
    return shown === '' ? '.' : shown.startsWith('..') ? path : shown
  }
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/')) || '/'
}
