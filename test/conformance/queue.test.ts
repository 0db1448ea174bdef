import t from 'tap'
import type { Outcome } from '../../engine/outcome.ts'
import { LocalQueue } from '../../engine/queue/local.ts'
import type { Queue } from '../../engine/queue/queue.ts'
import type { Attempt, RunningAttempt, Runtime, StopReason } from '../../engine/runtime/runtime.ts'
import { attemptOf, inlineRuntime, listener, processRuntime } from '../support/runtimes.ts'

/** A runtime whose attempts end when the test says so. */
class HeldRuntime implements Runtime {
  readonly began: { readonly attempt: Attempt; readonly attached: boolean; end(outcome: Outcome): void }[] =
    []
  readonly stops: { readonly reason: StopReason; readonly grace: number }[] = []
  closed = false

  start(attempt: Attempt): RunningAttempt {
    return this.#begin(attempt, false)
  }

  attach(attempt: Attempt): RunningAttempt {
    return this.#begin(attempt, true)
  }

  async close(): Promise<void> {
    this.closed = true
  }

  #begin(attempt: Attempt, attached: boolean): RunningAttempt {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.began.push({ attempt, attached, end: resolve })
    return { outcome: promise, stop: (reason, grace) => this.stops.push({ reason, grace }) }
  }
}

const done: Outcome = { type: 'succeeded', outputs: {} }

/** Each queue, over held runtimes with 2 process slots and 1 inline slot. */
const queues: { readonly [name: string]: (runtimes: { inline: Runtime; process: Runtime }) => Queue } = {
  local: (runtimes) => new LocalQueue({ runtimes, slots: { inline: 1, process: 2 } }),
}

for (const [name, make] of Object.entries(queues)) {
  t.test(name, async (t) => {
    const setup = () => {
      const runtimes = { inline: new HeldRuntime(), process: new HeldRuntime() }
      return { ...runtimes, queue: make(runtimes) }
    }
    const attempt = (n: number, runtime: Attempt['runtime'] = 'process') =>
      attemptOf('Echo', {}, { dir: '/nowhere', attempt: n, runtime })

    t.test('slots are counted per runtime, and free again when the outcome is known', async (t) => {
      const { queue, process, inline } = setup()
      t.equal(queue.free('process'), 2)
      const first = queue.submit(attempt(1), () => {})
      queue.submit(attempt(2), () => {})
      t.equal(queue.free('process'), 0)
      t.equal(queue.free('inline'), 1)
      const other = queue.submit(attempt(3, 'inline'), () => {})
      t.equal(queue.free('inline'), 0)
      process.began[0]?.end(done)
      t.strictSame(await first.outcome, done)
      t.equal(queue.free('process'), 1)
      inline.began[0]?.end({ type: 'failed', kind: 'user', message: 'x' })
      await other.outcome
      t.equal(queue.free('inline'), 1)
    })

    t.test('adopted attempts take slots, even more than there are', async (t) => {
      const { queue, process } = setup()
      const running = [1, 2, 3].map((n) => queue.attach(attempt(n), () => {}))
      t.equal(queue.free('process'), 0)
      t.ok(process.began.every(({ attached }) => attached))
      for (const [n, one] of process.began.entries()) {
        one.end(done)
        await running[n]?.outcome
        t.equal(queue.free('process'), n)
      }
    })

    t.test('a stop reaches the attempt', async (t) => {
      const { queue, process } = setup()
      queue.submit(attempt(1), () => {}).stop('timeout', 30_000)
      t.strictSame(process.stops, [{ reason: 'timeout', grace: 30_000 }])
    })

    t.test('a runtime that is not there has no slots, and says so', async (t) => {
      const { queue } = setup()
      t.equal(queue.free('docker'), 0)
      const { outcome } = queue.submit(attempt(1, 'docker'), () => {})
      t.match(await outcome, { type: 'failed', kind: 'invalid_input', message: /'docker' is not there/ })
    })

    t.test('closing closes the runtimes', async (t) => {
      const { queue, process, inline } = setup()
      await queue.close()
      t.ok(process.closed && inline.closed)
    })

    t.test('real attempts run through it, and are heard', async (t) => {
      const queue = make({ inline: inlineRuntime(), process: processRuntime() })
      t.teardown(() => queue.close())
      const dir = t.testdir()
      for (const [n, runtime] of (['inline', 'process'] as const).entries()) {
        const heard = listener()
        const { outcome } = queue.submit(attemptOf('Say', {}, { dir, attempt: n, runtime }), heard.listen)
        t.match(await outcome, { type: 'succeeded' })
        t.ok(heard.events.some(({ type }) => type === 'metric'))
      }
    })
  })
}

t.test('without other words, inline has 1,024 slots and process at least 4', (t) => {
  const queue = new LocalQueue({ runtimes: { inline: new HeldRuntime(), process: new HeldRuntime() } })
  t.equal(queue.free('inline'), 1024)
  t.ok(queue.free('process') >= 4)
  t.end()
})
