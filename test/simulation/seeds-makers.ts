/** What each seed of the makers' world is made to show: whatever crashes, what makes runs makes the same ones as in peace. */
import type { RunRecord } from '../../engine/store/records.ts'
import { calm, slow, stormy } from './hazards.ts'
import { type Result, simulateMakers } from './makers.ts'
import { type Scenario, scenarioOf } from './makers-scenario.ts'

/** How much was seen. */
export interface SeenMade {
  readonly crashes: number
  readonly runs: number
  /** Runs whose ends were compared with those in peace. */
  readonly compared: number
  /** Updates of datasets that runs covered. */
  readonly covered: number
  /** What `overlap: skip` left out. */
  readonly left: number
  readonly backfills: number
  readonly pauses: number
  readonly cancelled: number
  /** How often it was looked at what each open task waits for. */
  readonly waits: number
}

/** Plays each seed in peace and in a storm; throws at the first that shows a fault. */
export async function makers(seeds: readonly number[]): Promise<SeenMade> {
  const sum = {
    crashes: 0,
    runs: 0,
    compared: 0,
    covered: 0,
    left: 0,
    backfills: 0,
    pauses: 0,
    cancelled: 0,
    waits: 0,
  }
  for (const seed of seeds) {
    const peace = await simulateMakers(seed, seed % 2 === 0 ? calm : slow)
    const storm = await simulateMakers(seed, stormy)
    sum.crashes += storm.crashes
    sum.runs += storm.runs.length
    sum.covered += storm.seen.covered
    sum.left += storm.seen.left
    sum.backfills += storm.backfills.length
    sum.pauses += storm.seen.pauses
    sum.cancelled += storm.backfills.filter(({ state }) => state === 'cancelled').length
    sum.waits += storm.waits + peace.waits
    sum.compared += compare(scenarioOf(seed), peace, storm, (fault) => {
      throw new Error(`seed ${seed}: ${fault}`)
    })
  }
  return sum
}

/** The same causes have the same ends, and where nothing is left out there are the same causes. Gives how many it compared. */
function compare(
  { timed, order }: Scenario,
  peace: Result,
  storm: Result,
  fault: (message: string) => never,
): number {
  const [before, after] = [endsOf(peace), endsOf(storm)]
  let compared = 0
  for (const [cause, state] of after) {
    const expected = before.get(cause)
    if (state === 'cancelled' || expected === undefined || expected === 'cancelled') continue
    if (state !== expected) fault(`the run of ${cause} ${state}, and ${expected} in peace`)
    compared++
  }
  const { catchup, overlap } = timed.schedule
  const causes = (ends: ReadonlyMap<string, string>, word: string) =>
    [...ends.keys()].filter((cause) => cause.startsWith(word)).sort()
  const kinds = [
    ...(catchup === 'all' && overlap !== 'skip' ? ['schedule:'] : []),
    ...(order !== null && storm.backfills.every(({ state }) => state !== 'cancelled') ? ['backfill:'] : []),
  ]
  for (const kind of kinds) {
    const [expected, found] = [causes(before, kind).join(), causes(after, kind).join()]
    if (found !== expected) fault(`runs were made of\n${found}\nand in peace of\n${expected}`)
  }
  return compared
}

/** The state of each run that time made, by its cause; which updates of datasets make one run together depends on time. */
function endsOf({ runs }: Result): ReadonlyMap<string, string> {
  const causeOf = ({ backfill, interval, origin }: RunRecord) =>
    backfill === null ? (origin ?? '') : `backfill:${interval.end}`
  return new Map(runs.filter(({ trigger }) => trigger !== 'dataset').map((run) => [causeOf(run), run.state]))
}
