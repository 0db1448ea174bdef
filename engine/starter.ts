/**
 * Which ready tasks start now: in order of their lanes, as many as the queue has room for, with their inputs resolved
 * and earlier results looked at. Claims nothing: what it chooses is written by the scheduler.
 */
import type { Clock } from './clock.ts'
import type { Evaluator } from './evaluator.ts'
import { prepare } from './executor.ts'
import { type Lane, Lanes, type Ready } from './lanes.ts'
import type { LiveRun, Node } from './live-run.ts'
import { apply } from './plan.ts'
import type { Queue } from './queue/queue.ts'
import type { Random } from './random.ts'
import type { Reusable, Reuse } from './reuse.ts'
import { fail } from './settle.ts'
import { type Claim, claimOf, type Start } from './turn.ts'

/** Caches that are looked at together: a look may read whole files. */
const looks = 32

/** What the starter asks of the scheduler's loop. */
export interface Loop {
  owns(run: LiveRun): boolean
  /** Applies a change to a node inside the turn. */
  touch(run: LiveRun, node: Node, change: () => void): void
  /** Goes on inside a turn once the answer is there. */
  ask<Answer>(question: Promise<Answer>, then: (answer: Answer) => void): void
  /** Comes back to a ready node at this time (epoch ms). */
  wakeAt(run: LiveRun, node: Node, at: number): void
}

/** What it works with. */
export interface StarterParts {
  readonly queue: Queue
  readonly evaluator: Evaluator
  readonly reuse: Reuse
  readonly clock: Clock
  readonly random: Random
}

/** The ready tasks of one engine. */
export class Starter {
  readonly #parts: StarterParts
  readonly #loop: Loop
  readonly #lanes = new Lanes()
  /** Starts that are resolved already: their cache was looked at, or their claim had no room. */
  readonly #resolved = new Map<Node, Start>()
  /** Caches that are being looked at. */
  #looking = 0

  constructor(parts: StarterParts, loop: Loop) {
    this.#parts = parts
    this.#loop = loop
  }

  /** Enters a task that is ready. */
  push(ready: Ready): void {
    this.#lanes.push(ready)
  }

  /** Room may have come under the limit of a pipeline, or (without a name) of any. */
  reopen(pipeline?: string): void {
    this.#lanes.reopen(pipeline)
  }

  /** Claims that had no room go back to where they stood, and wait for it. */
  putBack(denied: readonly Claim[]): void {
    for (const { node, start } of denied) this.#resolved.set(node, start)
    this.#lanes.putBack(denied)
  }

  /** The claims of this turn. `touched` are the runs that changed in it, and may grow by what is chosen. */
  choose(touched: ReadonlySet<LiveRun>, at: number): Claim[] {
    const claims: Claim[] = []
    const taken = new Map<string, number>()
    const asked = new Map<Lane, number>()
    this.#admit(touched, at)
    for (let found = true; found; this.#admit(touched, at)) {
      found = false
      for (const lane of this.#lanes.open()) {
        const used = taken.get(lane.runtime) ?? 0
        const before = asked.get(lane) ?? 0
        const room = Math.min(this.#parts.queue.free(lane.runtime) - used, lane.most - before)
        let more = 0
        while (lane.queue.length > 0 && more < room && this.#looking < looks) {
          found = true
          const claim = this.#prepare(this.#lanes.take(lane), at)
          if (claim === null) continue
          claims.push(claim)
          more++
        }
        taken.set(lane.runtime, used + more)
        asked.set(lane, before + more)
      }
    }
    return claims
  }

  /** Moves what became ready into its lane; what was released waits for its time. */
  #admit(touched: ReadonlySet<LiveRun>, at: number): void {
    for (const run of touched) {
      for (const node of run.readied.splice(0)) {
        if (node.wakeAt !== null && node.wakeAt > at) this.#loop.wakeAt(run, node, node.wakeAt)
        else this.#lanes.push({ run, node })
      }
    }
  }

  #prepare(ready: Ready, at: number): Claim | null {
    const { run, node } = ready
    const resolved = this.#resolved.get(node)
    this.#resolved.delete(node)
    if (!this.#loop.owns(run) || node.state !== 'ready') return null
    const start = resolved ?? this.#resolve(run, node, at)
    return start === null ? null : claimOf(ready, start, at)
  }

  /** The inputs of a ready task; null where it ends without starting, or where its cache is being looked at. */
  #resolve(run: LiveRun, node: Node, at: number): Start | null {
    const { reuse, evaluator, random } = this.#parts
    const prepared = prepare(run, node, evaluator)
    if (prepared.type === 'skip') {
      const detail = { reason: prepared.reason }
      this.#loop.touch(run, node, () => apply(run, node, 'skip', at, { detail }))
      return null
    }
    if (prepared.type === 'fail') {
      this.#loop.touch(run, node, () => fail(run, node, prepared.failure, { at, random }))
      return null
    }
    if (run.task(node).cache === null || node.tries > 0) return prepared
    this.#looking++
    this.#loop.ask(reuse.lookUp(run, node, prepared), (found) => this.#afterLook(run, node, prepared, found))
    return null
  }

  #afterLook(run: LiveRun, node: Node, start: Start, found: Reusable | null): void {
    this.#looking--
    if (!this.#loop.owns(run) || node.state !== 'ready') return
    if (found === null) {
      this.#resolved.set(node, start)
      this.#lanes.pushFirst({ run, node })
      return
    }
    const at = this.#parts.clock.now()
    const patch = { outputs: found.outputs, cached: found.run, startedAt: at }
    this.#loop.touch(run, node, () => apply(run, node, 'reuse', at, { patch, detail: { run: found.run } }))
  }
}
