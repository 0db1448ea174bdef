/** What a command touches of its process: arguments' folder, output, time, signals. Knows no command. */
import { type Clock, systemClock } from '../engine/clock.ts'
import { type Random, systemRandom } from '../engine/random.ts'

/** Where text goes. */
export interface Sink {
  write(text: string): void
  /** Whether a person sees it as it comes: colours and live displays are for these only. */
  readonly isTerminal: boolean
  /** Characters per line. */
  readonly columns: number
  readonly rows: number
}

/** `interrupt` is Ctrl-C; `terminate` is SIGTERM and a closed terminal. */
export type Signal = 'interrupt' | 'terminate'

/** The process as commands see it. Results go to `out`; errors, live displays and notes to `err`. */
export interface Terminal {
  readonly cwd: string
  readonly env: { readonly [name: string]: string | undefined }
  readonly out: Sink
  readonly err: Sink
  readonly clock: Clock
  readonly random: Random
  /** Calls `heard` at each signal, which then does nothing else; gives the function that ends it. */
  onSignal(heard: (signal: Signal) => void): () => void
  /** Ends the process now, whatever still runs in it. */
  leave(exit: number): never
}

/** The process' own. */
export function processTerminal(): Terminal {
  return {
    cwd: process.cwd(),
    env: process.env,
    out: sinkOf(process.stdout),
    err: sinkOf(process.stderr),
    clock: systemClock,
    random: systemRandom,
    onSignal: hearSignals,
    leave: (exit) => process.exit(exit),
  }
}

const hearers = new Set<{ readonly heard: (signal: Signal) => void }>()
const tell = (signal: Signal) => {
  for (const { heard } of [...hearers]) heard(signal)
}
const interrupt = () => tell('interrupt')
const terminate = () => tell('terminate')

/** One listener of the process for all that hear: a backfill may follow more runs than Node takes for a leak. */
function hearSignals(heard: (signal: Signal) => void): () => void {
  const hearer = { heard }
  if (hearers.size === 0) {
    process.on('SIGINT', interrupt)
    process.on('SIGTERM', terminate)
    process.on('SIGHUP', terminate)
  }
  hearers.add(hearer)
  return () => {
    if (!hearers.delete(hearer) || hearers.size > 0) return
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', terminate)
    process.off('SIGHUP', terminate)
  }
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // Whoever reads may close its end (`| head`); a run does not stop for that.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  })
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 100
    },
    get rows() {
      return stream.rows ?? 24
    },
  }
}

/** Whether colours may be used there: `NO_COLOR` and `TERM=dumb` forbid them, `FORCE_COLOR` asks for them. */
export function isColourful(sink: Sink, env: Terminal['env']): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true
  return sink.isTerminal && env.TERM !== 'dumb'
}
