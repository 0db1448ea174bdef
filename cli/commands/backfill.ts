/** `dagctl backfill PIPELINE --from --to`: a run for each interval of a range that wants one. */
import { Option } from 'commander'
import type { Reprocess } from '../../engine/backfill-plan.ts'
import { exits } from '../../engine/errors.ts'
import { parseTime } from '../../engine/time-text.ts'
import { type BackfillOrder, documentOf, planOf, type Standing } from '../backfill.ts'
import { performBackfill } from '../backfill-perform.ts'
import { action, type Call, collect, type Declare, examples, printJson } from '../command.ts'
import { paramsOf } from '../params.ts'
import { findPipeline } from '../pipelines.ts'
import { counted, painted, paintFor, shortInterval, table } from '../print.ts'
import { countOf, unsupported, wrongOption } from '../settings.ts'
import type { Stage } from '../stage.ts'
import type { Terminal } from '../terminal.ts'
import { openStore, reading } from '../wiring.ts'
import { scheduleOf } from './next.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly reprocess: string
  readonly maxActive: string
  readonly reverse?: boolean
  readonly dryRun?: boolean
  readonly includeDeploy?: boolean
  readonly param?: readonly string[]
}

export const backfill: Declare = (command, context) => {
  command
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .requiredOption('--from <time>', "intervals that start at or after this time, in the pipeline's zone")
    .requiredOption('--to <time>', 'and before this one')
    .addOption(
      new Option(
        '--reprocess <which>',
        'missing: no run yet; failed: also where the run failed; all',
      ).default('missing'),
    )
    .option('--max-active <n>', 'runs at once', '16')
    .option('--reverse', 'newest interval first')
    .option('--include-deploy', 'also tasks that deploy; they are left out otherwise')
    .option('--dry-run', 'only show what would run')
    .option('--param <name=value>', 'a parameter; may be given many times', collect)
    .addHelpText(
      'after',
      '\nOnly intervals that have ended by now are run. Ctrl-C stops; the same command goes on, also after a crash.',
    )
    .addHelpText(
      'after',
      examples(
        'backfill pipelines/sotu-yearly.yaml --from 1790-01-01 --to 2020-01-01',
        'backfill nightly --from 2026-01-01 --to 2026-02-01 --reprocess failed --dry-run',
      ),
    )
    .action(action<Options>(context, start))
}

async function start(call: Call<Options>, word: string): Promise<number> {
  const { terminal, settings, options } = call
  const order = await orderOf(call, word)
  if (options.dryRun === true) {
    return reading(settings, async (store) => {
      const standing = await planOf(store, order, terminal.clock.now())
      await show({ store, settings, terminal }, standing)
      return exits.ok
    })
  }
  const store = await openStore(settings)
  try {
    const stage = { store, settings, terminal }
    const { standing, how } = await performBackfill(stage, order)
    await show(stage, standing)
    if (how !== 'ended') return exits.interrupted
    return standing.state === null || standing.state === 'succeeded' ? exits.ok : exits.failed
  } finally {
    await store.close()
  }
}

/** Everything that the command line says, checked. */
async function orderOf({ terminal, settings, options }: Call<Options>, word: string): Promise<BackfillOrder> {
  const { pipeline, folder } = await findPipeline(word, settings, terminal)
  const schedule = scheduleOf(pipeline)
  const from = parseTime(options.from, schedule.timezone)
  const to = parseTime(options.to, schedule.timezone)
  if (from >= to)
    throw wrongOption(
      `--from ${options.from} is not before --to ${options.to}`,
      from > to ? 'swap the two times' : 'intervals start at or after --from and before --to',
    )
  const omit =
    options.includeDeploy === true
      ? []
      : pipeline.tasks.flatMap(({ effects }, index) => (effects === 'deploy' ? [index] : []))
  return {
    pipeline,
    folder,
    schedule,
    from,
    to,
    omit,
    mode: modeOf(options.reprocess),
    maxActive: countOf('--max-active', options.maxActive),
    reverse: options.reverse === true,
    params: await paramsOf(pipeline, options.param),
  }
}

function modeOf(text: string): Reprocess {
  if (text === 'missing' || text === 'failed' || text === 'all') return text
  if (text === 'stale') throw unsupported('--reprocess stale', 'missing, failed and all are there')
  throw wrongOption(`--reprocess ${text}: there is no such choice`, 'missing, failed or all')
}

async function show({ settings, terminal }: Stage, standing: Standing): Promise<void> {
  if (settings.json) printJson(terminal, documentOf(standing))
  else await printPlan(standing, terminal)
}

async function printPlan({ id, rows, tasks, state }: Standing, { out, env }: Terminal): Promise<void> {
  const paint = paintFor(out, env)
  const cells = rows.map(({ interval, action, reason, run, state }) => [
    shortInterval(interval),
    action === 'run' ? 'run' : paint.dim('skip'),
    state === null ? '' : painted(state, paint),
    run ?? '',
    reason,
  ])
  out.write(`${await table(['interval', '', 'state', 'run', 'why'], cells)}\n\n`)
  const run = rows.filter(({ action }) => action === 'run').length
  out.write(
    `${counted(run, 'interval')} to run, ${counted(rows.length - run, 'interval')} to skip, ${counted(tasks, 'task')}\n`,
  )
  if (id !== null && state !== null) out.write(`backfill ${id} ${painted(state, paint)}\n`)
}
