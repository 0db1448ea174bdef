/**
 * The inside of a worker process: runs one attempt at a time, writes its events and its ending into its folder, and
 * tells the engine, where one is there to be told. Knows nothing of which operators there are.
 */
import type { Clock } from '../clock.ts'
import type { Outcome } from '../outcome.ts'
import { EventWriter } from './attempt-events.ts'
import { isAbandoned, outputCap, writeWhole } from './attempt-folder.ts'
import { captureOutput } from './capture-output.ts'
import { classifyExit, vanished } from './classify.ts'
import type { Attempt, AttemptEvent, OperatorHost } from './runtime.ts'
import type { FromWorker, ToWorker } from './worker-protocol.ts'

/** What a worker knows of its own exit: nothing but the code. */
const nothingElse = { failure: null, printed: '', oomKilled: false }

/** The attempt at hand. */
interface Current {
  readonly attempt: Attempt
  readonly events: EventWriter
  readonly abort: AbortController
  spawned: boolean
}

/** Serves the engine that forked this process, and ends with it, after the attempt at hand. */
export function serveAttempts(host: Pick<OperatorHost, 'run'>, clock: Clock): void {
  let current: Current | null = null
  const output = captureOutput((stream, line) => {
    const level = stream === 'stderr' ? 'error' : 'info'
    if (current !== null) append(current, { type: 'log', level, message: line }, stream)
  })
  const stop = (reason: string) => {
    if (current === null) process.exit(0)
    current.abort.abort(new Error(`asked to stop (${reason})`))
  }
  const run = async (attempt: Attempt) => {
    const mine: Current = {
      attempt,
      events: new EventWriter(attempt.folder, clock),
      abort: new AbortController(),
      spawned: false,
    }
    current = mine
    // An engine that has given it up may have it run elsewhere by now.
    if (isAbandoned(attempt)) return end(mine, vanished(attempt))
    const listen = (event: AttemptEvent) => {
      // What an operator says after its end belongs to nobody.
      if (current !== mine) return
      append(mine, event)
      tell({ type: 'event', event })
    }
    const outcome = await host.run(attempt, {
      signal: mine.abort.signal,
      listen,
      spawned: () => (mine.spawned = true),
    })
    output.flush()
    end(mine, capped(outcome))
  }
  const end = (mine: Current, outcome: Outcome) => {
    current = null
    mine.events.close()
    const written = keep(mine.attempt, outcome)
    tell({ type: 'ended', outcome: written, spawned: mine.spawned })
    if (!process.connected) process.exit(0)
  }
  process.on('message', (message: ToWorker) => {
    if (message.type === 'run') void run(message.attempt)
    else stop(message.reason)
  })
  process.on('disconnect', () => {
    if (current === null) process.exit(0)
  })
  process.on('exit', (code) => {
    // An engine that is there classifies the exit itself; one to come finds how it was.
    if (current !== null && !process.connected)
      keep(current.attempt, classifyExit({ code, signal: null }, nothingElse))
  })
  // The engine's stop comes twice, as a message and as a signal to the group, which also reaches spawned commands.
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('uncaughtException', (error) => {
    const mine = current
    if (mine === null) throw error
    append(mine, { type: 'log', level: 'error', message: String(error.stack ?? error) })
    current = null
    const message = `thrown where nobody caught it: ${error.message ?? String(error)}`
    const outcome: Outcome = { type: 'failed', kind: 'user', message }
    tell({ type: 'ended', outcome: keep(mine.attempt, outcome), spawned: true }, () => process.exit(1))
  })
}

/** Tells the engine. One that is gone needs nothing: the folder has it all. */
function tell(message: FromWorker, sent: () => void = () => {}): void {
  if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, sent)
  else sent()
}

function append({ events }: Current, event: AttemptEvent, stream?: 'stdout' | 'stderr'): void {
  try {
    events.append(event, stream === undefined ? {} : { stream })
  } catch (error) {
    const message = `the attempt's log cannot be written: ${(error as Error).message}`
    tell({ type: 'event', event: { type: 'log', level: 'warn', message } })
  }
}

/** Writes the ending; where that fails (a full disk), the engine learns of it in time only by the message. */
function keep(attempt: Attempt, outcome: Outcome): Outcome {
  try {
    writeWhole(attempt, 'ending', { outcome })
  } catch (error) {
    const message = `its ending cannot be written: ${(error as Error).message}`
    tell({ type: 'event', event: { type: 'log', level: 'warn', message } })
  }
  return outcome
}

function capped(outcome: Outcome): Outcome {
  const size = Buffer.byteLength(JSON.stringify(outcome))
  if (size <= outputCap) return outcome
  const message = `its outputs are ${size} bytes, more than the ${outputCap} allowed: write data to a file and return its path`
  return { type: 'failed', kind: 'invalid_input', message }
}
