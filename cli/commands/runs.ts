/** `dagctl runs list|show`, and what people do to runs: the runs that the store knows. */
import { exits } from '../../engine/errors.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import {
  action,
  type Call,
  type Declare,
  examples,
  printJson,
  type RunOptions,
  runOptions,
} from '../command.ts'
import { present } from '../perform.ts'
import {
  duration,
  instantOf,
  intervalOf,
  painted,
  paintFor,
  shortInterval,
  shortTime,
  table,
} from '../print.ts'
import { countOf } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { noSuchRun, reading } from '../wiring.ts'
import { actions } from './runs-actions.ts'
import { declareManifest } from './runs-manifest.ts'

interface ListOptions {
  readonly pipeline?: string
  readonly active?: boolean
  readonly limit?: string
}

/** Declares `dagctl runs`. */
export const runs: Declare = (command, context) => {
  command.addHelpText('after', examples('runs list', 'runs show RUN --attempts --json', 'runs retry RUN'))
  command
    .command('list')
    .description('List runs, newest first')
    .option('--pipeline <name>', 'only runs of this pipeline')
    .option('--active', 'only runs that have not ended')
    .option('--limit <n>', 'at most this many (default: 50; with --json all)')
    .addHelpText('after', examples('runs list --active', 'runs list --pipeline nightly --json'))
    .action(action<ListOptions>(context, list))
  runOptions(command.command('show'))
    .description('Show a run and its tasks')
    .argument('<run>', 'the id of a run')
    .addHelpText('after', examples('runs show 20261123-154017-x7qk3m --attempts'))
    .action(action<RunOptions>(context, show))
  actions(command, context)
  declareManifest(command, context)
}

async function list({ terminal, settings, options }: Call<ListOptions>): Promise<number> {
  const { pipeline, active, limit } = options
  const most = limit === undefined ? (settings.json ? undefined : 50) : countOf('--limit', limit)
  const filter = {
    ...(pipeline !== undefined && { pipeline }),
    ...(active === true && { active }),
    ...(most !== undefined && { limit: most }),
  }
  const found = await reading(settings, (store) => store.runs(filter))
  if (settings.json) {
    const rows = found.map(({ id, pipeline, state, interval, startedAt, endedAt }) => ({
      id,
      pipeline,
      state,
      interval: intervalOf(interval),
      startedAt: instantOf(startedAt),
      endedAt: instantOf(endedAt),
    }))
    printJson(terminal, { runs: rows })
  } else await printList(found, terminal)
  return exits.ok
}

async function printList(found: readonly RunRecord[], { out, err, env, clock }: Terminal): Promise<void> {
  if (found.length === 0) return err.write('no runs\n')
  const paint = paintFor(out, env)
  const rows = found.map(({ id, pipeline, state, interval, createdAt, startedAt, endedAt }) => {
    const time = startedAt === null ? '' : duration((endedAt ?? clock.now()) - startedAt)
    return [
      id,
      pipeline,
      painted(state, paint),
      shortInterval(interval),
      shortTime(startedAt ?? createdAt),
      time,
    ]
  })
  out.write(`${await table(['run', 'pipeline', 'state', 'interval', 'started', 'time'], rows, ['time'])}\n`)
}

async function show({ terminal, settings, options }: Call<RunOptions>, id: string): Promise<number> {
  return reading(settings, async (store) => {
    const run = await store.run(id)
    if (run === null) throw noSuchRun(id)
    await present({ store, settings, terminal }, run, { ...options, all: true })
    return exits.ok
  })
}
