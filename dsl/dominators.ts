/**
 * Dominators of a graph without cycles, on numbers. Node d dominates node n if every path from the root to n passes d.
 * Knows nothing of tasks.
 *
 * Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001) give each node the nearest common dominator
 * of its predecessors until nothing changes; without cycles, with predecessors first, one pass is enough. Their walk up
 * the tree is quadratic on long chains with many short cuts, so each node here also has a jump pointer (Myers, "An
 * applicative random-access stack", 1983): a nearest common dominator takes a logarithm of the depth.
 */

/** The root, which dominates all. */
export const root = 0

/** The tree of dominators of a graph that grows by its last node. */
export class DominatorTree {
  readonly #above: number[] = [root]
  readonly #depth: number[] = [0]
  readonly #jump: number[] = [root]

  /** Adds a node, given at least one predecessor, and gives its number: 1, 2, … */
  add(predecessors: readonly number[]): number {
    const [first = root, ...others] = predecessors
    const above = others.reduce((common, node) => this.common(common, node), first)
    const node = this.#above.push(above) - 1
    const jump = this.#at(this.#jump, above)
    const far = this.#at(this.#jump, jump)
    const depth = (of: number) => this.#at(this.#depth, of)
    this.#depth.push(depth(above) + 1)
    // Two jumps of equal length become one of their sum: the lengths are those of a skew binary number.
    this.#jump.push(depth(above) - depth(jump) === depth(jump) - depth(far) ? far : above)
    return node
  }

  /** The nearest dominator of a node besides itself; the root's is the root. */
  above(node: number): number {
    return this.#at(this.#above, node)
  }

  /** Whether every path from the root to `node` passes `dominator`; each node dominates itself. */
  dominates(dominator: number, node: number): boolean {
    return this.#ancestor(node, this.#at(this.#depth, dominator)) === dominator
  }

  /** The nearest node that dominates both. */
  common(a: number, b: number): number {
    const depth = Math.min(this.#at(this.#depth, a), this.#at(this.#depth, b))
    let [left, right] = [this.#ancestor(a, depth), this.#ancestor(b, depth)]
    while (left !== right) {
      // Nodes of equal depth jump equally far.
      const [over, across] = [this.#at(this.#jump, left), this.#at(this.#jump, right)]
      if (over === across) [left, right] = [this.above(left), this.above(right)]
      else [left, right] = [over, across]
    }
    return left
  }

  /** The dominator of `node` at this depth, or the node itself where it is not deeper. */
  #ancestor(node: number, depth: number): number {
    let at = node
    while (this.#at(this.#depth, at) > depth) {
      const jump = this.#at(this.#jump, at)
      at = this.#at(this.#depth, jump) >= depth ? jump : this.above(at)
    }
    return at
  }

  #at(list: readonly number[], node: number): number {
    return list[node] as number
  }
}
