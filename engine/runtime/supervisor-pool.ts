/** Commands are started by small warm processes, each below one of its own for its time. Knows nothing of attempts' outcomes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { baseEnvironment } from './base-environment.ts'
import { supervisorProgram } from './supervisor-program.ts'

/** Supervisors that are kept when they have nothing to do. */
const keptIdle = 16

/** Supervisors that may fail to start, one after the other, before commands are started without any. */
const mostFailures = 3

/** What Perl itself would take from the environment; commands get it all the same. */
const ofPerl = ['PERL5OPT', 'PERL_UNICODE']

/** What is to be started. */
export interface Launch {
  /** Absolute: the attempt's. */
  readonly folder: string
  /** Absolute: the working folder. */
  readonly cwd: string
  /** Over the engine's own environment. */
  readonly env: { readonly [name: string]: string }
  readonly argv: readonly string[]
  /** What the record of the process has besides who it is. */
  readonly record: { readonly bootId: string; readonly oomKills: number | null }
}

/** A process by its number and the system's words for when it started. */
export interface StartedProcess {
  readonly pid: number
  readonly startTime: string
}

/** Told what becomes of a launch: perhaps `started`, then one of the others. */
export interface LaunchEvents {
  started(command: StartedProcess, supervisor: StartedProcess): void
  /** The command ended; `code` as a shell tells it (128 + n is signal n). */
  ended(code: number): void
  /** Nothing began. */
  failed(why: string): void
  /** Its supervisor is gone: the attempt's folder tells the rest. */
  lost(): void
}

/** Warm supervisors, made when there is none free and kept when they are. */
export class SupervisorPool {
  readonly #perl: string
  readonly #idle: Supervisor[] = []
  readonly #all = new Set<Supervisor>()
  #usable: boolean | null = null
  /** Supervisors that ended before they served, since the last that did. */
  #failures = 0

  /** @param perl the name of Perl on the path */
  constructor(perl: string) {
    this.#perl = perl
  }

  /** Whether this machine can run them: where Perl is found, and runs. */
  get usable(): boolean {
    this.#usable ??= isOnPath(this.#perl)
    return this.#usable
  }

  /** Starts a command; what it returns kills its supervisor. Throws where a word of it cannot be passed to a process. */
  start(launch: Launch, events: LaunchEvents): () => void {
    const frame = framed(launch)
    const supervisor = this.#idle.pop() ?? this.#make()
    supervisor.run(frame, events)
    return () => supervisor.kill(events)
  }

  /** Each ends with the command that it has. */
  close(): void {
    for (const supervisor of this.#all) supervisor.release()
    this.#all.clear()
    this.#idle.length = 0
  }

  #make(): Supervisor {
    const supervisor = new Supervisor(this.#perl, {
      free: () => {
        if (this.#idle.length < keptIdle) this.#idle.push(supervisor)
        else this.#drop(supervisor)
      },
      ready: () => {
        this.#failures = 0
      },
      gone: (wasReady, absent) => {
        if (!wasReady) this.#failures += 1
        if (absent || this.#failures >= mostFailures) this.#usable = false
        this.#all.delete(supervisor)
        const at = this.#idle.indexOf(supervisor)
        if (at >= 0) this.#idle.splice(at, 1)
      },
    })
    this.#all.add(supervisor)
    return supervisor
  }

  #drop(supervisor: Supervisor): void {
    this.#all.delete(supervisor)
    supervisor.release()
  }
}

/** What a supervisor tells the pool that it is in. */
interface PoolOfSupervisor {
  /** It serves. */
  ready(): void
  /** It has nothing to do. */
  free(): void
  /** @param absent there is no such program */
  gone(wasReady: boolean, absent: boolean): void
}

class Supervisor {
  readonly #child: ChildProcess
  readonly #pool: PoolOfSupervisor
  #events: LaunchEvents | null = null
  /** Null until it has said that it serves. */
  #itself: StartedProcess | null = null
  /** Why nothing began; told when the supervisor is done with it. */
  #failure: string | null = null
  #text = ''

  constructor(perl: string, pool: PoolOfSupervisor) {
    this.#pool = pool
    const env = baseEnvironment()
    for (const name of ofPerl) delete env[name]
    this.#child = spawn(perl, ['-e', supervisorProgram], {
      cwd: '/',
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#child.on('error', (error) => this.#failed(error))
    this.#child.on('close', () => this.#gone(false))
    // Where it is gone, its end says so.
    this.#child.stdin?.on('error', () => {})
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
  }

  run(frame: Buffer, events: LaunchEvents): void {
    this.#events = events
    this.#keepAlive(true)
    this.#child.stdin?.write(frame)
  }

  /** Ends it, where it is still at this command. */
  kill(events: LaunchEvents): void {
    if (this.#events === events) this.#child.kill('SIGKILL')
  }

  /** Lets go: it ends when it finds nobody at the other end. */
  release(): void {
    this.#child.removeAllListeners()
    this.#child.on('error', () => {})
    this.#child.stdin?.end()
    this.#child.stdout?.destroy()
    this.#child.unref()
  }

  #hear(text: string): void {
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop() ?? ''
    for (const line of lines) this.#take(line.split('\t'))
  }

  #take([word, ...rest]: string[]): void {
    const [first, second = ''] = rest
    if (word === 'ready') {
      this.#itself = { pid: Number(first), startTime: second }
      this.#pool.ready()
    } else if (word === 'started' && this.#itself !== null)
      this.#events?.started({ pid: Number(first), startTime: second }, this.#itself)
    else if (word === 'failed') this.#failure = rest.join(' ')
    else if (word === 'ended') {
      const events = this.#events
      const failure = this.#failure
      this.#events = null
      this.#failure = null
      this.#keepAlive(false)
      this.#pool.free()
      if (failure === null) events?.ended(Number(first))
      else events?.failed(failure)
    }
  }

  #failed(error: NodeJS.ErrnoException): void {
    // `error` also comes where a signal could not be sent; then the end follows.
    if (this.#child.pid !== undefined) return
    this.#events?.failed(error.message)
    this.#events = null
    this.#gone(error.code === 'ENOENT' || error.code === 'EACCES')
  }

  #gone(absent: boolean): void {
    this.#pool.gone(this.#itself !== null, absent)
    const events = this.#events
    this.#events = null
    events?.lost()
  }

  /** Whether the engine's process waits for it. */
  #keepAlive(alive: boolean): void {
    const { stdin, stdout } = this.#child
    const handles = [this.#child, stdin, stdout] as unknown as ({ ref(): void; unref(): void } | null)[]
    for (const handle of handles) alive ? handle?.ref() : handle?.unref()
  }
}

/** A launch as the program reads it. Throws where a field holds what no process can be given. */
function framed({ folder, cwd, env, argv, record }: Launch): Buffer {
  const inherited = ofPerl.map((name) => [name, process.env[name]]).filter(([, value]) => value !== undefined)
  const variables = [...inherited, ...Object.entries(env)].map(([name, value]) => `${name}=${value}`)
  const rest = JSON.stringify(record).slice(1, -1)
  const fields = [folder, cwd, rest, String(variables.length), ...variables, ...argv]
  const odd = fields.find((field) => field.includes('\0'))
  if (odd !== undefined) throw new Error(`a null byte stands in ${JSON.stringify(odd.slice(0, 100))}`)
  const text = Buffer.from(fields.join('\0'))
  const frame = Buffer.allocUnsafe(4 + text.length)
  frame.writeUInt32BE(text.length)
  text.copy(frame, 4)
  return frame
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return folder !== ''
    } catch {
      // Not in this one.
      return false
    }
  })
}
