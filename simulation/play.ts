/**
 * Plays one run of a pipeline: the real engine on virtual time over a store in memory, with attempts that do what a test
 * says, and faults at their times. The same scene and seed give the same run. Judges nothing.
 */

import { Engine } from '../engine/engine.ts'
import type { Evaluator } from '../engine/evaluator.ts'
import type { JsonObject } from '../engine/json.ts'
import { LiveRun } from '../engine/live-run.ts'
import type { Node } from '../engine/node.ts'
import type { Interval, Pipeline } from '../engine/pipeline.ts'
import { seededRandom } from '../engine/random.ts'
import type { Resources } from '../engine/resources.ts'
import type { OperatorHost } from '../engine/runtime/runtime.ts'
import type { RunRecord } from '../engine/store/records.ts'
import { openSqlite } from '../engine/store/sqlite.ts'
import type { Store, Wish } from '../engine/store/store.ts'
import type { Act, Fault } from '../schemas/pipeline-tests.generated.ts'
import { type Answers, Outside } from './outside.ts'
import type { Played, PlayedTask } from './played.ts'
import { forever, Processes } from './processes.ts'
import { type Turn, turnOf } from './script.ts'
import { type ClockFace, VirtualClock } from './virtual-clock.ts'
import { waitsOf } from './waits.ts'

/** Milliseconds of virtual time after which a run that has not ended is given up: a year. */
const longest = 366 * 86_400_000
/** Calls after which it is given up: it goes round in circles. */
const mostSteps = 2_000_000

/** What is played. */
export interface Scene {
  readonly pipeline: Pipeline
  readonly params: JsonObject
  /** When the run is made, epoch milliseconds. */
  readonly at: number
  readonly interval: Interval
  readonly trigger: 'manual' | 'schedule'
  readonly slots: number | null
  /** Outputs of tasks in the last succeeded run, by id. */
  readonly baseline: { readonly [task: string]: JsonObject }
  /** What tasks do, by id or `id[KEY]`. */
  readonly acts: { readonly [name: string]: Act | readonly Act[] }
  /** What a task succeeds with where nothing is said, by id; by `id OPERATOR` where another operator is in its place. */
  readonly madeUp: { readonly [task: string]: JsonObject }
  readonly faults: readonly Fault[]
  readonly answers: Answers
  readonly resources: Resources
  /** What `env.NAME` means. */
  readonly env: { readonly [name: string]: string }
  readonly seed: number
}

/** Who plays it. */
export interface Cast {
  readonly evaluator: Evaluator
  /** Runs operators whose code asks the stage, once it is set, what to do. */
  readonly host: OperatorHost
  stage: Pick<Processes, 'says' | 'perform'> | null
}

/** A store in memory, for one run or for many that follow each other: making its tables costs more than a small run. */
export function openMemory(): Store {
  return openSqlite({ path: ':memory:', synchronous: 'NORMAL' })
}

/** Plays the scene to the end of its run, or until it is plain that it has none; the store is then of no further use. */
export async function play(scene: Scene, cast: Cast, store: Store): Promise<Played> {
  const world = new World(scene, cast, store)
  try {
    return await world.play()
  } finally {
    world.end()
  }
}

class World {
  readonly #scene: Scene
  readonly #cast: Cast
  readonly #store: Store
  readonly #clock: VirtualClock
  readonly #processes: Processes
  readonly #outside: Outside
  /** Names of nodes, as far as the run had grown at the last look. */
  #names: readonly string[] = []
  #engine: { readonly engine: Engine; readonly face: ClockFace } | null = null
  #boots = 0
  #run: string | null = null
  #over = false
  #broken: unknown = null

  constructor(scene: Scene, cast: Cast, store: Store) {
    this.#scene = scene
    this.#cast = cast
    this.#store = withBaseline(store, scene.baseline)
    this.#clock = new VirtualClock(scene.at)
    const world = this.#clock.face()
    const broken = (error: unknown) => this.#break(error)
    this.#processes = new Processes({
      world,
      host: cast.host,
      slots: scene.slots,
      turn: (name, turn, operator) => this.#turn(name, turn, operator),
      nameOf: (node) => this.#nameOf(node),
      says: (name) => this.#said(name) !== undefined,
      broken,
    })
    this.#outside = new Outside(scene.faults, scene.answers, {
      world,
      processes: this.#processes,
      wish: (wish) => this.#wish(wish),
      crash: (pause) => this.#crash(world, pause),
      tasks: async () => (await this.#look()).tasks,
      broken,
    })
  }

  async play(): Promise<Played> {
    this.#cast.stage = this.#processes
    this.#outside.arm()
    await this.#boot()
    let why: string | null = null
    for (let steps = 0; !this.#over && why === null; steps++) {
      if (this.#clock.nextAt() - this.#scene.at > longest) why = 'nothing is due any more that would end it'
      else if (steps > mostSteps) why = `${mostSteps} steps did not end it`
      else await this.#clock.step()
      if (this.#broken !== null) throw this.#broken
    }
    return this.#result(why)
  }

  /** Nothing of this world hears anything any more. */
  end(): void {
    if (this.#engine !== null) this.#engine.face.dead = true
  }

  /** A fresh engine: the first makes the run, later ones take it over. */
  async #boot(): Promise<void> {
    const face = this.#clock.face()
    const pid = ++this.#boots
    const engine = new Engine({
      data: '/simulated',
      store: this.#store,
      queue: this.#processes.queueOf(face),
      evaluator: this.#cast.evaluator,
      fingerprint: { key: async () => null, intact: async () => true },
      clock: face,
      random: seededRandom(this.#scene.seed * 1000 + pid),
      identity: { host: 'simulation', pid, startTime: String(pid), bootId: '' },
      // At most one engine lives here.
      isGone: () => true,
      wake: { ring() {}, listen: () => () => {} },
      lease: { holds: 2 * forever, renewed: 2 * forever },
      resources: this.#scene.resources,
      env: this.#scene.env,
      report: (report) => {
        if (report.type === 'task' && report.state === 'sleeping') this.#outside.slept(report.name)
      },
    })
    this.#engine = { engine, face }
    await engine.start()
    if (this.#run === null) this.#run = (await engine.create(this.#newRun())).id
    else if ((await engine.adopt(this.#run)) === 'ended') this.#over = true
    this.#outside.engineCame()
    engine.finished(this.#run).then(
      () => {
        if (!face.dead) this.#over = true
      },
      (error) => {
        if (!face.dead) this.#break(error)
      },
    )
  }

  #newRun() {
    const { pipeline, params, trigger, interval } = this.#scene
    return { pipeline, params, trigger, interval, folder: '/simulated', backfill: null, omit: [] }
  }

  #said(name: string): Act | readonly Act[] | undefined {
    const { acts } = this.#scene
    return acts[name] ?? acts[withoutKeys(name)]
  }

  #turn(name: string, turn: number, operator: string): Turn {
    const { madeUp } = this.#scene
    const id = withoutKeys(name)
    return turnOf(this.#said(name) ?? [], turn, madeUp[`${id} ${operator}`] ?? madeUp[id] ?? {})
  }

  async #nameOf(node: number): Promise<string> {
    if (node >= this.#names.length) this.#names = (await this.#look()).tasks.map(({ name }) => name)
    return this.#names[node] as string
  }

  #wish(wish: Wish): boolean {
    this.#engine?.engine.wish(this.#run ?? '', wish, 'the test')
    return this.#engine !== null
  }

  #crash(world: ClockFace, pause: number): boolean {
    if (this.#engine === null) return false
    const { face } = this.#engine
    face.dead = true
    this.#engine = null
    this.#processes.bury(face)
    world.soonAfter(pause, () => void this.#boot().catch((error) => this.#break(error)))
    return true
  }

  #break(error: unknown): void {
    this.#broken ??= error
  }

  /** The run and its tasks as the store has them. */
  async #look(): Promise<{ readonly run: RunRecord; readonly tasks: readonly PlayedTask[] }> {
    const { pipeline } = this.#scene
    const id = this.#run ?? ''
    const [run, rows] = await Promise.all([this.#store.run(id), this.#store.tasks(id)])
    const live = LiveRun.restore(run as RunRecord, pipeline, rows)
    const inputs = new Map(this.#processes.all.map(({ name, attempt }) => [name, attempt.input]))
    const tasks = rows.map((record) => {
      const node = live.nodes[record.node] as Node
      const name = live.name(node)
      return { name, record, task: live.task(node), input: inputs.get(name) ?? null }
    })
    return { run: run as RunRecord, tasks }
  }

  async #result(why: string | null): Promise<Played> {
    const { pipeline, at, env, acts } = this.#scene
    const { run, tasks } = await this.#look()
    const { befell } = this.#outside
    const missed = [...this.#outside.missed, ...unmadeInstances(acts, tasks)]
    return {
      ...{ pipeline, env, run, at, tasks, befell, missed },
      took: (run.endedAt ?? this.#clock.time) - at,
      started: [...new Set(this.#processes.all.map(({ name }) => name))],
      events: await this.#store.events(run.id),
      stuck: why === null ? null : { why, waits: waitsOf(run, tasks) },
    }
  }
}

/** What is to be done by instances that their task did not become. */
function unmadeInstances(acts: Scene['acts'], tasks: readonly PlayedTask[]): Played['missed'] {
  const names = new Set(tasks.map(({ name }) => name))
  const expanded = new Set([...names].filter((name) => name.includes('[')).map(withoutKeys))
  return Object.keys(acts)
    .filter((name) => !names.has(name) && name.includes('[') && expanded.has(withoutKeys(name)))
    .map((name) => ({ path: ['tasks', name], why: `\`${withoutKeys(name)}\` has no such instance` }))
}

/** The store as the engine sees it: with what the last succeeded run gave, which was never played. */
function withBaseline(store: Store, baseline: Scene['baseline']): Store {
  return new Proxy(store, {
    get(_, name: keyof Store) {
      if (name === 'baseline') return async (_pipeline: string, task: string) => baseline[task] ?? null
      return store[name].bind(store)
    },
  })
}

function withoutKeys(name: string): string {
  return name.replaceAll(/\[[^\]]*\]/g, '')
}
