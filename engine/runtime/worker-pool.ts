/** A pool of warm worker processes that run operators' code, one attempt at a time each. Knows nothing of outcomes' meaning. */
import { type ChildProcess, fork } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import { createFolder, fileOf, writeWhole } from './attempt-folder.ts'
import { baseEnvironment } from './base-environment.ts'
import { groupGone, identify, oomKills, signalGroup } from './process-identity.ts'
import type { Attempt, StopReason } from './runtime.ts'
import type { WatchedAttempt } from './watched-attempt.ts'
import type { FromWorker, ToWorker } from './worker-protocol.ts'

/** Bytes of a worker's own error output that are kept: V8's last words. */
const lastWords = 16 * 1024

/** The part of its attempts after which a worker's successor is started, so that nobody waits for it. */
const spareFrom = 0.9

/** Which program the workers are. */
export interface WorkerProgram {
  /** Absolute path of the module that is forked (plugins/worker.ts). */
  readonly module: string
  readonly args: readonly string[]
  /** Attempts after which a worker is replaced, so that what leaks does not grow; 200 when absent. */
  readonly retireAfter?: number
}

/** Warm workers, made when there is none free and kept when they are. */
export class WorkerPool {
  readonly #program: WorkerProgram
  readonly #clock: Clock
  readonly #idle: Worker[] = []
  readonly #all = new Set<Worker>()

  constructor(program: WorkerProgram, clock: Clock) {
    this.#program = program
    this.#clock = clock
  }

  /** Runs the attempt in a worker of its own for its time. Throws system errors. */
  start(watched: WatchedAttempt): void {
    createFolder(watched.attempt)
    const worker = this.#idle.pop() ?? this.#fork()
    try {
      worker.run(watched)
    } catch (error) {
      // Its process could not be put on record (a full disk).
      worker.retire()
      throw error
    }
  }

  /** The worker's attempt was asked to stop. */
  stop(watched: WatchedAttempt, reason: StopReason): void {
    for (const worker of this.#all) if (worker.current === watched) worker.stop(reason)
  }

  /** Idle workers end; busy ones finish on their own, and write their endings. */
  close(): void {
    for (const worker of this.#all) worker.release()
    this.#idle.length = 0
  }

  #fork(): Worker {
    const worker = new Worker(this.#program, this.#clock, {
      free: () => this.#idle.push(worker),
      // Behind those that serve already: it takes a while until it can.
      tired: () => this.#idle.length === 0 && this.#idle.push(this.#fork()),
      gone: () => {
        this.#all.delete(worker)
        const at = this.#idle.indexOf(worker)
        if (at >= 0) this.#idle.splice(at, 1)
      },
    })
    this.#all.add(worker)
    return worker
  }
}

/** What a worker tells the pool that it is in. */
interface PoolOfWorker {
  /** It can serve again. */
  free(): void
  /** It will be replaced before long. */
  tired(): void
  /** It serves nobody any more. */
  gone(): void
}

class Worker {
  current: WatchedAttempt | null = null
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #pool: PoolOfWorker
  readonly #retireAfter: number
  #served = 0
  #stopped = false
  #stderr = ''

  constructor(program: WorkerProgram, clock: Clock, pool: PoolOfWorker) {
    this.#clock = clock
    this.#pool = pool
    this.#retireAfter = program.retireAfter ?? 200
    this.#child = fork(program.module, [...program.args], {
      detached: true,
      env: baseEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.on('message', (message: FromWorker) => this.#message(message))
    this.#child.on('error', (error) => this.#failed(error))
    this.#child.on('exit', () => this.#exited())
    this.#child.on('close', (code, signal) => this.#closed(code, signal))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-lastWords)
    })
    this.#keepAlive(false)
  }

  run(watched: WatchedAttempt): void {
    this.current = watched
    this.#served += 1
    if (this.#served === Math.floor(this.#retireAfter * spareFrom)) this.#pool.tired()
    this.#keepAlive(true)
    const identity = this.#child.pid === undefined ? null : identify(this.#child.pid)
    // Where it could not be started or is gone already, its `error` or `close` event ends the attempt.
    if (identity === null) return
    const process = { type: 'worker', ...identity, oomKills: oomKills(), supervisor: null } as const
    writeWhole(watched.attempt, 'process', process)
    watched.leads(process)
    this.#send({ type: 'run', attempt: watched.attempt })
  }

  stop(reason: StopReason): void {
    // Its group gets a signal, which may arrive after the attempt has ended: it serves no other attempt.
    this.#stopped = true
    this.#send({ type: 'stop', reason })
  }

  /** Lets go: an idle worker ends by itself when nobody is connected, a busy one after its attempt. */
  release(): void {
    this.current?.release()
    this.#child.removeAllListeners()
    this.#child.stderr?.destroy()
    if (this.#child.connected) this.#child.disconnect()
    this.#child.unref()
  }

  #send(message: ToWorker): void {
    // What cannot be sent goes to a worker that is gone; its exit tells.
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  #message(message: FromWorker): void {
    const { current } = this
    if (current === null) return
    if (message.type === 'event') current.tell(message.event)
    else void this.#ended(current, message)
  }

  async #ended(current: WatchedAttempt, { outcome, spawned }: FromWorker & { type: 'ended' }): Promise<void> {
    this.current = null
    const failed = outcome.type === 'failed' && outcome.kind !== 'invalid_input'
    if (failed || spawned || this.#stopped || this.#served >= this.#retireAfter) {
      this.retire()
      // Nothing that an attempt started runs beside the attempt that follows it.
      if (spawned && this.#child.pid !== undefined) await groupGone(this.#child.pid, this.#clock)
    } else {
      this.#keepAlive(false)
      this.#pool.free()
    }
    await current.end(null, outcome)
  }

  /** Ends it, and what its attempt left running in its group. */
  retire(): void {
    this.current = null
    this.#pool.gone()
    const { pid, exitCode, signalCode } = this.#child
    if (pid !== undefined && exitCode === null && signalCode === null) signalGroup(pid, 'SIGKILL')
    this.#keepAlive(false)
  }

  #failed(error: Error): void {
    // `error` also comes where a message could not be sent; then the exit follows.
    if (this.#child.pid !== undefined) return
    this.#pool.gone()
    this.current?.settle({
      type: 'failed',
      kind: 'crash',
      message: `cannot start a worker: ${error.message}`,
    })
    this.current = null
  }

  #exited(): void {
    this.#pool.gone()
    // Its children may hold the pipe that `close` waits for.
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL')
  }

  #closed(code: number | null, signal: string | null): void {
    const { current } = this
    this.current = null
    if (current === null) return
    keepLastWords(current.attempt, this.#stderr)
    void current.end({ code, signal })
  }

  /** Whether the engine's process waits for it. */
  #keepAlive(alive: boolean): void {
    const handles = [
      this.#child,
      this.#child.channel,
      this.#child.stderr as unknown as { ref(): void; unref(): void },
    ]
    for (const handle of handles) alive ? handle?.ref() : handle?.unref()
  }
}

function keepLastWords(attempt: Attempt, words: string): void {
  try {
    appendFileSync(fileOf(attempt, 'stderr'), words, { mode: 0o600 })
  } catch {
    // A full disk: the words were only to explain the exit, which is told all the same.
  }
}
