/** What a run as a whole is allowed: its deadline and its budget. Tells when they are passed; what follows is the listener's. */
import type { Alarm } from './alarm.ts'
import type { Timer } from './clock.ts'
import { costOf, overBudget } from './costs.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { Resources } from './resources.ts'
import { isEnded } from './state.ts'

/** Told once each, in words for people. */
export interface AllowanceListener {
  overdue(run: LiveRun, message: string): void
  overBudget(run: LiveRun, message: string): void
}

/** The allowances of one engine's runs. */
export class Allowances {
  readonly #alarm: Alarm
  readonly #resources: Resources
  readonly #listener: AllowanceListener
  readonly #deadlines = new Map<LiveRun, Timer>()
  /** Nodes with a running attempt, of runs that have a budget. */
  readonly #running = new Map<LiveRun, Set<Node>>()

  constructor(alarm: Alarm, resources: Resources, listener: AllowanceListener) {
    this.#alarm = alarm
    this.#resources = resources
    this.#listener = listener
  }

  /** Watches a run that this engine has. */
  watch(run: LiveRun): void {
    const { deadline, budget } = run.pipeline
    if (budget !== undefined) this.#running.set(run, new Set(run.nodes.filter(({ holding }) => holding)))
    if (deadline === undefined || run.overdue || isEnded(run.state)) return
    const message = `the run did not end within ${deadline.after / 1000} s of when it was due`
    this.#deadlines.set(
      run,
      this.#alarm.at(run.record.dueAt + deadline.after, () => this.#listener.overdue(run, message)),
    )
  }

  /** Whether another attempt may start at `at`; tells the listener where the budget is used up. */
  affords(run: LiveRun, at: number): boolean {
    const running = this.#running.get(run)
    if (running === undefined || run.overBudget) return true
    const message = overBudget(run, running, this.#resources, at)
    if (message === null) return true
    this.#listener.overBudget(run, message)
    return run.pipeline.budget?.onExceed === 'warn'
  }

  /** An attempt of the node was claimed. */
  began(run: LiveRun, node: Node): void {
    this.#running.get(run)?.add(node)
  }

  /** The node's attempt is over: what it cost counts. */
  ended(run: LiveRun, node: Node, at: number): void {
    const { usd, gpuSeconds } = costOf(run, node, this.#resources, at)
    node.claimedAt = null
    this.#running.get(run)?.delete(node)
    if (usd + gpuSeconds === 0) return
    run.amendRun({ spentUsd: run.spentUsd + usd, spentGpuSeconds: run.spentGpuSeconds + gpuSeconds })
  }

  forget(run: LiveRun): void {
    this.#deadlines.get(run)?.cancel()
    this.#deadlines.delete(run)
    this.#running.delete(run)
  }
}
