/** Groups what is connected, and names each group by its first member. Knows nothing of texts. */

/** Union-find over numbers from 0, with path halving (Tarjan and van Leeuwen 1984); the root of a group is its smallest member. */
export class Clusters {
  readonly #parents: Int32Array

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, i) => i)
  }

  /** The smallest member of a number's group. */
  first(member: number): number {
    const parents = this.#parents
    let at = member
    while (parents[at] !== at) {
      parents[at] = parents[parents[at] as number] as number
      at = parents[at] as number
    }
    return at
  }

  /** Makes two groups one. */
  join(a: number, b: number): void {
    const [first, second] = [this.first(a), this.first(b)]
    if (first < second) this.#parents[second] = first
    else this.#parents[first] = second
  }

  joined(a: number, b: number): boolean {
    return this.first(a) === this.first(b)
  }
}
