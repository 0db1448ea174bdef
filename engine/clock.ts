/** Time and timers, injected everywhere: the only file that calls Date.now, performance.now and setTimeout. */

/** A timer that can be called off. */
export interface Timer {
  cancel(): void
}

/** The time, and a way to be called later. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Milliseconds that have passed since some moment, however the clock on the wall is set meanwhile. */
  elapsed(): number
  /** Calls `fire` once, at or after `at` (epoch milliseconds). A pending timer keeps the process alive. */
  at(at: number, fire: () => void): Timer
  /** Calls `fire` as soon as what is at hand is done; pending input and output go first. */
  soon(fire: () => void): void
}

/** setTimeout's largest delay; a longer wait is split. */
const longest = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  at(at, fire) {
    let handle: NodeJS.Timeout
    const arm = () => {
      const delay = at - Date.now()
      handle = delay > longest ? setTimeout(arm, longest) : setTimeout(fire, Math.max(0, Math.ceil(delay)))
    }
    arm()
    return { cancel: () => clearTimeout(handle) }
  },
  soon: (fire) => setImmediate(fire),
}

/** RFC 3339, UTC, with milliseconds: the one way in which instants are written. */
export function toInstant(at: number): string {
  return new Date(at).toISOString()
}
