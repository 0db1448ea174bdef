/**
 * Nodes and their needs in compact arrays, so that 100,000 tasks are cheap and a graph can grow while it runs.
 * Knows indices only: nothing of states, ids or operators.
 */

/** A directed graph whose nodes are 0 … size-1. Edges lead from a need to what needs it. */
export class Graph {
  size = 0
  #needs = new Int32Array(16)
  #firstOut = new Int32Array(16)
  #edgeNext = new Int32Array(16)
  #edgeTo = new Int32Array(16)
  #edges = 0

  /** Adds a node that needs `needs` (indices of nodes that exist); gives its index. */
  add(needs: readonly number[]): number {
    const node = this.size++
    this.#needs = grown(this.#needs, this.size)
    this.#firstOut = grown(this.#firstOut, this.size)
    this.#firstOut[node] = -1
    this.#needs[node] = needs.length
    for (const need of needs) this.#connect(need, node)
    return node
  }

  /** Adds nodes that may need one another, in any order; `needs` holds the indices that they will have. */
  addAll(needs: readonly (readonly number[])[]): void {
    const first = this.size
    for (let i = 0; i < needs.length; i++) this.add([])
    // Edges are linked in front of each other: backwards here, so that dependents are visited in ascending order.
    for (let i = needs.length - 1; i >= 0; i--) {
      const of = needs[i] as readonly number[]
      this.#needs[first + i] = of.length
      for (const need of of) this.#connect(need, first + i)
    }
  }

  /** How many needs a node has. */
  needs(node: number): number {
    return this.#needs[node] as number
  }

  /** Calls `visit` with each node that needs `node`; costs only their number. */
  eachDependent(node: number, visit: (dependent: number) => void): void {
    for (let edge = this.#firstOut[node] as number; edge !== -1; edge = this.#edgeNext[edge] as number) {
      visit(this.#edgeTo[edge] as number)
    }
  }

  #connect(from: number, to: number): void {
    const edge = this.#edges++
    this.#edgeNext = grown(this.#edgeNext, this.#edges)
    this.#edgeTo = grown(this.#edgeTo, this.#edges)
    this.#edgeNext[edge] = this.#firstOut[from] as number
    this.#edgeTo[edge] = to
    this.#firstOut[from] = edge
  }
}

/** The array itself, or a copy of at least twice its length where it cannot hold `length` entries. */
export function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array
  const larger = new Int32Array(Math.max(length, array.length * 2))
  larger.set(array)
  return larger
}

/** A graph of tasks that may name needs further down the file: all nodes first, then the edges. */
export function graphOf(tasks: readonly { readonly needs: readonly number[] }[]): Graph {
  const graph = new Graph()
  graph.addAll(tasks.map((task) => task.needs))
  return graph
}
