/** `dagctl run PIPELINE`: makes a run and performs it in this process. */

import { intervalAround, manualInterval } from '../../engine/interval.ts'
import type { Interval, Pipeline } from '../../engine/pipeline.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { NewRun, Store } from '../../engine/store/store.ts'
import { parseInterval, parseTime } from '../../engine/time-text.ts'
import {
  action,
  type Call,
  collect,
  type Declare,
  examples,
  type RunOptions,
  runOptions,
} from '../command.ts'
import { takeFrom } from '../earlier-run.ts'
import { paramsOf } from '../params.ts'
import { exitOf, perform, present } from '../perform.ts'
import { personOf } from '../person.ts'
import { findPipeline } from '../pipelines.ts'
import { shortInterval } from '../print.ts'
import { unsupported, wrongOption } from '../settings.ts'
import { withNeeds } from '../task-selection.ts'
import { taskIndex } from '../task-words.ts'
import type { Terminal } from '../terminal.ts'
import { openStore, reading } from '../wiring.ts'

interface Options extends RunOptions {
  readonly param?: readonly string[]
  readonly at?: string
  readonly interval?: string
  readonly task?: readonly string[]
  readonly from?: string
  readonly of?: string
  readonly runtime?: string
}

/** Declares `dagctl run`. */
export const run: Declare = (command, context) => {
  runOptions(command)
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .option('--param <name=value>', 'a parameter; may be given many times', collect)
    .option('--at <time>', 'as if it were this time: the last interval that ended by then (default: now)')
    .option('--interval <start/end>', 'the interval that the run covers')
    .option('--task <id>', 'only this task and all it needs; may be given many times', collect)
    .option(
      '--from <id>',
      'only this task, or instance (mask[KEY]), and all below it; the others keep what they had in the run --of',
    )
    .option('--of <run>', 'the earlier run whose outputs are taken; also its interval and parameters')
    .option('--runtime <name>', 'process: every task in a process of its own, whatever the file says')
    .addHelpText(
      'after',
      '\nCtrl-C cancels the run; a second one leaves what runs, for `dagctl runs resume` to go on with.',
    )
    .addHelpText(
      'after',
      examples(
        'run pipelines/quickstart.yaml',
        'run nightly --param epochs=1 --interval 2026-01-01/2026-01-02',
        'run pipeline.yaml --task pack --json',
        'run pipeline.yaml --from pack --of 20261123-154017-x7qk3m',
      ),
    )
    .action(action<Options>(context, start))
}

async function start({ terminal, settings, options }: Call<Options>, word: string): Promise<number> {
  refuseUnsupported(options)
  const { pipeline, folder } = await findPipeline(word, settings, terminal)
  const { from, of } = options
  const wanted =
    from === undefined || of === undefined
      ? await freshRun(pipeline, options, terminal)
      : await reading(settings, (store) => takenRun(store, pipeline, { ...options, from, of }, terminal))
  if (options.interval !== undefined) tellStray(pipeline, wanted.interval, terminal)
  const runtime = options.runtime === undefined ? {} : await runtimeFor(pipeline)
  const store = await openStore(settings)
  try {
    const stage = { store, settings, terminal }
    const made = { pipeline, folder, trigger: 'manual', backfill: null, ...runtime, ...wanted } as const
    const { run, how } = await perform(stage, pipeline, (engine) =>
      engine.create(made, null, personOf(terminal)),
    )
    const record = (await store.run(run)) as RunRecord
    await present(stage, record, options)
    return exitOf(record, how)
  } finally {
    await store.close()
  }
}

function refuseUnsupported({ from, of, task, runtime }: Options): void {
  if ((from === undefined) !== (of === undefined))
    throw wrongOption('--from and --of belong together', 'write --from TASK --of RUN')
  if (from !== undefined && task !== undefined)
    throw wrongOption('--from and --task contradict each other', 'give one of them')
  if (runtime === 'docker') throw unsupported('--runtime docker', 'process is there')
  if (runtime !== undefined && runtime !== 'process')
    throw wrongOption(`--runtime ${runtime}: there is no such runtime`, 'process or docker')
}

/** All tasks in processes. Throws a usage error where an operator cannot. */
async function runtimeFor({ tasks }: Pipeline): Promise<{ readonly runtime: 'process' }> {
  const { catalogue } = await import('../catalogue.ts')
  for (const { id, uses, isGroup } of tasks) {
    if (isGroup || (await catalogue.find(uses))?.runtimes.includes('process') === true) continue
    throw wrongOption(`--runtime process: task ${id} cannot, its operator ${uses} runs elsewhere`)
  }
  return { runtime: 'process' }
}

type Wanted = Pick<NewRun, 'params' | 'interval' | 'omit' | 'given' | 'instances'>

async function freshRun(pipeline: Pipeline, options: Options, terminal: Terminal): Promise<Wanted> {
  return {
    params: await paramsOf(pipeline, options.param),
    interval: intervalOf(pipeline, options, terminal),
    omit: omittedTasks(pipeline, options.task),
  }
}

/** The interval and the parameters are those of the earlier run, but for what is asked for. */
async function takenRun(
  store: Store,
  pipeline: Pipeline,
  options: Options & { readonly from: string; readonly of: string },
  terminal: Terminal,
): Promise<Wanted> {
  const { interval, params, ...taken } = await takeFrom(store, pipeline, options.from, options.of)
  const asked = options.at !== undefined || options.interval !== undefined
  return {
    ...taken,
    params: await paramsOf(pipeline, options.param, params),
    interval: asked ? intervalOf(pipeline, options, terminal) : interval,
  }
}

/** The interval that is asked for, or the last one that has ended. Throws usage errors. */
export function intervalOf(
  { schedule }: Pipeline,
  { at, interval }: Pick<Options, 'at' | 'interval'>,
  { clock }: Terminal,
): Interval {
  const timezone = schedule?.timezone ?? 'UTC'
  if (interval === undefined)
    return manualInterval(schedule, at === undefined ? clock.now() : parseTime(at, timezone))
  if (at !== undefined) throw wrongOption('--at and --interval contradict each other', 'give one of them')
  return parseInterval(interval, timezone)
}

/** Tells of an interval that no run by the schedule would have: most often it was written in another zone. */
function tellStray({ name, schedule }: Pipeline, asked: Interval, { err }: Terminal): void {
  const scheduled = intervalAround(schedule, asked.start)
  if (scheduled === null || (scheduled.start === asked.start && scheduled.end === asked.end)) return
  err.write(
    `the interval ${shortInterval(asked)} is none of the schedule of ${name} (${schedule?.timezone}), which has ${shortInterval(scheduled)}\n`,
  )
}

/** Indices of the tasks that are neither named nor needed by a named one; none where none is named. */
export function omittedTasks(pipeline: Pipeline, named: readonly string[] = []): readonly number[] {
  if (named.length === 0) return []
  const { tasks } = pipeline
  const wanted = withNeeds(
    tasks,
    named.map((id) => taskIndex(pipeline, id)),
  )
  return tasks.flatMap((_, position) => (wanted.has(position) ? [] : [position]))
}
