/**
 * Byte pair encoding: merges the parts of one word, best pair first, leftmost among equals. Knows nothing of text or of
 * where vocabularies come from.
 */

/** A vocabulary's merges. */
export interface Merges {
  /** The rank of merging two adjacent tokens, lower is earlier; undefined where they do not merge. */
  rank(left: number, right: number): number | undefined
  /** The token that two merged ones become. */
  merged(left: number, right: number): number
}

/** Positions in one word, and so in one heap key: 2^22 bytes are more than any caller passes. */
const positions = 2 ** 22

/** Merges `tokens` (one per byte) until no pair merges any more. O(n log n). Throws a RangeError over 4,194,304 tokens. */
export function mergeTokens(tokens: readonly number[], merges: Merges): number[] {
  if (tokens.length > positions)
    throw new RangeError(`a word of ${tokens.length} bytes; the limit is ${positions}`)
  if (tokens.length === 0) return []
  const word = new Word(tokens, merges)
  word.merge()
  return word.tokens()
}

/** A doubly linked list over arrays; -1 ends it. */
class Word {
  readonly #ids: Int32Array
  readonly #next: Int32Array
  readonly #previous: Int32Array
  /** Rank of the pair that begins at a position; a heap entry with another rank is out of date. -1: no pair. */
  readonly #ranks: Int32Array
  readonly #merges: Merges
  readonly #heap = new Heap()

  constructor(tokens: readonly number[], merges: Merges) {
    const { length } = tokens
    this.#merges = merges
    this.#ids = Int32Array.from(tokens)
    this.#next = Int32Array.from({ length }, (_, i) => (i + 1 < length ? i + 1 : -1))
    this.#previous = Int32Array.from({ length }, (_, i) => i - 1)
    this.#ranks = new Int32Array(length).fill(-1)
    for (let at = 0; at + 1 < length; at += 1) this.#offer(at)
  }

  merge(): void {
    for (let key = this.#heap.pop(); key !== undefined; key = this.#heap.pop()) {
      const at = key % positions
      if (this.#ranks[at] !== Math.floor(key / positions)) continue
      const right = this.#next[at] as number
      const after = this.#next[right] as number
      this.#ids[at] = this.#merges.merged(this.#ids[at] as number, this.#ids[right] as number)
      this.#next[at] = after
      if (after >= 0) this.#previous[after] = at
      this.#ranks[right] = -1
      this.#offer(at)
      const before = this.#previous[at] as number
      if (before >= 0) this.#offer(before)
    }
  }

  tokens(): number[] {
    const tokens: number[] = []
    for (let at = 0; at >= 0; at = this.#next[at] as number) tokens.push(this.#ids[at] as number)
    return tokens
  }

  #offer(at: number): void {
    const right = this.#next[at] as number
    const rank =
      right < 0 ? undefined : this.#merges.rank(this.#ids[at] as number, this.#ids[right] as number)
    this.#ranks[at] = rank ?? -1
    if (rank !== undefined) this.#heap.push(rank * positions + at)
  }
}

/** The smallest number first. */
class Heap {
  readonly #items: number[] = []

  push(item: number): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((items[parent] as number) <= item) break
      items[at] = items[parent] as number
      at = parent
    }
    items[at] = item
  }

  pop(): number | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= items.length) break
      if (child + 1 < items.length && (items[child + 1] as number) < (items[child] as number)) child += 1
      if ((items[child] as number) >= last) break
      items[at] = items[child] as number
      at = child
    }
    items[at] = last
    return first
  }
}
