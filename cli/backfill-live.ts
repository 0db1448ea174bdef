/** Shows a backfill while it runs: how many runs are in each state, and which run now. Knows no engine and no store. */
import type { Report } from '../engine/report.ts'
import { isEnded, type RunState } from '../engine/state.ts'
import type { Standing } from './backfill.ts'
import { type Display, drawingOn, Picture } from './picture.ts'
import { grouped, oneLine, type Paint, painted, paintFor } from './print.ts'
import type { Terminal } from './terminal.ts'

/** The display of a backfill on this terminal. @param plan as it stands at the beginning */
export async function backfillDisplay(terminal: Terminal, plan: Standing): Promise<Display> {
  const paint = paintFor(terminal.err, terminal.env)
  const runs = new Runs(plan)
  if (!terminal.err.isTerminal) return new RunLines(terminal, runs, paint)
  const motif = { lines: () => runs.lines(terminal, paint), take: (report: Report) => runs.take(report) }
  return new Picture(terminal, paint, motif, await drawingOn(terminal.err))
}

/** The runs of a backfill, by what is told of them. */
class Runs {
  readonly states = new Map<string, RunState>()
  readonly #doing = new Map<string, string>()
  readonly #wanted: number

  constructor({ rows, own }: Standing) {
    const wanted = rows.filter(({ action }) => action === 'run')
    this.#wanted = wanted.length
    for (const { run, state } of wanted)
      if (run !== null && state !== null && own.has(run)) this.states.set(run, state)
  }

  /** Takes a report in; whether what is shown changed. */
  take(report: Report): boolean {
    if (report.type === 'attempt') return false
    if (report.type === 'run') {
      this.states.set(report.run, report.state)
      if (isEnded(report.state)) this.#doing.delete(report.run)
    } else if (report.event === 'claim') {
      this.states.set(report.run, 'running')
      this.#doing.set(report.run, report.task)
    }
    return true
  }

  /** `120 of 230 done`. */
  get done(): string {
    const ended = [...this.states.values()].filter(isEnded).length
    return `${grouped(ended)} of ${grouped(this.#wanted)} done`
  }

  lines(terminal: Terminal, paint: Paint): readonly string[] {
    const counts = new Map<RunState, number>()
    for (const state of this.states.values()) counts.set(state, (counts.get(state) ?? 0) + 1)
    const states = [...counts].map(([state, count]) => painted(state, paint, `${grouped(count)} ${state}`))
    const room = Math.max(0, Math.min(16, terminal.err.rows - 4))
    const doing = [...this.#doing].slice(0, room).map(([run, task]) => paint.dim(`  ${run} ${task}`))
    return [`${this.done}${states.length === 0 ? '' : `: ${states.join(', ')}`}`, ...doing]
  }
}

/** A line for each run that ends, and for each task that fails. */
class RunLines implements Display {
  readonly #terminal: Terminal
  readonly #runs: Runs
  readonly #paint: Paint

  constructor(terminal: Terminal, runs: Runs, paint: Paint) {
    this.#terminal = terminal
    this.#runs = runs
    this.#paint = paint
  }

  report(report: Report): void {
    this.#runs.take(report)
    if (report.type === 'run' && isEnded(report.state))
      this.note(`run ${report.run} ${painted(report.state, this.#paint)}, ${this.#runs.done}`)
    if (report.type === 'task' && report.event === 'fail' && report.failure !== null)
      this.note(
        `run ${report.run} ${report.task} failed (${report.failure.kind}): ${oneLine(report.failure.message)}`,
      )
  }

  note(text: string): void {
    this.#terminal.err.write(`${text}\n`)
  }

  close(): void {}
}
