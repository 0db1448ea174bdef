/** Seals the checkpoints that a command announces. Knows nothing of processes. */
import { existsSync, lstatSync, rmSync } from 'node:fs'
import { posix } from 'node:path'
import { type Clock, toInstant } from '../clock.ts'
import { isJsonObject } from '../json.ts'
import { fileOf, readJson, writeWhole } from './attempt-folder.ts'
import { filesBelow, sealCheckpoint } from './checkpoint-folder.ts'
import type { Attempt, AttemptEvent } from './runtime.ts'

/** Seals one after another, in the order in which they were announced. */
export class CheckpointSeal {
  readonly #attempt: Attempt
  readonly #clock: Clock
  readonly #listen: (event: AttemptEvent) => void
  #last: Promise<void> = Promise.resolve()
  /** Bytes of the events file before which every announcement was dealt with. */
  #before: number | null = null

  constructor(attempt: Attempt, clock: Clock, listen: (event: AttemptEvent) => void) {
    this.#attempt = attempt
    this.#clock = clock
    this.#listen = listen
  }

  /**
   * Takes an announcement; what an earlier engine sealed already is passed over.
   * @param path the folder below DAGCTL_CHECKPOINT_OUT that holds it, removed afterwards; absent: all of it, left there
   * @param end where the announcement ends in the events file
   */
  take(step: number, path: unknown, end: number): void {
    this.#before ??= sealedBefore(this.#attempt)
    if (end <= this.#before) return
    this.#last = this.#last.then(() => this.#seal(step, path, end))
  }

  /** Resolves when all that was announced is sealed or was refused. */
  done(): Promise<void> {
    return this.#last
  }

  async #seal(step: number, path: unknown, end: number): Promise<void> {
    const attempt = this.#attempt
    try {
      const folder = folderOf(attempt, path)
      await sealCheckpoint(attempt.checkpoints, {
        step,
        state: null,
        attempt: attempt.id,
        operator: `${attempt.operator.name}@${attempt.operator.version}`,
        saved: toInstant(this.#clock.now()),
        files: await filesBelow(folder),
      })
      writeWhole(attempt, 'sealed', { end })
      if (path !== undefined) rmSync(folder, { recursive: true, force: true })
      this.#listen({ type: 'checkpoint', step })
    } catch (error) {
      const message = `the checkpoint of step ${step} is not kept: ${(error as Error).message}`
      this.#listen({ type: 'log', level: 'warn', message })
    }
  }
}

function sealedBefore(attempt: Attempt): number {
  const found = readJson(fileOf(attempt, 'sealed'))
  return isJsonObject(found) && typeof found.end === 'number' ? found.end : 0
}

/** The announced folder. Throws where it is a link or lies elsewhere. */
function folderOf(attempt: Attempt, path: unknown): string {
  const out = fileOf(attempt, 'checkpointOut')
  if (path === undefined) return out
  if (typeof path !== 'string' || path === '' || posix.isAbsolute(path) || path.split('/').includes('..')) {
    throw new Error(`its path ${JSON.stringify(path)} is not a folder's name below DAGCTL_CHECKPOINT_OUT`)
  }
  let folder = out
  for (const part of posix.normalize(path).split('/')) {
    folder = `${folder}/${part}`
    if (!existsSync(folder)) throw new Error(`${folder} does not exist`)
    if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`)
  }
  return folder
}
