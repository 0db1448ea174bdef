/** `dagctl runs cancel|pause|resume|retry|rerun|mark`: what people do to runs, wherever they run. */
import type { Command } from 'commander'
import { exits } from '../../engine/errors.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { isEnded } from '../../engine/state.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { Wish } from '../../engine/store/store.ts'
import { failedSoFar, marked, triedAgain } from '../chosen-tasks.ts'
import {
  action,
  type Call,
  type Context,
  collect,
  examples,
  type RunOptions,
  runOptions,
} from '../command.ts'
import type { Conducted } from '../conduct.ts'
import { paramsOf } from '../params.ts'
import { exitOf, perform, present } from '../perform.ts'
import { personOf } from '../person.ts'
import { attend, type Until } from '../runs-elsewhere.ts'
import { countOf, wrongOption } from '../settings.ts'
import type { Stage } from '../stage.ts'
import { noSuchRun, openStore } from '../wiring.ts'

interface ByOptions extends RunOptions {
  readonly by?: string
}
interface RetryOptions extends ByOptions {
  readonly task?: readonly string[]
  readonly fromCheckpoint?: string
}
interface RerunOptions extends RunOptions {
  readonly param?: readonly string[]
}
interface MarkOptions extends ByOptions {
  readonly reason?: string
}

const id = '20261123-154017-x7qk3m'
const livingOwner = '\nWhere a living engine has the run, it is asked, and the run is followed to its end.'

/** Declares the actions below `runs`. */
export function actions(command: Command, context: Context): void {
  const named = (name: string, summary: string) =>
    runOptions(command.command(name)).description(summary).argument('<run>', 'the id of a run')
  const asked = (name: string, summary: string) =>
    named(name, summary).option('--by <name>', 'who asks (default: your user name)')
  asked('cancel', 'Cancel a run, wherever it runs, and wait for its end')
    .addHelpText('after', examples(`runs cancel ${id}`))
    .action(action<ByOptions>(context, cancel))
  asked('pause', 'Pause a run: what runs goes on, nothing more starts')
    .addHelpText('after', examples(`runs pause ${id}`, `runs resume ${id}`))
    .action(action<ByOptions>(context, pause))
  asked(
    'resume',
    'Go on with a run that is paused, or whose engine died or left, in this process, to its end',
  )
    .addHelpText('after', livingOwner)
    .addHelpText('after', examples(`runs resume ${id}`))
    .action(action<ByOptions>(context, resume))
  asked('retry', 'Run again what did not succeed in a run, in this process, to its end')
    .option('--task <task>', 'only this task: id, id[KEY], group.id[KEY]; may be given many times', collect)
    .option('--from-checkpoint <step>', 'go on from the checkpoint of this step')
    .addHelpText(
      'after',
      '\nFailed, upstream_failed and cancelled tasks, and skipped ones below them, wait again;',
    )
    .addHelpText('after', 'what succeeded stays. `runs rerun` makes a new run.')
    .addHelpText('after', livingOwner)
    .addHelpText('after', examples(`runs retry ${id}`, `runs retry ${id} --task 'mask[north]'`))
    .action(action<RetryOptions>(context, retry))
  named('rerun', 'Make a new run of the same version, parameters and interval, in this process')
    .option('--param <name=value>', 'another value for a parameter; may be given many times', collect)
    .addHelpText('after', examples(`runs rerun ${id}`, `runs rerun ${id} --param epochs=1`))
    .action(action<RerunOptions>(context, rerun))
  asked('mark', 'Say that a task has succeeded, or failed, whatever became of it')
    .argument('<task>', 'id, id[KEY] or group.id[KEY]')
    .argument('<state>', 'succeeded or failed')
    .option('--reason <text>', 'why; it is kept with the run')
    .addHelpText(
      'after',
      '\nA run that has ended, or whose engine is dead, goes on in this process, to its end.',
    )
    .addHelpText('after', examples(`runs mark ${id} evaluate succeeded --reason 'checked by hand'`))
    .action(action<MarkOptions>(context, mark))
}

/** A run that something is to be done to. */
interface Subject {
  readonly stage: Stage
  readonly run: RunRecord
}

/** Lends the store and the run; prints how it stands after `work`, which gives the exit for that. */
async function withRun(
  { terminal, settings, options }: Call<RunOptions>,
  id: string,
  work: (subject: Subject) => Promise<(run: RunRecord) => number>,
): Promise<number> {
  const store = await openStore(settings)
  try {
    const stage = { store, settings, terminal }
    const run = await store.run(id)
    if (run === null) throw noSuchRun(id)
    const exit = await work({ stage, run })
    const after = (await store.run(id)) as RunRecord
    await present(stage, after, options)
    return exit(after)
  } finally {
    await store.close()
  }
}

function noteEnd({ terminal }: Stage, { id, state }: RunRecord): void {
  terminal.err.write(`run ${id} has ended already: ${state}\n`)
}

/** The exit of a run that was to go on to its end. */
const atItsEnd = (how: Conducted) => (run: RunRecord) => exitOf(run, isEnded(run.state) ? how : 'left')

function cancel(call: Call<ByOptions>, id: string): Promise<number> {
  return withRun(call, id, async ({ stage, run }) => {
    const by = personOf(call.terminal, call.options.by)
    if (isEnded(run.state)) noteEnd(stage, run)
    else await attend(stage, id, { wish: { kind: 'cancel' }, by })
    return ({ state }) => (isEnded(state) ? exits.ok : exits.interrupted)
  })
}

function pause(call: Call<ByOptions>, id: string): Promise<number> {
  return withRun(call, id, async ({ stage, run }) => {
    const by = personOf(call.terminal, call.options.by)
    const until: Until = ({ state }) => state === 'paused'
    if (isEnded(run.state)) noteEnd(stage, run)
    else if (run.state !== 'paused') await attend(stage, id, { wish: { kind: 'pause' }, by, until })
    return ({ state }) => (state === 'paused' || isEnded(state) ? exits.ok : exits.interrupted)
  })
}

function resume(call: Call<ByOptions>, id: string): Promise<number> {
  return withRun(call, id, async ({ stage, run }) => {
    const by = personOf(call.terminal, call.options.by)
    const wish = run.state === 'paused' ? ({ kind: 'resume' } as const) : null
    return atItsEnd(await attend(stage, id, { wish, by }))
  })
}

function retry(call: Call<RetryOptions>, id: string): Promise<number> {
  return withRun(call, id, async ({ stage, run }) => {
    const { terminal, options } = call
    const { by, task: words, fromCheckpoint: step } = options
    const fromCheckpoint = step === undefined ? null : countOf('--from-checkpoint', step, 0)
    if (run.state === 'succeeded' && words === undefined) {
      noteEnd(stage, run)
      return atItsEnd('ended')
    }
    if (words === undefined) await failedSoFar(stage.store, run, terminal.clock)
    const nodes = words === undefined ? null : await triedAgain(stage.store, run, words)
    if (fromCheckpoint !== null) {
      const { requireStep } = await import('../checkpoint-step.ts')
      await requireStep(stage, run, { nodes, step: fromCheckpoint })
    }
    const wish = { kind: 'retry', nodes, fromCheckpoint } as const
    return atItsEnd(await attend(stage, id, { wish, by: personOf(terminal, by) }))
  })
}

async function rerun(call: Call<RerunOptions>, id: string): Promise<number> {
  const { terminal, settings, options } = call
  const store = await openStore(settings)
  try {
    const stage = { store, settings, terminal }
    const before = await store.run(id)
    if (before === null) throw noSuchRun(id)
    const { interval, folder, runtime } = before
    const pipeline = (await store.pipeline(before.version)) as Pipeline
    const params = await paramsOf(pipeline, options.param, before.params)
    const made = { pipeline, folder, params, interval, trigger: 'manual', backfill: null, omit: [] } as const
    const wanted = runtime === null ? made : { ...made, runtime }
    const { run, how } = await perform(stage, pipeline, (engine) =>
      engine.create(wanted, null, personOf(terminal)),
    )
    const record = (await store.run(run)) as RunRecord
    await present(stage, record, options)
    return exitOf(record, how)
  } finally {
    await store.close()
  }
}

function mark(call: Call<MarkOptions>, id: string, word: string, as: string): Promise<number> {
  return withRun(call, id, async ({ stage, run }) => {
    const { by, reason = '' } = call.options
    if (as !== 'succeeded' && as !== 'failed')
      throw wrongOption(`a task cannot be marked as ${as}`, 'succeeded or failed')
    if (reason.trim() === '') throw wrongOption('--reason is missing', 'write why, as --reason TEXT')
    const nodes = await marked(stage.store, run, word, as)
    const wish: Wish = { kind: 'mark', nodes, as, reason }
    const untilThere: Until = (_, rows) => nodes.every((node) => isEnded(rows[node]?.state ?? 'waiting'))
    const how = await attend(stage, id, { wish, by: personOf(call.terminal, by), untilThere })
    // Where another engine goes on with the run, its end is not this command's.
    return (after) => (isEnded(after.state) || how !== 'ended' ? exitOf(after, how) : exits.ok)
  })
}
