/**
 * The loop: collect what happened, apply it, commit once, then start what became ready. Decide, commit, act.
 * Knows nothing of YAML, of any operator, or of how an attempt runs.
 */
import { Alarm } from './alarm.ts'
import { type AttemptListener, Attempts } from './attempts.ts'
import type { Fingerprint } from './cache.ts'
import type { Clock } from './clock.ts'
import { DagctlError } from './errors.ts'
import type { Evaluator } from './evaluator.ts'
import { attemptOf, judge, prepare } from './executor.ts'
import type { Json } from './json.ts'
import type { LiveRun, Node } from './live-run.ts'
import type { Outcome } from './outcome.ts'
import { apply, begin, cancelAll } from './plan.ts'
import type { Queue } from './queue/queue.ts'
import type { Random } from './random.ts'
import { attemptReport, type Report, taskReport } from './report.ts'
import { Reuse } from './reuse.ts'
import { RunQueue } from './run-queue.ts'
import type { AttemptEvent } from './runtime/runtime.ts'
import { fail, settle } from './settle.ts'
import { Starter } from './starter.ts'
import { isEnded, nextRunState, nextTaskState } from './state.ts'
import type { Batch, DeniedBy, Store } from './store/store.ts'
import { type Claim, type Written, writeOf, writeOfClaim } from './turn.ts'

/** What a scheduler works with; everything from outside comes in here. */
export interface SchedulerParts {
  /** The engine's id. */
  readonly engine: string
  /** Absolute data folder: attempts, artifacts and checkpoints lie below it. */
  readonly data: string
  readonly store: Store
  readonly queue: Queue
  readonly evaluator: Evaluator
  readonly fingerprint: Fingerprint
  readonly clock: Clock
  readonly random: Random
  readonly report: (report: Report) => void
  /** The store failed, or we have a bug: nothing goes on. */
  readonly fatal: (error: unknown) => void
}

/** Runs the runs that one engine owns. */
export class Scheduler implements AttemptListener {
  readonly #parts: SchedulerParts
  readonly #runs = new Map<string, LiveRun>()
  readonly #queued = new RunQueue()
  readonly #starter: Starter
  readonly #alarm: Alarm
  readonly #attempts: Attempts
  readonly #reuse: Reuse
  readonly #ended = new Map<string, (() => void)[]>()
  #inbox: (() => void)[] = []
  #touched = new Set<LiveRun>()
  #acts: (() => void)[] = []
  #answered = new Map<LiveRun, number[]>()
  #turning = false
  #draining = false
  #closed = false
  #drained: (() => void) | null = null

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    this.#alarm = new Alarm(parts.clock)
    this.#reuse = new Reuse(parts.store, parts.fingerprint, parts.clock)
    this.#starter = new Starter(
      { ...parts, reuse: this.#reuse },
      {
        owns: (run) => this.#owns(run),
        touch: (run, node, change) => this.#touch(run, node, change),
        ask: (question, then) => this.#ask(question, then),
        wakeAt: (run, node, at) => this.#wakeAt(run, node, at),
      },
    )
    this.#attempts = new Attempts(parts.queue, this.#alarm, this)
  }

  /** Takes up a run that this engine owns: a new one, or one that it took over. */
  add(run: LiveRun, backfillLimit: number | null): void {
    this.#runs.set(run.record.id, run)
    this.#post(() => {
      if (run.state === 'queued') this.#queued.push(run, backfillLimit)
      else this.#resume(run)
    })
  }

  /** Whether this engine has the run. */
  has(run: string): boolean {
    return this.#runs.has(run)
  }

  /** Every run that has not come to its end. */
  get active(): readonly string[] {
    return [...this.#runs.keys()]
  }

  /** Cancels a run: its open tasks at once, its attempts by SIGTERM and, after the grace, SIGKILL. */
  cancel(id: string, request?: number): void {
    this.#post(() => {
      const run = this.#runs.get(id)
      if (run === undefined) return
      if (request !== undefined) this.#answered.set(run, [...(this.#answered.get(run) ?? []), request])
      this.#touched.add(run)
      if (isEnded(run.state)) return
      this.#queued.remove(run)
      for (const node of cancelAll(run, this.#now()))
        this.#acts.push(() => this.#attempts.stop(node, 'cancel'))
    })
  }

  /** Resolves when the run has ended and none of its attempts runs, or when it is no longer ours. */
  finished(id: string): Promise<void> {
    if (!this.#runs.has(id)) return Promise.resolve()
    return new Promise((resolve) => this.#ended.set(id, [...(this.#ended.get(id) ?? []), resolve]))
  }

  /** Lets go of a run that another engine owns by now. */
  lose(id: string): void {
    this.#post(() => this.#drop(id))
  }

  /** Looks again at whatever waits for a limit that other engines share, and at the clock. */
  look(): void {
    this.#alarm.look()
    this.#post(() => {
      this.#starter.reopen()
      this.#queued.reopen()
    })
  }

  /** Starts nothing any more and asks what runs to leave; what does not end in success goes back to ready. */
  drain(): Promise<void> {
    this.#draining = true
    this.#attempts.stopAll('shutdown')
    return new Promise((resolve) => {
      this.#drained = resolve
      this.#post(() => {})
    })
  }

  /** Stops turning. What runs is left running, to be attached to later. */
  close(): void {
    this.#closed = true
    this.#alarm.clear()
    for (const id of [...this.#ended.keys()]) this.#resolveEnded(id)
  }

  ended(run: LiveRun, node: Node, attempt: number, outcome: Outcome): void {
    const { gate } = run.task(node)
    if (outcome.type !== 'succeeded' || !gate.some((expression) => expression.includes('baseline'))) {
      this.#post(() => this.#settle(run, node, attempt, outcome, null))
      return
    }
    this.#ask(this.#parts.store.baseline(run.record.pipeline, run.task(node).id), (baseline) =>
      this.#settle(run, node, attempt, outcome, baseline),
    )
  }

  timedOut(run: LiveRun, node: Node): void {
    this.#post(() => {
      if (!this.#owns(run) || isEnded(node.state) || node.state === 'retrying') return
      // It was started meanwhile, with an alarm of its own; or its outcome is at hand, and tells.
      if (node.state === 'running') return
      const message = `did not end within ${(run.task(node).timeout ?? 0) / 1000} s`
      this.#touch(run, node, () => fail(run, node, { kind: 'timeout', message }, this.#circumstances()))
    })
  }

  said(run: LiveRun, node: Node, event: AttemptEvent): void {
    if (this.#owns(run)) this.#parts.report(attemptReport(run, node, event))
  }

  #settle(run: LiveRun, node: Node, attempt: number, raw: Outcome, baseline: Json): void {
    if (!this.#owns(run) || node.attempt !== attempt) return
    this.#starter.reopen(run.record.pipeline)
    if (node.state !== 'running') {
      // Cancelled meanwhile: the late outcome changes nothing but that the slot is free.
      run.amend(node, { holding: false })
      this.#touched.add(run)
      return
    }
    const outcome = judge(run, node, raw, baseline, this.#parts.evaluator)
    this.#touch(run, node, () => settle(run, node, outcome, this.#circumstances()))
  }

  /** Applies a change to a node and sets the alarms that its new state asks for. */
  #touch(run: LiveRun, node: Node, change: () => void): void {
    change()
    this.#touched.add(run)
    if (node.continues) this.#attempts.watchTimeout(run, node)
    else this.#attempts.endTry(node)
    if (node.wakeAt !== null && node.state !== 'ready') this.#wakeAt(run, node, node.wakeAt)
  }

  #wakeAt(run: LiveRun, node: Node, at: number): void {
    this.#alarm.at(at, () =>
      this.#post(() => {
        if (!this.#owns(run) || node.wakeAt !== at) return
        // A released task is ready all along, but not before this time.
        if (node.state === 'ready') this.#starter.push({ run, node })
        else if (node.state === 'sleeping')
          this.#touch(run, node, () => apply(run, node, 'wake', this.#now(), { patch: { wakeAt: null } }))
        else if (node.state === 'retrying')
          this.#touch(run, node, () =>
            apply(run, node, 'retry_due', this.#now(), { patch: { wakeAt: null } }),
          )
      }),
    )
  }

  /** A run that is already under way: attempts are found again, alarms set, ready tasks queued. */
  #resume(run: LiveRun): void {
    this.#touched.add(run)
    for (const node of run.nodes) {
      if (node.holding) this.#attach(run, node)
      else if (node.state === 'ready') run.readied.push(node)
      if (node.wakeAt !== null && (node.state === 'sleeping' || node.state === 'retrying'))
        this.#wakeAt(run, node, node.wakeAt)
      if (node.continues) this.#attempts.watchTimeout(run, node)
    }
    if (isEnded(run.state)) this.#acts.push(() => this.#closeRun(run))
    else begin(run, this.#now())
  }

  #attach(run: LiveRun, node: Node): void {
    const prepared = prepare(run, node, this.#parts.evaluator)
    const inputs = prepared.type === 'start' ? prepared : { input: {}, env: {} }
    this.#acts.push(() => {
      this.#attempts.attach(run, node, attemptOf(run, node, inputs, this.#parts.data))
      if (isEnded(node.state)) this.#attempts.stop(node, 'cancel')
    })
  }

  #post(work: () => void): void {
    this.#inbox.push(work)
    if (this.#turning || this.#closed) return
    this.#turning = true
    this.#parts.clock.soon(() => this.#loop())
  }

  #loop(): void {
    this.#turn().then(
      () => {
        this.#turning = false
        if (this.#inbox.length > 0) this.#post(() => {})
      },
      (error) => {
        this.close()
        this.#parts.fatal(error)
      },
    )
  }

  async #turn(): Promise<void> {
    if (this.#closed) return
    const inbox = this.#inbox
    this.#inbox = []
    for (const work of inbox) work()
    // Read after the work: no run ends, and no task starts, before the end of what it waited for.
    const at = this.#now()
    const claims = this.#draining ? [] : this.#starter.choose(this.#touched, at)
    for (const { run } of claims) this.#touched.add(run)
    const starts = this.#draining ? [] : this.#queued.candidates()
    const { batch, written } = this.#collect(at, claims, starts)
    const acts = this.#acts
    this.#acts = []
    if (batch.runs.length + batch.starts.length > 0) {
      const result = await this.#parts.store.commit(batch)
      if (this.#closed) return
      for (const id of result.lost) this.#drop(id)
      const durable = written.filter(({ run }) => this.#owns(run))
      this.#tell(durable, at)
      this.#act(claims, result.denied)
      this.#startRuns(starts, new Set(result.started), at)
      for (const { run } of durable) this.#closeRun(run)
    }
    for (const act of acts) act()
    if (this.#drained !== null && this.#attempts.size === 0 && this.#inbox.length === 0) this.#drained()
  }

  /** Everything that the turn decided, as one transaction. */
  #collect(
    at: number,
    claims: readonly Claim[],
    starts: Batch['starts'],
  ): { batch: Batch; written: Written[] } {
    const claimed = Map.groupBy(claims, (claim) => claim.run)
    const written: Written[] = []
    for (const run of this.#touched) {
      const extras = { answered: this.#answered.get(run), cache: this.#reuse.take(run) }
      const write = writeOf(run, claimed.get(run) ?? [], extras, at)
      if (write !== null) written.push({ run, write })
    }
    this.#touched = new Set()
    this.#answered = new Map()
    return {
      batch: {
        engine: this.#parts.engine,
        at,
        runs: written.map(({ write }) => write),
        claims: claims.map(writeOfClaim),
        starts,
      },
      written,
    }
  }

  /** Starts what was granted; what had no room goes back to where it stood. */
  #act(claims: readonly Claim[], denied: ReadonlyMap<number, DeniedBy>): void {
    const back: Claim[] = []
    for (const [place, claim] of claims.entries()) {
      const { run, node, start, patch } = claim
      if (!this.#owns(run)) continue
      if (denied.has(place)) {
        back.push(claim)
        continue
      }
      Object.assign(node, patch, { state: nextTaskState(node.state, 'claim'), attempt: node.attempt + 1 })
      this.#parts.report(taskReport(run, node, 'claim', this.#now()))
      this.#attempts.start(run, node, attemptOf(run, node, start, this.#parts.data))
    }
    this.#starter.putBack(back)
  }

  #startRuns(starts: Batch['starts'], started: ReadonlySet<string>, at: number): void {
    const owned = starts
      .flatMap(({ run }) => this.#runs.get(run) ?? [])
      .filter((run) => run.state === 'queued')
    for (const run of owned.filter(({ record }) => !started.has(record.id)).toReversed())
      this.#queued.putBack(run)
    for (const run of owned.filter(({ record }) => started.has(record.id))) {
      const { id } = run.record
      this.#queued.remove(run)
      run.state = nextRunState(run.state, 'start')
      run.startedAt = at
      this.#parts.report({ type: 'run', run: id, state: run.state, at })
      this.#post(() => this.#resume(run))
    }
  }

  #tell(written: readonly Written[], at: number): void {
    for (const { run, write } of written) {
      for (const { node, events } of write.tasks) {
        for (const { event } of events)
          this.#parts.report(taskReport(run, run.nodes[node] as Node, event, at))
      }
      if (write.state) this.#parts.report({ type: 'run', run: run.record.id, state: write.state.to, at })
    }
  }

  /** Lets go of a run that has ended, once none of its attempts runs. */
  #closeRun(run: LiveRun): void {
    if (!isEnded(run.state) || run.nodes.some((node) => node.holding)) return
    this.#queued.ended(run)
    this.#drop(run.record.id)
  }

  #drop(id: string): void {
    const run = this.#runs.get(id)
    if (run === undefined) return
    this.#runs.delete(id)
    this.#queued.remove(run)
    this.#attempts.forget(run)
    this.#reuse.forget(run)
    this.#resolveEnded(id)
    if (this.#queued.length > 0) this.#post(() => {})
  }

  #resolveEnded(id: string): void {
    for (const resolve of this.#ended.get(id) ?? []) resolve()
    this.#ended.delete(id)
  }

  #owns(run: LiveRun): boolean {
    return this.#runs.get(run.record.id) === run
  }

  /** Waits for an answer from outside the turn, and goes on with it inside one. */
  #ask<Answer>(question: Promise<Answer>, then: (answer: Answer) => void): void {
    question.then(
      (answer) => this.#post(() => then(answer)),
      (error) =>
        this.#parts.fatal(
          error instanceof DagctlError
            ? error
            : new DagctlError('E503', String(error), { kind: 'infrastructure', cause: error }),
        ),
    )
  }

  #now(): number {
    return this.#parts.clock.now()
  }

  #circumstances() {
    return { at: this.#now(), random: this.#parts.random }
  }
}
