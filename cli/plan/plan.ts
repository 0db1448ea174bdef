/** What would run if the pipeline ran now: each task, with what it would be given, whether it would be reused, and how long that took before. Writes nothing, runs nothing. */
import type { Fingerprint } from '../../engine/cache.ts'
import type { Evaluator, TaskView } from '../../engine/evaluator.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import type { Task } from '../../engine/pipeline.ts'
import { overfills, type Resources } from '../../engine/resources.ts'
import type { Store } from '../../engine/store/store.ts'
import { triggerVerdict } from '../../engine/trigger-rule.ts'
import { criticalPath, endUnder, inOrder, type Work } from './forecast.ts'
import { historyOf, type Past } from './history.ts'
import { type Asked, Resolver } from './resolve.ts'

const hour = 3_600_000

/** What a plan is made with. */
export interface Means {
  readonly store: Store
  readonly evaluator: Evaluator
  readonly fingerprint: Fingerprint
  readonly resources: Resources
  /** Epoch milliseconds. */
  readonly now: number
}

/** One task of a plan. null is not known before the run. */
export interface PlannedTask {
  readonly id: string
  /** `Name@major`; null for a group. */
  readonly uses: string | null
  readonly needs: readonly string[]
  readonly runtime: string
  readonly pool: string | null
  readonly slots: number
  readonly priority: number
  /** undecided: its `when` depends on what is not there yet. All that run are taken to succeed. */
  readonly action: 'run' | 'reuse' | 'skip' | 'undecided'
  /** Why it is skipped, or undecided. */
  readonly because: string | null
  /** What is looked for among earlier results; off where the task has no `cache`. */
  readonly cache: 'off' | 'hit' | 'miss' | 'unknown'
  /** The run whose outputs would be taken. */
  readonly cached: string | null
  readonly instances: number | null
  /** With the templates as they stand where they cannot be resolved yet. */
  readonly input: Json
  /** JSON pointers to these. */
  readonly unresolved: readonly string[]
  /** Why it will not start in the run either: what does not resolve, a pool that is too small for it. */
  readonly faults: readonly string[]
  /** Median of earlier runs; `runs` is of how many. */
  readonly estimate: { readonly seconds: number | null; readonly runs: number }
  readonly cost: { readonly usd: number | null; readonly gpuHours: number | null }
  /** Bytes. Nobody tells it yet. */
  readonly memory: null
}

/** All of it. */
export interface Plan {
  readonly tasks: readonly PlannedTask[]
  readonly total: {
    /** From start to end under the limits of tasks and pools, with nothing else running. */
    readonly seconds: number | null
    /** The same where the tasks of unknown time take none. */
    readonly atLeastSeconds: number
    /** The chain of tasks that takes longest; empty where a time is not known. */
    readonly criticalPath: readonly string[]
    readonly usd: number | null
    readonly gpuHours: number | null
    readonly memory: null
    /** Tasks whose time is not known. */
    readonly unknown: readonly string[]
  }
}

/** Plans a run. */
export async function planOf(asked: Asked, means: Means): Promise<Plan> {
  const { tasks } = asked.pipeline
  const history = await historyOf(means.store, asked.pipeline.name)
  const planner = new Planner(asked, means, history)
  // A group comes before the tasks in it: what it is given is what they see.
  const order = inOrder(tasks.map((task) => ({ needs: needsOf(task) })))
  for (const index of order) await planner.plan(index)
  const planned = order.map((index) => planner.planned.get(index) as PlannedTask)
  return { tasks: planned, total: totalOf(asked, means, planner.planned) }
}

function needsOf({ needs, group }: Task): readonly number[] {
  return group === undefined ? needs : [...needs, group]
}

/** Goes through the tasks in order; what it knows of one it uses for the next. */
class Planner {
  readonly planned = new Map<number, PlannedTask>()
  readonly #asked: Asked
  readonly #means: Means
  readonly #history: ReadonlyMap<string, Past>
  readonly #known = new Map<string, TaskView>()
  readonly #omitted: ReadonlySet<number>

  constructor(asked: Asked, means: Means, history: ReadonlyMap<string, Past>) {
    this.#asked = asked
    this.#means = means
    this.#history = history
    this.#omitted = new Set(asked.omit)
  }

  async plan(index: number): Promise<void> {
    const { pipeline } = this.#asked
    const task = pipeline.tasks[index] as Task
    const group = task.group === undefined ? undefined : this.planned.get(task.group)
    const given = group === undefined || group.unresolved.length > 0 ? undefined : group.input
    const resolver = new Resolver(this.#means.evaluator, this.#asked, task, this.#known, given)
    const { value: input, open, faults } = resolver.resolve(task.with, task.shell)
    const skipped = this.#skipOf(index, task, group)
    const whether = skipped === null && task.when !== null ? this.#whether(task, resolver) : true
    const because =
      skipped ?? (whether === true ? null : `when: ${task.when}${whether === null ? ' (not known yet)' : ''}`)
    const runs = skipped === null && whether !== false
    const look = runs
      ? await this.#look(task, resolver, { input, open })
      : { cache: 'off' as const, cached: null }
    const action = !runs ? 'skip' : whether === null ? 'undecided' : look.cached !== null ? 'reuse' : 'run'
    if (action === 'skip') this.#known.set(task.id, { state: 'skipped', outputs: null })
    this.planned.set(index, {
      ...this.#static(task),
      ...look,
      ...this.#estimate(task, action),
      action,
      because,
      instances: instancesOf(task, resolver),
      input,
      unresolved: open,
      faults: [...faults, ...(skipped === null ? this.#tooLarge(task) : [])],
      memory: null,
    })
  }

  #tooLarge({ pool, slots = 1 }: Task): readonly string[] {
    const why = pool === undefined ? null : overfills(pool, slots, this.#means.resources)
    return why === null ? [] : [why]
  }

  #static(task: Task) {
    const { id, uses, version, isGroup, runtime, pool = null, slots = 1, priority = 0 } = task
    const needs = task.needs.map((need) => this.#asked.pipeline.tasks[need]?.id ?? '')
    return { id, uses: isGroup === true ? null : `${uses}@${version}`, needs, runtime, pool, slots, priority }
  }

  /** Why it cannot run if everything that runs succeeds; null where it can. */
  #skipOf(index: number, task: Task, group: PlannedTask | undefined): string | null {
    if (this.#omitted.has(index)) return 'left out'
    if (group?.action === 'skip') return `the group ${group.id} is skipped`
    const counts = { total: task.needs.length, succeeded: 0, failed: 0, skipped: 0 }
    for (const need of task.needs)
      counts[this.planned.get(need)?.action === 'skip' ? 'skipped' : 'succeeded']++
    if (triggerVerdict(task.trigger, counts) === 'unblock') return null
    return `its trigger ${task.trigger} does not hold where everything succeeds`
  }

  /** `when` of a mapped task may be asked of each instance, which nobody can before there are any. */
  #whether(task: Task, resolver: Resolver): boolean | null {
    return task.foreach?.whenEach === true ? null : resolver.test(task.when as string)
  }

  async #look(
    task: Task,
    resolver: Resolver,
    { input, open }: { readonly input: Json; readonly open: readonly string[] },
  ): Promise<Pick<PlannedTask, 'cache' | 'cached'>> {
    const { cache, uses: name, version } = task
    if (cache === null) return { cache: 'off', cached: null }
    const env = resolver.resolve({ ...task.env })
    if (open.length + env.open.length > 0 || task.foreach !== undefined)
      return { cache: 'unknown', cached: null }
    const { fingerprint, store, now } = this.#means
    const operator = { name, version }
    const cwd = this.#asked.folder
    const key = await fingerprint.key({
      operator,
      input: input as JsonObject,
      env: texts(env.value as JsonObject),
      cwd,
      files: cache.files,
    })
    // Data that is not there yet, or may not be read, has no digest.
    if (key === null) return { cache: 'unknown', cached: null }
    const found = await store.cached(key, cache.ttl === null ? 0 : now - cache.ttl)
    if (found === null || !(await fingerprint.intact(operator, found.outputs, cwd)))
      return { cache: 'miss', cached: null }
    this.#known.set(task.id, { state: 'succeeded', outputs: found.outputs })
    return { cache: 'hit', cached: found.run }
  }

  #estimate(task: Task, action: PlannedTask['action']): Pick<PlannedTask, 'estimate' | 'cost'> {
    const past = this.#history.get(task.id)
    if (action === 'skip' || action === 'reuse')
      return { estimate: { seconds: 0, runs: past?.runs ?? 0 }, cost: { usd: 0, gpuHours: 0 } }
    const { usd, gpus } = rateOf(task, this.#means.resources)
    const paid = (rate: number) => (rate === 0 ? 0 : past === undefined ? null : (rate * past.busy) / hour)
    return {
      estimate: { seconds: past === undefined ? null : past.duration / 1000, runs: past?.runs ?? 0 },
      cost: { usd: paid(usd), gpuHours: paid(gpus) },
    }
  }
}

/** What an attempt costs per hour. What runs inside the engine costs nothing. */
function rateOf(task: Task, { pools, rates }: Resources): { readonly usd: number; readonly gpus: number } {
  const { runtime, isGroup, pool, slots = 1, gpus: own = 0, cpus = 1 } = task
  if (runtime === 'inline' || isGroup === true) return { usd: 0, gpus: 0 }
  const gpus = own + (pool === undefined ? 0 : (pools[pool]?.gpus ?? 0) * slots)
  const ofPool = pool === undefined ? 0 : (rates.pools[pool] ?? 0) * slots
  return { usd: cpus * rates.cpu + gpus * rates.gpu + ofPool, gpus }
}

/** How many instances a mapped task would have; 1 for any other, null where only the run will know. */
function instancesOf({ foreach }: Task, resolver: Resolver): number | null {
  if (foreach === undefined) return 1
  const { value, open, faults } = resolver.resolve(foreach.items)
  if (open.length + faults.length > 0 || typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) return value.length
  return Object.values(value).reduce<number>(
    (product, list) => product * (Array.isArray(list) ? list.length : 0),
    1,
  )
}

function totalOf(
  { pipeline }: Asked,
  { resources }: Means,
  planned: ReadonlyMap<number, PlannedTask>,
): Plan['total'] {
  const all = pipeline.tasks.map((_, index) => planned.get(index) as PlannedTask)
  const unknown = all.filter(({ estimate }) => estimate.seconds === null).map(({ id }) => id)
  const works = pipeline.tasks.map((task, index): Work => {
    const one = all[index] as PlannedTask
    // The tasks in a group take their time within the group's own, which is known as a whole.
    const inside = task.group !== undefined
    const duration = inside ? 0 : (one.estimate.seconds ?? 0) * 1000
    const free = inside || one.uses === null || one.action === 'skip' || one.action === 'reuse'
    const { pool, slots, priority } = one
    return { duration, needs: task.needs, pool, slots, priority, free: free && duration === 0 }
  })
  const pools = Object.fromEntries(Object.entries(resources.pools).map(([name, { slots }]) => [name, slots]))
  const seconds = endUnder(works, { tasks: pipeline.concurrency.tasks, pools }) / 1000
  const path = criticalPath(works).path.map((index) => pipeline.tasks[index]?.id ?? '')
  const complete = unknown.length === 0
  return {
    seconds: complete ? seconds : null,
    atLeastSeconds: seconds,
    criticalPath: complete ? path : [],
    usd: sum(all.map(({ cost }) => cost.usd)),
    gpuHours: sum(all.map(({ cost }) => cost.gpuHours)),
    memory: null,
    unknown,
  }
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (total, value) => (total === null || value === null ? null : total + value),
    0,
  )
}

function texts(values: JsonObject): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}
