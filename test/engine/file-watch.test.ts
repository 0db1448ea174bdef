/** Sensors that sleep are woken by what happens to files. */
import { mkdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fileWatch } from '../../engine/file-watch.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

/** A watch on virtual time, the folder that it watches, and another beside it. */
function setUp(t: Test) {
  const root = t.testdir({ watched: {}, beside: {} })
  const clock = new VirtualClock()
  const beside = join(root, 'beside')
  return {
    clock,
    folder: join(root, 'watched'),
    watch: fileWatch(clock.face()),
    /** Resolves once all that happened to files is told: the system tells it in order. */
    allTold: () =>
      new Promise<void>((resolve) => {
        const last = watch(beside, () => {
          last.close()
          resolve()
        })
        writeFileSync(join(beside, 'last'), '')
      }),
    /** Lets the time pass as long as somebody waits for it. */
    async pass() {
      while (await clock.step());
    },
  }
}

t.test('everybody who watches a folder hears of a file in it, until nobody does', async (t) => {
  const { folder, watch, allTold, pass } = setUp(t)
  const heard = [0, 0]
  const stops = heard.map((_, who) => watch(folder, () => (heard[who] = (heard[who] ?? 0) + 1)))
  writeFileSync(join(folder, 'a'), '')
  await allTold()
  t.strictSame(heard, [1, 1])
  for (const stop of stops) stop()
  writeFileSync(join(folder, 'b'), '')
  await allTold()
  await pass()
  t.strictSame(heard, [1, 1], 'then nobody does')
})

t.test('a folder that is written to all the time calls no oftener than its pace', async (t) => {
  const { folder, watch, allTold, pass, clock } = setUp(t)
  const calls: number[] = []
  const began = clock.time
  t.teardown(watch(folder, () => calls.push(clock.time - began)))
  for (let file = 0; file < 50; file++) mkdirSync(join(folder, String(file)))
  await allTold()
  t.strictSame(calls, [0])
  await pass()
  t.strictSame(calls, [0, 1000], 'what came meanwhile is told together')
})

t.test('a path in a folder that is not there is silent', async (t) => {
  const { folder, watch, allTold } = setUp(t)
  const told: string[] = []
  const stop = watch(join(folder, 'absent', 'inbox'), () => told.push('inbox'))
  mkdirSync(join(folder, 'absent', 'inbox'), { recursive: true })
  await allTold()
  t.doesNotThrow(stop)
  t.strictSame(told, [])
})

t.test(
  'a path that is written all the time is told of once a second, also to who leaves and comes back',
  async (t) => {
    const { folder, watch, allTold, pass, clock } = setUp(t)
    const told: number[] = []
    const began = clock.time
    let leave = () => {}
    const come = () => {
      leave = watch(folder, () => {
        told.push(clock.time - began)
        leave()
        come()
      })
    }
    come()
    t.teardown(() => leave())
    for (const expected of [[0], [0, 1000], [0, 1000, 2000]]) {
      for (let index = 0; index < 10; index++) {
        writeFileSync(join(folder, 'log'), String(index))
        await allTold()
      }
      t.strictSame(told, expected)
      await pass()
      t.strictSame(told, [...expected, expected.length * 1000], 'what changed meanwhile is told of then')
    }
  },
)

t.test('of what is not there yet it tells when it comes, whatever else is written beside it', async (t) => {
  const { folder, watch, allTold } = setUp(t)
  let told = 0
  t.teardown(watch(join(folder, 'inbox'), () => told++))
  writeFileSync(join(folder, 'serve.log'), 'a line')
  await allTold()
  t.equal(told, 0)
  mkdirSync(join(folder, 'inbox'))
  await allTold()
  t.equal(told, 1)
})
