/** One run on an engine of this process, from its beginning or from where it was left. Knows no options. */
import type { Engine } from '../engine/engine.ts'
import { exits } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { Report } from '../engine/report.ts'
import type { RunRecord, Store, TaskRecord } from '../engine/store/store.ts'
import { printJson } from './command.ts'
import { type Conducted, conduct } from './conduct.ts'
import { type Display, displayOf } from './live.ts'
import { RunProgress } from './progress.ts'
import { type DocumentOptions, documentOf } from './run-document.ts'
import type { Settings } from './settings.ts'
import { printSummary } from './summary.ts'
import type { Terminal } from './terminal.ts'
import { makeEngine } from './wiring.ts'

/** Where a run is performed. */
export interface Stage {
  readonly store: Store
  readonly settings: Settings
  readonly terminal: Terminal
}

/** Lends a started engine, whose reports go where `listen` says, and lets go of it in the end. */
export async function withEngine<Result>(
  { store, settings, terminal }: Stage,
  work: (engine: Engine, listen: (heard: (report: Report) => void) => void) => Promise<Result>,
): Promise<Result> {
  let heard: (report: Report) => void = () => {}
  const engine = await makeEngine(settings, store, terminal, (report) => heard(report))
  await engine.start()
  try {
    return await work(engine, (listener) => {
      heard = listener
    })
  } finally {
    await engine.stop()
  }
}

/** A run that `begin` gives to the engine. */
export interface Performance {
  readonly pipeline: Pipeline
  /** The tasks as stored, where the run is under way already. */
  readonly rows?: readonly TaskRecord[]
  /** Makes the run, or takes it over. */
  begin(engine: Engine): Promise<string>
}

/** Performs a run to its end, with a live display. The run may still be active where a person left it. */
export function perform(
  stage: Stage,
  { pipeline, rows, begin }: Performance,
): Promise<{ readonly run: string; readonly how: Conducted }> {
  const { terminal } = stage
  return withEngine(stage, async (engine, listen) => {
    const display = await displayOf(terminal, new RunProgress(pipeline, rows))
    try {
      listen((report) => display.report(report))
      const run = await begin(engine)
      display.note(`run ${run} of ${pipeline.name}`)
      return { run, how: await conducted(stage, engine, display, run) }
    } finally {
      display.close()
    }
  })
}

async function conducted(
  { terminal }: Stage,
  engine: Engine,
  display: Display,
  run: string,
): Promise<Conducted> {
  const goOn = `dagctl runs resume ${run}`
  try {
    return await conduct({
      engine,
      display,
      terminal,
      done: engine.finished(run),
      onInterrupt: 'cancel',
      goOn,
    })
  } catch (error) {
    display.note(`run ${run} did not end; once the cause is mended go on with: ${goOn}`)
    throw error
  }
}

/** Prints how a run stands, as JSON or for people. */
export async function present(stage: Stage, run: RunRecord, options: DocumentOptions = {}): Promise<void> {
  const { store, settings, terminal } = stage
  const pipeline = (await store.pipeline(run.version)) as Pipeline
  if (settings.json) printJson(terminal, await documentOf(store, run, pipeline, options))
  else await printSummary({ run, pipeline, store, settings }, terminal)
}

/** The exit that a run's end means. */
export function exitOf(run: RunRecord, how: Conducted): number {
  if (how !== 'ended') return exits.interrupted
  return run.state === 'succeeded' ? exits.ok : exits.failed
}
