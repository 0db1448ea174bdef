/** Reasons over what a real engine leaves in a real store: no task that waits is without one, at any standstill. */
import t from 'tap'
import type { Outcome } from '../../engine/outcome.ts'
import { type Pipeline, triggerRules } from '../../engine/pipeline.ts'
import { seededRandom } from '../../engine/random.ts'
import { isEnded } from '../../engine/state.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { Store } from '../../engine/store/store.ts'
import { factsOf } from '../../engine/why/read.ts'
import { unexplained, whyOf } from '../../engine/why/why.ts'
import { failed, sleep } from '../../plugins/api.ts'
import { pipelineOf, type Sketch, tries } from '../support/pipelines.ts'
import { testEngine } from '../support/test-engine.ts'

const resources = { pools: { gpu: { slots: 2, gpus: 1 } }, rates: { cpu: 0, gpu: 0, pools: {} } }
/** Attempts that the engine runs at once. */
const room = 3
const around = (at: number) => ({ at, resources, slots: { inline: room }, isGone: () => false })

async function factsIn(store: Store, id: string, at: number) {
  return factsOf(store, (await store.run(id)) as RunRecord, around(at))
}

/** Six tasks with random needs, triggers and limits. */
function randomPipeline(name: string, next: () => number): Pipeline {
  const whole = (below: number) => Math.floor(next() * below)
  const sketches: { [id: string]: Sketch } = {}
  for (let index = 0; index < 6; index++) {
    const needs = Array.from({ length: index }, (_, need) => `${name}${need}`).filter(() => next() < 0.35)
    sketches[`${name}${index}`] = {
      needs,
      trigger: next() < 0.7 ? 'all_success' : (triggerRules[whole(triggerRules.length)] ?? 'all_done'),
      retry: { ...tries(3), delay: 1_000, factor: 2, maxDelay: 8_000 },
      priority: whole(3),
      ...(next() < 0.5 && { pool: 'gpu', slots: 1 + whole(2) }),
    }
  }
  return pipelineOf(sketches, { name, concurrency: { runs: 1, tasks: next() < 0.5 ? 2 : null } })
}

function randomOutcome(next: () => number, at: number): Outcome {
  const kind = next()
  if (kind < 0.5) return { type: 'succeeded', outputs: {} }
  if (kind < 0.7) return failed('crash', 'gone')
  if (kind < 0.85) return sleep(at + 5_000, null, { paths: ['/in'] })
  return { type: 'released', kind: 'node_lost', message: 'no trace' }
}

t.test('at every standstill of random runs each task that has not ended waits for something', async (t) => {
  const kinds = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const next = () => random.next()
    const engine = await testEngine({ resources, slots: room })
    const { store, clock } = engine
    const pipelines = [randomPipeline('a', next), randomPipeline('b', next)]
    const runs = []
    for (const pipeline of [...pipelines, pipelines[0] as Pipeline]) runs.push(await engine.run(pipeline))
    const done = new Set<object>()
    for (let step = 0; step < 40; step++) {
      for (const id of runs) {
        const facts = await factsIn(store, id, clock.time)
        const lost = unexplained(facts, true)
        if (lost.length > 0) t.fail(`seed ${seed}, step ${step}: nothing is told of ${lost.join()}`)
        for (const { node, state } of facts.tasks)
          if (!isEnded(state)) for (const { kind } of whyOf(facts, node).waitsFor) kinds.add(kind)
      }
      const open = engine.started().filter((task) => !done.has(engine.held(task)))
      const task = open[Math.floor(next() * open.length)]
      if (task !== undefined && next() < 0.8) {
        done.add(engine.held(task))
        await engine.end(task, randomOutcome(next, clock.time))
      } else await engine.pass(1_500)
    }
    await engine.engine.stop()
  }
  for (const kind of ['need', 'runs', 'attempt', 'time', 'event', 'pool', 'tasks', 'slot'])
    t.ok(kinds.has(kind), `${kind} has come up`)
})

t.test(
  'what a paused run, its pool and its instances wait for is told from what the engine wrote',
  async (t) => {
    const engine = await testEngine({ resources })
    const { store, clock } = engine
    const mapped = { foreach: { items: ['x', 'y', 'z'], key: null, maxParallel: 1, whenEach: false } }
    const pipeline = pipelineOf({ hold: { pool: 'gpu', slots: 2 }, wait: { pool: 'gpu' }, map: mapped })
    const run = await engine.run(pipeline)
    const kindsOf = async (name: string) => {
      const facts = await factsIn(store, run, clock.time)
      const node = facts.tasks.findIndex((row) => {
        const id = pipeline.tasks[row.task]?.id
        return (row.key === null ? id : `${id}[${row.key}]`) === name
      })
      return whyOf(facts, node).waitsFor.map(({ kind }) => kind)
    }
    t.strictSame(await kindsOf('hold'), ['attempt'])
    t.strictSame(await kindsOf('wait'), ['pool'])
    t.equal((await kindsOf('map'))[0], 'instances')
    t.strictSame(await kindsOf('map[0]'), ['attempt'])
    t.strictSame(await kindsOf('map[1]'), ['maxParallel'])
    await engine.engine.wish(run, { kind: 'pause' }, 'ada')
    await engine.pass()
    t.equal((await kindsOf('wait'))[0], 'person')
  },
)

t.test('a task that waits for nothing is found', async (t) => {
  const { store, clock, run } = await testEngine()
  const id = await run(pipelineOf({ a: {}, b: { needs: ['a'] } }))
  const facts = await factsIn(store, id, clock.time)
  t.strictSame(unexplained(facts), [])
  const ended = facts.tasks.map((task) =>
    task.node === 0 ? { ...task, state: 'succeeded', holding: false } : task,
  )
  t.strictSame(unexplained({ ...facts, tasks: ended as typeof facts.tasks }, true), ['b'])
})
