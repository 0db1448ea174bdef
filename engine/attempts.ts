/**
 * Attempts that run: starting, finding again, timeouts, stopping. Holds no states of tasks; tells what happened to
 * whoever listens, who decides what it means.
 */
import type { Alarm } from './alarm.ts'
import type { Timer } from './clock.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { Outcome } from './outcome.ts'
import type { Queue } from './queue/queue.ts'
import type { Attempt, AttemptEvent, RunningAttempt, StopReason } from './runtime/runtime.ts'

/** Milliseconds between SIGTERM and SIGKILL (DSL.md, `timeout`). */
export const grace = 30_000

/** What is told of an attempt. */
export interface AttemptListener {
  /** The attempt is over; `attempt` is the fence. */
  ended(run: LiveRun, node: Node, attempt: number, outcome: Outcome): void
  /** The current try's time is up while no attempt of it runs. */
  timedOut(run: LiveRun, node: Node): void
  said(run: LiveRun, node: Node, event: AttemptEvent): void
}

interface Running {
  readonly attempt: RunningAttempt
  readonly run: LiveRun
  readonly node: Node
  /** Why it was asked to stop, first reason first. */
  stopping: StopReason | null
}

/** The attempts of one engine. */
export class Attempts {
  readonly #queue: Queue
  readonly #alarm: Alarm
  readonly #listener: AttemptListener
  readonly #running = new Places()
  readonly #timeouts = new Map<Node, Timer>()
  /** Why every attempt is to leave, also one whose claim is being committed. */
  #leaving: StopReason | null = null

  constructor(queue: Queue, alarm: Alarm, listener: AttemptListener) {
    this.#queue = queue
    this.#alarm = alarm
    this.#listener = listener
  }

  /** How many run. */
  get size(): number {
    return this.#running.size
  }

  /** Those that run, and why each was asked to leave. */
  running(): Iterable<Pick<Running, 'run' | 'node' | 'stopping'>> {
    return this.#running
  }

  /** Starts an attempt whose claim is durable. */
  start(run: LiveRun, node: Node, attempt: Attempt): void {
    this.watchTimeout(run, node)
    this.#follow(
      run,
      node,
      this.#queue.submit(attempt, (event) => this.#listener.said(run, node, event)),
    )
  }

  /** Finds an attempt that an engine before this one started. */
  attach(run: LiveRun, node: Node, attempt: Attempt): void {
    this.watchTimeout(run, node)
    this.#follow(
      run,
      node,
      this.#queue.attach(attempt, (event) => this.#listener.said(run, node, event)),
    )
  }

  /** Asks an attempt to leave. It counts as over only when it is. */
  stop(node: Node, reason: StopReason): void {
    const running = this.#running.get(node)
    if (running === undefined) return
    running.stopping ??= reason
    running.attempt.stop(reason, grace)
  }

  /** Asks every attempt to leave. */
  stopAll(reason: StopReason): void {
    this.#leaving = reason
    for (const { node } of this.#running) this.stop(node, reason)
  }

  /** Sets the alarm for the end of the current try, from its first start; one alarm per try. */
  watchTimeout(run: LiveRun, node: Node): void {
    const { timeout } = run.task(node)
    if (timeout === null || node.tryStartedAt === null || this.#timeouts.has(node)) return
    this.#timeouts.set(
      node,
      this.#alarm.at(node.tryStartedAt + timeout, () => {
        this.#timeouts.delete(node)
        if (this.#running.get(node) !== undefined) this.stop(node, 'timeout')
        else this.#listener.timedOut(run, node)
      }),
    )
  }

  /** The try is over: its time no longer counts. */
  endTry(node: Node): void {
    this.#timeouts.get(node)?.cancel()
    this.#timeouts.delete(node)
  }

  /** Forgets a run that another engine owns by now. What runs is left running, where that engine can find it. */
  forget(run: LiveRun): void {
    for (const { run: of, node, attempt } of this.#running) {
      if (of !== run) continue
      this.#running.delete(node)
      if (run.runtime(node) === 'inline') attempt.stop('shutdown', grace)
    }
    for (const node of run.nodes) this.endTry(node)
  }

  #follow(run: LiveRun, node: Node, attempt: RunningAttempt): void {
    const running: Running = { attempt, run, node, stopping: attempt.asked ?? null }
    const number = node.attempt
    this.#running.set(running)
    if (this.#leaving !== null) this.stop(node, this.#leaving)
    attempt.outcome.then((outcome) => {
      if (this.#running.get(node) !== running) return
      this.#running.delete(node)
      this.#listener.ended(run, node, number, asStopped(outcome, running.stopping, run.task(node).timeout))
    })
  }
}

/** What a stop makes of an outcome: time that was up stays up; a shutdown is not the task's fault. */
function asStopped(outcome: Outcome, stopping: StopReason | null, timeout: number | null): Outcome {
  if (stopping === 'timeout') {
    return { type: 'failed', kind: 'timeout', message: `did not end within ${(timeout ?? 0) / 1000} s` }
  }
  if (stopping === 'shutdown' && outcome.type === 'failed') {
    return { type: 'released', kind: 'shutdown', message: 'the engine shut down' }
  }
  if (stopping === 'preempt' && outcome.type === 'failed') {
    return { type: 'released', kind: 'preempted', message: 'a task that ranks above it took its slots' }
  }
  return outcome
}

/**
 * Running attempts, each at the place that its node notes. Not a Map: its old tables, once they are old to the garbage
 * collector, keep all that passed through it until the next full collection.
 */
class Places {
  readonly #at: (Running | null)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#at.length - this.#free.length
  }

  get({ place }: Node): Running | undefined {
    return this.#at[place] ?? undefined
  }

  set(running: Running): void {
    const { node } = running
    if (node.place < 0) node.place = this.#free.pop() ?? this.#at.length
    this.#at[node.place] = running
  }

  delete(node: Node): void {
    if (node.place < 0) return
    this.#at[node.place] = null
    this.#free.push(node.place)
    node.place = -1
  }

  *[Symbol.iterator](): Generator<Running> {
    for (const running of this.#at) if (running !== null) yield running
  }
}
