/** Queued runs in the order in which they may start, one line per limit. Knows nothing of stores. */
import { Fifo } from './lanes.ts'
import type { LiveRun } from './live-run.ts'
import type { RunClaim } from './store/batch.ts'

/** How many runs without a limit are started in one transaction. */
const together = 1000

interface Line {
  readonly pipeline: string
  /** The limit had no room at the last look. */
  full: boolean
  readonly runs: Fifo<LiveRun>
}

/** The runs that wait for `concurrency.runs` of their pipeline, or for their backfill's `max-active`. */
export class RunQueue {
  readonly #lines = new Map<string, Line>()
  readonly #members = new Map<LiveRun, Line>()
  /** Runs that stand in a line, once; one that stands there when it no longer waits is passed over. */
  readonly #standing = new Set<LiveRun>()

  /** Runs that are waiting. */
  get length(): number {
    return this.#members.size
  }

  push(run: LiveRun): void {
    const key = keyOf(run)
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = { pipeline: run.record.pipeline, full: false, runs: new Fifo() }
      this.#lines.set(key, line)
    }
    if (!this.#standing.has(run)) line.runs.push(run)
    this.#standing.add(run)
    this.#members.set(run, line)
  }

  /** The run no longer waits. */
  remove(run: LiveRun): void {
    this.#members.delete(run)
  }

  /** A run had no room: it goes back to the front, and its line waits. */
  putBack(run: LiveRun): void {
    const line = this.#members.get(run)
    if (line === undefined) return
    line.runs.unshift(run)
    this.#standing.add(run)
    line.full = true
    this.#lines.set(keyOf(run), line)
  }

  /** A run ended: its line may have room. */
  ended(run: LiveRun): void {
    for (const line of this.#lines.values()) if (line.pipeline === run.record.pipeline) line.full = false
  }

  /** Anything may have ended elsewhere. */
  reopen(): void {
    for (const line of this.#lines.values()) line.full = false
  }

  /** The runs to try to start now, the longest waiting first. Each is either started or put back. */
  candidates(): RunClaim[] {
    const claims: RunClaim[] = []
    for (const [key, line] of this.#lines) {
      let most = line.full ? 0 : together
      for (let taken = 0; taken < most; ) {
        const run = line.runs.shift()
        if (run === undefined) break
        this.#standing.delete(run)
        if (!this.#members.has(run)) continue
        const claim = claimOf(run)
        claims.push(claim)
        taken++
        most = Math.min(most, claim.backfillLimit ?? claim.scheduledLimit ?? claim.limit ?? together)
      }
      // Backfills come and go: a line that is empty is not kept.
      if (line.runs.length === 0) this.#lines.delete(key)
    }
    return claims
  }
}

/** The limits are those of the run's own version: one that is queued with it may have others. */
function claimOf({ record, pipeline, maxActive: backfillLimit }: LiveRun): RunClaim {
  const { id: run, fence, backfill, trigger } = record
  const { concurrency, schedule } = pipeline
  const limit = backfill === null ? concurrency.runs : null
  // Scheduled runs wait for the one before (`overlap: queue`), also where the pipeline has no limit of runs.
  const waits = trigger === 'schedule' && (schedule?.overlap ?? 'queue') === 'queue'
  return { run, fence, limit, scheduledLimit: waits ? (concurrency.runs ?? 1) : null, backfillLimit }
}

function keyOf({ record: { pipeline, backfill, trigger } }: LiveRun): string {
  return `${pipeline} ${backfill ?? ''} ${trigger === 'schedule' ? trigger : ''}`
}
