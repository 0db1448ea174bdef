/** Random pipelines for the simulation: graphs, trigger rules, retries, limits, and what each try of a task comes to. */
import { failureKinds } from '../../engine/errors.ts'
import type { Outcome } from '../../engine/outcome.ts'
import { type Pipeline, type Task, triggerRules } from '../../engine/pipeline.ts'
import { type Random, seededRandom } from '../../engine/random.ts'

/** What a seed is allowed to contain. */
export interface Flavour {
  /** Tasks that skip: with failures beside them the final state may depend on which came first. */
  readonly skips: boolean
  /** Timeouts: whether one strikes depends on how long engines were down. */
  readonly timeouts: boolean
  /** Tasks that reuse what an earlier run of the same pipeline made: which run that is, time decides. */
  readonly cached: boolean
}

/** A pipeline of 1 to 24 tasks. */
export function randomPipeline(random: Random, flavour: Flavour): Pipeline {
  const size = 1 + pick(random, 24)
  const tasks: Task[] = []
  for (let i = 0; i < size; i++) tasks.push(randomTask(random, flavour, i))
  return {
    name: 'simulated',
    version: `v${Math.floor(random.next() * 1e9)}`,
    description: null,
    owner: null,
    tags: {},
    schedule: null,
    params: {},
    concurrency: {
      runs: random.next() < 0.3 ? 1 : null,
      tasks: random.next() < 0.4 ? 1 + pick(random, 3) : null,
    },
    tasks,
  }
}

/** What try number `attempt` of a task comes to; the same for the same arguments, whatever crashed meanwhile. */
export function outcomeOf(
  seed: number,
  run: number,
  task: number,
  tries: number,
  wakes: number,
  flavour: Flavour,
): Outcome {
  // What is reused must not depend on who made it.
  const maker = flavour.cached ? 0 : run
  const draw = seededRandom(seed * 31 + maker * 1009 + task * 97 + tries * 7 + wakes).next()
  if (wakes === 0 && draw < 0.1) return { type: 'sleep', until: 0, state: { from: draw } }
  const settled = seededRandom(seed * 37 + maker * 1013 + task * 89 + tries * 5).next()
  if (settled < 0.08) return { type: 'failed', kind: 'user', message: 'broken' }
  if (settled < 0.2) return { type: 'failed', kind: 'network', message: 'unreachable' }
  if (flavour.skips && settled < 0.3) return { type: 'skipped', reason: 'nothing to do' }
  return { type: 'succeeded', outputs: { tries } }
}

function randomTask(random: Random, flavour: Flavour, index: number): Task {
  const needs = new Set<number>()
  const fanIn = index === 0 ? 0 : pick(random, 4)
  for (let i = 0; i < fanIn; i++) needs.add(pick(random, index))
  return {
    id: `t${index}`,
    description: null,
    uses: 'Fake',
    version: 1,
    with: { task: index },
    shell: [],
    env: {},
    needs: [...needs].sort((a, b) => a - b),
    trigger:
      random.next() < 0.6
        ? 'all_success'
        : (triggerRules[pick(random, triggerRules.length)] as Task['trigger']),
    when: flavour.skips && random.next() < 0.1 ? 'false' : null,
    gate: random.next() < 0.15 ? ['baseline == null || true'] : random.next() < 0.03 ? ['false'] : [],
    retry: {
      attempts: 1 + pick(random, 3),
      delay: 1000,
      factor: 2,
      maxDelay: 8000,
      jitter: 'full',
      on: failureKinds.filter((kind) => kind !== 'user' || random.next() < 0.5),
      onSleep: random.next() < 0.5,
    },
    timeout: flavour.timeouts && random.next() < 0.3 ? 1000 + pick(random, 20_000) : null,
    runtime: random.next() < 0.5 ? 'inline' : 'process',
    cache: flavour.cached && random.next() < 0.5 ? { ttl: null, files: [] } : null,
    effects: 'none',
  }
}

/** A whole number in [0, below). */
export function pick(random: Random, below: number): number {
  return Math.floor(random.next() * below)
}
