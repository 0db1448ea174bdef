/**
 * A simulated world in which runs are made by what makes them: schedules, updates of datasets, a backfill. Several processes
 * serve and perform, crash, stall and come back; people pause, leave, go on with and cancel the backfill.
 */
import { type BackfillOrder, isUnfinished } from '../../cli/backfill.ts'
import { cancelBackfill } from '../../cli/backfill-cancel.ts'
import { performBackfill } from '../../cli/backfill-perform.ts'
import { orderOfBackfill } from '../../cli/backfills-known.ts'
import type { ScheduleReport } from '../../engine/firing.ts'
import { type Random, seededRandom } from '../../engine/random.ts'
import { type Resources, unlimited } from '../../engine/resources.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { BackfillRecord, Store } from '../../engine/store/store.ts'
import { dueBy, nothingPending, withUpdates } from '../../engine/triggers.ts'
import { type ClockFace, VirtualClock } from '../../simulation/virtual-clock.ts'
import { fallible } from './fallible-store.ts'
import { calm, type Hazards } from './hazards.ts'
import { type Host, Hosts } from './makers-hosts.ts'
import { intervalsOf, Ledger } from './makers-ledger.ts'
import { beginning, datasets, lasts, outcomeOf, type Scenario, scenarioOf } from './makers-scenario.ts'
import { People } from './people.ts'
import { Processes } from './processes.ts'
import { pick, poolSize } from './random-pipeline.ts'
import { Standstill } from './standstill.ts'

/** What came of a world. */
export interface Result {
  readonly runs: readonly RunRecord[]
  readonly backfills: readonly BackfillRecord[]
  readonly crashes: number
  readonly updates: number
  /** How often it was looked at what each open task waits for. */
  readonly waits: number
  readonly seen: Ledger['seen']
}

/** Clocks are set wrong by so much, milliseconds: more than a schedule takes for a break. */
const jump = 90_000
const resources: Resources = { pools: { gpu: { slots: poolSize, gpus: 1 } }, rates: unlimited.rates }
/** Writes besides commits that break and answer late. */
const writes = new Set(['createRun', 'moveCursors', 'createBackfill', 'moveBackfill', 'schedulePipeline'])

/** Plays what a seed makes under these hazards, and on in peace until all is done; throws at the first fault. */
export async function simulateMakers(seed: number, hazards: Hazards): Promise<Result> {
  const world = new World(seed, scenarioOf(seed), hazards)
  try {
    return await world.play()
  } finally {
    await world.real.close()
  }
}

class World {
  readonly real: Store = openSqlite({ path: ':memory:', synchronous: 'NORMAL' })
  readonly #clock = new VirtualClock(beginning)
  readonly #random: Random
  readonly #seed: number
  readonly #scenario: Scenario
  /** They end with the storm. */
  readonly #hazards: { -readonly [name in keyof Hazards]: Hazards[name] }
  readonly #ledger: Ledger
  readonly #store: Store
  readonly #processes: Processes
  readonly #hosts: Hosts
  readonly #people: People
  readonly #standstill: Standstill
  readonly #world: ClockFace
  #living: Host[] = []
  readonly #bells = new Map<() => void, Host>()
  #pids = 1
  #steps = 0
  #crashes = 0
  #updates = 0
  #asked = 0
  #stormy = true
  /** From the first nothing befalls this world, and every answer comes at once. */
  readonly #peaceful: boolean
  #broken: Error | null = null

  constructor(seed: number, scenario: Scenario, hazards: Hazards) {
    this.#seed = seed
    this.#scenario = scenario
    this.#hazards = { ...hazards, jump: scenario.jumps ? hazards.jump : 0 }
    this.#peaceful = hazards === calm
    this.#random = seededRandom(seed)
    this.#world = this.#clock.face()
    const check = (holds: boolean, message: string) => this.#check(holds, message)
    const step = () => this.#steps
    const time = () => this.#clock.time
    const isGone = (pid: number) => !this.#living.some((one) => one.pid === pid)
    this.#ledger = new Ledger(this.real, { scenario, step, time, check })
    this.#store = this.#ledger.watched()
    const seen = { clock: this.#clock, random: this.#random, resources, isGone, check }
    this.#standstill = new Standstill({ store: this.real, ...seen })
    this.#processes = new Processes({
      hazards: this.#hazards,
      random: this.#random,
      clock: this.#world,
      after: (ms, then) => this.#after(ms, then),
      check,
      broken: (error) => this.#breaks(error),
      begun: async ({ attempt, node }) => {
        const run = this.#ledger.made.get(attempt.run.id)?.run
        const row = (await this.real.tasks(attempt.run.id))[node]
        const cause = run?.origin ?? `backfill ${run?.interval.end}`
        const wakes = attempt.state === null ? 0 : 1
        return outcomeOf(seed, { cause, task: node, tries: row?.tries ?? 0, wakes })
      },
    })
    this.#hosts = new Hosts({
      seed,
      scenario,
      resources,
      time,
      queue: (host) => this.#processes.queue(() => host),
      isGone,
      bell: (host) => ({
        ring: () => this.#ring(),
        listen: (heard) => {
          this.#bells.set(heard, host)
          return () => this.#bells.delete(heard)
        },
      }),
      told: (report, host) => this.#hear(report, host),
      exits: (host) => this.#leave(host),
      broken: (error) => this.#breaks(error),
    })
    this.#people = new People({
      store: this.#store,
      random: this.#random,
      seed,
      name: () => '',
      engines: () => [],
      now: () => this.#world.now(),
    })
  }

  async play(): Promise<Result> {
    const { timed, fed, serving, order } = this.#scenario
    for (const pipeline of [timed, fed])
      await this.real.schedulePipeline(pipeline, { file: `/${pipeline.name}.yaml`, folder: '/' }, beginning)
    for (let i = 0; i < serving; i++) this.#serve()
    this.#every(10_000, () => this.#update())
    if (order !== null) {
      this.#after(pick(this.#random, 20_000), () => {
        for (let i = this.#random.next() < 0.3 ? 2 : 1; i > 0; i--) this.#begin(order)
      })
      if (this.#hazards.crashAnyStep > 0) this.#every(12_000, () => this.#meddle())
    }
    while (this.#clock.time < beginning + lasts.storm) {
      await this.#disturb()
      await this.#step()
      if (this.#peaceful) await this.#standstill.look(this.#asked > 0)
    }
    await this.#settle()
    await this.#checkEnd()
    return {
      runs: await this.real.runs({}),
      backfills: await this.real.backfills({}),
      crashes: this.#crashes,
      updates: this.#updates,
      waits: this.#standstill.count,
      seen: this.#ledger.seen,
    }
  }

  async #step(): Promise<void> {
    this.#steps++
    await this.#clock.step()
    if (this.#broken !== null) throw this.#broken
  }

  /** Nothing befalls the world any more: whoever is missing comes back, and all that was begun is gone on with. */
  async #settle(): Promise<void> {
    const { serving } = this.#scenario
    this.#stormy = false
    Object.assign(this.#hazards, calm)
    this.#clock.offset = 0
    for (let i = 0; i < serving; i++) this.#serve()
    for (let steps = 0; ; steps++) {
      if (steps % 50 === 0 && (await this.#goOn())) return
      if (steps > 20_000) await this.#stuck()
      await this.#step()
      await this.#standstill.look(this.#asked > 0)
    }
  }

  /** Has people do what is left for them; whether there is nothing left at all. */
  async #goOn(): Promise<boolean> {
    const { order } = this.#scenario
    await this.#people.resumeAll(this.#ledger.ids)
    const active = await this.real.runs({ active: true })
    const [backfill] = await this.real.backfills({})
    const busy = this.#living.some(({ kind }) => kind === 'command')
    if (backfill?.state === 'paused') this.#resume(backfill)
    else if (!busy && backfill === undefined && order !== null) this.#begin(order)
    else if (!busy && backfill !== undefined) {
      if (isUnfinished(backfill)) this.#resume(backfill)
      else if (backfill.state === 'cancelled' && active.some((run) => run.backfill !== null))
        this.#cancel(backfill)
    }
    // An early look: runs of updates that came last are still to be made.
    const due = this.#clock.time > beginning + lasts.schedule + 10_000
    const [timed] = await this.real.scheduledPipelines('timed')
    const all = this.#scenario.timed.schedule.catchup === 'all'
    const last = all ? (intervalsOf(this.#scenario, null, beginning + lasts.schedule).at(-1)?.end ?? 0) : 0
    const over = order === null || (!busy && backfill !== undefined && !isUnfinished(backfill))
    return due && over && active.length === 0 && (timed?.cursor ?? 0) >= last && !(await this.#isFedDue())
  }

  async #isFedDue(): Promise<boolean> {
    const [fed] = await this.real.scheduledPipelines('fed')
    const cursor = fed?.datasetCursor ?? 0
    const updates = await this.real.datasetUpdates(cursor)
    const { schedule } = this.#scenario.fed
    return dueBy(schedule, withUpdates(schedule, nothingPending(cursor), updates)) !== null
  }

  async #checkEnd(): Promise<void> {
    const { timed, order } = this.#scenario
    const { catchup, overlap } = timed.schedule
    this.#check((await this.real.held()).length === 0, 'all runs have ended, and slots are held')
    // Where clocks went wrong, much fell due while nobody looked.
    const { jumps } = this.#scenario
    const since = Math.min(
      ...this.#serving().map(({ servesSince }) => servesSince ?? Number.POSITIVE_INFINITY),
    )
    for (const interval of intervalsOf(this.#scenario, null, beginning + lasts.schedule)) {
      const wanted = catchup === 'all' || (!jumps && interval.end > since)
      const seen =
        this.#ledger.hasRun(interval) || (overlap === 'skip' && this.#ledger.skipped.has(interval.end))
      this.#check(!wanted || seen, `${interval.end} has no run (catchup ${catchup}, overlap ${overlap})`)
    }
    const backfills = await this.real.backfills({})
    this.#check((order === null) === (backfills.length === 0), `${backfills.length} backfills`)
    for (const { id, state } of backfills) await this.#ledger.checkBackfill(id, state)
  }

  #hear(report: ScheduleReport, { bornAt }: Host): void {
    if (report.type !== 'skipped' && report.type !== 'cancelled') return
    const { pipeline, interval } = report
    if (report.type === 'skipped') this.#ledger.leftOut(pipeline, interval, report.active)
    const { jumps, timed } = this.#scenario
    const missed = pipeline === timed.name && interval.end <= bornAt
    const wanted = missed && !jumps && timed.schedule.catchup === 'all'
    this.#check(!wanted, `${interval.end} was missed, and is made by the rule of overlaps`)
  }

  #serving(): readonly Host[] {
    return this.#living.filter(({ kind }) => kind === 'serving')
  }

  #serve(): void {
    if (this.#serving().length < this.#scenario.serving) void this.#hosts.serve(this.#boot('serving'))
  }

  #command(command: Parameters<Hosts['perform']>[1]): void {
    void this.#hosts.perform(this.#boot('command'), command)
  }

  #boot(kind: Host['kind']): Host {
    const face = this.#clock.face()
    const store = fallible(this.#store, {
      hazards: this.#hazards,
      random: this.#random,
      writes,
      dead: () => face.dead,
      die: () => this.#kill(host),
      after: (then) => this.#after(pick(this.#random, this.#random.next() < 0.1 ? 15_000 : 2000), then),
      committed: () => {},
    })
    const host: Host = {
      pid: this.#pids++,
      face,
      store,
      hearers: new Set(),
      kind,
      bornAt: this.#clock.time,
      servesSince: null,
    }
    this.#living.push(host)
    return host
  }

  #kill(host: Host): void {
    if (host.face.dead) return
    this.#crashes++
    this.#leave(host)
  }

  /** A process is gone; another serves in its place before long. */
  #leave(host: Host): void {
    if (this.#stormy && host.kind === 'serving') this.#after(pick(this.#random, 30_000), () => this.#serve())
    host.face.dead = true
    this.#living = this.#living.filter((other) => other !== host)
    for (const [heard, one] of this.#bells) if (one === host) this.#bells.delete(heard)
    this.#processes.die(host)
  }

  /** A bell is heard soon, or not at all. */
  #ring(): void {
    for (const [heard, { face }] of this.#bells)
      if (this.#random.next() < 0.8)
        face.soonAfter(pick(this.#random, 50), () => this.#bells.has(heard) && heard())
  }

  async #disturb(): Promise<void> {
    const { crashAnyStep, stall, jump: jumps, pause } = this.#hazards
    const host = this.#living[pick(this.#random, this.#living.length)]
    if (host !== undefined && this.#random.next() < crashAnyStep) this.#kill(host)
    else if (host !== undefined && this.#random.next() < stall)
      host.face.stalledUntil = this.#clock.time + 15_000
    if (this.#random.next() < jumps) this.#clock.offset = (pick(this.#random, 3) - 1) * jump
    if (this.#random.next() < pause) await this.#people.pauseOrResume(this.#ledger.ids)
  }

  async #update(): Promise<void> {
    this.#updates++
    await this.#store.updateDataset(
      datasets[pick(this.#random, datasets.length)] as string,
      this.#world.now(),
    )
  }

  /** A person does something about the backfill: stops a command, pauses, goes on with it, cancels it. */
  async #meddle(): Promise<void> {
    const [backfill] = await this.real.backfills({})
    if (backfill === undefined || !isUnfinished(backfill)) return
    const commands = this.#living.filter(({ kind }) => kind === 'command')
    const draw = this.#random.next()
    if (this.#scenario.cancels && draw < 0.2) this.#cancel(backfill)
    else if (draw < 0.4) {
      for (const heard of commands[0]?.hearers ?? []) heard('interrupt')
    } else if (draw < 0.65) {
      await this.#store.moveBackfill(backfill.id, ['running'], 'paused')
      this.#ring()
    } else if (commands.length === 0 || draw > 0.85) this.#resume(backfill)
  }

  /** `dagctl backfill`: whoever gives the same command while one is unfinished goes on with it. */
  #begin(order: BackfillOrder): void {
    this.#command((stage) => performBackfill(stage, order))
  }

  /** `dagctl backfills resume`, with as many runs at once as the person likes by now. */
  #resume(backfill: BackfillRecord): void {
    const maxActive = 1 + pick(this.#random, 3)
    this.#command(async (stage) => {
      const order = await orderOfBackfill(stage.store, backfill)
      await performBackfill(stage, { ...order, maxActive })
    })
  }

  #cancel(backfill: BackfillRecord): void {
    this.#command(async (stage) => {
      const since = this.#clock.time
      if (await cancelBackfill(stage, backfill)) await this.#ledger.cancelled(backfill.id, since)
    })
  }

  /** Does it about every so many milliseconds, while the storm lasts. */
  #every(ms: number, work: () => Promise<void>): void {
    this.#world.soonAfter(ms / 2 + pick(this.#random, ms), () => {
      if (!this.#stormy) return
      work().catch((error) => this.#breaks(error))
      this.#every(ms, work)
    })
  }

  /** Whoever lives then. */
  #after(ms: number, then: () => void): void {
    this.#asked++
    this.#world.soonAfter(ms, () => {
      this.#asked--
      then()
    })
  }

  #check(holds: boolean, message: string): void {
    if (!holds) this.#broken ??= new Error(`seed ${this.#seed}: ${message}`)
    if (this.#broken !== null) throw this.#broken
  }

  #breaks(error: unknown): void {
    this.#broken ??= error as Error
  }

  async #stuck(): Promise<never> {
    const open = (await this.real.runs({ active: true })).map(
      ({ id, pipeline, backfill, state, owner }) =>
        `${pipeline} ${id} ${backfill ?? ''} ${state} of ${owner}`,
    )
    const backfills = (await this.real.backfills({})).map(({ id, state }) => `${id} ${state}`)
    throw new Error(`seed ${this.#seed}: it does not end; open: ${[...open, ...backfills].join(', ')}`)
  }
}
