/** Runs to their end in this process, with Ctrl-C: once cancels, twice leaves what runs. Knows no single command. */
import type { Engine } from '../engine/engine.ts'
import { exits } from '../engine/errors.ts'
import type { Display } from './picture.ts'
import type { Terminal } from './terminal.ts'

/** How conducting ended: the runs ended, a person cancelled them, or they stay active for a later command. */
export type Conducted = 'ended' | 'cancelled' | 'left'

/** What is conducted. */
export interface Piece {
  readonly engine: Engine
  readonly display: Display
  readonly terminal: Terminal
  /** Resolves when there is nothing more to do. */
  readonly done: Promise<unknown>
  /** What the first Ctrl-C does; `drain` leaves the runs active. */
  readonly onInterrupt: 'cancel' | 'drain'
  /** Told of the first signal. */
  readonly onStop?: () => void
  /** The command that goes on with what is left. */
  readonly goOn: string
}

/**
 * Waits for the end, hearing signals meanwhile. A first Ctrl-C cancels (or drains), SIGTERM drains; a second one leaves
 * at once: what runs in processes goes on, for `goOn` to find again. Rejects when the engine fails.
 */
export async function conduct(piece: Piece): Promise<Conducted> {
  const { engine, terminal, display, goOn } = piece
  let heard = 0
  let answer: (how: Conducted) => void = () => {}
  let refuse: (error: unknown) => void = () => {}
  const left = new Promise<Conducted>((resolve, reject) => {
    answer = resolve
    refuse = reject
  })
  let how: Conducted = 'ended'
  const silence = terminal.onSignal((signal) => {
    heard++
    piece.onStop?.()
    if (heard > 2) terminal.leave(exits.interrupted)
    if (heard === 2) {
      display.note(`left; what runs in processes goes on. Go on with: ${goOn}`)
      answer('left')
    } else if (signal === 'interrupt' && piece.onInterrupt === 'cancel') {
      how = 'cancelled'
      display.note('cancelling; Ctrl-C again leaves what runs, to be gone on with later')
      engine.cancelAll()
    } else {
      display.note(`stopping; what is not done stays for later. Go on with: ${goOn}`)
      engine.drain().then(() => answer('left'), refuse)
    }
  })
  try {
    const ended = piece.done.then(() => how)
    return await Promise.race([ended, left, engine.failing])
  } finally {
    silence()
  }
}
