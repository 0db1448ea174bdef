/** `dagctl db prune`: what the store and the data folder keep, within the limits of dagctl.yaml. */

import { exits } from '../../engine/errors.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { limitsAnything, pruneAt, prunedInWords } from '../pruned.ts'
import { configName, wrongOption } from '../settings.ts'
import { changing, reading } from '../wiring.ts'

interface Options {
  readonly dryRun?: boolean
}

/** Declares `dagctl db`. */
export const db: Declare = (command, context) => {
  command.addHelpText('after', examples('db prune --dry-run', 'db prune'))
  command
    .command('prune')
    .description('Remove runs, logs, events, artifacts and checkpoints that are kept no longer')
    .option('--dry-run', 'only say what would be removed')
    .addHelpText(
      'after',
      `\nHow long things are kept is said by \`retention\` in ${configName}; without it they are kept for ever. \`serve\` prunes by itself.`,
    )
    .addHelpText('after', examples('db prune --dry-run'))
    .action(action<Options>(context, pruneNow))
}

async function pruneNow({ terminal, settings, options }: Call<Options>): Promise<number> {
  const { retention } = settings.installation
  if (!limitsAnything(retention))
    throw wrongOption(
      'nothing says how long things are kept',
      `write it in ${configName}, such as \`retention: { runs: { age: 90d }, logs: 30d }\``,
    )
  const dry = options.dryRun === true
  const pruned = await (dry ? reading : changing)(settings, (store) =>
    pruneAt({ store, settings, terminal }, { dry }),
  )
  if (settings.json) printJson(terminal, { dryRun: dry, pruned })
  else terminal.out.write(`${dry ? 'would remove ' : 'removed '}${prunedInWords(pruned)}\n`)
  return exits.ok
}
