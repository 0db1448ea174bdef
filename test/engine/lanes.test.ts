import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { Fifo } from '../../engine/lanes.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

t.test('a queue gives in order, what was put back first', (t) => {
  const queue = new Fifo<number>()
  for (let i = 0; i < 5000; i++) queue.push(i)
  queue.unshift(-1)
  const taken = Array.from({ length: queue.length }, () => queue.shift())
  t.strictSame(taken, [-1, ...Array.from({ length: 5000 }, (_, i) => i)])
  t.strictSame([queue.length, queue.shift()], [0, undefined])
  t.end()
})

t.test('a queue does not keep what was taken from being freed', async (t) => {
  const queue = new Fifo<object>()
  const seen = [{}, {}].map((item) => {
    queue.push(item)
    return new WeakRef(item)
  })
  queue.shift()
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  t.strictSame(
    seen.map((ref) => ref.deref() !== undefined),
    [false, true],
  )
  t.equal(queue.length, 1)
})
