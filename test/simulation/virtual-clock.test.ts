import t from 'tap'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

t.test('calls come in order of time, then of asking; what was called off does not come', async (t) => {
  const clock = new VirtualClock(0)
  const face = clock.face()
  const heard: string[] = []
  face.at(20, () => heard.push('b'))
  face.at(10, () => heard.push('a'))
  const off = face.at(15, () => heard.push('never'))
  face.at(20, () => heard.push('c'))
  off.cancel()
  off.cancel()
  t.equal(clock.nextAt(), 10)
  while (await clock.step());
  t.strictSame(heard, ['a', 'b', 'c'])
  t.equal(clock.time, 20)
  t.equal(clock.nextAt(), Number.POSITIVE_INFINITY)
})

t.test('a dead engine hears nothing, a stalled one hears it late', async (t) => {
  const clock = new VirtualClock(0)
  const [dead, stalled, well] = [clock.face(), clock.face(), clock.face()]
  const heard: string[] = []
  dead.at(10, () => heard.push('dead'))
  stalled.at(10, () => heard.push(`stalled at ${clock.time}`))
  well.at(20, () => heard.push(`well at ${clock.time}`))
  well.at(30, () => heard.push(`well at ${clock.time}`))
  dead.dead = true
  stalled.stalledUntil = 25
  while (await clock.step());
  t.strictSame(heard, ['well at 20', 'well at 30', 'stalled at 30'])
})

t.test('where everybody stalls, the time goes on to the first who wakes', async (t) => {
  const clock = new VirtualClock(0)
  const face = clock.face()
  face.at(10, () => {})
  face.stalledUntil = 25
  t.ok(await clock.step())
  t.equal(clock.time, 25)
})

t.test('of a hundred thousand calls, those that were not called off come, in order of time', async (t) => {
  const clock = new VirtualClock(0)
  const face = clock.face()
  const heard: number[] = []
  for (let i = 0; i < 100_000; i++) {
    const call = face.at((i * 7919) % 100_003, () => heard.push(clock.time))
    if (i % 20 !== 0) call.cancel()
  }
  while (await clock.step());
  t.equal(heard.length, 5000)
  t.strictSame(
    heard,
    heard.toSorted((a, b) => a - b),
  )
})
