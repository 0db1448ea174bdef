/** Randomness, injected everywhere: the only file that draws it. */
import { randomBytes } from 'node:crypto'

/** A source of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
}

/** The machine's randomness. */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
}

/** A repeatable source: the same seed gives the same numbers (mulberry32, by Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
