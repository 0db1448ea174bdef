/** One run on an engine of this process: made, performed to its end, and shown. Knows no options. */
import type { Engine } from '../engine/engine.ts'
import { exits } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { RunRecord } from '../engine/store/records.ts'
import { printJson } from './command.ts'
import type { Conducted } from './conduct.ts'
import { displayOf } from './live.ts'
import { RunProgress } from './progress.ts'
import { type DocumentOptions, documentOf } from './run-document.ts'
import { conductRun, tell } from './runs-elsewhere.ts'
import { type Stage, withEngine } from './stage.ts'
import { printSummary } from './summary.ts'
import { waitingNote } from './waiting.ts'

/** Makes a run by `begin` and performs it to its end, with a live display. It is still active where a person left it. */
export function perform(
  stage: Stage,
  pipeline: Pipeline,
  begin: (engine: Engine) => Promise<RunRecord>,
): Promise<{ readonly run: string; readonly how: Conducted }> {
  return withEngine(stage, async (engine, listen) => {
    const display = await displayOf(stage.terminal, new RunProgress(pipeline))
    let own: string | null = null
    try {
      listen((report) => {
        // Tasks of a run that one of its tasks triggered may have the same names.
        if (own === null || report.run === own) tell(display, report)
      })
      const record = await begin(engine)
      own = record.id
      display.note(`run ${record.id} of ${pipeline.name}`)
      const waits = await waitingNote(stage.store, record, pipeline)
      if (waits !== null) display.note(waits)
      return { run: record.id, how: await conductRun(stage, { engine, display, record, pipeline }) }
    } finally {
      display.close()
    }
  })
}

/** Prints how a run stands, as JSON or for people; `all` tasks, also where they are many; the attempts if asked for. */
export async function present(
  stage: Stage,
  run: RunRecord,
  options: DocumentOptions & { readonly all?: boolean } = {},
): Promise<void> {
  const { store, settings, terminal } = stage
  const pipeline = (await store.pipeline(run.version)) as Pipeline
  if (settings.json) printJson(terminal, await documentOf(store, run, pipeline, options))
  else {
    await printSummary({ run, pipeline, store, settings }, terminal, options)
    if (options.attempts !== true) return
    const { printAttempts } = await import('./attempts-table.ts')
    await printAttempts(store, run, pipeline, terminal)
  }
}

/** The exit that a run's end means. */
export function exitOf(run: RunRecord, how: Conducted): number {
  if (how !== 'ended') return exits.interrupted
  return run.state === 'succeeded' ? exits.ok : exits.failed
}
