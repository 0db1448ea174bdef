/** `dagctl serve`: runs pipelines by their schedules, until it is stopped. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { DagctlError } from '../../engine/errors.ts'
import { action, type Call, collect, type Declare, examples } from '../command.ts'
import { statOf } from '../pipelines.ts'
import { unsupported } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { openStore } from '../wiring.ts'

interface Options {
  readonly pipelines?: readonly string[]
  readonly port?: string
  readonly host?: string
}

/** Declares `dagctl serve`. */
export const serve: Declare = (command, context) => {
  command
    .option(
      '--pipelines <dir>',
      'a folder of pipeline files, looked at with all below it; may be given many times (default: pipelines, else .)',
      collect,
    )
    .option('--port <port>', 'not supported yet: there is no page')
    .option('--host <host>', 'not supported yet: there is no page')
    .addHelpText(
      'after',
      '\nEdits count at once: runs from then on are of the new version. A broken edit leaves the last good version in force.\n' +
        'Runs of engines that died are taken over. SIGTERM and Ctrl-C stop it; what is not done goes on with the next `serve`.\n' +
        'With --json each thing that happens is one JSON line on standard output.',
    )
    .addHelpText('after', examples('serve', 'serve --pipelines team-a --pipelines team-b --json'))
    .action(action<Options>(context, start))
}

async function start({ terminal, settings, options }: Call<Options>): Promise<number> {
  for (const option of ['port', 'host'] as const)
    if (options[option] !== undefined) throw unsupported(`--${option}`, 'there is no page yet')
  const folders = await foldersOf(options.pipelines, terminal)
  const { performServe } = await import('../serve/serve.ts')
  const store = await openStore(settings)
  try {
    return await performServe({ store, settings, terminal }, folders)
  } finally {
    await store.close()
  }
}

/** The folders that are asked for, absolute. Throws where one is not there, or no folder. */
async function foldersOf(
  named: readonly string[] | undefined,
  { cwd }: Terminal,
): Promise<readonly string[]> {
  const folders = named ?? [existsSync(resolve(cwd, 'pipelines')) ? 'pipelines' : '.']
  for (const folder of folders) {
    if ((await statOf(resolve(cwd, folder), folder)).isDirectory()) continue
    throw new DagctlError('E203', `${folder} is a file, not a folder of pipelines`, {
      kind: 'usage',
      hint: 'name the folder that it lies in',
    })
  }
  return [...new Set(folders.map((folder) => resolve(cwd, folder)))]
}
