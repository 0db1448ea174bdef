/** What may befall a simulated world, and how often. Data only. */
import type { StoreHazards } from './fallible-store.ts'
import type { ProcessHazards } from './processes.ts'

/** How hostile the world is: probabilities per commit, step or attempt. */
export interface Hazards extends StoreHazards, ProcessHazards {
  readonly crashAnyStep: number
  readonly stall: number
  /** The clock on the wall is set wrong, or right again. */
  readonly jump: number
  readonly cancel: number
  /** Somebody pauses a run, or lets it go on. */
  readonly pause: number
}

/** Nothing breaks, and every answer comes at once. */
export const calm: Hazards = {
  crashBeforeCommit: 0,
  crashAfterCommit: 0,
  fail: 0,
  slow: 0,
  crashAnyStep: 0,
  stall: 0,
  vanish: 0,
  late: 0,
  jump: 0,
  cancel: 0,
  pause: 0,
}
/** Nothing breaks, but answers take their time. */
export const slow: Hazards = { ...calm, slow: 0.5, late: 0.3, jump: 0.02 }
/** All that can break does, now and then. Nobody cancels. */
export const stormy: Hazards = {
  crashBeforeCommit: 0.03,
  crashAfterCommit: 0.03,
  fail: 0.02,
  slow: 0.1,
  crashAnyStep: 0.008,
  stall: 0.003,
  vanish: 0.03,
  late: 0.1,
  jump: 0.003,
  cancel: 0,
  pause: 0.01,
}
