/** `dagctl logs RUN [TASK]`: what the attempts of a run logged and printed. */
import { join } from 'node:path'
import { type Clock, toInstant } from '../../engine/clock.ts'
import { DagctlError, exits } from '../../engine/errors.ts'
import { attemptId } from '../../engine/executor.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { Retention } from '../../engine/retention.ts'
import { type LogLine, readLogs } from '../../engine/runtime/attempt-folder.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { Store } from '../../engine/store/store.ts'
import { TaskNames } from '../../engine/task-names.ts'
import { action, type Call, type Declare, examples } from '../command.ts'
import { harmless, type Paint, paintFor, shownName } from '../print.ts'
import { countOf } from '../settings.ts'
import { nodesOf } from '../task-words.ts'
import type { Terminal } from '../terminal.ts'
import { noSuchRun, reading } from '../wiring.ts'

interface Options {
  readonly attempt?: string
  readonly follow?: boolean
}

/** An attempt whose log is shown. */
export interface LoggedAttempt {
  readonly task: string
  /** From the outermost; none for a task of the file. */
  readonly keys: readonly string[]
  /** As the command line names it. */
  readonly name: string
  readonly attempt: number
  /** Absolute. */
  readonly folder: string
}

/** Declares `dagctl logs`. */
export const logs: Declare = (command, context) => {
  command
    .argument('<run>', 'the id of a run')
    .argument('[task]', 'only this task: its id, id[KEY] for one instance, or group.id[KEY]')
    .option('--attempt <n>', 'this attempt (default: the newest of each task)')
    .option('-f, --follow', 'go on as more is logged, to the end of the run; with --json a document per line')
    .addHelpText(
      'after',
      examples('logs 20261123-154017-x7qk3m', 'logs 20261123-154017-x7qk3m mask --attempt 1'),
    )
    .action(action<Options>(context, show))
}

async function show(call: Call<Options>, run: string, task?: string): Promise<number> {
  const { terminal, settings, options } = call
  return reading(settings, async (store) => {
    const record = await store.run(run)
    if (record === null) throw noSuchRun(run)
    const choose = await chooser(store, record, { data: settings.data, task, attempt: options.attempt })
    const attempts = await choose()
    const printer = printerFor(terminal, {
      json: settings.json,
      named: task === undefined || attempts.length > 1,
    })
    if (mayBeGone(record, settings.installation.retention, terminal.clock))
      terminal.err.write(`run ${run} ended longer ago than \`retention.logs\` keeps logs\n`)
    if (options.follow === true) {
      const { followLogs } = await import('../logs-follow.ts')
      return followLogs({ store, settings, terminal, run }, choose, (attempt, line) =>
        terminal.out.write(`${printer.line(attempt, line)}\n`),
      )
    }
    await printer.all(attempts)
    return exits.ok
  })
}

/** Whether retention deletes the logs of the run; what is left of them is shown. */
function mayBeGone({ endedAt }: RunRecord, { logs }: Retention, clock: Clock): boolean {
  return logs !== undefined && endedAt !== null && endedAt < clock.now() - logs
}

/** What to show: asked again while a run goes on, since attempts are added. */
async function chooser(
  store: Store,
  { id: run, version }: RunRecord,
  wish: { readonly data: string; readonly task: string | undefined; readonly attempt: string | undefined },
): Promise<() => Promise<readonly LoggedAttempt[]>> {
  const pipeline = (await store.pipeline(version)) as Pipeline
  const number = wish.attempt === undefined ? null : countOf('--attempt', wish.attempt)
  return async () => {
    const all = await store.tasks(run)
    const names = new TaskNames(pipeline, all)
    const nodes = wish.task === undefined ? null : new Set(nodesOf(pipeline, all, wish.task))
    const chosen = nodes === null ? all : all.filter(({ node }) => nodes.has(node))
    const rows = chosen.filter(({ attempt }) => attempt > 0)
    if (number !== null && !rows.some(({ attempt }) => number <= attempt)) {
      const most = Math.max(0, ...rows.map(({ attempt }) => attempt))
      throw new DagctlError('E209', `there is no attempt ${number} in run ${run}`, {
        kind: 'usage',
        hint: `the newest is ${most}; see \`dagctl runs show ${run} --attempts\``,
      })
    }
    return rows
      .filter(({ attempt }) => number === null || number <= attempt)
      .map((row) => {
        const attempt = number ?? row.attempt
        const folder = join(wish.data, 'attempts', run, attemptId(run, row.node, attempt))
        return { task: names.id(row), keys: names.keys(row), name: names.name(row), attempt, folder }
      })
  }
}

function printerFor({ out, env }: Terminal, { json, named }: { json: boolean; named: boolean }) {
  const paint = paintFor(out, env)
  const line = (attempt: LoggedAttempt, entry: LogLine) =>
    json ? JSON.stringify(documentOf(attempt, entry)) : textOf(attempt, entry, named, paint)
  return {
    line,
    /** JSON is one document, written as it is read. */
    async all(attempts: readonly LoggedAttempt[]): Promise<void> {
      let first = true
      if (json) out.write('{ "lines": [')
      for (const attempt of attempts) {
        for await (const entry of readLogs(attempt.folder)) {
          out.write(json ? `${first ? '\n' : ',\n'}  ${line(attempt, entry)}` : `${line(attempt, entry)}\n`)
          first = false
        }
      }
      if (json) out.write(first ? '] }\n' : '\n] }\n')
    },
  }
}

function documentOf({ task, keys, attempt }: LoggedAttempt, { at, stream, level, text }: LogLine): object {
  const shown = at === null ? null : toInstant(at)
  return { task, key: keys.length === 0 ? null : keys, attempt, at: shown, stream, level, text }
}

function textOf(attempt: LoggedAttempt, { at, level, text }: LogLine, named: boolean, paint: Paint): string {
  const time = at === null ? '' : `${paint.dim(toInstant(at))} `
  const name = named ? `${paint.cyan(shownName(attempt.name))} ` : ''
  const mark = level === 'error' ? paint.red('error ') : level === 'warn' ? paint.yellow('warn ') : ''
  return `${time}${name}${mark}${harmless(text)}`
}
