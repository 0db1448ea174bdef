/** What hangs on a node: one call at a time, and none after its run. */
import t from 'tap'
import { Occurrences, type Turns } from '../../engine/occurrences.ts'
import { seededRandom } from '../../engine/random.ts'
import type { SchedulerParts } from '../../engine/scheduler-parts.ts'
import { settle } from '../../engine/settle.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { liveRun, nodeOf, pipelineOf } from '../support/pipelines.ts'

/** Occurrences of an engine that does at once what is to be done in a turn. */
function occurrences(clock: VirtualClock): Occurrences {
  const turns: Turns = {
    owns: () => true,
    post: (work) => work(),
    ask: () => {},
    changed: () => {},
    act: (work) => work(),
    unqueue: () => {},
  }
  const parts = { clock: clock.face(), random: seededRandom(1), resources: { pools: {} } }
  return new Occurrences(
    parts as unknown as SchedulerParts,
    { evaluator: { render: (value) => value, test: () => true }, env: {} },
    turns,
  )
}

t.test(
  'a sleeper that is woken again and again leaves one call behind, and none after its run',
  async (t) => {
    const clock = new VirtualClock()
    const it = occurrences(clock)
    const run = liveRun(pipelineOf({ a: {}, b: {} }))
    const [a, b] = [nodeOf(run, 'a'), nodeOf(run, 'b')]
    const sleep = { type: 'sleep', until: clock.time + 86_400_000, state: null } as const
    for (let wakes = 0; wakes < 10; wakes++) {
      a.state = 'running'
      it.touch(run, a, () => settle(run, a, sleep, it.circumstances()))
      it.wakeUp(run, a)
    }
    b.state = 'running'
    it.touch(run, b, () => settle(run, b, sleep, it.circumstances()))
    t.equal(it.alarm.size, 2)
    it.forget(run)
    t.equal(it.alarm.size, 0)
  },
)
