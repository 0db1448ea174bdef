/** What `serve` says: a line for people on standard error, or a JSON line on standard output. Knows no engine. */
import { toInstant } from '../../engine/clock.ts'
import { harmless, paintFor } from '../print.ts'
import type { Terminal } from '../terminal.ts'

/** What happened; `event` names it, the rest are its particulars. Instants among them are written already. */
export type Happening = { readonly event: string; readonly pipeline?: string } & {
  readonly [field: string]: string | number | boolean | null | object
}

/** Events that somebody should look at. */
const bad: ReadonlySet<string> = new Set(['broken', 'double', 'failed', 'unreadable', 'task_failed'])

/** Where happenings are told. */
export class Log {
  readonly #terminal: Terminal
  readonly #json: boolean
  readonly #paint: ReturnType<typeof paintFor>

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal
    this.#json = json
    this.#paint = paintFor(terminal.err, terminal.env)
  }

  /** @param text what people read beside the time and the event */
  say(happening: Happening, text: string): void {
    const at = toInstant(this.#terminal.clock.now())
    if (this.#json) {
      this.#terminal.out.write(`${JSON.stringify({ at, ...happening })}\n`)
      return
    }
    const { event } = happening
    const word = bad.has(event) ? this.#paint.red(event) : event
    const pad = ' '.repeat(Math.max(1, 12 - event.length))
    this.#terminal.err.write(`${this.#paint.dim(at)} ${word}${pad}${harmless(text)}\n`)
  }
}
