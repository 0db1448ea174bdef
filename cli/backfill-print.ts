/** How a backfill is shown: its plan with what it leaves out and what it will take. Starts nothing. */
import type { Estimate } from '../engine/backfill-estimate.ts'
import type { PlannedInterval } from '../engine/backfill-plan.ts'
import { exits } from '../engine/errors.ts'
import { documentOf, isToEnd, type Standing } from './backfill.ts'
import { estimateDocument, estimateText } from './backfill-estimate.ts'
import type { LeftOut } from './backfill-omitted.ts'
import type { Performed } from './backfill-perform.ts'
import { printJson } from './command.ts'
import { counted, grouped, type Paint, painted, paintFor, shortInterval, table } from './print.ts'
import type { Stage } from './stage.ts'
import type { Terminal } from './terminal.ts'

/** What is shown beside the plan. */
export interface Beside {
  /** Tasks that each run leaves out. */
  readonly leftOut: readonly LeftOut[]
  /** Only of a dry run. */
  readonly estimate?: Estimate
}

/** Shows how a backfill stands, as JSON or for people. */
export async function showBackfill(
  { settings, terminal }: Pick<Stage, 'settings' | 'terminal'>,
  standing: Standing,
  beside: Beside,
): Promise<void> {
  if (settings.json) printJson(terminal, { ...documentOf(standing), ...besideDocument(beside) })
  else await printPlan(standing, beside, terminal)
}

/** The exit that a backfill's end means. */
export function exitOfBackfill({ standing, how }: Performed): number {
  if (how !== 'ended') return exits.interrupted
  return standing.state === null || standing.state === 'succeeded' ? exits.ok : exits.failed
}

function besideDocument({ leftOut, estimate }: Beside): object {
  return {
    ...(leftOut.length > 0 && { leftOut }),
    ...(estimate !== undefined && { estimate: estimateDocument(estimate) }),
  }
}

/** Rows of a plan that a terminal shows; of more the first and the last, and how many there are of each kind. */
const most = { rows: 100, first: 20, last: 10 } as const

/** The rows of a plan as a table. Elsewhere than on a terminal it is whole: somebody may look for a row in it. */
export async function planTable({ rows }: Pick<Standing, 'rows'>, { out, env }: Terminal): Promise<string> {
  const paint = paintFor(out, env)
  const head = ['interval', '', 'state', 'run', 'why']
  if (!out.isTerminal || rows.length <= most.rows)
    return table(
      head,
      rows.map((row) => cellsOf(row, paint)),
    )
  const cells = [
    ...rows.slice(0, most.first).map((row) => cellsOf(row, paint)),
    [`… ${grouped(rows.length - most.first - most.last)} more`],
    ...rows.slice(-most.last).map((row) => cellsOf(row, paint)),
  ]
  const kinds = Map.groupBy(rows, ({ action, state, reason }) =>
    [action, state, reason].filter((word) => word !== null).join(', '),
  )
  const counts = [...kinds].map(([kind, { length }]) => `${grouped(length)}: ${kind}`)
  return [await table(head, cells), '', ...counts, '--json shows every interval'].join('\n')
}

function cellsOf({ interval, action, reason, run, state }: PlannedInterval, paint: Paint): readonly string[] {
  return [
    shortInterval(interval),
    action === 'run' ? 'run' : paint.dim('skip'),
    state === null ? '' : painted(state, paint),
    run ?? '',
    reason,
  ]
}

async function printPlan(standing: Standing, beside: Beside, terminal: Terminal): Promise<void> {
  const { id, rows, own, tasks, state } = standing
  const { out, env } = terminal
  out.write(`${await planTable(standing, terminal)}\n\n`)
  const run = rows.filter((row) => isToEnd(row, own)).length
  const skip = rows.filter(({ action }) => action === 'skip').length
  const ended = rows.length - run - skip
  const words = [`${counted(run, 'interval')} to run`, `${counted(skip, 'interval')} to skip`]
  if (ended > 0) words.push(`${counted(ended, 'interval')} run to the end`)
  // Once it was performed its tasks are no longer what it will take.
  if (beside.estimate !== undefined) words.push(counted(tasks, 'task'))
  out.write(`${words.join(', ')}\n`)
  if (beside.leftOut.length > 0) out.write(`${leftOutText(beside.leftOut)}\n`)
  if (beside.estimate !== undefined && run > 0) out.write(`${estimateText(beside.estimate)}\n`)
  if (id !== null && state !== null) out.write(`backfill ${id} ${painted(state, paintFor(out, env))}\n`)
}

function leftOutText(all: readonly LeftOut[]): string {
  const named = (why: LeftOut['why']) => all.filter((one) => one.why === why).map(({ task }) => task)
  const [deploys, below] = [named('deploys'), named('below')]
  const skipped = below.length > 0 ? `; skipped below: ${below.join(', ')}` : ''
  return `left out of each run, because it deploys (--include-deploy): ${deploys.join(', ')}${skipped}`
}
