/** Sensors that sleep are woken by what happens to files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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

t.test('a path that is not there is silent', (t) => {
  fileWatch(systemClock)('/does/not/exist', () => t.fail('nobody calls'))()
  t.end()
})
