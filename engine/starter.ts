/**
 * Which ready tasks start now: the first in rank, as many as the queue has room for, with their inputs resolved and
 * earlier results looked at. Claims nothing: what it chooses is written by the scheduler.
 */
import { type Breakers, endpointOf } from './breaker.ts'
import type { Clock } from './clock.ts'
import { close, expand, open } from './containers.ts'
import { outputsOf, type Prepared, prepare, type Start, type Surroundings } from './executor.ts'
import { opensAt } from './hours.ts'
import { type Lane, Lanes, type Ready } from './lanes.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import { apply } from './plan.ts'
import { valueAt } from './pointer.ts'
import type { Queue } from './queue/queue.ts'
import { overfills, type Resources } from './resources.ts'
import type { Looked, Reuse } from './reuse.ts'
import { type Circumstances, fail } from './settle.ts'
import type { DeniedBy } from './store/batch.ts'
import { type Claim, claimOf, poolOf } from './turn.ts'

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
  /** Whether the run's budget lets another attempt start; what follows where it does not is the loop's. */
  affords(run: LiveRun, at: number): boolean
  circumstances(): Circumstances
}

/** What it works with. */
export interface StarterParts {
  readonly queue: Queue
  readonly around: Surroundings
  readonly resources: Resources
  readonly reuse: Reuse
  readonly breakers: Breakers
  readonly clock: Clock
}

/** The ready tasks of one engine. */
export class Starter {
  readonly #parts: StarterParts
  readonly #loop: Loop
  readonly #lanes: Lanes
  /** Starts that are resolved already: their cache was looked at, or their claim had no room. */
  readonly #resolved = new WeakMap<Node, Start>()
  /** Starts whose cache is being looked at: a task that became ready anew meanwhile is looked up anew. */
  readonly #lookedUp = new WeakMap<Node, Start>()
  /** What waits for the probe of an endpoint to end. */
  readonly #behindProbe = new Map<string, Ready[]>()
  /** Caches that are being looked at. */
  #looking = 0

  constructor(parts: StarterParts, loop: Loop) {
    this.#parts = parts
    this.#loop = loop
    this.#lanes = new Lanes((run, node) => poolOf(run, node, parts.resources))
  }

  /** Enters a task that is ready. */
  push(ready: Ready): void {
    this.#lanes.push(ready)
  }

  /** Room may have come under the limits of a pipeline and a pool, or (without names) under any. */
  reopen(pipeline?: string, pool?: string | null): void {
    this.#lanes.reopen(pipeline, pool)
  }

  /** A claim that had no room goes back to where it stood, and waits for it. */
  putBack(claim: Claim, by: DeniedBy): void {
    this.withdraw(claim)
    this.#resolved.set(claim.node, claim.start)
    this.#lanes.putBack(claim, by)
  }

  /** A claim starts nothing: whoever waits for its probe of an endpoint makes it instead. */
  withdraw({ run, node, start }: Claim): void {
    for (const endpoint of endpointsOf(run, node, start)) {
      this.#parts.breakers.untold(endpoint, node)
      this.told(endpoint)
    }
  }

  /** The claims of this turn, in the order of their rank. `touched` are the runs that changed in it, and may grow. */
  choose(touched: ReadonlySet<LiveRun>, at: number): Claim[] {
    const claims: Claim[] = []
    const taken = new Map<string, number>()
    const asked = new Map<Lane, number>()
    this.#admit(touched, at)
    for (let found = true; found; this.#admit(touched, at)) {
      found = false
      const lanes = this.#lanes.open()
      const hasRoom = (lane: Lane) =>
        lane.queue.length > 0 &&
        this.#parts.queue.free(lane.runtime) > (taken.get(lane.runtime) ?? 0) &&
        (asked.get(lane) ?? 0) < lane.most &&
        this.#looking < looks
      let roomy = lanes.filter(hasRoom)
      for (let lane = this.#lanes.best(roomy); lane !== undefined; lane = this.#lanes.best(roomy)) {
        found = true
        const claim = this.#prepare(this.#lanes.take(lane), at)
        if (claim !== null) {
          claims.push(claim)
          taken.set(lane.runtime, (taken.get(lane.runtime) ?? 0) + 1)
          asked.set(lane, (asked.get(lane) ?? 0) + 1)
        }
        if (!hasRoom(lane)) roomy = roomy.filter(hasRoom)
      }
    }
    return claims
  }

  /** An attempt told how an endpoint does: who waited for that looks again. */
  told(endpoint: string): void {
    for (const ready of this.#behindProbe.get(endpoint) ?? []) this.#lanes.push(ready)
    this.#behindProbe.delete(endpoint)
  }

  /** The node no longer holds a slot, or no longer wants one: another instance of its mapped task may. */
  uncount(run: LiveRun, node: Node): void {
    if (node.counted && node.parent?.inside) node.parent.inside.busy--
    node.counted = false
    this.#unpark(run, node)
  }

  /** Lets the next instance beside `node` try for the room that `node` does not take. */
  #unpark(run: LiveRun, { parent }: Node): void {
    const parked = parent?.inside?.parked ?? []
    for (let next = parked.shift(); next !== undefined; next = parked.shift()) {
      if (next.state !== 'ready') continue
      this.#lanes.push({ run, node: next })
      return
    }
  }

  /** Moves what became ready into its lane; what was released waits for its time. Groups close. */
  #admit(touched: ReadonlySet<LiveRun>, at: number): void {
    for (const run of touched) {
      while (run.readied.length + run.closing.length > 0) {
        for (const node of run.closing.splice(0))
          this.#loop.touch(run, node, () => close(run, node, outputsOf(run, node, this.#parts.around), at))
        for (const node of run.readied.splice(0)) this.#enter(run, node, at)
      }
    }
  }

  #enter(run: LiveRun, node: Node, at: number): void {
    // What was resolved before it became ready anew may be of a try that is over.
    this.#resolved.delete(node)
    this.#lookedUp.delete(node)
    if (node.role !== 'work') this.#unfold(run, node, at)
    else if (node.wakeAt !== null && node.wakeAt > at) this.#loop.wakeAt(run, node, node.wakeAt)
    else {
      node.readySince = at
      this.#lanes.push({ run, node })
    }
  }

  /** Makes a mapped task or a group into what it stands for: that takes no slot. */
  #unfold(run: LiveRun, node: Node, at: number): void {
    if (node.state !== 'ready' || run.state !== 'running') return
    const prepared = prepare(run, node, this.#parts.around)
    if (prepared.type === 'expand')
      this.#loop.touch(run, node, () => expand(run, node, prepared.expansion, at))
    else if (prepared.type === 'open') this.#loop.touch(run, node, () => open(run, node, at))
    else this.#endUnstarted(run, node, prepared, at)
  }

  #prepare(ready: Ready, at: number): Claim | null {
    const { run, node } = ready
    const resolved = this.#resolved.get(node)
    this.#resolved.delete(node)
    if (!this.#loop.owns(run)) return null
    if (node.state !== 'ready') {
      this.#unpark(run, node)
      return null
    }
    if (this.#mustWait(ready, at)) {
      if (resolved !== undefined) this.#resolved.set(node, resolved)
      return null
    }
    const start = resolved ?? this.#resolve(run, node, at)
    if (start === null || this.#isBroken(ready, start, at)) return null
    const inside = node.key === null ? null : (node.parent?.inside ?? null)
    if (inside !== null && !node.counted) {
      node.counted = true
      inside.busy++
    }
    return claimOf(ready, start, this.#parts.resources, at)
  }

  /** Whether something else than a slot keeps the task from starting; whoever lifts it enters the task again. */
  #mustWait({ run, node }: Ready, at: number): boolean {
    // The run's start or resumption makes all its ready tasks known anew.
    if (run.state !== 'running') return true
    // An attempt of before a person's retry has not left yet; its end enters the task again.
    if (node.holding) return true
    const { schedule } = run.pipeline
    const opening =
      schedule === null || run.record.trigger !== 'schedule' || node.continues ? null : opensAt(schedule, at)
    if (opening !== null) {
      this.#loop.wakeAt(run, node, opening)
      return true
    }
    const most = run.task(node).foreach?.maxParallel ?? null
    if (most !== null && !node.counted && node.parent?.inside && node.parent.inside.busy >= most) {
      node.parent.inside.parked.push(node)
      return true
    }
    return !this.#loop.affords(run, at)
  }

  /** Whether a circuit breaker holds the task back; it comes again when that may be over. */
  #isBroken({ run, node }: Ready, start: Start, at: number): boolean {
    const asked: string[] = []
    for (const endpoint of endpointsOf(run, node, start)) {
      const until = this.#parts.breakers.ask(endpoint, at, node)
      if (until === null) {
        asked.push(endpoint)
        continue
      }
      for (const other of asked) this.#parts.breakers.untold(other, node)
      this.#resolved.set(node, start)
      run.note(node, 'breaker', {}, { endpoint, until: until === 'probe' ? null : until })
      if (until === 'probe') {
        const behind = this.#behindProbe.get(endpoint)
        if (behind === undefined) this.#behindProbe.set(endpoint, [{ run, node }])
        else behind.push({ run, node })
      } else this.#loop.wakeAt(run, node, until)
      this.#unpark(run, node)
      return true
    }
    return false
  }

  /** The inputs of a ready task; null where it ends without starting, or where its cache is being looked at. */
  #resolve(run: LiveRun, node: Node, at: number): Start | null {
    const prepared = this.#fits(run, node) ?? prepare(run, node, this.#parts.around)
    if (prepared.type !== 'start') {
      this.#endUnstarted(run, node, prepared, at)
      return null
    }
    if (run.task(node).cache === null || node.tries > 0) return prepared
    this.#looking++
    this.#lookedUp.set(node, prepared)
    this.#loop.ask(this.#parts.reuse.lookUp(run, node, prepared), (looked) =>
      this.#afterLook(run, node, prepared, looked),
    )
    return null
  }

  /** What takes more slots than its pool has would wait for ever. */
  #fits(run: LiveRun, node: Node): Prepared | null {
    const { pool, slots = 1 } = run.task(node)
    const message = pool === undefined ? null : overfills(pool, slots, this.#parts.resources)
    return message === null ? null : { type: 'fail', failure: { kind: 'invalid_input', message } }
  }

  #endUnstarted(run: LiveRun, node: Node, prepared: Prepared, at: number): void {
    if (node.key !== null) this.#unpark(run, node)
    if (prepared.type === 'skip') {
      const detail = { reason: prepared.reason }
      this.#loop.touch(run, node, () => apply(run, node, 'skip', at, { detail }))
    } else if (prepared.type === 'fail') {
      const { failure } = prepared
      this.#loop.touch(run, node, () => fail(run, node, failure, this.#loop.circumstances()))
    }
  }

  #afterLook(run: LiveRun, node: Node, start: Start, looked: Looked | null): void {
    this.#looking--
    if (this.#lookedUp.get(node) !== start) return
    this.#lookedUp.delete(node)
    if (!this.#loop.owns(run) || node.state !== 'ready') return
    const found = looked?.found ?? null
    if (found === null) {
      if (looked !== null) this.#parts.reuse.keep(node, looked.key)
      this.#resolved.set(node, start)
      this.#lanes.pushFirst({ run, node })
      return
    }
    this.#unpark(run, node)
    const at = this.#parts.clock.now()
    const patch = { outputs: found.outputs, cached: found.run, startedAt: at }
    this.#loop.touch(run, node, () => apply(run, node, 'reuse', at, { patch, detail: { run: found.run } }))
  }
}

/** The endpoints that an attempt of the node with these inputs asks. */
export function endpointsOf(run: LiveRun, node: Node, { input }: Start): readonly string[] {
  const { endpoints } = run.task(node)
  if (endpoints === undefined) return []
  return endpoints.flatMap((pointer) => endpointOf(valueAt(input, pointer)) ?? [])
}
