/**
 * The bucket and cluster stages of `Dedup`: finds pairs of texts with an equal band, verifies each, joins what is similar.
 * Knows nothing of records or files: similarity in doubt is asked for.
 */
import type { Banding } from './bands.ts'
import type { Clusters } from './clusters.ts'
import type { Rows } from './rows.ts'
import { mix } from './shingles.ts'
import { column } from './sketches.ts'

/** What decides about a pair of texts. */
export interface Verifier {
  readonly threshold: number
  /** True where the sets' Jaccard similarity is at least the threshold; asked only where the signatures leave it open. */
  similar(a: number, b: number): boolean
}

/** Estimates further than this many standard deviations from the threshold decide; 4 are wrong once in 30,000. */
const deviations = 4
/**
 * In a bucket with so many members, a text that is joined to one of them is not compared with later ones itself: else a
 * page repeated a million times would cost a million comparisons each time.
 */
const crowded = 256
/** Pairs that were verified and found different, kept so that other bands need not ask again. */
const maxKnown = 1_000_000

/** Joins, band by band, the texts that are similar. */
export class Buckets {
  readonly #texts: Rows
  readonly #clusters: Clusters
  readonly #verifier: Verifier
  readonly #banding: Banding
  readonly #permutations: number
  readonly #certain: { readonly below: number; readonly above: number }
  #different = new Set<number>()

  constructor(texts: Rows, banding: Banding, clusters: Clusters, verifier: Verifier) {
    this.#texts = texts
    this.#clusters = clusters
    this.#verifier = verifier
    this.#banding = banding
    this.#permutations = texts.width - column.signature
    const { threshold } = verifier
    const margin = deviations * Math.sqrt((threshold * (1 - threshold)) / this.#permutations)
    this.#certain = {
      below: Math.floor((threshold - margin) * this.#permutations),
      above: Math.ceil((threshold + margin) * this.#permutations),
    }
  }

  /** Goes through one band. Yields now and then, so that the caller may breathe; the number of texts that were done. */
  *band(band: number): Generator<number, void, void> {
    const count = this.#texts.count
    const mask = 2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2)) - 1
    const heads = new Int32Array(mask + 1).fill(-1)
    const nexts = new Int32Array(count)
    const from = column.signature + band * this.#banding.rows
    for (let text = 0; text < count; text++) {
      if (text % 1024 === 1023) yield text
      if (this.#texts.get(text, column.size) === 0) continue
      const slot = this.#hash(text, from) & mask
      const { joined, members } = this.#visit(text, from, heads[slot] as number, nexts)
      if (joined && members >= crowded) continue
      nexts[text] = heads[slot] as number
      heads[slot] = text
    }
  }

  /** Compares a text with the earlier ones in its bucket, the newest first. */
  #visit(text: number, from: number, head: number, nexts: Int32Array): { joined: boolean; members: number } {
    let joined = false
    let members = 0
    for (let other = head; other >= 0; other = nexts[other] as number) {
      if (!this.#sameBand(text, other, from)) continue
      members++
      if (this.#clusters.joined(text, other)) joined = true
      else if (this.#similar(text, other)) {
        this.#clusters.join(text, other)
        joined = true
      }
    }
    return { joined, members }
  }

  #similar(a: number, b: number): boolean {
    const [left, right] = [this.#texts.get(a, column.size), this.#texts.get(b, column.size)]
    // The Jaccard similarity is at most the smaller set over the larger.
    if (Math.min(left, right) < this.#verifier.threshold * Math.max(left, right)) return false
    if (left === right && this.#sameSet(a, b)) return true
    const equal = this.#agreeing(a, b)
    if (equal < this.#certain.below) return false
    if (equal > this.#certain.above) return true
    const pair = a * this.#texts.count + b
    if (this.#different.has(pair)) return false
    const similar = this.#verifier.similar(a, b)
    if (!similar) {
      if (this.#different.size >= maxKnown) this.#different = new Set()
      this.#different.add(pair)
    }
    return similar
  }

  #sameSet(a: number, b: number): boolean {
    return [column.setHash, column.setHash + 1].every(
      (at) => this.#texts.get(a, at) === this.#texts.get(b, at),
    )
  }

  #agreeing(a: number, b: number): number {
    const [left, right] = [this.#texts.page(a), this.#texts.page(b)]
    const [i, j] = [this.#texts.offset(a) + column.signature, this.#texts.offset(b) + column.signature]
    let equal = 0
    for (let k = 0; k < this.#permutations; k++) if (left[i + k] === right[j + k]) equal++
    return equal
  }

  #sameBand(a: number, b: number, from: number): boolean {
    const [left, right] = [this.#texts.page(a), this.#texts.page(b)]
    const [i, j] = [this.#texts.offset(a) + from, this.#texts.offset(b) + from]
    for (let k = 0; k < this.#banding.rows; k++) if (left[i + k] !== right[j + k]) return false
    return true
  }

  #hash(text: number, from: number): number {
    const page = this.#texts.page(text)
    const at = this.#texts.offset(text) + from
    let hash = 0
    for (let k = 0; k < this.#banding.rows; k++) hash = mix(hash ^ (page[at + k] as number))
    return hash
  }
}
