/**
 * MinHash: signatures of sets, whose agreement estimates the Jaccard similarity of the sets. Knows nothing of texts.
 *
 * Broder 1997, "On the resemblance and containment of documents". Each permutation of the 32-bit numbers is x -> a*x + b
 * (mod 2^32) with an odd, a bijection whose high bits, which decide the minimum, are 2-universal (Dietzfelbinger et al. 1997);
 * what comes in is already mixed (see shingles.ts).
 */
import { mix } from './shingles.ts'

/** Makes signatures of one kind; two can be compared only when made with the same number of permutations. */
export class MinHash {
  readonly permutations: number
  readonly #factors: Int32Array
  readonly #terms: Int32Array

  constructor(permutations: number) {
    this.permutations = permutations
    this.#factors = new Int32Array(permutations)
    this.#terms = new Int32Array(permutations)
    for (let i = 0; i < permutations; i++) {
      // The same on every machine and in every version: a signature may be stored and compared later.
      this.#factors[i] = mix(Math.imul(2 * i + 1, 0x9e3779b1)) | 1
      this.#terms[i] = mix(Math.imul(2 * i + 2, 0x9e3779b1))
    }
  }

  /** Writes the signature of a set into `target` (`permutations` long). A set without elements has the greatest values. */
  sign(elements: Int32Array, target: Int32Array): void {
    target.fill(0x7fffffff)
    const factors = this.#factors
    const terms = this.#terms
    const count = this.permutations
    for (let e = 0; e < elements.length; e++) {
      const element = elements[e] as number
      for (let i = 0; i < count; i++) {
        const value = (Math.imul(element, factors[i] as number) + (terms[i] as number)) | 0
        if (value < (target[i] as number)) target[i] = value
      }
    }
  }
}

/** The share of equal places of two signatures: an unbiased estimate, with standard deviation sqrt(j (1 - j) / permutations). */
export function agreement(a: Int32Array, b: Int32Array): number {
  let equal = 0
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++
  return equal / a.length
}
