/**
 * The attempts of a simulated world. They outlive engines, as real processes do; those that run inside an engine die with
 * it. How each ends comes from outside. Knows nothing of what a test expects.
 */
import { bug } from '../engine/errors.ts'
import { isJsonObject, type Json } from '../engine/json.ts'
import type { Outcome } from '../engine/outcome.ts'
import type { Queue } from '../engine/queue/queue.ts'
import type { Attempt, OperatorHost, RunningAttempt, StopReason } from '../engine/runtime/runtime.ts'
import type { Turn } from './script.ts'
import type { ClockFace } from './virtual-clock.ts'

/** An attempt that runs, or has run. */
export interface Process {
  readonly attempt: Attempt
  /** As people name it: `mask[eu]`. */
  readonly name: string
  readonly startedAt: number
  /** The engine that started it. */
  readonly engine: ClockFace
  outcome: Outcome | null
  readonly heard: ((outcome: Outcome) => void)[]
  readonly abort: AbortController
}

/** What the attempts of one run work with. */
export interface ProcessParts {
  /** Time that no engine's death stops. */
  readonly world: ClockFace
  /** Operators whose code asks `perform` what to do, by the signal that it is given. */
  readonly host: OperatorHost
  /** Attempts at once; null is no limit. */
  readonly slots: number | null
  /** Whether the test says what a task does. */
  says(name: string): boolean
  /** What a task does in its try number `turn`, from 0, as this operator. */
  turn(name: string, turn: number, operator: string): Turn
  nameOf(node: number): Promise<string>
  broken(error: unknown): void
}

const lost: Outcome = { type: 'released', kind: 'node_lost', message: 'vanished without a trace' }

/** After so long, in milliseconds, everything that a case could wait for is over: a hundred years. */
export const forever = 100 * 365 * 86_400_000

/** Starts attempts, finds them again, takes them away. */
export class Processes {
  readonly #parts: ProcessParts
  readonly #all = new Map<string, Process>()
  readonly #live = new Set<Process>()
  readonly #bySignal = new WeakMap<AbortSignal, Process>()
  /** By name: how many tries have come to the end that the test gave them. */
  readonly #turns = new Map<string, number>()

  constructor(parts: ProcessParts) {
    this.#parts = parts
  }

  /** Every attempt, in the order in which they started. */
  get all(): readonly Process[] {
    return [...this.#all.values()]
  }

  /** The queue of one engine. */
  queueOf(engine: ClockFace): Queue {
    return {
      free: () => (this.#parts.slots ?? Number.POSITIVE_INFINITY) - this.#live.size,
      submit: (attempt) => this.#submit(engine, attempt),
      attach: (attempt) => this.#attach(engine, attempt),
      close: async () => {},
    }
  }

  /** The engine died: what ran inside it is gone. */
  bury(engine: ClockFace): void {
    for (const process of [...this.#live])
      if (process.engine === engine && isInline(process)) this.#settle(process, lost)
  }

  /** Takes the machine from under a running task; the sentence that says why that cannot be, else null. */
  vanish(name: string): string | null {
    const running = [...this.#live].find((process) => process.name === name)
    if (running === undefined) return `\`${name}\` is not running then`
    if (isInline(running)) return `\`${name}\` runs inside the engine: only \`crash\` takes both away`
    this.#settle(running, lost)
    return null
  }

  /** Whether the test says what the attempt with this signal does. */
  says(signal: AbortSignal): boolean {
    return this.#parts.says(this.#of(signal).name)
  }

  /** What the attempt with this signal does instead of its work. */
  perform(signal: AbortSignal): Promise<Outcome> {
    const process = this.#of(signal)
    const { name, attempt } = process
    const number = this.#turns.get(name) ?? 0
    const turn = this.#parts.turn(name, number, attempt.operator.name)
    const { world } = this.#parts
    const before = attempt.state === null ? waitOf(turn, world.now()) : null
    if (before !== null) return Promise.resolve(before)
    const no = rejectionIn(attempt.state)
    return new Promise((resolve) => {
      const end = () => {
        if (process.outcome === null) this.#turns.set(name, number + 1)
        resolve(no ?? turn.ending)
      }
      if (turn.takes === 0) end()
      else world.soonAfter(Math.min(turn.takes, forever), end)
    })
  }

  #of(signal: AbortSignal): Process {
    const process = this.#bySignal.get(signal)
    if (process === undefined) throw bug('a stand-in has the signal of no attempt')
    return process
  }

  #submit(engine: ClockFace, attempt: Attempt): RunningAttempt {
    const { world, broken } = this.#parts
    const base = { attempt, engine, startedAt: world.now(), outcome: null, heard: [] }
    const process = { ...base, name: attempt.task.id, abort: new AbortController() }
    this.#all.set(attempt.id, process)
    this.#live.add(process)
    this.#bySignal.set(process.abort.signal, process)
    this.#run(process).then((outcome) => this.#settle(process, outcome), broken)
    return this.#listenTo(process, engine)
  }

  async #run(process: Process & { name: string }): Promise<Outcome> {
    const { attempt, abort } = process
    const { host, world, nameOf } = this.#parts
    process.name = await nameOf(Number(attempt.id.split('-').at(-2)))
    return host.run(attempt, { signal: abort.signal, listen() {}, clock: world } as Hooks)
  }

  #attach(engine: ClockFace, attempt: Attempt): RunningAttempt {
    const process = this.#all.get(attempt.id)
    return process === undefined
      ? { outcome: Promise.resolve(lost), stop() {} }
      : this.#listenTo(process, engine)
  }

  #listenTo(process: Process, engine: ClockFace): RunningAttempt {
    const outcome = new Promise<Outcome>((resolve) => {
      const hear = (ended: Outcome) => {
        if (!engine.dead) resolve(ended)
      }
      if (process.outcome === null) process.heard.push(hear)
      else hear(process.outcome)
    })
    return { outcome, stop: (reason) => this.#stop(process, reason) }
  }

  #stop(process: Process, reason: StopReason): void {
    if (process.outcome !== null || process.abort.signal.aborted) return
    process.abort.abort()
    const { name } = process
    // A try that ran out of time is over; whoever only had to leave, for others, does the same again.
    if (reason === 'timeout') this.#turns.set(name, (this.#turns.get(name) ?? 0) + 1)
    this.#parts.world.soon(() =>
      this.#settle(process, { type: 'failed', kind: 'crash', message: `stopped (${reason})` }),
    )
  }

  #settle(process: Process, outcome: Outcome): void {
    if (process.outcome !== null) return
    process.outcome = outcome
    this.#live.delete(process)
    for (const hear of process.heard) hear(outcome)
  }
}

/** What a try does before it runs; null where it does nothing. */
function waitOf({ asks, sleeps }: Turn, now: number): Outcome | null {
  if (asks === null && sleeps === 0) return null
  const until = now + (asks === null ? Math.min(sleeps, forever) : forever)
  const base = { type: 'sleep', until, state: { waited: true } } as const
  return asks === null
    ? base
    : { ...base, on: { person: { kind: 'approval', message: asks, form: { type: 'object' } } } }
}

/** What a person's no makes of a try. */
function rejectionIn(state: Json): Outcome | null {
  const answer = isJsonObject(state) ? state.answer : undefined
  return isJsonObject(answer) && answer.decision === 'reject'
    ? { type: 'failed', kind: 'user', message: `rejected by ${String(answer.by)}` }
    : null
}

/** The host tells operators this time. */
type Hooks = Parameters<OperatorHost['run']>[1] & { readonly clock: ClockFace }

function isInline({ attempt }: Process): boolean {
  return attempt.runtime === 'inline'
}
