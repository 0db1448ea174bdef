import t from 'tap'
import { Together } from '../../engine/store/together.ts'

t.test('calls of the same moment are done in one go, each with its own answer or refusal', async (t) => {
  const goes: (readonly number[])[] = []
  const together = new Together((asks: readonly number[]) => {
    goes.push(asks)
    return asks.map((ask) => () => {
      if (ask === 2) throw new Error('not two')
      return ask * 10
    })
  })
  const answers = await Promise.allSettled([1, 2, 3].map((ask) => together.ask(ask)))
  t.strictSame(
    answers.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message)),
    [10, 'not two', 30],
  )
  t.equal(await together.ask(4), 40)
  t.strictSame(goes, [[1, 2, 3], [4]])
})

t.test('what fails as a whole fails every call, and the next one is tried anew', async (t) => {
  let works = false
  const together = new Together((asks: readonly number[]) => {
    if (!works) throw new Error('no disk')
    return asks.map((ask) => () => ask)
  })
  const failed = await Promise.allSettled([together.ask(1), together.ask(2)])
  t.strictSame(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  works = true
  t.equal(await together.ask(3), 3)
})
