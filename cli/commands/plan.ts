/** `dagctl plan PIPELINE`: what would run for an interval. Runs nothing, writes nothing. */
import { exits } from '../../engine/errors.ts'
import { action, type Call, collect, type Declare, examples, printJson } from '../command.ts'
import { paramsOf } from '../params.ts'
import { findPipeline } from '../pipelines.ts'
import { intervalOf as intervalDocument } from '../print.ts'
import { fingerprintOf, reading, visible } from '../wiring.ts'
import { intervalOf, omittedTasks } from './run.ts'

interface Options {
  readonly param?: readonly string[]
  readonly at?: string
  readonly interval?: string
  readonly task?: readonly string[]
}

/** Declares `dagctl plan`. */
export const plan: Declare = (command, context) => {
  command
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .option('--param <name=value>', 'a parameter; may be given many times', collect)
    .option('--at <time>', 'as if it were this time: the last interval that ended by then (default: now)')
    .option('--interval <start/end>', 'the interval that the run would cover')
    .option('--task <id>', 'only this task and all it needs; may be given many times', collect)
    .addHelpText(
      'after',
      '\nTimes and costs are medians of earlier runs; what is not known before the run is said to be unknown.',
    )
    .addHelpText(
      'after',
      examples('plan pipelines/quickstart.yaml', 'plan nightly --interval 2026-01-01/2026-01-02 --json'),
    )
    .action(action<Options>(context, show))
}

async function show({ terminal, settings, options }: Call<Options>, word: string): Promise<number> {
  const { pipeline, folder } = await findPipeline(word, settings, terminal)
  const asked = {
    pipeline,
    folder,
    params: await paramsOf(pipeline, options.param),
    interval: intervalOf(pipeline, options, terminal),
    trigger: 'manual',
    omit: omittedTasks(pipeline, options.task),
    env: visible(terminal.env, settings.installation.env),
  } as const
  const { resources } = settings.installation
  const [{ planOf }, { createEvaluator }, fingerprint] = await Promise.all([
    import('../plan/plan.ts'),
    import('../../dsl/evaluator.ts'),
    fingerprintOf(),
  ])
  const now = terminal.clock.now()
  const evaluator = createEvaluator()
  const made = await reading(settings, (store) =>
    planOf(asked, { store, evaluator, fingerprint, resources, now }),
  )
  if (settings.json) {
    const { params, interval } = asked
    const { name, version } = pipeline
    printJson(terminal, { pipeline: name, version, params, interval: intervalDocument(interval), ...made })
  } else {
    const { printPlan } = await import('../plan/table.ts')
    await printPlan(made, asked, terminal)
  }
  return exits.ok
}
