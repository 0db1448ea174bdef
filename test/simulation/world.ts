/**
 * A simulated world: engines on one store and one virtual clock, attempts that outlive them, crashes between any two
 * steps, stalls beyond the lease, attempts that vanish. It checks the invariants of RELIABILITY.md as it goes.
 */
import type { Engine } from '../../engine/engine.ts'
import type { Evaluator } from '../../engine/evaluator.ts'
import type { Outcome } from '../../engine/outcome.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { type Random, seededRandom } from '../../engine/random.ts'
import { type Resources, unlimited } from '../../engine/resources.ts'
import { isEnded } from '../../engine/state.ts'
import type { Batch, CommitResult } from '../../engine/store/batch.ts'
import type { RunRecord, TaskRecord } from '../../engine/store/records.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { Store } from '../../engine/store/store.ts'
import { TaskNames } from '../../engine/task-names.ts'
import { type ClockFace, VirtualClock } from '../../simulation/virtual-clock.ts'
import { simulatedEngine } from './engines.ts'
import { fallible, storeFailure } from './fallible-store.ts'
import type { Hazards } from './hazards.ts'
import { Invariants, type Process } from './invariants.ts'
import { People } from './people.ts'
import { Processes } from './processes.ts'
import { type Flavour, outcomeOf, pick, poolSize } from './random-pipeline.ts'

/** One engine process. */
interface Host {
  readonly engine: Engine
  /** Runs that it has, or had, and whether it says of each that it is over or no longer its own. */
  readonly runs: Map<string, boolean>
  readonly face: ClockFace
  readonly pid: number
}

/** What came of a simulation. */
export interface Result {
  readonly runs: readonly RunRecord[]
  readonly tasks: readonly (readonly TaskRecord[])[]
  readonly attempts: number
  readonly crashes: number
  /** How often a task gave its slots to one that ranks above it. */
  readonly preemptions: number
  /** Runs that did not succeed at first, where they were tried again. */
  readonly retried: number
  /** How often everything stood still, and it was looked at what each task waits for. */
  readonly waits: number
}

/** An hour: by so much clocks are set wrong. */
const hour = 3_600_000

const resources: Resources = { pools: { gpu: { slots: poolSize, gpus: 1 } }, rates: unlimited.rates }

/**
 * Runs `count` runs of a pipeline to their ends in a world of these hazards; throws at the first broken invariant.
 * @param mended what did not succeed is tried again, and succeeds then
 */
export async function simulate(
  seed: number,
  pipeline: Pipeline,
  flavour: Flavour,
  hazards: Hazards,
  count: number,
  mended = false,
): Promise<Result> {
  const world = new World(seed, pipeline, flavour, hazards)
  try {
    return await world.play(count, mended)
  } finally {
    await world.store.close()
  }
}

class World {
  readonly store: Store = openSqlite({ path: ':memory:', synchronous: 'NORMAL' })
  readonly #clock = new VirtualClock()
  readonly #random: Random
  readonly #seed: number
  readonly #pipeline: Pipeline
  readonly #flavour: Flavour
  readonly #hazards: Hazards
  readonly #processes: Processes
  readonly #ids: string[] = []
  readonly #world: ClockFace
  #hosts: Host[] = []
  #pids = 1
  #crashes = 0
  #waits = 0
  /** Runs that have not ended. */
  readonly #active = new Set<string>()
  /** Questions that were asked, and not answered yet. */
  #asked = 0
  /** The runs are made, and the time goes on. */
  #begun = false
  /** Some task may be waiting for a person. */
  #asking = false
  /** What is tried again succeeds. */
  #mended = false
  readonly #people: People
  readonly #invariants: Invariants
  readonly #evaluator: Evaluator = {
    render: (value) => value,
    test: (expression) => expression !== 'false' || this.#mended,
  }
  /** Tasks that were recorded as succeeded, or as not to run, as `run/node`. */
  readonly #succeeded = new Set<string>()

  constructor(seed: number, pipeline: Pipeline, flavour: Flavour, hazards: Hazards) {
    this.#seed = seed
    this.#pipeline = pipeline
    this.#flavour = flavour
    this.#hazards = hazards
    this.#random = seededRandom(seed)
    this.#world = this.#clock.face()
    this.#processes = new Processes({
      hazards,
      random: this.#random,
      clock: this.#world,
      after: (ms, then) => this.#after(ms, then),
      check: (holds, message) => this.#check(holds, message),
      broken: this.#breaks,
      begun: (process) => this.#outcomeOf(process),
    })
    this.#invariants = new Invariants({
      store: this.store,
      pipeline,
      ids: this.#ids,
      processes: this.#processes.all,
      succeeded: this.#succeeded,
      check: (holds, message) => this.#check(holds, message),
    })
    this.#people = new People({
      store: this.store,
      random: this.#random,
      seed,
      name: (row, rows) => new TaskNames(pipeline, rows).name(row),
      engines: () => this.#hosts.map(({ engine }) => engine),
      now: () => this.#world.now(),
    })
  }

  async play(count: number, mended: boolean): Promise<Result> {
    const first = await this.#boot()
    for (let i = 0; i < count; i++) {
      const interval = { start: i, end: i + 1 }
      const made = {
        pipeline: this.#pipeline,
        folder: '/',
        params: {},
        trigger: 'manual',
        interval,
        backfill: null,
        omit: this.#seed % 7 === 0 ? [0] : [],
        given: this.#seed % 7 === 1 ? [{ node: 0, run: 'earlier', outputs: { from: 'earlier' } }] : [],
      } as const
      const { id } = await first.engine.create(made)
      this.#ids.push(id)
      this.#active.add(id)
      // What is left out, and what is given, never runs.
      for (const node of [...made.omit, ...made.given.map((one) => one.node)])
        this.#succeeded.add(`${id}/${node}`)
      this.#watch(first, id)
    }
    this.#begun = true
    await this.#toTheEnd()
    let retried = 0
    if (mended) {
      this.#mended = true
      let rounds = 0
      for (let runs = await this.#unsuccessful(); runs.length > 0; runs = await this.#unsuccessful()) {
        if (rounds === 0) retried = runs.length
        if (++rounds > 20_000) await this.#stuck('retries did not mend the runs')
        this.#people.retry(runs, (engine, id) => this.#hostOf(engine)?.runs.delete(id))
        await this.#step()
        await this.#toTheEnd()
      }
    }
    await this.#settleDown()
    const runs = await Promise.all(this.#ids.map((id) => this.store.run(id)))
    const tasks = await Promise.all(this.#ids.map((id) => this.store.tasks(id)))
    return {
      runs: runs as RunRecord[],
      tasks,
      attempts: this.#processes.all.size,
      crashes: this.#crashes,
      preemptions: tasks.flat().reduce((sum, task) => sum + task.preemptions, 0),
      retried,
      waits: this.#waits,
    }
  }

  async #toTheEnd(): Promise<void> {
    for (let steps = 0; this.#active.size > 0; steps++) {
      if (steps > 20_000) await this.#stuck('20,000 steps did not end the runs')
      if (this.#hosts.length === 0) await this.#boot()
      await this.#disturb()
      if (this.#asking && steps % 16 === 15) this.#asking = await this.#people.answer(this.#ids)
      // Pauses end, so that runs do.
      if (steps % 500 === 499) await this.#people.resumeAll(this.#ids)
      await this.#step()
      // Reading everything costs more than all else: some of the standstills must do.
      if (this.#quiet && this.#random.next() < 0.3) {
        await this.#invariants.waits()
        this.#waits++
      }
    }
  }

  async #unsuccessful(): Promise<readonly RunRecord[]> {
    if (this.#hosts.length === 0) await this.#boot()
    const runs = (await Promise.all(this.#ids.map((id) => this.store.run(id)))) as RunRecord[]
    return runs.filter(({ state }) => state !== 'succeeded')
  }

  #hostOf(engine: Engine): Host | undefined {
    return this.#hosts.find((host) => host.engine === engine)
  }

  async #step(): Promise<void> {
    if (!(await this.#clock.step())) await this.#boot()
    if (this.#broken !== null) throw this.#broken
  }

  /** After the end: slots are free, and every engine that is there knows that its runs are over. */
  async #settleDown(): Promise<void> {
    const until = this.#clock.time + 60_000
    const open = async () => {
      const held = (await this.#rows()).flat().filter((task) => task.holding)
      const waiting = this.#hosts.flatMap(({ runs }) => [...runs].filter(([, known]) => !known))
      return held.length + waiting.length
    }
    while ((await open()) > 0) {
      if (this.#clock.time > until) await this.#stuck('the runs are over, and slots are held or waited for')
      if (this.#hosts.length === 0) await this.#boot()
      await this.#step()
    }
  }

  #watch({ engine, runs, face }: Host, id: string): void {
    if (runs.has(id) && runs.get(id) === false) return
    runs.set(id, false)
    engine.finished(id).then(
      () => runs.set(id, true),
      (error) => {
        if (!face.dead) this.#broken ??= error
      },
    )
  }

  #rows(): Promise<readonly (readonly TaskRecord[])[]> {
    return Promise.all(this.#ids.map((id) => this.store.tasks(id)))
  }

  /** A fresh engine on the same store; it takes over what is orphaned, now and whenever its lease is renewed. */
  async #boot(): Promise<Host> {
    const face = this.#clock.face()
    const pid = this.#pids++
    const seeded = seededRandom(this.#seed * 1000 + pid)
    let host: Host
    const engine = simulatedEngine({
      pid,
      store: fallible(this.store, {
        hazards: this.#hazards,
        random: this.#random,
        dead: () => host.face.dead,
        die: () => this.#kill(host),
        after: (then) =>
          this.#begun
            ? this.#after(pick(this.#random, this.#random.next() < 0.1 ? 15_000 : 2000), then)
            : then(),
        committed: (batch, result) => this.#note(batch, result),
      }),
      queue: this.#processes.queue(() => host),
      evaluator: this.#evaluator,
      resources,
      fingerprint: {
        key: ({ input }) =>
          new Promise((resolve) =>
            this.#after(pick(this.#random, 3000), () => resolve(`task ${input.task}`)),
          ),
        intact: async () => true,
      },
      clock: face,
      random: seeded,
      isGone: (other) => !this.#hosts.some((one) => one.pid === other.pid),
      wake: { ring() {}, listen: () => () => {} },
    })
    host = { engine, face, pid, runs: new Map() }
    this.#hosts.push(host)
    const broken = (error: unknown) => {
      if (!face.dead) this.#broken ??= error as Error
    }
    // An engine whose store fails says so and exits.
    engine.failing.catch((error) => (error === storeFailure ? this.#kill(host) : broken(error)))
    const adopt = async () => {
      for (const id of this.#ids) {
        if (face.dead) return
        const record = await this.store.run(id)
        if (record === null || isEnded(record.state)) continue
        if ((await engine.adopt(id)) === 'adopted') this.#watch(host, id)
      }
      if (!face.dead) face.soonAfter(5000, () => void adopt().catch(broken))
    }
    // Not waited for here: the store may answer only when the time goes on.
    void engine.start().then(adopt).catch(broken)
    return host
  }

  async #disturb(): Promise<void> {
    const host = this.#hosts[pick(this.#random, this.#hosts.length)]
    if (host === undefined) return
    if (this.#random.next() < this.#hazards.crashAnyStep) this.#kill(host)
    else if (this.#random.next() < this.#hazards.stall) {
      host.face.stalledUntil = this.#clock.time + 15_000
      void this.#boot()
    }
    if (this.#random.next() < this.#hazards.jump) this.#clock.offset = (pick(this.#random, 3) - 1) * hour
    if (this.#random.next() < this.#hazards.pause) await this.#people.pauseOrResume(this.#ids)
    if (this.#random.next() < this.#hazards.cancel) {
      const id = this.#ids[pick(this.#random, this.#ids.length)]
      if (id !== undefined) host.engine.cancel(id)
    }
  }

  /** Calls `then` after so many milliseconds, whoever lives then; until it has, something is under way. */
  #after(ms: number, then: () => void): void {
    this.#asked++
    this.#world.soonAfter(ms, () => {
      this.#asked--
      then()
    })
  }

  #kill(host: Host): void {
    if (host.face.dead) return
    this.#crashes++
    host.face.dead = true
    this.#people.forget()
    this.#hosts = this.#hosts.filter((other) => other !== host)
    this.#processes.die(host)
  }

  #note({ runs }: Batch, { lost, started }: CommitResult): void {
    this.#asking ||= runs.some(({ tasks }) => tasks.some(({ patch }) => patch.wakeOn?.person !== undefined))
    if (started.length > 0) void this.#invariants.runs().catch(this.#breaks)
    for (const { run, tasks, state } of runs) {
      if (lost.includes(run)) continue
      if (state !== undefined && isEnded(state.to)) this.#active.delete(run)
      else if (state !== undefined) this.#active.add(run)
      for (const { node, events } of tasks) {
        if (events.some(({ event }) => event === 'succeed')) this.#succeeded.add(`${run}/${node}`)
      }
    }
  }

  /** How an attempt ends that nothing befalls. What must hold when it starts is checked first. */
  async #outcomeOf(process: Process): Promise<Outcome> {
    const { run, state } = process.attempt
    const rows = await this.store.tasks(run.id)
    const row = rows[process.node] as TaskRecord
    await this.#invariants.claim(process, row)
    if (this.#mended) return { type: 'succeeded', outputs: { mended: true } }
    const wakes = state === null ? 0 : 1
    const recoveries = Object.values(row.recovery?.counts ?? {}).reduce((sum, count) => sum + count, 0)
    const one = { name: new TaskNames(this.#pipeline, rows).name(row), tries: row.tries, recoveries, wakes }
    return outcomeOf(this.#seed, this.#ids.indexOf(run.id), one, this.#flavour)
  }

  /** One engine, which nothing befell, has done all there was to do: every task waits for something that can be named. */
  get #quiet(): boolean {
    const { crashAnyStep, cancel, pause } = this.#hazards
    return crashAnyStep + cancel + pause === 0 && this.#asked === 0 && this.#clock.nextAt() > this.#clock.time
  }

  #check(holds: boolean, message: string): void {
    if (!holds) this.#broken ??= new Error(`seed ${this.#seed}: ${message}`)
    if (this.#broken !== null) throw this.#broken
  }
  #broken: Error | null = null
  readonly #breaks = (error: unknown): void => {
    this.#broken ??= error as Error
  }

  async #stuck(message: string): Promise<never> {
    const open = []
    for (const id of this.#ids) {
      const run = await this.store.run(id)
      if (run !== null && !isEnded(run.state)) open.push(`${id} is ${run.state}, of ${run.owner}`)
      for (const task of await this.store.tasks(id))
        if (!isEnded(task.state)) open.push(`${id} ${task.node} ${task.state}`)
    }
    throw new Error(`seed ${this.#seed}: ${message}; open: ${open.join(', ')}`)
  }
}
