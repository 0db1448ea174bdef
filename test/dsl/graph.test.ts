import fc from 'fast-check'
import t from 'tap'
import { findCycles, levels, topologicalOrder } from '../../dsl/graph.ts'

/** Needs only of lower indices: no cycle. */
const acyclic = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((lists) =>
    lists.map((list, task) => (task === 0 ? [] : [...new Set(list.map((need) => need % task))])),
  )

t.test('without a cycle every task comes after its needs, once', async () => {
  fc.assert(
    fc.property(acyclic, (needs) => {
      const place = new Map(topologicalOrder(needs).map((task, index) => [task, index]))
      return (
        place.size === needs.length &&
        findCycles(needs).length === 0 &&
        needs.every((list, task) =>
          list.every((need) => (place.get(need) ?? Number.NaN) < (place.get(task) ?? Number.NaN)),
        )
      )
    }),
  )
})

t.test('a cycle is found exactly where one is, and each step of its path is an edge', async () => {
  const any = fc.nat({ max: 11 }).chain((last) =>
    fc.array(fc.uniqueArray(fc.nat({ max: last }), { maxLength: 2 }), {
      minLength: last + 1,
      maxLength: last + 1,
    }),
  )
  fc.assert(
    fc.property(any, (needs) => {
      const cycles = findCycles(needs)
      const complete = topologicalOrder(needs).length === needs.length
      return (
        (cycles.length === 0) === complete &&
        cycles.every((cycle) =>
          cycle.every((task, index) => needs[cycle[(index + 1) % cycle.length] as number]?.includes(task)),
        )
      )
    }),
  )
})

t.test('separate cycles are each found', async (t) => {
  t.strictSame(findCycles([[1], [0], [3], [2], [4], [0]]), [[0, 1], [2, 3], [4]])
})

t.test('a level is the longest way from a task without needs', async (t) => {
  t.strictSame([...levels([[], [0], [0, 1], [], [3, 2]])], [0, 1, 2, 0, 3])
})

t.test('100,000 tasks in a chain, or in one circle, do not overflow the stack', async (t) => {
  const chain = Array.from({ length: 100_000 }, (_, task) => (task === 0 ? [] : [task - 1]))
  t.equal(topologicalOrder(chain).length, 100_000)
  t.equal(findCycles([[99_999], ...chain.slice(1)])[0]?.length, 100_000)
})
