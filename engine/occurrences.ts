/**
 * What happens to nodes from outside the loop (outcomes, alarms, wake-up calls, passed allowances), and what is set up
 * after each change of a node. Decides nothing itself: what an event means is settle.ts and plan.ts.
 */
import { Alarm } from './alarm.ts'
import { type AllowanceListener, Allowances } from './allowances.ts'
import { type AttemptListener, Attempts } from './attempts.ts'
import { Breakers } from './breaker.ts'
import type { Timer } from './clock.ts'
import { judge, type Surroundings, setOf } from './executor.ts'
import type { Json } from './json.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { Outcome } from './outcome.ts'
import { apply, failAll } from './plan.ts'
import { attemptReport, runReport } from './report.ts'
import type { AttemptEvent } from './runtime/runtime.ts'
import type { SchedulerParts } from './scheduler-parts.ts'
import { type Circumstances, fail, settle } from './settle.ts'
import type { Starter } from './starter.ts'
import { isEnded, nextRunState } from './state.ts'
import { Wakers } from './wakers.ts'

/** What the loop offers. */
export interface Turns {
  owns(run: LiveRun): boolean
  /** Does it in the next turn. */
  post(work: () => void): void
  /** Waits for an answer from outside the turn, and goes on with it inside one. */
  ask<Answer>(question: Promise<Answer>, then: (answer: Answer) => void): void
  /** Something of the run has to be written. */
  changed(run: LiveRun): void
  /** Done after this turn's commit. */
  act(work: () => void): void
  /** The run no longer waits to be started. */
  unqueue(run: LiveRun): void
}

/** The occurrences of one engine. */
export class Occurrences implements AttemptListener, AllowanceListener {
  readonly alarm: Alarm
  readonly attempts: Attempts
  readonly wakers: Wakers
  readonly allowances: Allowances
  readonly breakers = new Breakers()
  readonly #parts: SchedulerParts
  readonly #timeouts: Alarm
  readonly #around: Surroundings
  readonly #turns: Turns
  /** The endpoints that running attempts ask. */
  readonly #endpoints = new Map<Node, readonly string[]>()
  /** When nodes are come back to: one call for each. */
  readonly #calls = new Map<Node, Timer>()
  #starter: Starter | null = null

  constructor(parts: SchedulerParts, around: Surroundings, turns: Turns) {
    this.#parts = parts
    this.#around = around
    this.#turns = turns
    this.alarm = new Alarm(parts.clock)
    this.#timeouts = new Alarm(parts.clock, 'time')
    this.attempts = new Attempts(parts.queue, this.#timeouts, this)
    this.wakers = new Wakers(parts.watch, (run, node) => turns.post(() => this.wakeUp(run, node)))
    this.allowances = new Allowances(this.alarm, parts.resources, this)
  }

  /** Nobody is called any more. */
  clearAlarms(): void {
    this.alarm.clear()
    this.#timeouts.clear()
  }

  /** The starter, which is made with these occurrences. */
  set starter(starter: Starter) {
    this.#starter = starter
  }

  get starter(): Starter {
    return this.#starter as Starter
  }

  /** Remembers what a node that is about to run will ask. */
  asks(node: Node, endpoints: readonly string[]): void {
    if (endpoints.length > 0) this.#endpoints.set(node, endpoints)
  }

  /** Forgets a run that has ended, or is no longer ours. */
  forget(run: LiveRun): void {
    this.attempts.forget(run)
    this.wakers.forget(run)
    this.allowances.forget(run)
    for (const node of run.nodes) {
      this.#callOff(node)
      if (this.#endpoints.has(node)) this.#tellBreakers(node, null)
    }
  }

  ended(run: LiveRun, node: Node, attempt: number, outcome: Outcome): void {
    const { gate } = run.task(node)
    if (outcome.type !== 'succeeded' || !gate.some((expression) => expression.includes('baseline'))) {
      this.#turns.post(() => this.#settle(run, node, attempt, outcome, null))
      return
    }
    this.#turns.ask(this.#parts.store.baseline(run.record.pipeline, run.task(node).id), (baseline) =>
      this.#settle(run, node, attempt, outcome, baseline),
    )
  }

  timedOut(run: LiveRun, node: Node): void {
    this.#turns.post(() => {
      if (!this.#turns.owns(run) || isEnded(node.state)) return
      // Another try is to come, and its time has not begun.
      if (node.tryStartedAt === null) return
      // It was started meanwhile, with an alarm of its own; or its outcome is at hand, and tells.
      if (node.state === 'running') return
      const message = `did not end within ${(run.task(node).timeout ?? 0) / 1000} s`
      this.touch(run, node, () => fail(run, node, { kind: 'timeout', message }, this.circumstances()))
    })
  }

  said(run: LiveRun, node: Node, event: AttemptEvent): void {
    if (this.#turns.owns(run)) this.#parts.report(attemptReport(run, node, event))
  }

  #settle(run: LiveRun, node: Node, attempt: number, raw: Outcome, baseline: Json): void {
    if (!this.#turns.owns(run) || node.attempt !== attempt) return
    this.starter.reopen(run.record.pipeline, node.pool)
    this.allowances.ended(run, node, this.#now())
    this.#tellBreakers(node, node.state === 'running' || raw.type === 'succeeded' ? raw : null)
    if (node.state !== 'running') {
      // Ended meanwhile by a person or a deadline: the late outcome changes nothing but that the slot is free.
      run.amend(node, { holding: false })
      this.settled(run, node)
      this.#turns.changed(run)
      // A person let it try again, which had to wait for this.
      if (node.state === 'ready') this.starter.push({ run, node })
      return
    }
    const { outcome, produced } = judge(run, node, raw, baseline, this.#around)
    run.produce(run.task(node).id, produced)
    this.#turns.act(() => {
      for (const uri of produced) this.wakers.datasetUpdated(uri)
    })
    this.touch(run, node, () => settle(run, node, outcome, this.circumstances()))
  }

  /** @param outcome null where the attempt was made to leave, or is another engine's by now */
  #tellBreakers(node: Node, outcome: Outcome | null): void {
    const endpoints = this.#endpoints.get(node) ?? []
    this.#endpoints.delete(node)
    for (const endpoint of endpoints) {
      if (outcome === null || outcome.type === 'released') this.breakers.untold(endpoint, node)
      else if (outcome.type === 'failed' && outcome.kind === 'network')
        this.breakers.failed(endpoint, this.#now(), node)
      else this.breakers.succeeded(endpoint)
      this.starter.told(endpoint)
    }
  }

  /** Applies a change to a node and sets the alarms that its new state asks for. */
  touch(run: LiveRun, node: Node, change: () => void): void {
    change()
    this.#turns.changed(run)
    this.settled(run, node)
  }

  /** Sets and clears what hangs on the state of a node: timeouts, wake-up calls, room beside it. */
  settled(run: LiveRun, node: Node): void {
    if (node.continues && node.tryStartedAt !== null) this.attempts.watchTimeout(run, node)
    else if (!node.holding) this.attempts.endTry(node)
    if (node.state !== 'ready') {
      if (node.wakeAt === null) this.#callOff(node)
      else this.comeBack(run, node, node.wakeAt)
    }
    if (node.wakeOn !== null) this.listenFor(run, node)
    else this.wakers.clear(node)
    if (node.counted && !node.holding && node.state !== 'ready') this.starter.uncount(run, node)
  }

  listenFor(run: LiveRun, node: Node): void {
    this.wakers.set(run, node)
    // One may have ended before anybody listened.
    for (const id of node.wakeOn?.runs ?? [])
      this.#turns.ask(this.#parts.store.run(id), (found) => {
        if (found === null || isEnded(found.state)) this.wakeUp(run, node)
      })
  }

  /** Comes back to a node at this time: a sleeper wakes, the next try is due, a ready task may start by now. */
  comeBack(run: LiveRun, node: Node, at: number): void {
    this.#callOff(node)
    const call = this.alarm.at(at, () => {
      this.#calls.delete(node)
      this.#turns.post(() => {
        if (!this.#turns.owns(run)) return
        if (node.state !== 'ready') {
          if (node.wakeAt === at) this.wakeUp(run, node)
        } else if (node.wakeAt === null || node.wakeAt <= at) this.starter.push({ run, node })
      })
    })
    this.#calls.set(node, call)
  }

  #callOff(node: Node): void {
    this.#calls.get(node)?.cancel()
    this.#calls.delete(node)
  }

  wakeUp(run: LiveRun, node: Node): void {
    if (!this.#turns.owns(run)) return
    const patch = { wakeAt: null, wakeOn: null }
    if (node.state === 'sleeping')
      this.touch(run, node, () => apply(run, node, 'wake', this.#now(), { patch }))
    else if (node.state === 'retrying')
      this.touch(run, node, () => apply(run, node, 'retry_due', this.#now(), { patch }))
  }

  overdue(run: LiveRun, message: string): void {
    this.#turns.post(() => this.#endOverdue(run, message))
  }

  #endOverdue(run: LiveRun, message: string): void {
    if (!this.#turns.owns(run) || isEnded(run.state) || run.open === 0 || run.overdue) return
    run.amendRun({ overdue: true }, 'overdue', { message })
    this.#turns.changed(run)
    if (run.pipeline.deadline?.do === 'fail') this.#doom(run, { kind: 'deadline', message })
    this.#turns.act(() => this.#parts.report(runReport(run, 'overdue', message, this.#now())))
  }

  /** Called while claims are chosen: inside a turn. */
  overBudget(run: LiveRun, message: string): void {
    const { onExceed = 'warn' } = run.pipeline.budget ?? {}
    this.#turns.changed(run)
    this.#turns.act(() => this.#parts.report(runReport(run, 'over_budget', message, this.#now())))
    run.amendRun({ overBudget: onExceed !== 'hold' }, 'over_budget', { message })
    if (onExceed === 'fail') this.#doom(run, { kind: 'budget', message })
    else if (onExceed === 'hold' && run.state === 'running') {
      run.state = nextRunState(run.state, 'pause')
      const paused = { type: 'run', run: run.record.id, state: run.state, at: this.#now() } as const
      this.#turns.act(() => this.#parts.report(paused))
      run.amendRun({ pausedFor: 'budget' })
      run.move('pause', { message })
    }
  }

  #doom(run: LiveRun, failure: { kind: 'deadline' | 'budget'; message: string }): void {
    this.#turns.unqueue(run)
    for (const node of failAll(run, failure, this.#now()))
      this.#turns.act(() => this.attempts.stop(node, 'cancel'))
  }

  circumstances(): Circumstances {
    return {
      at: this.#now(),
      random: this.#parts.random,
      setOf: (run, node, entry) => setOf(run, node, entry, this.#around),
    }
  }

  #now(): number {
    return this.#parts.clock.now()
  }
}
