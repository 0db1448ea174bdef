/** `dagctl run PIPELINE`: makes a run and performs it in this process. */
import { Option } from 'commander'
import { closest } from 'fastest-levenshtein'
import { DagctlError } from '../../engine/errors.ts'
import { manualInterval } from '../../engine/interval.ts'
import type { Interval, Pipeline } from '../../engine/pipeline.ts'
import type { RunRecord } from '../../engine/store/store.ts'
import { parseInterval, parseTime } from '../../engine/time-text.ts'
import { action, type Call, collect, type Declare, examples } from '../command.ts'
import { paramsOf } from '../params.ts'
import { exitOf, perform, present } from '../perform.ts'
import { findPipeline } from '../pipelines.ts'
import { unsupported, wrongOption } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { openStore } from '../wiring.ts'

interface Options {
  readonly param?: readonly string[]
  readonly at?: string
  readonly interval?: string
  readonly task?: readonly string[]
  readonly from?: string
  readonly of?: string
  readonly runtime?: string
}

export const run: Declare = (command, context) => {
  command
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .option('--param <name=value>', 'a parameter; may be given many times', collect)
    .option('--at <time>', 'as if it were this time: the last interval that ended by then (default: now)')
    .option('--interval <start/end>', 'the interval that the run covers')
    .option('--task <id>', 'only this task and all it needs; may be given many times', collect)
    .addOption(new Option('--from <id>').hideHelp())
    .addOption(new Option('--of <run>').hideHelp())
    .addOption(new Option('--runtime <name>').hideHelp())
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
      ),
    )
    .action(action<Options>(context, start))
}

async function start({ terminal, settings, options }: Call<Options>, word: string): Promise<number> {
  refuseUnsupported(options)
  const { pipeline, folder } = await findPipeline(word, settings, terminal)
  const params = await paramsOf(pipeline, options.param)
  const interval = intervalOf(pipeline, options, terminal)
  const omit = omittedTasks(pipeline, options.task)
  const store = await openStore(settings)
  try {
    const stage = { store, settings, terminal }
    const made = { pipeline, folder, params, trigger: 'manual', interval, backfill: null, omit } as const
    const { run, how } = await perform(stage, {
      pipeline,
      begin: async (engine) => (await engine.create(made)).id,
    })
    const record = (await store.run(run)) as RunRecord
    await present(stage, record)
    return exitOf(record, how)
  } finally {
    await store.close()
  }
}

function refuseUnsupported({ from, of, runtime }: Options): void {
  if (from !== undefined || of !== undefined)
    throw unsupported(
      '--from … --of …',
      'run the whole pipeline; with `cache:` tasks that did not change are reused',
    )
  if (runtime === undefined) return
  if (runtime !== 'process' && runtime !== 'docker')
    throw wrongOption(`--runtime ${runtime}: there is no such runtime`, 'process or docker')
  throw unsupported(
    `--runtime ${runtime}`,
    'each task runs in the runtime that its file says, else its operator',
  )
}

function intervalOf({ schedule }: Pipeline, { at, interval }: Options, { clock }: Terminal): Interval {
  const timezone = schedule?.timezone ?? 'UTC'
  if (interval === undefined)
    return manualInterval(schedule, at === undefined ? clock.now() : parseTime(at, timezone))
  if (at !== undefined) throw wrongOption('--at and --interval contradict each other', 'give one of them')
  return parseInterval(interval, timezone)
}

/** Indices of the tasks that are neither named nor needed by a named one; none where none is named. */
export function omittedTasks({ name, tasks }: Pipeline, named: readonly string[] = []): readonly number[] {
  if (named.length === 0) return []
  const index = new Map(tasks.map(({ id }, position) => [id, position]))
  const wanted = new Set<number>()
  const open = named.map((id) => {
    const found = index.get(id)
    if (found !== undefined) return found
    throw new DagctlError('E209', `the pipeline ${name} has no task \`${id}\``, {
      kind: 'usage',
      hint: `did you mean \`${closest(id, [...index.keys()])}\`?`,
    })
  })
  for (let task = open.pop(); task !== undefined; task = open.pop()) {
    if (wanted.has(task)) continue
    wanted.add(task)
    open.push(...(tasks[task]?.needs ?? []))
  }
  return tasks.flatMap((_, position) => (wanted.has(position) ? [] : [position]))
}
