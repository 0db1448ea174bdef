/** Random installations for the simulation of what makes runs: a scheduled pipeline, one of datasets, a backfill. Data only. */
import type { BackfillOrder } from '../../cli/backfill.ts'
import { failureKinds } from '../../engine/errors.ts'
import type { Outcome } from '../../engine/outcome.ts'
import type { Catchup, Overlap, Pipeline, Schedule } from '../../engine/pipeline.ts'
import { type Random, seededRandom } from '../../engine/random.ts'
import { pipelineOf, type Sketch } from '../support/pipelines.ts'
import { pick, poolSize } from './random-pipeline.ts'

/** When worlds begin, epoch milliseconds: the clock's own beginning. */
export const beginning = Date.UTC(2026, 0, 1)
/** How long things befall a world, and until when its schedule is due, milliseconds from its beginning. */
export const lasts = { storm: 90_000, schedule: 125_000 } as const

/** The datasets that pipelines and people update. */
export const datasets = ['data://a', 'data://b'] as const

/** What one seed plays. */
export interface Scenario {
  /** Due by time. */
  readonly timed: Pipeline & { readonly schedule: Schedule }
  /** Due by datasets, of which the scheduled one may update the first. */
  readonly fed: Pipeline & { readonly schedule: Schedule }
  /** A backfill of the scheduled pipeline, of intervals before the beginning. */
  readonly order: BackfillOrder | null
  /** How many intervals the backfill covers. */
  readonly intervals: number
  /** Engines that serve the schedules. */
  readonly serving: number
  /** Whether a person may cancel the backfill. */
  readonly cancels: boolean
  /** Whether clocks are set wrong. */
  readonly jumps: boolean
}

const catchups: readonly Catchup[] = ['all', 'all', 'none', 'latest']
const overlaps: readonly Overlap[] = ['queue', 'queue', 'skip', 'cancel']

/** The scenario of a seed. */
export function scenarioOf(seed: number): Scenario {
  const random = seededRandom(seed * 7919)
  const minutes = random.next() < 0.15
  const every = minutes ? 60_000 : ([10_000, 12_000, 15_000][pick(random, 3)] as number)
  const filled = random.next() < 0.6
  const catchup = oneOf(random, catchups)
  const early = !filled && random.next() < 0.5
  const timed = pipeline(random, 'timed', {
    cron: minutes ? ['* * * * *'] : [],
    every: minutes ? null : every,
    catchup,
    start: early ? beginning - 3 * every : null,
    end: beginning + lasts.schedule,
  })
  const fed = pipeline(random, 'fed', {
    datasets: { mode: random.next() < 0.5 ? 'any' : 'all', uris: datasets },
  })
  const cancels = filled && seed % 4 === 0
  // Only where there are many are some of the runs made late, when the backfill may be cancelled already.
  const intervals = (cancels ? 11 : 3) + pick(random, 4)
  const order: BackfillOrder = {
    pipeline: timed,
    folder: '/',
    schedule: timed.schedule,
    // The last interval before the beginning may be the schedule's (`catchup: latest`).
    from: beginning - (intervals + 1) * every,
    to: beginning - every,
    mode: random.next() < 0.5 ? 'all' : 'missing',
    maxActive: 1 + pick(random, 3),
    reverse: random.next() < 0.3,
    params: {},
    includeDeploy: false,
  }
  return {
    timed,
    fed,
    order: filled ? order : null,
    intervals,
    serving: 1 + (seed % 3),
    cancels,
    jumps: seed % 5 === 0,
  }
}

function pipeline(random: Random, name: string, own: Partial<Schedule>): Scenario['timed'] {
  const tasks: { [id: string]: Sketch } = {}
  const produces = name === 'timed' && random.next() < 0.5 ? { produces: [datasets[0]] } : {}
  tasks.first = { ...randomTask(random), ...produces }
  if (random.next() < 0.4) tasks.second = { ...randomTask(random), needs: ['first'] }
  const schedule: Schedule = {
    cron: [],
    every: null,
    timezone: 'UTC',
    start: null,
    end: null,
    overlap: oneOf(random, overlaps),
    ...own,
  }
  const concurrency = {
    runs: random.next() < 0.5 ? 1 + pick(random, 2) : null,
    tasks: random.next() < 0.2 ? 2 : null,
  }
  return { ...pipelineOf(tasks), name, version: `${name} ${random.next()}`, concurrency, schedule }
}

function randomTask(random: Random): Sketch {
  return {
    runtime: random.next() < 0.5 ? 'inline' : 'process',
    retry: {
      attempts: 2,
      delay: 1000,
      factor: 1,
      maxDelay: 1000,
      jitter: 'full',
      on: failureKinds.filter((kind) => kind !== 'user'),
      onSleep: false,
    },
    ...(random.next() < 0.6 && {
      pool: 'gpu',
      slots: 1 + pick(random, poolSize),
      preemptible: random.next() < 0.5,
      priority: pick(random, 2),
    }),
  }
}

/** A try of a task. `cause` is what its run was made for. */
export interface Try {
  readonly cause: string
  readonly task: number
  readonly tries: number
  readonly wakes: number
}

/** What a try comes to; the same for the same arguments, whatever crashed meanwhile. */
export function outcomeOf(seed: number, { cause, task, tries, wakes }: Try): Outcome {
  let mixed = seed
  for (const character of `${cause} ${task} ${tries}`)
    mixed = Math.imul(mixed ^ character.charCodeAt(0), 16777619)
  const draw = seededRandom(mixed).next()
  if (wakes === 0 && draw > 0.95) return { type: 'sleep', until: 0, state: { from: draw } }
  if (draw < 0.08) return { type: 'failed', kind: 'user', message: 'broken' }
  if (draw < 0.25) return { type: 'failed', kind: 'network', message: 'unreachable' }
  return { type: 'succeeded', outputs: {} }
}

function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[pick(random, items.length)] as Item
}
