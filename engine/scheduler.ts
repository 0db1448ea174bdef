/**
 * The loop: collect what happened, apply it, commit once, then start what became ready. Decide, commit, act.
 * Knows nothing of YAML, of any operator, or of how an attempt runs.
 */
import { asFault } from './errors.ts'
import { attemptOf, prepare, type Surroundings } from './executor.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import { Occurrences } from './occurrences.ts'
import { begin } from './plan.ts'
import { Preemptor } from './preemptor.ts'
import { taskReport } from './report.ts'
import { Reuse } from './reuse.ts'
import { RunQueue } from './run-queue.ts'
import type { SchedulerParts } from './scheduler-parts.ts'
import { endpointsOf, Starter } from './starter.ts'
import { isEnded, nextRunState, nextTaskState } from './state.ts'
import type { Batch, DeniedBy } from './store/batch.ts'
import type { Wish } from './store/store.ts'
import { type Claim, reportsOf, type Written, writeOf, writeOfClaim } from './turn.ts'
import type { Wakers } from './wakers.ts'
import { grant, type Wisher } from './wishes.ts'

/** Runs the runs that one engine owns. */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #around: Surroundings
  readonly #runs = new Map<string, LiveRun>()
  readonly #queued = new RunQueue()
  readonly #starter: Starter
  readonly #occurrences: Occurrences
  readonly #reuse: Reuse
  readonly #preemptor: Preemptor
  readonly #ended = new Map<string, (() => void)[]>()
  #inbox: (() => void)[] = []
  #touched = new Set<LiveRun>()
  #acts: (() => void)[] = []
  #asking = 0
  #turning = false
  #draining = false
  #closed = false
  #drained: (() => void) | null = null

  constructor(parts: SchedulerParts) {
    const { clock, queue, resources, store, evaluator, env } = parts
    this.#parts = parts
    this.#around = { evaluator, env }
    this.#reuse = new Reuse(store, parts.fingerprint, clock)
    const occurrences = new Occurrences(parts, this.#around, {
      owns: (run) => this.#owns(run),
      post: (work) => this.#post(work),
      ask: (question, then) => this.#ask(question, then),
      changed: (run) => this.#touched.add(run),
      act: (work) => this.#acts.push(work),
      unqueue: (run) => this.#queued.remove(run),
    })
    this.#occurrences = occurrences
    const { breakers, allowances } = occurrences
    this.#starter = new Starter(
      { queue, clock, resources, around: this.#around, reuse: this.#reuse, breakers },
      {
        owns: (run) => this.#owns(run),
        touch: (run, node, change) => occurrences.touch(run, node, change),
        ask: (question, then) => this.#ask(question, then),
        wakeAt: (run, node, at) => occurrences.comeBack(run, node, at),
        affords: (run, at) => allowances.affords(run, at),
        circumstances: () => occurrences.circumstances(),
      },
    )
    occurrences.starter = this.#starter
    this.#preemptor = new Preemptor(occurrences.attempts)
  }

  /** Takes up a run that this engine owns: a new one, or one that it took over. */
  add(run: LiveRun): void {
    this.#enter(run, () => {
      if (run.state === 'queued') this.#queued.push(run)
      else this.#resume(run)
    })
  }

  /**
   * Takes up a run that has ended, so that a wish (retry, mark) can take its end back; it is over again at once where that
   * changes nothing. Resolves when it is durable, with false where another engine was first.
   */
  reopen(run: LiveRun, wish: Wish, wisher: Wisher): Promise<boolean> {
    return new Promise((resolve) => {
      const work = () => {
        grant(run, wish, wisher)
        this.#touched.add(run)
        if (run.state === 'queued') this.#queued.push(run)
        this.#acts.push(() => {
          resolve(!run.lost)
          this.#closeRun(run)
        })
      }
      this.#enter(run, work, () => resolve(false))
    })
  }

  #enter(run: LiveRun, work: () => void, gone = () => {}): void {
    this.#runs.set(run.record.id, run)
    this.#post(() => {
      if (!this.#owns(run)) return gone()
      work()
      this.#occurrences.allowances.watch(run)
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

  /**
   * Does what a person wishes of a run; `request` is done with it. Resolves with false where nothing was done: the run is
   * not here, or it is too early.
   */
  wish(id: string, wish: Wish, wisher: Wisher, request?: number): Promise<boolean> {
    return new Promise((resolve) => this.#post(() => resolve(this.#grant(id, wish, wisher, request))))
  }

  #grant(id: string, wish: Wish, wisher: Wisher, request?: number): boolean {
    const run = this.#runs.get(id)
    if (run === undefined) return false
    const before = run.state
    const { done, stop } = grant(run, wish, wisher)
    if (!done) return false
    if (request !== undefined) run.answered(request)
    this.#touched.add(run)
    for (const node of stop) this.#acts.push(() => this.#occurrences.attempts.stop(node, 'cancel'))
    for (const node of run.changed) this.#occurrences.settled(run, node)
    if (wish.kind === 'cancel') this.#queued.remove(run)
    if (run.state !== before) this.#moved(run)
    return true
  }

  /** Resolves when the run has ended and none of its attempts runs, or when it is no longer ours. */
  finished(id: string): Promise<void> {
    if (!this.#runs.has(id)) return Promise.resolve()
    return new Promise((resolve) => this.#ended.set(id, [...(this.#ended.get(id) ?? []), resolve]))
  }

  /** Lets go of a run that another engine owns by now. */
  lose(id: string): void {
    const run = this.#runs.get(id)
    this.#post(() => this.#lost(run))
  }

  /** Looks again at whatever waits for a limit that other engines share, and at the clock. */
  look(): void {
    this.#occurrences.alarm.look()
    this.#post(() => {
      this.#starter.reopen()
      this.#queued.reopen()
    })
  }

  /** What happens elsewhere and wakes tasks here. */
  get wakers(): Wakers {
    return this.#occurrences.wakers
  }

  /** Starts nothing any more and asks what runs to leave; what does not end in success goes back to ready. */
  drain(): Promise<void> {
    this.#draining = true
    this.#occurrences.attempts.stopAll('shutdown')
    return new Promise((resolve) => {
      this.#drained = resolve
      this.#post(() => {})
    })
  }

  /** Stops turning. What runs is left running, to be attached to later. */
  close(): void {
    this.#closed = true
    this.#occurrences.clearAlarms()
    for (const run of this.#runs.values()) this.#occurrences.wakers.forget(run)
    for (const id of [...this.#ended.keys()]) this.#resolveEnded(id)
  }

  /** A person took the run itself from state to state. */
  #moved(run: LiveRun): void {
    if (run.state === 'queued') this.#queued.push(run)
    else this.#queued.remove(run)
    if (run.state === 'running')
      for (const node of run.nodes) if (node.state === 'ready') run.readied.push(node)
    if (!isEnded(run.state)) {
      const { state } = run
      this.#acts.push(() => this.#parts.report({ type: 'run', run: run.record.id, state, at: this.#now() }))
    }
  }

  /** A run that is already under way: attempts are found again, alarms set, ready tasks queued. */
  #resume(run: LiveRun): void {
    this.#touched.add(run)
    for (const node of run.nodes) {
      if (node.holding) this.#attach(run, node)
      else if (node.state === 'ready') run.readied.push(node)
      if (node.state === 'sleeping' || node.state === 'retrying') {
        if (node.wakeAt !== null) this.#occurrences.comeBack(run, node, node.wakeAt)
        this.#occurrences.listenFor(run, node)
      }
      if (node.continues && node.tryStartedAt !== null) this.#occurrences.attempts.watchTimeout(run, node)
    }
    if (isEnded(run.state)) this.#acts.push(() => this.#closeRun(run))
    else begin(run, this.#now())
  }

  #attach(run: LiveRun, node: Node): void {
    const prepared = prepare(run, node, this.#around)
    const inputs = prepared.type === 'start' ? prepared : { input: {}, env: {} }
    this.#acts.push(() => {
      this.#occurrences.attempts.attach(run, node, attemptOf(run, node, inputs, this.#parts.data))
      // Its task has ended, or is to be tried again once it has left.
      if (node.state !== 'running') this.#occurrences.attempts.stop(node, 'cancel')
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
    const chosen = this.#draining ? [] : this.#starter.choose(this.#touched, at)
    // What was chosen may have ended since: its run is over its budget.
    const claims = chosen.filter(({ node }) => node.state === 'ready')
    this.#withdraw(chosen.filter(({ node }) => node.state !== 'ready'))
    for (const { run } of claims) this.#touched.add(run)
    const starts = this.#draining ? [] : this.#queued.candidates()
    const { batch, written } = this.#collect(at, claims, starts)
    const acts = this.#acts
    this.#acts = []
    if (batch.runs.length + batch.starts.length > 0) {
      // A run may be taken up anew meanwhile: then what was lost is the old one.
      const asked = new Map([...batch.runs, ...batch.starts].map(({ run }) => [run, this.#runs.get(run)]))
      const result = await this.#parts.store.commit(batch)
      if (this.#closed) return
      for (const id of result.lost) this.#lost(asked.get(id))
      const durable = written.filter(({ run }) => this.#owns(run))
      for (const report of reportsOf(durable, at)) this.#parts.report(report)
      this.#act(claims, result.denied)
      this.#startRuns(starts, new Set(result.started), at)
      for (const { run } of durable) this.#closeRun(run)
    }
    for (const act of acts) act()
    const busy = this.#occurrences.attempts.size + this.#inbox.length + this.#asking
    if (this.#drained !== null && busy === 0) this.#drained()
  }

  /** Everything that the turn decided, as one transaction. */
  #collect(
    at: number,
    claims: readonly Claim[],
    starts: Batch['starts'],
  ): { batch: Batch; written: Written[] } {
    const claiming = new Set(claims.map(({ run }) => run))
    const written: Written[] = []
    for (const run of this.#touched) {
      // What was let go is another's to write; its refusal would count against the run as it was taken up anew.
      if (!this.#owns(run)) continue
      const write = writeOf(run, claiming.has(run), this.#reuse.take(run), at)
      if (write !== null) written.push({ run, write })
    }
    this.#touched = new Set()
    const runs = written.map(({ write }) => write)
    return {
      batch: { engine: this.#parts.engine, at, runs, claims: claims.map(writeOfClaim), starts },
      written,
    }
  }

  /** Nothing comes of these claims: whoever waited for one of them has a turn of its own. */
  #withdraw(claims: readonly Claim[]): void {
    for (const claim of claims) this.#starter.withdraw(claim)
    if (claims.length > 0) this.#post(() => {})
  }

  /** Starts what was granted; what had no room goes back to where it stood. */
  #act(claims: readonly Claim[], denied: ReadonlyMap<number, DeniedBy>): void {
    const back: { claim: Claim; by: DeniedBy }[] = []
    for (const [place, claim] of claims.entries()) {
      const { run, node, start, patch } = claim
      if (!this.#owns(run)) {
        this.#withdraw([claim])
        continue
      }
      const by = denied.get(place)
      if (by !== undefined) {
        back.push({ claim, by })
        continue
      }
      Object.assign(node, patch, { state: nextTaskState(node.state, 'claim'), attempt: node.attempt + 1 })
      this.#occurrences.allowances.began(run, node)
      this.#occurrences.asks(node, endpointsOf(run, node, start))
      this.#parts.report(taskReport(run, node, 'claim', this.#now()))
      this.#occurrences.attempts.start(run, node, attemptOf(run, node, start, this.#parts.data))
    }
    for (const { claim, by } of back.toReversed()) this.#starter.putBack(claim, by)
    // The slots that they were meant for are still free for what is under other limits.
    if (back.length > 0) this.#post(() => {})
    const waiting = this.#preemptor.wanted(back)
    if (waiting.length > 0)
      this.#ask(this.#parts.store.held(), (held) => this.#preemptor.preempt(waiting, held))
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
      run.startedAt ??= at
      this.#parts.report({ type: 'run', run: id, state: run.state, at })
      this.#post(() => this.#resume(run))
    }
  }

  /** Lets go of a run that has ended, once none of its attempts runs. */
  #closeRun(run: LiveRun): void {
    if (!this.#owns(run) || !isEnded(run.state) || run.nodes.some((node) => node.holding)) return
    this.#queued.ended(run)
    this.#drop(run)
    this.#occurrences.wakers.runEnded(run.record.id)
  }

  #lost(run: LiveRun | undefined): void {
    if (run === undefined) return
    run.lost = true
    if (this.#owns(run)) this.#drop(run)
  }

  #drop(run: LiveRun): void {
    const { id } = run.record
    this.#runs.delete(id)
    this.#queued.remove(run)
    this.#occurrences.forget(run)
    this.#reuse.forget(run)
    this.#resolveEnded(id)
    // Runs may wait for its place, and tasks for what its attempts would have told.
    if (this.#queued.length > 0 || !isEnded(run.state)) this.#post(() => {})
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
    this.#asking++
    question.then(
      (answer) =>
        this.#post(() => {
          this.#asking--
          then(answer)
        }),
      (error) => this.#parts.fatal(asFault(error)),
    )
  }

  #now(): number {
    return this.#parts.clock.now()
  }
}
