/**
 * An engine: one process that owns runs by leases. Makes runs, takes over those of dead engines, hears the requests of
 * other processes. The loop itself is scheduler.ts.
 */
import type { Fingerprint } from './cache.ts'
import type { Clock, Timer } from './clock.ts'
import { bug, DagctlError } from './errors.ts'
import type { Evaluator } from './evaluator.ts'
import type { EngineIdentity } from './identity.ts'
import type { JsonObject } from './json.ts'
import { LiveRun } from './live-run.ts'
import { ManifestNotes, type ManifestNotesParts } from './manifest-notes.ts'
import type { Pipeline } from './pipeline.ts'
import type { Queue } from './queue/queue.ts'
import type { Random } from './random.ts'
import type { Report } from './report.ts'
import { type Resources, unlimited } from './resources.ts'
import { newId } from './run-id.ts'
import { Scheduler } from './scheduler.ts'
import { isEnded } from './state.ts'
import type { RunRecord } from './store/records.ts'
import type { EngineRecord, NewRun, Store, Wish } from './store/store.ts'
import type { Wake } from './wake.ts'
import type { Watch } from './wakers.ts'

/** Milliseconds that a lease holds without being renewed, and how often it is renewed. */
export const lease = { holds: 10_000, renewed: 3_000 } as const

/** What an engine is made of; the wiring chooses the concrete parts. */
export interface EngineParts {
  /** Absolute data folder. */
  readonly data: string
  readonly store: Store
  readonly queue: Queue
  readonly evaluator: Evaluator
  readonly fingerprint: Fingerprint
  readonly clock: Clock
  readonly random: Random
  readonly identity: EngineIdentity
  /** Whether an engine of this host is certainly gone. */
  readonly isGone: (identity: EngineIdentity) => boolean
  readonly wake: Wake
  /** Pools and rates; nothing is limited and nothing costs when absent. */
  readonly resources?: Resources
  /** Allow-listed variables of the environment, for templates. */
  readonly env?: { readonly [name: string]: string }
  /** Watches files for sleeping sensors; they wake by time only when absent. */
  readonly watch?: Watch
  /** What runs are made with, for their manifests. */
  readonly provenance?: (pipeline: Pipeline) => JsonObject
  /** Makes the manifests of ended runs, for the audit log; none is noted when absent. */
  readonly manifest?: ManifestNotesParts['make']
  readonly report?: (report: Report) => void
  /** `lease` when absent. A simulation, which knows who lives, renews none. */
  readonly lease?: { readonly holds: number; readonly renewed: number }
}

/** What came of the wish to take a run over. */
export type Adoption = 'adopted' | 'owned' | 'alive' | 'ended'

/** Runs pipelines. */
export class Engine {
  readonly id: string
  readonly #parts: EngineParts
  readonly #scheduler: Scheduler
  readonly #manifests: ManifestNotes | null
  /** Runs that are being reopened: who wants that too waits. */
  readonly #reopening = new Map<string, Promise<void>>()
  /** Requests that were heard; they stay in the store until what was done is. */
  readonly #heard = new Set<number>()
  #renewal: Timer | null = null
  #unlisten: (() => void) | null = null
  #failure: unknown = null
  /** The last update of a dataset whose sleepers were woken, and the newest at the last look. */
  #datasets: { readonly woken: number; readonly newest: number } | null = null
  #failed: (error: unknown) => void = () => {}
  /** Rejects when the engine fails (the store cannot be written, or a bug): nothing goes on then. Never resolves. */
  readonly failing: Promise<never>

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.id = newId(parts.clock, parts.random)
    this.failing = new Promise((_, reject) => {
      this.#failed = reject
    })
    this.failing.catch(() => {})
    this.#manifests = this.#manifestNotes()
    this.#scheduler = new Scheduler({
      ...parts,
      engine: this.id,
      resources: parts.resources ?? unlimited,
      env: parts.env ?? {},
      watch: parts.watch,
      report: (told) => {
        if (told.type === 'run' && isEnded(told.state)) this.#manifests?.look()
        parts.report?.(told)
      },
      fatal: (error) => this.#fail(error),
    })
  }

  /** Enters the engine in the store and begins to listen. */
  async start(): Promise<void> {
    await this.#renew()
    this.#unlisten = this.#parts.wake.listen(() => this.#hear())
    this.#armRenewal()
  }

  /**
   * Makes a run; it starts when its limits allow. Gives the one that there is where another engine was first to make
   * it for the same backfill and interval. @param backfillLimit the backfill's `max-active`; @param by the person who makes it
   */
  async create(
    run: Omit<NewRun, 'id' | 'audit'>,
    backfillLimit: number | null = null,
    by: string | null = null,
  ): Promise<RunRecord> {
    const { clock, random, store } = this.#parts
    const id = newId(clock, random)
    const provenance = run.provenance ?? this.#parts.provenance?.(run.pipeline)
    const { pipeline, trigger } = run
    const subject = { run: id, pipeline: pipeline.name }
    const detail = { version: pipeline.version, trigger }
    const audit = by === null ? [] : [{ what: 'run.created', who: by, subject, detail }]
    const made = { ...run, id, audit, ...(provenance !== undefined && { provenance }) }
    const record = await store.createRun(made, this.id, clock.now())
    if (record.id !== id) return record
    const begun = run.omit.length > 0 || (run.given ?? run.instances) !== undefined
    const rows = begun ? await store.tasks(record.id) : []
    this.#enter(LiveRun.restore(record, run.pipeline, rows), backfillLimit)
    return record
  }

  /** Takes a run over if its owner is dead, and goes on with it. */
  async adopt(id: string, backfillLimit: number | null = null): Promise<Adoption> {
    const { store } = this.#parts
    if (this.#scheduler.has(id)) return 'owned'
    const record = await this.#record(id)
    if (!(await this.#isOrphan(record))) return 'alive'
    const left = await store.tasks(id)
    if (isEnded(record.state) && !left.some((task) => task.holding)) return 'ended'
    const fence = await store.takeOver(id, record, this.id)
    if (fence === null) return 'alive'
    const pipeline = await this.#pipelineOf(record)
    const current = { ...((await store.run(id)) ?? record), owner: this.id, fence }
    const limit = backfillLimit ?? (await this.#maxActive(record.backfill))
    this.#enter(LiveRun.restore(current, pipeline, await store.tasks(id)), limit)
    this.#hear()
    return 'adopted'
  }

  /** Cancels a run that this engine owns. */
  cancel(id: string): void {
    this.wish(id, { kind: 'cancel' }, 'this process')
  }

  /** Cancels every run of this engine. */
  cancelAll(): void {
    for (const id of this.#scheduler.active) this.cancel(id)
  }

  /** Does what a person wishes of a run that this engine owns and that has not ended. */
  wish(id: string, wish: Wish, by: string): void {
    this.#scheduler.wish(id, wish, { by, at: this.#parts.clock.now() })
  }

  /**
   * Takes a run up that has ended, and goes on with it as the wish (`retry`, `mark`) says, once that is durable; it is over
   * again at once where the wish changes nothing. One after the other: who comes later finds the run as it is then.
   * `alive` where another engine has it and it has not ended, or an attempt of it is still leaving.
   */
  async reopen(id: string, wish: Wish, by: string): Promise<Adoption | 'reopened'> {
    const before = this.#reopening.get(id) ?? Promise.resolve()
    const mine = before.then(() => Promise.race([this.#reopen(id, wish, by), this.failing]))
    const over = mine.then(
      () => {},
      () => {},
    )
    this.#reopening.set(id, over)
    try {
      return await mine
    } finally {
      if (this.#reopening.get(id) === over) this.#reopening.delete(id)
    }
  }

  async #reopen(id: string, wish: Wish, by: string): Promise<Adoption | 'reopened'> {
    const { store, clock } = this.#parts
    for (;;) {
      const { state, fence } = await this.#record(id)
      const tasks = await store.tasks(id)
      // What of an ended run still runs, after a cancel, is waited for.
      if (!isEnded(state) || tasks.some(({ holding }) => holding) || this.#scheduler.has(id)) {
        const adoption = await this.adopt(id)
        if (adoption === 'alive') return adoption
        if (await this.#scheduler.wish(id, wish, { by, at: clock.now() })) return adoption
        await this.#scheduler.finished(id)
        continue
      }
      // Read after the rows: what the last attempt cost is written with its end.
      const record = await this.#record(id)
      if (record.fence !== fence || record.state !== state) continue
      const run = LiveRun.takenUp(record, await this.#pipelineOf(record), tasks, this.id)
      run.maxActive = await this.#maxActive(record.backfill)
      if (this.#scheduler.has(id)) continue
      if (await this.#scheduler.reopen(run, wish, { by, at: clock.now() })) return 'reopened'
    }
  }

  /** The run as it ended. Rejects when the engine fails. */
  async finished(id: string): Promise<RunRecord> {
    await Promise.race([this.#scheduler.finished(id), this.failing])
    if (this.#failure !== null) throw this.#failure
    return (await this.#parts.store.run(id)) as RunRecord
  }

  /** Starts nothing any more; resolves when no attempt runs here. Runs stay active, for a later engine. */
  async drain(): Promise<void> {
    await Promise.race([this.#scheduler.drain(), this.failing])
  }

  /** Leaves: what runs in processes is left running, to be attached to by a later engine. */
  async stop(): Promise<void> {
    this.#silence()
    this.#scheduler.close()
    await this.#parts.queue.close()
    await this.#manifests?.close()
    if (this.#failure === null) await this.#parts.store.leave(this.id)
  }

  #manifestNotes(): ManifestNotes | null {
    const { store, clock, manifest } = this.#parts
    if (manifest === undefined) return null
    const failed = (error: unknown) => this.#fail(error)
    return new ManifestNotes({ store, clock, engine: this.id, make: manifest, failed })
  }

  #enter(run: LiveRun, maxActive: number | null): void {
    run.maxActive = maxActive
    this.#scheduler.add(run)
  }

  async #record(id: string): Promise<RunRecord> {
    const record = await this.#parts.store.run(id)
    if (record !== null) return record
    throw new DagctlError('E205', `there is no run ${id}`, { kind: 'usage', hint: 'dagctl runs list' })
  }

  async #pipelineOf({ id, version }: RunRecord): Promise<Pipeline> {
    const pipeline = await this.#parts.store.pipeline(version)
    if (pipeline === null) throw bug(`version ${version} of run ${id} is not in the store`)
    return pipeline
  }

  async #maxActive(backfill: string | null): Promise<number | null> {
    if (backfill === null) return null
    return (await this.#parts.store.backfills({ id: backfill }))[0]?.maxActive ?? null
  }

  async #isOrphan(record: RunRecord): Promise<boolean> {
    if (record.owner === this.id) return false
    const owner = (await this.#parts.store.engines()).find(({ id }) => id === record.owner)
    return owner === undefined || owner.leaseUntil < this.#parts.clock.now() || this.#parts.isGone(owner)
  }

  #self(): EngineRecord {
    return {
      ...this.#parts.identity,
      id: this.id,
      leaseUntil: this.#parts.clock.now() + (this.#parts.lease ?? lease).holds,
    }
  }

  #armRenewal(): void {
    const { clock } = this.#parts
    this.#renewal = clock.at(clock.now() + (this.#parts.lease ?? lease).renewed, () => {
      this.#renew().then(
        () => {
          if (this.#renewal === null) return
          this.#hear()
          this.#armRenewal()
        },
        (error) => this.#fail(error),
      )
    })
  }

  async #renew(): Promise<void> {
    const { store } = this.#parts
    await store.renew(this.#self())
    this.#manifests?.look()
    // Whether the lease ran out meanwhile our own clock cannot tell: it may have been set back. A run that only sleeps
    // writes nothing by which its loss would be noticed.
    const owned = new Set(await store.owned(this.id))
    for (const id of this.#scheduler.active)
      if (!owned.has(id) && (await store.run(id))?.owner !== this.id) this.#scheduler.lose(id)
    await this.#lookElsewhere()
    // Of a cancelled run whose engine died an attempt may be left, whose slot nobody else would ever free.
    for (const id of await store.leftovers()) await this.adopt(id)
  }

  /** Wakes tasks that sleep until something happens that another process may have done. */
  async #lookElsewhere(): Promise<void> {
    const { store } = this.#parts
    const { wakers } = this.#scheduler
    for (const id of wakers.runs) {
      const run = await store.run(id)
      if (run === null || isEnded(run.state)) wakers.runEnded(id)
    }
    const newest = await store.newestDatasetUpdate()
    const { woken = newest, newest: before = newest } = this.#datasets ?? {}
    if (wakers.waitsForDatasets && woken < newest)
      for (const { uri } of await store.datasetUpdates(woken)) wakers.datasetUpdated(uri)
    // Where nobody sleeps, one look behind: what comes between a sensor's own look and its sleep is to wake it.
    this.#datasets = { woken: wakers.waitsForDatasets ? newest : before, newest }
  }

  /** Looks for requests, and at limits that other engines share. */
  #hear(): void {
    this.#scheduler.look()
    this.#parts.store.requests(this.id).then(
      (requests) => {
        const at = this.#parts.clock.now()
        const open = new Set(requests.map(({ id }) => id))
        for (const id of this.#heard) if (!open.has(id)) this.#heard.delete(id)
        for (const { id, run, wish, by } of requests) {
          if (this.#heard.has(id)) continue
          this.#heard.add(id)
          // Kept for the next look where it came too early.
          this.#scheduler.wish(run, wish, { by, at }, id).then((done) => done || this.#heard.delete(id))
        }
      },
      (error) => this.#fail(error),
    )
  }

  #silence(): void {
    this.#renewal?.cancel()
    this.#renewal = null
    this.#unlisten?.()
    this.#unlisten = null
  }

  #fail(error: unknown): void {
    if (this.#failure !== null) return
    this.#failure = error
    this.#silence()
    this.#scheduler.close()
    this.#failed(error)
  }
}
