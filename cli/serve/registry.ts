/** The pipelines that are served: what the folders hold goes to the store and to the schedules, and is told. */

import { existsSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { Schedules } from '../../engine/schedules.ts'
import type { ScheduledPipeline } from '../../engine/store/store.ts'
import { noteOf } from '../noted.ts'
import type { Stage } from '../stage.ts'
import type { Log } from './log.ts'
import type { Finds } from './pipeline-folders.ts'
import type { Watched } from './watch-folders.ts'

/** What the registry works with. */
export interface RegistryParts {
  readonly stage: Stage
  readonly schedules: Schedules
  readonly log: Log
  readonly watch: (watched: Watched) => void
}

/** Enters, changes and lets go of pipelines as their files do. */
export class Registry implements Finds {
  readonly #parts: RegistryParts
  readonly #stored = new Map<string, ScheduledPipeline>()
  /** Pipelines whose file was read, or is broken and kept. */
  readonly #entered = new Set<string>()
  #tells = false

  constructor(parts: RegistryParts) {
    this.#parts = parts
  }

  /** How many pipelines are served. */
  get size(): number {
    return this.#entered.size
  }

  /** From now on each pipeline that is new or changed is told: not at the start, where all are. */
  begin(): void {
    this.#tells = true
  }

  /** Reads what an earlier `serve` entered; gives those whose files are still in these folders. */
  async recall(roots: readonly string[]): Promise<readonly ScheduledPipeline[]> {
    const rows = await this.#parts.stage.store.scheduledPipelines()
    for (const row of rows) this.#stored.set(row.name, row)
    return rows.filter(
      ({ file }) => roots.some((root) => !relative(root, file).startsWith('..')) && existsSync(file),
    )
  }

  watched(watched: Watched): void {
    this.#parts.watch(watched)
  }

  async holds(file: string, pipeline: Pipeline): Promise<void> {
    const { name, version, schedule } = pipeline
    const before = this.#stored.get(name)
    await this.#enter(pipeline, await this.#store(file, pipeline))
    if (!this.#tells) return
    const isNew = before?.version !== version
    const what = schedule === null ? 'has no schedule' : 'is scheduled'
    this.#parts.log.say(
      { event: 'pipeline', pipeline: name, version, file },
      `${name} of ${this.#shown(file)} ${what}${isNew && before !== undefined ? '; new runs are of its new version' : ''}`,
    )
  }

  async broken(file: string, report: string, keeps: string | null): Promise<void> {
    if (keeps !== null && !this.#entered.has(keeps)) await this.#enterStored(keeps)
    const then = keeps === null ? 'it is not scheduled' : `the last good version of ${keeps} stays in force`
    this.#parts.log.say(
      { event: 'broken', file, keeps, report },
      `${this.#shown(file)} has errors; ${then}\n${report}`,
    )
  }

  async mended(file: string, pipeline: string): Promise<void> {
    this.#parts.log.say({ event: 'mended', file, pipeline }, `${this.#shown(file)} is good again`)
  }

  async double(file: string, pipeline: string, other: string): Promise<void> {
    this.#parts.log.say(
      { event: 'double', file, pipeline, other },
      `${this.#shown(file)} is not scheduled: ${this.#shown(other)} has a pipeline \`${pipeline}\` too; give one of them another name`,
    )
  }

  async gone(file: string, pipeline: string): Promise<void> {
    this.#entered.delete(pipeline)
    await this.#parts.schedules.leave(pipeline)
    this.#parts.log.say(
      { event: 'gone', file, pipeline },
      `${pipeline} is no longer scheduled: ${this.#shown(file)} has it no more; its runs go on`,
    )
  }

  async unreadable(error: Error): Promise<void> {
    const { message } = error
    this.#parts.log.say({ event: 'unreadable', message }, `${message}; the pipelines stay as they are`)
  }

  /** The pipeline as the store has it; written only where something is new. */
  async #store(file: string, pipeline: Pipeline): Promise<ScheduledPipeline> {
    const { store, terminal } = this.#parts.stage
    const known = this.#stored.get(pipeline.name)
    const folder = dirname(file)
    if (known?.version === pipeline.version && known.file === file && !this.#entered.has(pipeline.name))
      return known
    const note = noteOf(
      terminal,
      'pipeline.entered',
      { pipeline: pipeline.name },
      { version: pipeline.version, file },
    )
    const stored = await store.schedulePipeline(pipeline, { file, folder }, terminal.clock.now(), note)
    this.#stored.set(pipeline.name, stored)
    return stored
  }

  async #enterStored(name: string): Promise<void> {
    const { store } = this.#parts.stage
    const row = this.#stored.get(name)
    const pipeline = row === undefined ? null : await store.pipeline(row.version)
    if (row !== undefined && pipeline !== null) await this.#enter(pipeline, row)
  }

  async #enter(pipeline: Pipeline, stored: ScheduledPipeline): Promise<void> {
    this.#entered.add(pipeline.name)
    await this.#parts.schedules.enter(pipeline, stored)
  }

  #shown(path: string): string {
    return shownPath(path, this.#parts.stage.terminal.cwd)
  }
}

/** A path as people know it: relative to the working folder where it lies in it. */
export function shownPath(path: string, cwd: string): string {
  const shown = relative(cwd, path)
  return shown === '' ? '.' : shown.startsWith('..') ? path : shown
}
