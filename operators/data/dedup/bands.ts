/** Chooses how signatures are cut into bands for a threshold. Pure arithmetic. */

/** `bands` bands of `rows` places each; two texts are candidates when one whole band is equal. */
export interface Banding {
  readonly bands: number
  readonly rows: number
}

/** Of pairs exactly at the threshold, so many may be missed; above it the share falls fast. */
const missed = 0.001

/**
 * The most rows (the fewest false candidates, which cost time only: each is verified) with which a pair at the threshold is
 * missed in less than 1 of 1,000 cases: (1 - t^rows)^bands (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4).
 * One row is taken only where the threshold is below 0.3: it makes nearly every pair a candidate.
 */
export function bandingFor(threshold: number, permutations: number): Banding {
  for (let rows = permutations; rows > 2; rows--) {
    const bands = Math.floor(permutations / rows)
    if (missRate(threshold, { bands, rows }) <= missed) return { bands, rows }
  }
  if (threshold >= 0.3 && permutations >= 2) return { bands: Math.floor(permutations / 2), rows: 2 }
  return { bands: permutations, rows: 1 }
}

/** The chance that a pair of this similarity is no candidate. */
export function missRate(similarity: number, { bands, rows }: Banding): number {
  return (1 - similarity ** rows) ** bands
}
