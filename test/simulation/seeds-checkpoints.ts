/**
 * Attempts that go on from checkpoints, seal new ones and crash between any two calls to a disk that is harmed between
 * them (RELIABILITY.md, invariant 7). What seals and restores is the product; what must be restored, shelf.ts knows.
 */

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Random, seededRandom } from '../../engine/random.ts'
import { checkpointFor, NoSuchCheckpoint } from '../../engine/runtime/checkpoint-folder.ts'
import { CheckpointSeal } from '../../engine/runtime/checkpoint-seal.ts'
import type { Attempt, AttemptEvent } from '../../engine/runtime/runtime.ts'
import { type Checkpoints, OperatorFailure } from '../../plugins/api.ts'
import { checkpointsOf } from '../../plugins/checkpoints.ts'
import { makeAttempt } from '../support/task-context.ts'
import { Disk, outside } from './disk.ts'
import { harm } from './harms.ts'
import { pick } from './random-pipeline.ts'
import { type Announced, type Given, numberIn, Shelf } from './shelf.ts'
import { type Source, Sources } from './sources.ts'

/** How much was seen. */
export interface CheckpointsSeen {
  crashes: number
  attempts: number
  /** Checkpoints that were said to be kept. */
  sealed: number
  /** Attempts that were given a checkpoint. */
  restored: number
  /** Of these, where a newer one was torn, altered, of another operator, or not what was chosen. */
  passed: number
  /** Attempts whose chosen step was not there. */
  refused: number
}

/** What a command announces, and what became of it. */
interface Announcement extends Announced {
  readonly path: string | undefined
  readonly end: number
  /** It got its name. */
  named: boolean
  /** Its attempt was told that it is kept, or that it is not. */
  told: 'kept' | 'not kept' | null
}

const clock = { now: () => Date.UTC(2026, 0, 1), at: () => ({ cancel() {} }), soon() {}, elapsed: () => 0 }

/** Plays the seeds; throws at the first that shows a fault. */
export async function checkpoints(seeds: readonly number[]): Promise<CheckpointsSeen> {
  const counts = { crashes: 0, attempts: 0, sealed: 0, restored: 0, passed: 0, refused: 0 }
  const memory = outside.existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const root = outside.mkdtempSync(join(memory, 'dagctl-checkpoints-'))
  try {
    for (const seed of seeds) {
      const story = new Story(seededRandom(seed), join(root, String(seed)), counts)
      await story.play().catch((error) => {
        throw new Error(`seed ${seed}: ${error.message}`, { cause: error })
      })
      outside.rmSync(join(root, String(seed)), { recursive: true })
    }
  } finally {
    outside.rmSync(root, { recursive: true, force: true })
  }
  return counts
}

/** One task, attempt by attempt. */
class Story {
  readonly #random: Random
  readonly #dir: string
  readonly #counts: CheckpointsSeen
  readonly #disk: Disk
  readonly #sources: Sources
  readonly #shelf: Shelf
  readonly #folder: string
  /** By the attempt that runs. */
  #announced: Announcement[] = []
  /** What was found where the product would catch it. */
  #fault: Error | null = null
  #elsewhere = 0
  /** Two attempts run at once. */
  #crossed = false
  /** Calls may fail. */
  #fails = false
  /** The number of the newest attempt. */
  #newest = 0

  constructor(random: Random, dir: string, counts: CheckpointsSeen) {
    this.#random = random
    this.#dir = dir
    this.#counts = counts
    outside.mkdirSync(join(dir, '.dagctl'), { recursive: true })
    this.#folder = makeAttempt({ dir }).checkpoints
    this.#shelf = new Shelf(this.#folder)
    this.#sources = new Sources(random)
    this.#disk = new Disk(random)
    this.#disk.between = () => {
      if (this.#happens(0.04)) this.#sources.disturb()
    }
    this.#disk.renamed = (path) => this.#watch(() => this.#named(path))
  }

  async play(): Promise<void> {
    try {
      const last = 2 + pick(this.#random, 5)
      let restore: Attempt['restore']
      for (let number = 1; number <= last; number++) {
        if (this.#happens(0.4)) this.#harm()
        if (this.#happens(0.15)) restore = this.#choice(number)
        const operator = { name: 'Test', version: this.#happens(0.1) ? 2 : 1 }
        const attempt = makeAttempt({
          dir: this.#dir,
          attempt: number,
          operator,
          ...(restore !== undefined && { restore }),
        })
        outside.mkdirSync(attempt.folder, { recursive: true })
        this.#newest = number
        this.#counts.attempts++
        this.#announced = []
        this.#sources.forget()
        if (this.#happens(0.5)) await this.#inline(attempt)
        else await this.#command(attempt)
      }
    } finally {
      this.#disk.close()
    }
  }

  /** An operator's code, which dies with its process. Now and then the one before still lives, in an engine that stalls. */
  async #inline(attempt: Attempt): Promise<void> {
    const number = attempt.task.attempt
    const stale = number > 1 && this.#happens(0.15)
    const before = makeAttempt({ dir: this.#dir, attempt: number - 1, operator: attempt.operator })
    await this.#during(async () => {
      const load = () => this.#checkpointsOf(attempt).load()
      const given = await this.#given(attempt, load, true)
      if (given === 'none') return
      const step = given?.step ?? 0
      await Promise.all([this.#saves(attempt, step), stale && this.#saves(before, step)])
    }, stale)
  }

  #checkpointsOf(attempt: Attempt): Checkpoints {
    const saved = (step: number) => this.#watch(() => this.#told(step, attempt, 'kept'))
    return checkpointsOf(attempt, { warn() {}, saved, clock })
  }

  /** Goes on from a step, and saves now and then. */
  async #saves(attempt: Attempt, from: number): Promise<void> {
    let step = from
    for (let saves = pick(this.#random, 4); saves > 0; saves--) {
      step += 1 + pick(this.#random, 3)
      const state = this.#state()
      const files = this.#sources.make(join(attempt.folder, `work-${step}`), false)
      const announced = this.#announce(attempt, { step, state, files })
      const paths = [...files.values()].map(({ path }) => path)
      const saved = this.#checkpointsOf(attempt).save(step, JSON.parse(state), paths)
      await saved.catch((error) => {
        const gone = [...announced.files.values()].some((file) => file.gone())
        const why = gone || this.#fails || attempt.task.attempt < this.#newest
        if (!(error instanceof OperatorFailure && why)) throw error
      })
    }
  }

  /** A command, which outlives the engine that seals what it announces. */
  async #command(attempt: Attempt): Promise<void> {
    const out = join(attempt.folder, 'checkpoint-out')
    const whole = this.#happens(0.3) ? this.#sources.make(out, true) : null
    let left = pick(this.#random, 4)
    let step: number | null = null
    const announce = () => {
      left--
      step = (step ?? 0) + 1 + pick(this.#random, 3)
      for (const source of whole?.values() ?? []) if (this.#happens(0.5)) this.#sources.write(source)
      const files = whole ?? this.#sources.make(join(out, String(step)), true)
      return this.#announce(
        attempt,
        { step, state: 'null', files },
        whole === null ? String(step) : undefined,
      )
    }
    for (let lives = true; lives; ) {
      let here = true
      const seal = new CheckpointSeal(attempt, clock, (event) => here && this.#hear(event, attempt))
      const ended = await this.#during(async () => {
        if (step === null) {
          const load = () => checkpointFor(attempt, () => {})
          const given = await this.#given(attempt, load, false)
          if (given === 'none') left = 0
          else step = given?.step ?? 0
        }
        for (const one of this.#announced) seal.take(one.step, one.path, one.end)
        while (left > 0) {
          const one = announce()
          seal.take(one.step, one.path, one.end)
          if (this.#happens(0.5)) await seal.done()
        }
        await seal.done()
        const open = this.#announced.find(({ named, told }) => !named && told === null)
        if (open !== undefined) throw new Error(`step ${open.step} was announced, and is not sealed`)
      })
      here = false
      lives = ended === 'crash' && step !== null && this.#happens(0.7)
      // It goes on while no engine is there.
      if (lives && left > 0 && this.#happens(0.5)) announce()
    }
  }

  /** What the attempt goes on from, which is looked at. */
  async #given(
    { operator, restore }: Attempt,
    load: () => Promise<{ readonly step: number; readonly state: unknown; readonly folder: string } | null>,
    stateful: boolean,
  ): Promise<Given | null | 'none'> {
    const given = await load().then(
      (found) => found && { ...found, state: stateful ? JSON.stringify(found.state) : null },
      (error) => {
        if (error instanceof NoSuchCheckpoint || (error as OperatorFailure).kind === 'invalid_input')
          return 'none' as const
        throw error
      },
    )
    const passed = this.#shelf.judge(given, `${operator.name}@${operator.version}`, restore)
    if (given === 'none') this.#counts.refused++
    else if (given !== null) this.#counts.restored++
    if (passed) this.#counts.passed++
    return given
  }

  /** Does `work`, which may crash, then looks at what is left; what came between, or null. */
  async #during(work: () => Promise<void>, crossed = false): Promise<'crash' | 'power' | null> {
    const hazards = {
      crossed,
      calls: this.#happens(0.6) ? pick(this.#random, 200) : Number.MAX_SAFE_INTEGER,
      fail: this.#happens(0.2) ? 0.01 : 0,
      short: 0.2,
    }
    this.#crossed = crossed
    this.#fails = hazards.fail > 0
    const ended = await this.#disk.during(hazards, work)
    if (this.#fault !== null) throw this.#fault
    const power = this.#happens(ended ? 0.1 : 0.4)
    if (power) this.#disk.losePower()
    if (!ended) this.#counts.crashes++
    this.#shelf.stands()
    return power ? 'power' : ended ? null : 'crash'
  }

  #announce(
    { task, operator }: Attempt,
    { step, state, files }: { step: number; state: string; files: ReadonlyMap<string, Source> },
    path?: string,
  ): Announcement {
    const announcement = {
      step,
      state,
      attempt: task.attempt,
      owner: `${operator.name}@${operator.version}`,
      files: new Map([...files].map(([name, source]) => [name, this.#sources.fromNow(source)])),
      path,
      end: this.#announced.length + 1,
      named: false,
      told: null,
    }
    this.#announced.push(announcement)
    return announcement
  }

  /** A folder got its name: it is one that was announced, and that is not kept yet. */
  #named(path: string): void {
    const manifest = join(path, 'manifest.json')
    // What has none is no checkpoint, and will be found where it is listed as one.
    if (numberIn(path) === null || !outside.existsSync(manifest)) return
    const { step, attempt } = JSON.parse(outside.readFileSync(manifest, 'utf8')).manifest
    const one = this.#announcement(step, attempt)
    if (one === undefined || one.told === 'kept')
      throw new Error(`step ${step} was not announced, or is kept already`)
    this.#shelf.sealed(path, one)
    one.named = true
  }

  #hear(event: AttemptEvent, attempt: Attempt): void {
    const refused = event.type === 'log' ? /of step (\d+) is not kept/.exec(event.message) : null
    if (refused !== null) this.#told(Number(refused[1]), attempt, 'not kept')
    if (event.type === 'checkpoint') this.#watch(() => this.#told(event.step, attempt, 'kept'))
  }

  #announcement(step: number, attempt: string): Announcement | undefined {
    return this.#announced.find((one) => one.step === step && attempt.endsWith(`-${one.attempt}`))
  }

  #told(step: number, { id, task }: Attempt, told: 'kept' | 'not kept'): void {
    const one = this.#announcement(step, id)
    if (one === undefined) throw new Error(`step ${step} was never announced`)
    one.told = told
    if (told === 'not kept') return
    this.#shelf.reported(step, task.attempt, !this.#crossed)
    this.#counts.sealed++
  }

  #harm(): void {
    const elsewhere = () => join(this.#dir, `elsewhere-${this.#elsewhere++}`)
    for (let times = 1 + pick(this.#random, 3); times > 0; times--)
      harm({ all: this.#folder, elsewhere, random: this.#random })
    this.#shelf.forgive()
  }

  /** A step for the attempts from `since` on, mostly of one that is there; or the newest again. */
  #choice(since: number): Attempt['restore'] {
    const steps = this.#shelf.steps()
    const draw = this.#random.next()
    if (draw < 0.4) return undefined
    return {
      step: draw < 0.9 ? (steps[pick(this.#random, steps.length)] ?? 1) : pick(this.#random, 12),
      since,
    }
  }

  /** JSON. */
  #state(): string {
    const draw = this.#random.next()
    const states = [null, draw, 'ä\u0001\ud800"', [], { __proto__: null, 2: [draw, { b: -1e-7 }], a: '' }]
    return JSON.stringify(states[pick(this.#random, states.length)])
  }

  #happens(probability: number): boolean {
    return this.#random.next() < probability
  }

  /** Looks, inside of calls that the product makes. */
  #watch(look: () => void): void {
    try {
      look()
    } catch (error) {
      this.#fault ??= error as Error
    }
  }
}
