/**
 * An attempt in a process of its own, as the engine sees it: its events, the stop, and the one outcome.
 * Knows nothing of how the process was started or found.
 */
import { existsSync } from 'node:fs'
import type { Clock, Timer } from '../clock.ts'
import type { Outcome } from '../outcome.ts'
import { EventFollower, type EventLine, EventWriter } from './attempt-events.ts'
import {
  type AttemptProcess,
  type Ending,
  fileOf,
  readEnding,
  readStopping,
  writeWhole,
} from './attempt-folder.ts'
import { CheckpointSeal } from './checkpoint-seal.ts'
import {
  classifyExit,
  type Evidence,
  type Exit,
  evidenceOf,
  exitOfShell,
  readOutputs,
  stoppedBefore,
  vanished,
} from './classify.ts'
import { LogBound } from './log-bound.ts'
import { bootId, groupGone, identify, isAlive, signalGroup } from './process-identity.ts'
import type { Attempt, AttemptEvent, OperatorHost, RunningAttempt, StopReason } from './runtime.ts'

/** What the process runtime is given. */
export interface ProcessWorld {
  readonly host: Pick<OperatorHost, 'command' | 'outputs'>
  readonly clock: Clock
}

/** Milliseconds before what an attempt says is listened for. */
const unwatched = 10

/** One attempt and its process. Settles once. */
export class WatchedAttempt implements RunningAttempt {
  readonly outcome: Promise<Outcome>
  readonly attempt: Attempt
  /** Why an earlier engine asked it to stop. */
  asked: StopReason | null = null
  readonly #world: ProcessWorld
  readonly #listen: (event: AttemptEvent) => void
  readonly #follower: EventFollower
  readonly #seal: CheckpointSeal
  readonly #printed: LogBound
  #resolve: (outcome: Outcome) => void = () => {}
  #process: AttemptProcess | null = null
  #failure: Evidence['failure'] = null
  #stop: { readonly reason: StopReason; readonly grace: number; readonly timer: Timer } | null = null
  #killed = false
  #released = false
  /** Ends what would write the ending, where the attempt itself cannot be ended. */
  #endBy: () => void = () => {}
  /** Whether its events come from the file; a worker of this engine tells them itself. */
  #following = false
  #watching: Timer | null = null
  #ending = false
  /** Whether what is read was told to an earlier engine. */
  #replaying = false
  #newest: AttemptEvent | null = null

  constructor(world: ProcessWorld, attempt: Attempt, listen: (event: AttemptEvent) => void) {
    this.#world = world
    this.attempt = attempt
    this.#listen = listen
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#seal = new CheckpointSeal(attempt, world.clock, listen)
    const warn = (message: string) => listen({ type: 'log', level: 'warn', message })
    const printed = [fileOf(attempt, 'stdout'), fileOf(attempt, 'stderr')]
    this.#printed = new LogBound(printed, world.clock, (path, { message }) =>
      warn(`${path} grew too long, and cannot be cut: ${message}`),
    )
    this.#follower = new EventFollower(attempt.folder, (line) => this.#take(line), warn)
  }

  /** Why it was asked to stop, where it was. */
  get stopping(): StopReason | null {
    return this.#stop?.reason ?? null
  }

  /** Whether its outcome is settled or about to be. */
  get ended(): boolean {
    return this.#ending
  }

  /** Whether it was let go of. */
  get released(): boolean {
    return this.#released
  }

  /** How to end what would write its ending. */
  endsBy(end: () => void): void {
    this.#endBy = end
  }

  /** From here on signals go to this process' group. */
  leads(process: AttemptProcess): void {
    this.#process = process
    // What workers print is among their events.
    if (process.type === 'command') this.#printed.watch()
    if (this.#killed) this.#kill()
    else if (this.#stop !== null) this.#terminate()
  }

  /** Reports what the attempt appends to its events file from here on; a command that ends at once needs no watch for it. */
  follow(): void {
    const { clock } = this.#world
    this.#following = true
    this.#watching = clock.at(clock.now() + unwatched, () => this.#follower.watch())
  }

  /** Reads what the attempt appended to its events file. */
  hear(): void {
    if (!this.#ending) this.#follower.read()
  }

  /** Takes in, silently, what an earlier engine was told already; only the newest progress is told again. */
  catchUp(): void {
    this.asked = readStopping(this.attempt)
    this.#following = true
    this.#replaying = true
    this.#follower.read()
    this.#replaying = false
    if (this.#newest !== null) this.#listen(this.#newest)
  }

  /** An event that came by another way than the file. */
  tell(event: AttemptEvent): void {
    if (event.type === 'failure') this.#failure = event
    this.#listen(event)
  }

  stop(reason: StopReason, grace: number): void {
    if (this.#ending) return
    const { clock } = this.#world
    this.#stop?.timer.cancel()
    const first = this.#stop === null
    this.#stop = { reason, grace, timer: clock.at(clock.now() + grace, () => this.#kill()) }
    if (first) this.#note(`asked to stop (${reason}); SIGKILL follows after ${grace / 1000} s`)
    this.#terminate()
  }

  /** Its supervisor has written how the command ended, and says so. */
  told(code: number): Promise<void> {
    return this.#end(exitOfShell(code), null, { code })
  }

  /** The process is gone, or says that the attempt ended. `exit` and `said` count only where the folder has no ending. */
  end(exit: Exit | null, said: Outcome | null = null): Promise<void> {
    return this.#end(exit, said, null)
  }

  async #end(exit: Exit | null, said: Outcome | null, written: Ending | null): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    // What is left of the group ends within the grace by itself, afterwards by SIGKILL.
    if (this.#process?.type === 'command') await this.#endGroup(this.#process.pid, written !== null)
    if (this.#following) this.#follower.read()
    this.release()
    this.#printed.cut()
    await this.#seal.done()
    this.#resolve(await this.#outcomeOf(written ?? readEnding(this.attempt), exit, said))
  }

  /** No process of it was ever on record, and none will be. */
  neverBegan(): void {
    const reason = this.stopping
    this.settle(reason === null ? vanished(this.attempt) : stoppedBefore(reason))
  }

  /** Ends with an outcome that no process had a part in. */
  settle(outcome: Outcome): void {
    if (this.#ending) return
    this.#ending = true
    this.release()
    this.#resolve(outcome)
  }

  /** Stops watching; the process goes on, and the folder keeps its ending. */
  release(): void {
    this.#released = true
    this.#stop?.timer.cancel()
    this.#watching?.cancel()
    this.#follower.close()
    this.#printed.close()
  }

  #take({ event, raw, end }: EventLine): void {
    if (event.type === 'failure') this.#failure = event
    if (event.type === 'checkpoint' && this.#process?.type !== 'worker')
      this.#seal.take(event.step, raw.path, end)
    else if (!this.#replaying) this.#listen(event)
    else if (event.type === 'progress') this.#newest = event
  }

  /** Into the log of the attempt; where its file is followed, the listener hears of it from there. */
  #note(message: string): void {
    const event = { type: 'log', level: 'info', message } as const
    const writer = new EventWriter(this.attempt.folder, this.#world.clock)
    this.#try('the log', () => {
      writer.append(event)
      writer.close()
    })
    if (!this.#following) this.#listen(event)
  }

  /** What is left of a command's group ends with it, after a stop within the grace; a supervisor that told has seen to it. */
  async #endGroup(group: number, told: boolean): Promise<void> {
    // As long as anything is left of the group no other process has its number.
    const kill = () =>
      this.#process?.bootId === bootId() && identify(group) === null && signalGroup(group, 'SIGKILL')
    const killed = (this.#stop === null ? !told : this.#killed) && kill()
    if (this.#stop !== null || killed) await groupGone(group, this.#world.clock, () => this.#released)
  }

  #terminate(): void {
    if (this.#stop === null) return
    const { reason } = this.#stop
    // A command that begins only now looks for the mark. Its supervisor leaves what else runs in its group alone: it has
    // the rest of the grace.
    if (existsSync(this.attempt.folder))
      this.#try('the mark of the stop', () => writeWhole(this.attempt, 'stopping', { reason }))
    if (this.#process !== null && isAlive(this.#process)) signalGroup(this.#process.pid, 'SIGTERM')
  }

  /** Does what may fail for want of disk, and must not keep the rest from happening. */
  #try(what: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      const message = `${what} of attempt ${this.attempt.id} cannot be written: ${(error as Error).message}`
      this.#listen({ type: 'log', level: 'warn', message })
    }
  }

  #kill(): void {
    this.#killed = true
    if (this.#process !== null && (this.#ending || isAlive(this.#process)))
      signalGroup(this.#process.pid, 'SIGKILL')
    else this.#endBy()
  }

  async #outcomeOf(ending: Ending | null, exit: Exit | null, said: Outcome | null): Promise<Outcome> {
    if (ending !== null && 'outcome' in ending) return ending.outcome
    if (said !== null) return said
    const outcome = await this.#outcomeOfExit(
      ending === null ? exit : exitOfShell(ending.code),
      ending !== null,
    )
    if (ending === null) this.#keep(outcome)
    return outcome
  }

  async #outcomeOfExit(exit: Exit | null, told: boolean): Promise<Outcome> {
    const killed = this.#killed && (!told || exit?.signal === 'SIGKILL')
    if (killed && this.#stop !== null) {
      const { reason, grace } = this.#stop
      return {
        type: 'failed',
        kind: 'crash',
        message: `killed: it did not end within ${grace / 1000} s of SIGTERM (${reason})`,
      }
    }
    if (exit === null) return vanished(this.attempt)
    // A supervisor that could not write the ending (a full disk) exits as its command did.
    if (exit.code === 0 && (told || this.#process?.type === 'command')) return this.#outputs()
    return classifyExit(exit, evidenceOf(this.attempt, this.#failure, this.#process?.oomKills ?? null))
  }

  async #outputs(): Promise<Outcome> {
    const read = readOutputs(this.attempt)
    const outcome =
      'outputs' in read ? await this.#world.host.outputs(this.attempt.operator, read.outputs) : read
    // Nobody saw to it that they are on disk: what a loss of power left of them is not what the command wrote.
    const restarted = this.#process === null || this.#process.bootId !== bootId()
    return restarted && outcome.type === 'failed' ? vanished(this.attempt) : outcome
  }

  /** So that a later engine finds the same outcome. */
  #keep(outcome: Outcome): void {
    if (outcome.type !== 'released')
      this.#try('the ending', () => writeWhole(this.attempt, 'ending', { outcome }))
  }
}
