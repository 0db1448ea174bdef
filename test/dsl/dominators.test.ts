import fc from 'fast-check'
import t from 'tap'
import { DominatorTree, root } from '../../dsl/dominators.ts'

/** The predecessors of nodes 1, 2, … of a graph without cycles; node 0 is the root. */
type Graph = readonly (readonly number[])[]

function treeOf(graph: Graph): DominatorTree {
  const tree = new DominatorTree()
  for (const predecessors of graph) tree.add(predecessors)
  return tree
}

/** Whether a path from the root to `node` is left when `removed` is taken out. */
function reaches(graph: Graph, node: number, removed: number): boolean {
  if (node === removed) return false
  if (node === root) return true
  return (graph[node - 1] as readonly number[]).some((before) => reaches(graph, before, removed))
}

const graphs: fc.Arbitrary<Graph> = fc
  .array(fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 11 })
  .map((lists) => lists.map((list, place) => [...new Set(list.map((number) => number % (place + 1)))]))

t.test('a node dominates another if and only if no path avoids it', async (t) => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const tree = treeOf(graph)
      for (let node = 0; node <= graph.length; node += 1)
        for (let other = 0; other <= graph.length; other += 1)
          if (tree.dominates(other, node) === reaches(graph, node, other)) return false
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('the nearest common dominator dominates both, and every other common one dominates it', async (t) => {
  fc.assert(
    fc.property(graphs, fc.nat(), fc.nat(), (graph, x, y) => {
      const tree = treeOf(graph)
      const [a, b] = [x % (graph.length + 1), y % (graph.length + 1)]
      const nearest = tree.common(a, b)
      const nodes = Array.from({ length: graph.length + 1 }, (_, node) => node)
      const shared = nodes.filter((node) => tree.dominates(node, a) && tree.dominates(node, b))
      return shared.includes(nearest) && shared.every((node) => tree.dominates(node, nearest))
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('a chain of 100,000 nodes with short cuts from its start is told what dominates it', async (t) => {
  const tree = new DominatorTree()
  const size = 100_000
  for (let node = 1; node <= size; node += 1) tree.add(node === 1 ? [root] : [node - 1, 1])
  t.equal(tree.above(size), 1)
  const line = new DominatorTree()
  for (let node = 1; node <= size; node += 1) line.add([node - 1])
  // Each pair asks for an ancestor half the chain away: step by step these would be 5 * 10^9 steps.
  for (let node = 1; node <= size; node += 1) line.common(node, Math.ceil(node / 2))
  t.equal(line.common(size, size / 2), size / 2)
})
