/** Which part a record belongs to, by the hash of its key. Pure: the same keys are divided in the same way everywhere. */
import { createHash } from 'node:crypto'

/** Shares of the parts, in their order; together 1. */
export type Shares = readonly number[]

/** A number of 32 bits, evenly spread: the first of SHA-256 of seed and key. */
export function keyHash(seed: string, key: string): number {
  return createHash('sha256').update(`${seed}\0${key}`).digest().readUInt32BE(0)
}

/** The part of a hash when hashes from 0 to 2^32 are divided by the shares. Adding data never moves a record. */
export function partOf(hash: number, shares: Shares): number {
  let end = 0
  for (const [part, share] of shares.entries()) {
    end += share * 2 ** 32
    if (hash < end) return part
  }
  return lastUsed(shares)
}

/** Rounding may leave the very last hashes over: they belong to the last part that has a share. */
function lastUsed(shares: Shares): number {
  return shares.findLastIndex((share) => share > 0)
}

/** Hashes kept one by one in a stratum before they are only counted by their upper 16 bits. */
const exactLimit = 16_384

/**
 * Divides one stratum so that its parts have the shares as exactly as whole records allow (largest remainder; beyond
 * 16,384 records, up to those whose upper 16 bits are alike). Flat memory: 256 KiB at most.
 */
export class Stratum {
  #hashes: number[] | null = []
  #buckets: Uint32Array | null = null
  #ends: readonly number[] | null = null

  add(hash: number): void {
    if (this.#hashes && this.#hashes.length < exactLimit) {
      this.#hashes.push(hash)
      return
    }
    this.#buckets ??= new Uint32Array(65_536)
    for (const kept of this.#hashes ?? []) this.#count(kept)
    this.#hashes = null
    this.#count(hash)
  }

  #count(hash: number): void {
    const buckets = this.#buckets as Uint32Array
    buckets[hash >>> 16] = (buckets[hash >>> 16] as number) + 1
  }

  /** The part of a hash, after all were added. */
  part(hash: number, shares: Shares): number {
    this.#ends ??= this.#hashes
      ? exactEnds(this.#hashes, shares)
      : bucketEnds(this.#buckets as Uint32Array, shares)
    const part = this.#ends.findIndex((end) => hash < end)
    return part < 0 ? lastUsed(shares) : part
  }
}

/** For each part the hash before which it ends; equal hashes stay together. */
function exactEnds(hashes: number[], shares: Shares): readonly number[] {
  const sorted = Uint32Array.from(hashes).sort()
  return cumulative(wholeShares(sorted.length, shares)).map((count) => sorted[count] ?? 2 ** 32)
}

function bucketEnds(buckets: Uint32Array, shares: Shares): readonly number[] {
  const total = buckets.reduce((sum, count) => sum + count, 0)
  return cumulative(wholeShares(total, shares)).map((wanted) => {
    let seen = 0
    for (const [bucket, count] of buckets.entries()) {
      // The end lies at that side of the bucket which is nearer to the wanted count.
      if (seen + count / 2 > wanted) return bucket * 65_536
      seen += count
    }
    return 2 ** 32
  })
}

/** Divides `total` by the shares into whole numbers: Hamilton's method of the largest remainder. */
export function wholeShares(total: number, shares: Shares): readonly number[] {
  const whole = shares.map((share) => Math.floor(share * total + 1e-9))
  const left = total - whole.reduce((sum, count) => sum + count, 0)
  const byRemainder = shares
    .map((share, part) => ({ part, remainder: share * total - (whole[part] as number) }))
    .sort((a, b) => b.remainder - a.remainder || a.part - b.part)
  for (const { part } of byRemainder.slice(0, left)) whole[part] = (whole[part] as number) + 1
  return whole
}

function cumulative(counts: readonly number[]): readonly number[] {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}
