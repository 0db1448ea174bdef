/** `dagctl backfills list|show|pause|resume|cancel`: the backfills that the store knows, wherever they run. */

import { DagctlError, exits } from '../../engine/errors.ts'
import type { BackfillRecord, Store } from '../../engine/store/store.ts'
import { documentOf, isUnfinished } from '../backfill.ts'
import { cancelBackfill } from '../backfill-cancel.ts'
import { leftOut } from '../backfill-omitted.ts'
import { performBackfill } from '../backfill-perform.ts'
import { exitOfBackfill, planTable, showBackfill } from '../backfill-print.ts'
import {
  backfillRow,
  countsOf,
  knownBackfill,
  orderOfBackfill,
  standingOfBackfill,
} from '../backfills-known.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { noteOf } from '../noted.ts'
import { counted, grouped, painted, paintFor, shortTime, table } from '../print.ts'
import { countOf } from '../settings.ts'
import type { Stage } from '../stage.ts'
import { bellOf, changing, reading } from '../wiring.ts'

interface ListOptions {
  readonly pipeline?: string
  readonly active?: boolean
}

interface ResumeOptions {
  readonly maxActive?: string
}

/** Declares `dagctl backfills`. */
export const backfills: Declare = (command, context) => {
  command.addHelpText('after', examples('backfills list', 'backfills pause ID', 'backfills resume ID'))
  const sub = (name: string, about: string, example: string) =>
    command.command(name).description(about).addHelpText('after', examples(example))
  sub('list', 'List backfills, newest first', 'backfills list --active')
    .option('--pipeline <name>', 'only backfills of this pipeline')
    .option('--active', 'only those that have not ended')
    .action(action<ListOptions>(context, list))
  const one = (name: string, about: string) =>
    sub(name, about, `backfills ${name} 20261123-154017-x7qk3m`).argument('<id>', 'the id of a backfill')
  one('show', 'Show a backfill and its intervals').action(action(context, show))
  one('pause', 'Start no more runs of it, anywhere; what runs goes on to its end').action(
    action(context, pause),
  )
  one('resume', 'Go on with one that was paused, or whose process left or died, to its end')
    .option('--max-active <n>', 'runs at once, from now on')
    .action(action<ResumeOptions>(context, resume))
  one('cancel', 'Cancel its active runs, wherever they run, make no more, and wait for their end').action(
    action(context, cancel),
  )
}

async function list({ terminal, settings, options }: Call<ListOptions>): Promise<number> {
  const { pipeline, active } = options
  const { clock, out, err, env } = terminal
  const found = await reading(settings, async (store) => {
    const records = await store.backfills(pipeline === undefined ? {} : { pipeline })
    const wanted = records.filter((record) => active !== true || isUnfinished(record))
    return Promise.all(
      wanted.map(async (record) => ({
        record,
        standing: await standingOfBackfill(store, record, clock.now()),
      })),
    )
  })
  if (settings.json) {
    printJson(terminal, { backfills: found.map(({ record, standing }) => backfillRow(record, standing)) })
    return exits.ok
  }
  if (found.length === 0) {
    err.write('no backfills\n')
    return exits.ok
  }
  const paint = paintFor(out, env)
  const cells = found.map(({ record, standing }) => {
    const { id, pipeline, state, from, to, mode } = record
    const { toRun, succeeded, failed, cancelled, ...active } = countsOf(standing)
    const running = active.queued + active.running + active.paused
    const range = `${shortTime(from)} to ${shortTime(to)}`
    const numbers = [toRun, running, succeeded, failed, cancelled].map(grouped)
    return [id, pipeline, painted(state, paint), range, mode, ...numbers]
  })
  const numbers = ['to run', 'active', 'succeeded', 'failed', 'cancelled']
  out.write(
    `${await table(['backfill', 'pipeline', 'state', 'range', 'mode', ...numbers], cells, numbers)}\n`,
  )
  return exits.ok
}

async function show({ terminal, settings }: Call, id: string): Promise<number> {
  return reading(settings, async (store) => {
    await showKnown({ store, settings, terminal }, await knownBackfill(store, id))
    return exits.ok
  })
}

/** Prints a backfill with its intervals. */
async function showKnown({ store, settings, terminal }: Stage, record: BackfillRecord): Promise<void> {
  const { clock, out, env } = terminal
  const standing = await standingOfBackfill(store, record, clock.now())
  if (settings.json) {
    const { version, params, reverse, includeDeploy } = record
    const more = { version, params, reverse, includeDeploy }
    const { intervals } = documentOf(standing)
    printJson(terminal, { backfill: { ...backfillRow(record, standing), ...more }, intervals })
    return
  }
  const { toRun, ...counts } = countsOf(standing)
  const states = Object.entries(counts).flatMap(([state, count]) =>
    count === 0 ? [] : [`${grouped(count)} ${state}`],
  )
  out.write(`${await planTable(standing, terminal)}\n\n`)
  out.write(
    `backfill ${record.id} of ${record.pipeline} ${painted(record.state, paintFor(out, env))}: ${[`${counted(toRun, 'run')} to be made`, ...states].join(', ')}\n`,
  )
}

async function pause({ terminal, settings }: Call, id: string): Promise<number> {
  return changing(settings, async (store) => {
    const record = await unended(store, id)
    const note = noteOf(terminal, 'backfill.pause', { backfill: id, pipeline: record.pipeline })
    if (record.state === 'paused') terminal.err.write(`backfill ${id} is paused already\n`)
    else if (await store.moveBackfill(id, ['running'], 'paused', note)) {
      const bell = await bellOf(settings)
      bell.ring()
    }
    const now = await unended(store, id)
    await showKnown({ store, settings, terminal }, now)
    return exits.ok
  })
}

async function resume({ terminal, settings, options }: Call<ResumeOptions>, id: string): Promise<number> {
  return changing(settings, async (store) => {
    const order = await orderOfBackfill(store, await unended(store, id))
    const { maxActive } = options
    const performed = await performBackfill(
      { store, settings, terminal },
      maxActive === undefined ? order : { ...order, maxActive: countOf('--max-active', maxActive) },
    )
    const beside = { leftOut: order.includeDeploy ? [] : leftOut(order.pipeline) }
    await showBackfill({ settings, terminal }, performed.standing, beside)
    return exitOfBackfill(performed)
  })
}

async function cancel({ terminal, settings }: Call, id: string): Promise<number> {
  return changing(settings, async (store) => {
    const stage = { store, settings, terminal }
    const record = await knownBackfill(store, id)
    const { state } = record
    if (state === 'succeeded' || state === 'failed')
      terminal.err.write(`backfill ${id} has ended already: ${state}\n`)
    // Of one that was cancelled already a run may be left, where whoever cancelled it left before its end.
    else if (!(await cancelBackfill(stage, record))) {
      terminal.err.write(`backfill ${id} is cancelled; some of its runs have not ended yet\n`)
      return exits.interrupted
    }
    await showKnown(stage, await knownBackfill(store, id))
    return exits.ok
  })
}

/** A backfill that can still be paused or gone on with. Throws E232. */
async function unended(store: Store, id: string): Promise<BackfillRecord> {
  const record = await knownBackfill(store, id)
  if (isUnfinished(record)) return record
  throw new DagctlError('E232', `backfill ${id} has ended: ${record.state}`, {
    kind: 'usage',
    hint: '`dagctl backfill … --reprocess failed` begins one for what failed',
  })
}
