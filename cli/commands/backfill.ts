/** `dagctl backfill PIPELINE --from --to`: a run for each interval of a range that wants one. */
import { Option } from 'commander'
import { type Reprocess, reprocessModes } from '../../engine/backfill-plan.ts'
import { exits } from '../../engine/errors.ts'
import { parseTime } from '../../engine/time-text.ts'
import { type BackfillOrder, planOf } from '../backfill.ts'
import { estimateOf } from '../backfill-estimate.ts'
import { leftOut } from '../backfill-omitted.ts'
import { performBackfill } from '../backfill-perform.ts'
import { exitOfBackfill, showBackfill } from '../backfill-print.ts'
import { action, type Call, collect, type Declare, examples } from '../command.ts'
import { paramsOf } from '../params.ts'
import { findPipeline } from '../pipelines.ts'
import { countOf, wrongOption } from '../settings.ts'
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

/** Declares `dagctl backfill`. */
export const backfill: Declare = (command, context) => {
  command
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .requiredOption('--from <time>', "intervals that start at or after this time, in the pipeline's zone")
    .requiredOption('--to <time>', 'and before this one')
    .addOption(
      new Option(
        '--reprocess <which>',
        'missing: no run yet; failed: also where the run failed; stale: also where its version or inputs changed; all',
      ).default('missing'),
    )
    .option('--max-active <n>', 'runs at once', '16')
    .option('--reverse', 'newest interval first')
    .option('--include-deploy', 'also tasks that deploy; they are left out otherwise')
    .option('--dry-run', 'only show what would run, and what it would take')
    .option('--param <name=value>', 'a parameter; may be given many times', collect)
    .addHelpText(
      'after',
      '\nOnly intervals that have ended by now are run. Ctrl-C stops; the same command goes on, also after a crash or a pause.' +
        '\nOther terminals see to it with `dagctl backfills`.',
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
  const beside = { leftOut: order.includeDeploy ? [] : leftOut(order.pipeline) }
  if (options.dryRun === true) {
    return reading(settings, async (store) => {
      const standing = await planOf(store, order, terminal.clock.now())
      const estimate = await estimateOf(store, order, standing, settings.installation)
      await showBackfill(call, standing, { ...beside, estimate })
      return exits.ok
    })
  }
  const store = await openStore(settings)
  try {
    const performed = await performBackfill({ store, settings, terminal }, order)
    await showBackfill(call, performed.standing, beside)
    return exitOfBackfill(performed)
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
  return {
    pipeline,
    folder,
    schedule,
    from,
    to,
    mode: modeOf(options.reprocess),
    maxActive: countOf('--max-active', options.maxActive),
    reverse: options.reverse === true,
    params: await paramsOf(pipeline, options.param),
    includeDeploy: options.includeDeploy === true,
  }
}

function modeOf(text: string): Reprocess {
  const mode = reprocessModes.find((one) => one === text)
  if (mode === undefined)
    throw wrongOption(`--reprocess ${text}: there is no such choice`, 'missing, failed, stale or all')
  return mode
}
