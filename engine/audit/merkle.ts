/**
 * Merkle trees of RFC 6962 (section 2.1), with SHA-256: one hash for a whole log, and short proofs that an entry is in it
 * or that one log is the beginning of another. Verification is that of RFC 9162 (2.1.3.2, 2.1.4.2). Pure.
 */
import { createHash } from 'node:crypto'

/** The hash of a leaf: of a 0 and its bytes. */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(Buffer.of(0), entry)
}

/** The hash of an inner node: of a 1 and the hashes of its two children. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.of(1), left, right)
}

/** A tree over leaves of which only the hashes are known. */
export class MerkleTree {
  /** From the leaves upward; a node without a sibling stands in the level above as it is. */
  readonly #levels: (readonly Buffer[])[]

  /** @param leaves their hashes, in order */
  constructor(leaves: readonly Buffer[]) {
    this.#levels = [leaves]
    for (let below = leaves; below.length > 1; ) {
      const level: Buffer[] = []
      for (let i = 0; i < below.length; i += 2) {
        const [left, right] = [below[i] as Buffer, below[i + 1]]
        level.push(right === undefined ? left : nodeHash(left, right))
      }
      this.#levels.push(level)
      below = level
    }
  }

  get size(): number {
    return this.#levels[0]?.length ?? 0
  }

  /** The hash of the whole; of no leaves the hash of nothing. */
  get root(): Buffer {
    return this.#levels.at(-1)?.[0] ?? sha256()
  }

  /** The siblings on the way from a leaf to the root. */
  inclusionProof(leaf: number): Buffer[] {
    const proof: Buffer[] = []
    let place = leaf
    for (const level of this.#levels.slice(0, -1)) {
      const sibling = level[place ^ 1]
      if (sibling !== undefined) proof.push(sibling)
      place >>= 1
    }
    return proof
  }

  /** That the tree over the first `size` leaves is the beginning of this one; `size` is from 1 to that of this one. */
  consistencyProof(size: number): Buffer[] {
    return this.#subproof(size, 0, this.size, true)
  }

  /** SUBPROOF of RFC 6962, 2.1.2, of the leaves from `start`. @param whole whether the old tree's root is known to who asks */
  #subproof(size: number, start: number, end: number, whole: boolean): Buffer[] {
    const count = end - start
    if (size === count) return whole ? [] : [this.#rootOf(start, end)]
    const split = largestPowerBelow(count)
    if (size <= split)
      return [...this.#subproof(size, start, start + split, whole), this.#rootOf(start + split, end)]
    return [...this.#subproof(size - split, start + split, end, false), this.#rootOf(start, start + split)]
  }

  #rootOf(start: number, end: number): Buffer {
    const count = end - start
    const level = Math.log2(count)
    if (Number.isInteger(level)) return this.#levels[level]?.[start / count] as Buffer
    const split = largestPowerBelow(count)
    return nodeHash(this.#rootOf(start, start + split), this.#rootOf(start + split, end))
  }
}

/** A claim that a leaf stands at `index` of a tree. */
export interface Inclusion {
  readonly index: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the proof shows what is claimed. */
export function provesInclusion({ index, size, leaf, root, proof }: Inclusion): boolean {
  if (!(index >= 0 && index < size) || ![leaf, root, ...proof].every(isHash)) return false
  let [place, last] = [index, size - 1]
  let hash: Uint8Array = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) [place, last] = [halved(place), halved(last)]
    } else hash = nodeHash(hash, sibling)
    ;[place, last] = [halved(place), halved(last)]
  }
  return last === 0 && equal(hash, root)
}

/** A claim that one tree is the beginning of another. */
export interface Consistency {
  readonly sizes: readonly [before: number, after: number]
  readonly roots: readonly [before: Uint8Array, after: Uint8Array]
  readonly proof: readonly Uint8Array[]
}

/** Whether the proof shows what is claimed. */
export function provesConsistency({ sizes: [before, after], roots, proof }: Consistency): boolean {
  if (!(before >= 1 && before <= after)) return false
  if (before === after) return proof.length === 0 && equal(...roots)
  const isWhole = Number.isInteger(Math.log2(before))
  const [first, ...rest] = isWhole ? [roots[0], ...proof] : proof
  if (first === undefined || proof.length === 0) return false
  let [place, last] = [before - 1, after - 1]
  while (place % 2 === 1) [place, last] = [halved(place), halved(last)]
  let [old, current]: [Uint8Array, Uint8Array] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      old = nodeHash(sibling, old)
      current = nodeHash(sibling, current)
      while (place % 2 === 0 && place !== 0) [place, last] = [halved(place), halved(last)]
    } else current = nodeHash(current, sibling)
    ;[place, last] = [halved(place), halved(last)]
  }
  return last === 0 && equal(old, roots[0]) && equal(current, roots[1])
}

function halved(value: number): number {
  return Math.floor(value / 2)
}

function largestPowerBelow(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1)
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === 32
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
