/** `dagctl datasets list|update`: datasets that runs were told of, and updates from outside. */

import { exits } from '../../engine/errors.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { noteOf } from '../noted.ts'
import { instantOf, oneLine, shortTime, table } from '../print.ts'
import { wrongOption } from '../settings.ts'
import { bellOf, openStore, reading } from '../wiring.ts'

/** Declares `dagctl datasets`. */
export const datasets: Declare = (command, context) => {
  command.addHelpText('after', examples('datasets list', 'datasets update s3://lake/docs'))
  command
    .command('list')
    .description('List datasets with their newest update')
    .addHelpText('after', examples('datasets list --json'))
    .action(action(context, list))
  command
    .command('update')
    .description('Say that a dataset was updated: pipelines that wait for it are due')
    .argument('<uri>', 'the dataset, as `produces:` and `schedule.datasets` name it')
    .addHelpText('after', examples('datasets update s3://lake/docs'))
    .action(action(context, update))
}

async function list({ terminal, settings }: Call): Promise<number> {
  const found = await reading(settings, (store) => store.datasets())
  if (settings.json) {
    const rows = found.map(({ uri, at, run, task }) => ({ uri, updatedAt: instantOf(at), run, task }))
    printJson(terminal, { datasets: rows })
  } else if (found.length === 0) terminal.err.write('no dataset was updated yet\n')
  else {
    const rows = found.map(({ uri, at, run, task }) => [
      oneLine(uri),
      shortTime(at),
      run ?? '',
      task ?? (run === null ? 'from outside' : ''),
    ])
    terminal.out.write(`${await table(['dataset', 'updated', 'run', 'by'], rows)}\n`)
  }
  return exits.ok
}

async function update({ terminal, settings }: Call, uri: string): Promise<number> {
  if (!/^\S+$/.test(uri) || oneLine(uri) !== uri)
    throw wrongOption(
      `${JSON.stringify(uri)} names no dataset`,
      'write a URI without spaces, such as s3://lake/docs',
    )
  const store = await openStore(settings)
  try {
    const at = terminal.clock.now()
    await store.updateDataset(uri, at, noteOf(terminal, 'dataset.updated', { dataset: uri }))
    const bell = await bellOf(settings)
    bell.ring()
    if (settings.json)
      printJson(terminal, { datasets: [{ uri, updatedAt: instantOf(at), run: null, task: null }] })
    else terminal.out.write(`${uri} was updated\n`)
    return exits.ok
  } finally {
    await store.close()
  }
}
