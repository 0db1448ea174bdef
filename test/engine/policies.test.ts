/** The pure policies: retry delays, releases, the alarm, the lanes, the table of states. */
import fc from 'fast-check'
import t from 'tap'
import { Alarm } from '../../engine/alarm.ts'
import { Fifo } from '../../engine/lanes.ts'
import { releaseDelay, retryDelay } from '../../engine/retry.ts'
import { isEnded, nextTaskState, taskStates, taskTransitions } from '../../engine/state.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { tries } from '../support/pipelines.ts'

t.test('the delay is drawn from [0, delay x factor^(tries-1)], at most maxDelay', async (t) => {
  const policy = { ...tries(10), delay: 2000, factor: 2, maxDelay: 120_000, jitter: 'full' as const }
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (n, random) => {
        const delay = retryDelay(policy, 'network', n, random)
        return delay !== null && delay >= 0 && delay <= Math.min(120_000, 2000 * 2 ** (n - 1))
      },
    ),
  )
  t.equal(retryDelay({ ...policy, jitter: 'none' }, 'network', 3, 0.5), 8000)
})

t.test(
  'a task is tried again neither beyond its attempts nor for a kind that the policy leaves out',
  async (t) => {
    const policy = { ...tries(3), on: ['network'] as const }
    t.equal(retryDelay(policy, 'network', 2, 0), 0)
    t.equal(retryDelay(policy, 'network', 3, 0), null)
    t.equal(retryDelay(policy, 'user', 1, 0), null)
  },
)

t.test('releases back off from nothing to a minute', async (t) => {
  t.strictSame([1, 2, 3, 8, 20].map(releaseDelay), [0, 1000, 2000, 60_000, 60_000])
})

t.test('calls come in order of time, and those called off do not come', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat(1000), cancel: fc.boolean() }), { maxLength: 3000 }),
      async (calls) => {
        const clock = new VirtualClock(0)
        const alarm = new Alarm(clock.face())
        const heard: number[] = []
        const timers = calls.map(({ at }) => alarm.at(at, () => heard.push(at)))
        for (const [i, { cancel }] of calls.entries()) if (cancel) timers[i]?.cancel()
        while (await clock.step());
        const expected = calls.filter(({ cancel }) => !cancel).map(({ at }) => at)
        return alarm.size === 0 && JSON.stringify(heard) === JSON.stringify(expected.sort((a, b) => a - b))
      },
    ),
    { numRuns: 20 },
  )
  t.pass()
})

t.test('a fifo gives back what was put in, from both ends, like an array', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('push', 'shift', 'unshift'), { maxLength: 5000 }), (ways) => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      for (const [i, way] of ways.entries()) {
        if (way === 'shift') {
          if (fifo.shift() !== model.shift()) return false
        } else {
          fifo[way](i)
          model[way](i)
        }
        if (fifo.length !== model.length) return false
      }
      return true
    }),
  )
  t.pass()
})

t.test('only a person leads out of an end, and every state is led to', async (t) => {
  const persons = new Set(['reset', 'mark_succeeded'])
  const to = new Set<string>(Object.values(taskTransitions).map((transition) => transition.to))
  for (const state of taskStates) {
    t.ok(to.has(state), `${state} can be reached`)
    for (const [event, { from }] of Object.entries(taskTransitions)) {
      if (isEnded(state) && !persons.has(event))
        t.notOk((from as readonly string[]).includes(state), `${event} does not lead out of ${state}`)
      if ((from as readonly string[]).includes(state)) continue
      t.throws(() => nextTaskState(state, event as keyof typeof taskTransitions), { code: 'E700' })
    }
  }
})
