/** `dagctl next PIPELINE`: the coming instants of the schedule, and the intervals that end there. */
import { toInstant } from '../../engine/clock.ts'
import { DagctlError, exits } from '../../engine/errors.ts'
import { hasTimes, intervalsDueAfter } from '../../engine/interval.ts'
import type { Interval, Pipeline, Schedule } from '../../engine/pipeline.ts'
import { parseTime } from '../../engine/time-text.ts'
import { timetableOf } from '../../engine/timetable.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { findPipeline } from '../pipelines.ts'
import { intervalOf, shortInterval } from '../print.ts'
import { countOf } from '../settings.ts'

interface Options {
  readonly count: string
  readonly after?: string
}

/** Declares `dagctl next`. */
export const next: Declare = (command, context) => {
  command
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .option('--count <n>', 'how many', '5')
    .option('--after <time>', 'instants after this one (default: now)')
    .addHelpText(
      'after',
      examples('next pipelines/sotu-yearly.yaml', 'next nightly --count 3 --after 2026-03-01'),
    )
    .action(action<Options>(context, show))
}

async function show({ terminal, settings, options }: Call<Options>, word: string): Promise<number> {
  const { pipeline } = await findPipeline(word, settings, terminal)
  const schedule = scheduleOf(pipeline)
  const after =
    options.after === undefined ? terminal.clock.now() : parseTime(options.after, schedule.timezone)
  const intervals = comingIntervals(schedule, after, countOf('--count', options.count))
  if (settings.json) {
    const instants = intervals.map(({ end }) => toInstant(end))
    printJson(terminal, { instants, intervals: intervals.map(intervalOf) })
    return exits.ok
  }
  if (intervals.length === 0) terminal.err.write('the schedule has no further instant\n')
  for (const interval of intervals)
    terminal.out.write(`${toInstant(interval.end)}  for ${shortInterval(interval)}\n`)
  return exits.ok
}

/** The schedule by which runs of a pipeline have intervals; throws E208 where they have none. */
export function scheduleOf({ name, schedule }: Pipeline): Schedule {
  if (schedule !== null && hasTimes(schedule)) return schedule
  const why = schedule === null ? 'no schedule' : 'a schedule of datasets'
  throw new DagctlError('E208', `the pipeline ${name} has ${why}, so it has no intervals`, {
    kind: 'usage',
    hint:
      schedule === null
        ? 'give it a `schedule:`, or run it with `dagctl run`'
        : 'its runs are due when the datasets are updated; `dagctl run` runs it now',
  })
}

/** The next `count` intervals that end after `after`. */
function comingIntervals(schedule: Schedule, after: number, count: number): Interval[] {
  return [...intervalsDueAfter(timetableOf(schedule), after).take(count)]
}
