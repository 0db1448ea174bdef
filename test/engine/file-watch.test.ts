/** Sensors that sleep are woken by what happens to files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { systemClock } from '../../engine/clock.ts'
import { fileWatch } from '../../engine/file-watch.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

/** A watch keeps no process alive, so that a test that waits for one has to. */
function stayAlive(t: Test): void {
  const timer = systemClock.at(systemClock.now() + 60_000, () => {})
  t.teardown(() => timer.cancel())
}

t.test('everybody who watches a folder hears of a file in it, until nobody does', async (t) => {
  stayAlive(t)
  const folder = t.testdir({})
  const watch = fileWatch(systemClock)
  const stops: (() => void)[] = []
  const heard = [0, 1].map(
    () => new Promise<void>((resolve) => void stops.push(watch(folder, () => resolve()))),
  )
  writeFileSync(join(folder, 'a'), '')
  await Promise.all(heard)
  for (const stop of stops) stop()
  t.pass('both heard')
})

t.test('a folder that is written to all the time calls no oftener than its pace', async (t) => {
  stayAlive(t)
  const folder = t.testdir({})
  const clock = new VirtualClock()
  const face = clock.face()
  let calls = 0
  let first: () => void = () => {}
  const called = new Promise<void>((resolve) => {
    first = resolve
  })
  const stop = fileWatch(face)(folder, () => {
    calls++
    first()
  })
  for (let file = 0; file < 50; file++) mkdirSync(join(folder, String(file)))
  await called
  // Whatever else the system tells comes before what is read after it.
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => systemClock.soon(resolve))
  t.equal(calls, 1)
  while (await clock.step()) {}
  t.ok(calls <= 2, 'what came meanwhile is told together')
  stop()
})

t.test('a path in a folder that is not there is silent', (t) => {
  fileWatch(systemClock)('/does/not/exist', () => t.fail('nobody calls'))()
  t.end()
})

t.test(
  'a path that is written all the time is told of once a second, also to who leaves and comes back',
  async (t) => {
    const dir = t.testdir()
    const watch = fileWatch(systemClock)
    let told = 0
    let leave = () => {}
    const come = () => {
      leave = watch(dir, () => {
        told++
        leave()
        come()
      })
    }
    come()
    t.teardown(() => leave())
    for (let index = 0; index < 40; index++) {
      writeFileSync(join(dir, 'log'), String(index))
      await wait(10)
    }
    t.equal(told, 1)
    const before = told
    while (told === before) await wait(20)
    t.equal(told, 2, 'what changed meanwhile is told of then')
  },
)

t.test('of what is not there yet it tells when it comes, whatever else is written beside it', async (t) => {
  const dir = t.testdir()
  const watch = fileWatch(systemClock)
  let told = 0
  t.teardown(watch(join(dir, 'inbox'), () => told++))
  writeFileSync(join(dir, 'serve.log'), 'a line')
  await wait(100)
  t.equal(told, 0)
  mkdirSync(join(dir, 'inbox'))
  while (told === 0) await wait(10)
  t.equal(told, 1)
})
