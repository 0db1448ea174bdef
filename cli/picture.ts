/** A picture on a terminal that changes, and what any display is. Knows nothing of what it shows. */
import type { Timer } from '../engine/clock.ts'
import type { Report } from '../engine/report.ts'
import type { Paint } from './print.ts'
import type { Sink, Terminal } from './terminal.ts'

/** Whoever shows what happens. */
export interface Display {
  report(report: Report): void
  /** A sentence of ours, above what changes. */
  note(text: string): void
  /** Takes what changes away. */
  close(): void
}

/** Milliseconds between two pictures; and between two when nothing but time changes. */
const pace = { busy: 100, idle: 500 } as const

/** A drawing on a terminal. */
export async function drawingOn(sink: Sink): Promise<Drawing> {
  const { createLogUpdate } = await import('log-update')
  const stream = {
    write(text: string) {
      sink.write(text)
      return true
    },
    get columns() {
      return sink.columns
    },
    get rows() {
      return sink.rows
    },
  }
  return createLogUpdate(stream as unknown as NodeJS.WritableStream, { showCursor: true })
}

/** What a picture shows. */
export interface Motif {
  lines(): readonly string[]
  /** Takes a report in; whether the picture changed. */
  take(report: Report): boolean
}

/** The part of log-update that a picture needs. */
export interface Drawing {
  (text: string): void
  clear(): void
  done(): void
}

/** A picture on a terminal that is drawn anew as things change, at most ten times a second. */
export class Picture implements Display {
  readonly #terminal: Terminal
  readonly #motif: Motif
  readonly #draw: Drawing
  readonly #paint: Paint
  #timer: Timer | null = null
  #drawnAt = 0
  #closed = false

  constructor(terminal: Terminal, paint: Paint, motif: Motif, draw: Drawing) {
    this.#terminal = terminal
    this.#motif = motif
    this.#draw = draw
    this.#paint = paint
    this.#show()
  }

  report(report: Report): void {
    if (this.#motif.take(report)) this.#schedule(pace.busy)
  }

  note(text: string): void {
    this.#draw.clear()
    this.#terminal.err.write(`${this.#paint.dim(text)}\n`)
    this.#show()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#draw.clear()
    this.#draw.done()
  }

  #show(): void {
    if (this.#closed) return
    this.#drawnAt = this.#terminal.clock.now()
    this.#draw(this.#motif.lines().join('\n'))
    this.#timer?.cancel()
    this.#timer = null
    this.#schedule(pace.idle)
  }

  #schedule(wait: number): void {
    if (this.#closed) return
    const { clock } = this.#terminal
    if (this.#timer !== null) {
      if (wait === pace.idle) return
      this.#timer.cancel()
    }
    this.#timer = clock.at(this.#drawnAt + wait, () => this.#show())
  }
}
