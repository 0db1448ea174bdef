/** Shows a run while it runs: a table that changes on a terminal, else a line per event. Knows no engine and no store. */
import type { Report } from '../engine/report.ts'
import { shellWord } from '../engine/shell-word.ts'
import { type Display, drawingOn, Picture } from './picture.ts'
import { duration, grouped, oneLine, type Paint, painted, paintFor, shownName } from './print.ts'
import type { RunProgress, TaskProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** The display for a run on this terminal. */
export async function displayOf(terminal: Terminal, progress: RunProgress): Promise<Display> {
  const paint = paintFor(terminal.err, terminal.env)
  if (!terminal.err.isTerminal) return new Lines(terminal, progress, paint)
  const motif = {
    lines: () => taskLines(progress, terminal, paint),
    take: (report: Report) => progress.take(report) !== null,
  }
  return new Picture(terminal, paint, motif, await drawingOn(terminal.err))
}

/** A line for each event that a person would want to know of. */
class Lines implements Display {
  readonly #terminal: Terminal
  readonly #progress: RunProgress
  readonly #paint: Paint
  /** Who sleeps looks again and again: all that is said of that is that it sleeps. */
  readonly #asleep = new Set<string>()

  constructor(terminal: Terminal, progress: RunProgress, paint: Paint) {
    this.#terminal = terminal
    this.#progress = progress
    this.#paint = paint
  }

  report(report: Report): void {
    const task = this.#progress.take(report)
    if (report.type !== 'task' || (report.name !== report.task && !remarkable.has(report.event))) return
    if (this.#isNoNews(report)) return
    const line = eventLine(report, task, this.#paint)
    if (line !== null) this.#terminal.err.write(`${line}\n`)
  }

  /** Another look of a sleeper, which is no news, nor what led to it. */
  #isNoNews({ event, name, asks }: Report & { type: 'task' }): boolean {
    const before = this.#asleep.has(name)
    if (event === 'sleep') this.#asleep.add(name)
    else if (event !== 'wake' && event !== 'claim') this.#asleep.delete(name)
    return before && (event === 'claim' || (event === 'sleep' && asks === undefined))
  }

  note(text: string): void {
    this.#terminal.err.write(`${text}\n`)
  }

  close(): void {}
}

/** What is said of an instance too: there may be thousands, and most go well. */
const remarkable: ReadonlySet<string> = new Set([
  'retry',
  'recover',
  'hold',
  'release',
  'fail',
  'mark_succeeded',
  'mark_failed',
])

/** What a task's event is to a person, or null where it says nothing new. */
function eventLine(
  report: Report & { type: 'task' },
  task: TaskProgress | null,
  paint: Paint,
): string | null {
  const { event, failure, attempt } = report
  const name = shownName(report.name)
  const why = failure === null ? '' : ` (${failure.kind}): ${oneLine(failure.message)}`
  switch (event) {
    case 'claim':
      return `${name} ${painted('running', paint)}${attempt > 1 ? `, attempt ${attempt}` : ''}`
    case 'retry':
      return `${name} attempt ${attempt} ${paint.yellow('failed')}${why}; it is tried again`
    case 'recover':
      return `${name} attempt ${attempt} ${paint.yellow('failed')}${why}; recovery tries again`
    case 'hold':
      return `${name} attempt ${attempt} ${paint.yellow('failed')}${why}; it waits for a person: dagctl approvals list`
    case 'mark_succeeded':
    case 'mark_failed':
      return `${name} ${painted(report.state, paint)}, as a person says`
    case 'release':
      return `${name} attempt ${attempt} was ${paint.yellow('released')}; it starts again`
    case 'fail':
      return `${name} ${painted('failed', paint)}${why}`
    case 'reuse':
      return `${name} ${painted('succeeded', paint)}, cached`
    case 'succeed':
      return `${name} ${painted('succeeded', paint)} in ${spent(task)}`
    case 'sleep':
      if (report.asks === undefined) return `${name} ${painted('sleeping', paint)}`
      return `${name} asks: ${oneLine(report.asks)}; answer with: dagctl approvals answer ${report.run} ${shellWord(report.name)} approve|reject`
    case 'skip':
    case 'block':
    case 'cancel':
      return `${name} ${painted(report.state, paint)}`
    default:
      return null
  }
}

function spent(task: TaskProgress | null): string {
  const { startedAt, endedAt } = task ?? { startedAt: null, endedAt: null }
  return duration((endedAt ?? 0) - (startedAt ?? endedAt ?? 0))
}

const symbols: { readonly [state: string]: string } = {
  waiting: '·',
  ready: '·',
  running: '▸',
  sleeping: 'z',
  retrying: '↻',
  succeeded: '✓',
  failed: '✗',
  upstream_failed: '✗',
  skipped: '-',
  cancelled: '■',
}

/** Which tasks show first where not all have room. */
const importance = [
  'running',
  'failed',
  'retrying',
  'sleeping',
  'ready',
  'upstream_failed',
  'cancelled',
  'succeeded',
  'skipped',
  'waiting',
]

/** The lines of the live table: every task, or where the terminal is too low those that matter, and counts. */
export function taskLines(progress: RunProgress, terminal: Terminal, paint: Paint): readonly string[] {
  const room = Math.max(3, terminal.err.rows - 4)
  const { tasks } = progress
  const all = tasks.length <= room
  const shown = all
    ? tasks
    : [...tasks].sort((a, b) => importance.indexOf(a.state) - importance.indexOf(b.state)).slice(0, room - 1)
  const width = Math.min(40, Math.max(...shown.map(({ id }) => id.length)))
  const now = terminal.clock.now()
  const lines = shown.map((task) => taskLine(task, { width, now, columns: terminal.err.columns }, paint))
  const counts = [...progress.counts()].map(([state, count]) => `${grouped(count)} ${state}`).join(', ')
  return all ? lines : [...lines, paint.dim(`of ${grouped(tasks.length)} tasks: ${counts}`)]
}

function taskLine(
  task: TaskProgress,
  { width, now, columns }: { width: number; now: number; columns: number },
  paint: Paint,
): string {
  const { id, state, startedAt, endedAt, cached } = task
  const name = id.length > width ? `${id.slice(0, width - 1)}…` : id.padEnd(width)
  const shown = cached ? 'cached' : state
  const time = startedAt === null || cached ? '' : duration((endedAt ?? now) - startedAt)
  const detail = detailOf(task)
  const left = Math.max(0, columns - width - 32)
  const cut = detail.length > left ? `${detail.slice(0, Math.max(0, left - 1))}…` : detail
  const symbol = painted(state, paint, symbols[state] ?? ' ')
  return `${symbol} ${name}  ${painted(shown, paint)}${' '.repeat(16 - shown.length)}${time.padStart(8)}  ${cut === '' ? '' : paint.dim(cut)}`.trimEnd()
}

function detailOf({ amount, state, failure, attempt }: TaskProgress): string {
  if (failure !== null && state !== 'running') return `${failure.kind}: ${oneLine(failure.message)}`
  const again = attempt > 1 ? `attempt ${attempt}  ` : ''
  if (amount === null || state !== 'running') return again.trim()
  const { done, total, unit } = amount
  const of = total === null || total === 0 ? '' : ` of ${grouped(total)}`
  const percent = total === null || total === 0 ? '' : ` (${Math.floor((100 * done) / total)} %)`
  return `${again}${grouped(done)}${of} ${unit}${percent}`.trim()
}
