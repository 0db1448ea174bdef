/**
 * Random pipelines for the simulation: graphs, groups, mapped tasks, trigger rules, retries, recoveries, limits, ranks, and
 * what each try of a task comes to.
 */
import { failureKinds } from '../../engine/errors.ts'
import type { Outcome } from '../../engine/outcome.ts'
import { type Foreach, type Pipeline, type Recovery, type Task, triggerRules } from '../../engine/pipeline.ts'
import { mostPreemptions } from '../../engine/preemption.ts'
import { type Random, seededRandom } from '../../engine/random.ts'

/** What a seed is allowed to contain. */
export interface Flavour {
  /** Tasks that skip: with failures beside them the final state may depend on which came first. */
  readonly skips: boolean
  /** Timeouts: whether one strikes depends on how long engines were down. */
  readonly timeouts: boolean
  /** Tasks that reuse what an earlier run of the same pipeline made: which run that is, time decides. */
  readonly cached: boolean
  /** Mapped tasks and groups, in one another. */
  readonly nested: boolean
  /** A deadline that ends the run wherever it is. */
  readonly deadline?: boolean
  /** A task that is preempted as often as may be, beside all else. */
  readonly crowded?: boolean
}

/** Slots of the pool that some tasks take. */
export const poolSize = 3

/** A pipeline of 1 to 16 tasks at the top, with more in its groups. */
export function randomPipeline(random: Random, flavour: Flavour): Pipeline {
  const tasks: Task[] = []
  addTasks(random, flavour, tasks, { size: 1 + pick(random, flavour.nested ? 7 : 16), depth: 0 })
  if (flavour.crowded === true) addCrowd(random, tasks)
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
      // One slot for all tasks would be waited for, not taken.
      tasks: random.next() < 0.4 && flavour.crowded !== true ? 1 + pick(random, 3) : null,
    },
    ...(flavour.deadline === true && { deadline: { after: 1000 + pick(random, 60_000), do: 'fail' } }),
    tasks,
  }
}

/** Where tasks are added. */
interface Place {
  readonly size: number
  readonly depth: number
  readonly group?: number
}

function addTasks(random: Random, flavour: Flavour, tasks: Task[], { size, depth, group }: Place): void {
  const siblings: number[] = []
  const prefix = group === undefined ? 't' : `${tasks[group]?.id}.t`
  for (let i = 0; i < size; i++) {
    const index = tasks.length
    const task = randomTask(random, flavour, { id: `${prefix}${i}`, index, siblings })
    const placed = group === undefined ? task : { ...task, group }
    siblings.push(index)
    if (flavour.nested && depth < 2 && random.next() < 0.2) {
      tasks.push(asGroup(placed))
      addTasks(random, flavour, tasks, { size: 1 + pick(random, 3), depth: depth + 1, group: index })
    } else tasks.push(placed)
  }
}

/** A long task, and more that rank above it than may preempt it, each of them some time after the one before. */
function addCrowd(random: Random, tasks: Task[]): void {
  const plain = { skips: false, timeouts: false, cached: false, nested: false }
  const add = (id: string, needs: readonly number[], part: Partial<Task>) => {
    const index = tasks.length
    const task = { ...randomTask(random, plain, { id, index, siblings: [] }), trigger: 'all_done' as const }
    const { pool: _pool, slots: _slots, preemptible: _preemptible, ...rest } = task
    tasks.push({ ...rest, needs, gate: [], ...part })
    return index
  }
  const slots = 1 + pick(random, poolSize)
  const takes = 20_000
  const long = { pool: 'gpu', slots, preemptible: true, priority: 0, runtime: 'process' } as const
  add('long', [], { ...long, with: { task: tasks.length, takes } })
  const above = { pool: 'gpu', slots: poolSize, preemptible: false, priority: 3 } as const
  let last: readonly number[] = []
  for (let i = 0; i < mostPreemptions + 3; i++)
    last = [add(`above${i}`, [add(`before${i}`, last, {})], above)]
}

/** The same task as a group: it has no operator, so that nothing of an attempt's holds for it. */
function asGroup({
  id,
  index,
  needs,
  trigger,
  when,
  foreach,
  group,
  ...task
}: Task & { index?: number }): Task {
  return {
    ...task,
    id,
    needs,
    trigger,
    when,
    isGroup: true,
    uses: '',
    with: {},
    gate: [],
    retry: { ...task.retry, attempts: 1 },
    timeout: null,
    runtime: 'inline',
    cache: null,
    outputs: { done: true },
    recover: {},
    ...(foreach !== undefined && { foreach }),
    ...(group !== undefined && { group }),
  }
}

/** What a try of a task is told apart by. `name` is the node's, `tries` and `recoveries` count what its row counts. */
export interface Try {
  readonly name: string
  readonly tries: number
  readonly recoveries: number
  readonly wakes: number
}

/** What a try of a task comes to; the same for the same arguments, whatever crashed meanwhile. */
export function outcomeOf(seed: number, run: number, one: Try, flavour: Flavour): Outcome {
  // What is reused must not depend on who made it.
  const maker = flavour.cached ? 0 : run
  const task = hash(one.name)
  const draw = seededRandom(seed * 31 + maker * 1009 + task * 97 + one.tries * 7 + one.wakes).next()
  if (one.wakes === 0 && draw < 0.08) return { type: 'sleep', until: 0, state: { from: draw } }
  if (one.wakes === 0 && draw < 0.1)
    return { type: 'sleep', until: null, state: { from: draw }, on: { person } }
  const settled = seededRandom(
    seed * 37 + maker * 1013 + task * 89 + one.tries * 5 + one.recoveries * 11,
  ).next()
  if (settled < 0.08) return { type: 'failed', kind: 'user', message: 'broken' }
  if (settled < 0.16) return { type: 'failed', kind: 'network', message: 'unreachable' }
  if (settled < 0.24) return { type: 'failed', kind: 'gpu_oom', message: 'too large' }
  if (flavour.skips && settled < 0.32) return { type: 'skipped', reason: 'nothing to do' }
  return { type: 'succeeded', outputs: { tries: one.tries } }
}

const person = { kind: 'approval', message: 'go on?', form: {} } as const

/** FNV-1a (Fowler, Noll, Vo), 16 bits of it: the same number for the same text. */
function hash(text: string): number {
  let value = 2166136261
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 16777619)
  return (value >>> 8) & 0xffff
}

function randomTask(
  random: Random,
  flavour: Flavour,
  { id, index, siblings }: { id: string; index: number; siblings: readonly number[] },
): Task {
  const needs = new Set<number>()
  const fanIn = siblings.length === 0 ? 0 : pick(random, 4)
  for (let i = 0; i < fanIn; i++) needs.add(siblings[pick(random, siblings.length)] as number)
  return {
    id,
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
    ...(random.next() < 0.3 && {
      pool: 'gpu',
      slots: 1 + pick(random, poolSize),
      preemptible: random.next() < 0.6,
    }),
    priority: pick(random, 3),
    ...(random.next() < 0.4 && { recover: { gpu_oom: randomRecovery(random) } }),
    ...(flavour.nested && random.next() < 0.25 && { foreach: randomForeach(random) }),
  }
}

function randomRecovery(random: Random): Recovery {
  return {
    attempts: 1 + pick(random, 2),
    then: random.next() < 0.3 ? 'hold' : 'fail',
    underRetry: false,
    ...(random.next() < 0.5 && { set: { size: pick(random, 9) } }),
  }
}

function randomForeach(random: Random): Foreach {
  const items = Array.from({ length: pick(random, 4) }, (_, item) => item)
  const maxParallel = random.next() < 0.4 ? 1 + pick(random, 2) : null
  return { items, key: null, maxParallel, whenEach: random.next() < 0.3 }
}

/** A whole number in [0, below). */
export function pick(random: Random, below: number): number {
  return Math.floor(random.next() * below)
}
