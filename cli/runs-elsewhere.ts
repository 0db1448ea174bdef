/** Runs that some engine has already: taken over where it is dead, else asked, and followed to the end. */
import type { Adoption, Engine } from '../engine/engine.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { Report } from '../engine/report.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord, TaskRecord } from '../engine/store/records.ts'
import type { Wish } from '../engine/store/store.ts'
import { TaskNames } from '../engine/task-names.ts'
import { type Conducted, conduct } from './conduct.ts'
import { follow } from './follow.ts'
import { displayOf } from './live.ts'
import { noticeOf } from './notice.ts'
import type { Display } from './picture.ts'
import { RunProgress } from './progress.ts'
import { type Stage, withEngine } from './stage.ts'
import type { Terminal } from './terminal.ts'
import { bellOf, noSuchRun } from './wiring.ts'

/** What a person wants of a run. */
export interface Wanted {
  /** What is asked of whoever has it; null only goes on with it. */
  readonly wish: Wish | null
  /** Who asks. */
  readonly by: string
  /** When that is done, for what does not go on to the run's end. */
  readonly until?: Until
  /** The same where a living engine has the run; `until` when absent. */
  readonly untilThere?: Until
}

/** Whether enough was seen of a run. */
export type Until = (run: RunRecord, rows: readonly TaskRecord[]) => boolean

/**
 * Gets a wish to whoever owns the run, and attends to it to its end. A run that has ended is opened again where the wish
 * says so; one whose engine is dead is taken over; else its engine is asked, and looked on.
 */
export async function attend(stage: Stage, id: string, wanted: Wanted): Promise<Conducted> {
  const { store, terminal } = stage
  const { until, untilThere = until } = wanted
  const record = await store.run(id)
  if (record === null) throw noSuchRun(id)
  const pipeline = (await store.pipeline(record.version)) as Pipeline
  return withEngine(stage, async (engine, listen) => {
    const display = await displayOf(terminal, new RunProgress(pipeline, await store.tasks(id)))
    const attended = { engine, display, record, pipeline }
    try {
      // Its tasks may trigger other runs in this engine.
      listen((report) => {
        if (report.run === id) tell(display, report)
      })
      const where = await ask(stage, attended, wanted)
      if (where === 'nowhere') return 'ended'
      if (where === 'there' && !(await lookOn(stage, attended, untilThere))) return 'ended'
      return await conductRun(stage, attended, until)
    } finally {
      display.close()
    }
  })
}

/** Shows a report, and what it says besides. */
export function tell(display: Display, report: Report): void {
  display.report(report)
  const notice = noticeOf(report)
  if (notice !== null) display.note(notice)
}

/** Where the run is once the wish is on its way: with this engine, with another, or with none since it has ended. */
type Where = 'here' | 'there' | 'nowhere'

async function ask(stage: Stage, attended: Attended, { wish, by }: Wanted): Promise<Where> {
  const { engine, record } = attended
  const { id, state } = record
  let where: Where
  if (isEnded(state) && (wish?.kind === 'retry' || wish?.kind === 'mark'))
    where = await reopen(stage, attended, () => engine.reopen(id, wish, by))
  else {
    const adoption = await engine.adopt(id)
    where = adoption === 'ended' ? 'nowhere' : adoption === 'alive' ? 'there' : 'here'
    if (where === 'here' && wish !== null) engine.wish(id, wish, by)
  }
  if (where === 'there' && wish !== null) await request(stage, id, wish, by)
  return where
}

/** Milliseconds between two looks whether the last attempt of an ended run has left. */
const leaving = 250

/** Opens an ended run again. Of one that was cancelled an attempt may still leave a living engine, which is waited for. */
async function reopen(
  { store, terminal }: Stage,
  { display, record: { id } }: Attended,
  begin: () => Promise<Adoption | 'reopened'>,
): Promise<Where> {
  for (let looks = 0; ; looks++) {
    if ((await begin()) !== 'alive') return 'here'
    const run = await store.run(id)
    // Somebody else was first to open it.
    if (run !== null && !isEnded(run.state)) return 'there'
    if (looks === 0) display.note(`an attempt of run ${id} is still leaving, and is waited for`)
    if (await isInterrupted(terminal, leaving)) return 'nowhere'
  }
}

/** Waits; true where a signal came first. */
function isInterrupted({ clock, onSignal }: Terminal, wait: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (interrupted: boolean) => {
      silence()
      timer.cancel()
      resolve(interrupted)
    }
    const silence = onSignal(() => end(true))
    const timer = clock.at(clock.now() + wait, () => end(false))
  })
}

/** Writes a wish for the engine that owns the run, and calls it. */
export async function request(
  { store, settings, terminal }: Stage,
  id: string,
  wish: Wish,
  by: string,
): Promise<void> {
  await store.request(id, wish, by, terminal.clock.now())
  const bell = await bellOf(settings)
  bell.ring()
}

/** A run that this process' engine has, or has its eye on. */
interface Attended {
  readonly engine: Engine
  readonly display: Display
  readonly record: RunRecord
  readonly pipeline: Pipeline
}

/** Conducts a run that the engine has to its end, or until enough was seen, also where another engine takes it over. */
export async function conductRun(stage: Stage, attended: Attended, until?: Until): Promise<Conducted> {
  const { engine, display, record } = attended
  const goOn = `dagctl runs resume ${record.id}`
  let left = false
  const toTheEnd = async () => {
    let { state } = await engine.finished(record.id)
    while (!isEnded(state) && !left && (await lookOn(stage, attended, until)))
      state = (await engine.finished(record.id)).state
  }
  const done = until === undefined ? toTheEnd() : Promise.race([toTheEnd(), seen(stage, record.id, until)])
  try {
    const { terminal } = stage
    // Who waits for less than the end has no mind to end it.
    const onInterrupt = until === undefined ? 'cancel' : 'drain'
    return await conduct({ engine, display, terminal, done, onInterrupt, goOn })
  } catch (error) {
    display.note(`run ${record.id} did not end; once the cause is mended go on with: ${goOn}`)
    throw error
  } finally {
    left = true
  }
}

async function seen(stage: Stage, run: string, until: Until): Promise<void> {
  await follow({ ...stage, run }, async (record) => until(record, await stage.store.tasks(run)))
}

/** Follows a run of a living engine. True when that engine died and the run is this engine's by now. */
async function lookOn(
  stage: Stage,
  { engine, display, record: run, pipeline }: Attended,
  until: Until = () => false,
): Promise<boolean> {
  const { store } = stage
  display.note(`run ${run.id} belongs to a living engine and is followed`)
  let adopted = false
  let state = run.state
  let known = await store.tasks(run.id)
  await follow({ ...stage, run: run.id }, async (record) => {
    const rows = await store.tasks(run.id)
    const now = stage.terminal.clock.now()
    for (const report of changes(pipeline, record, { rows, known, now })) tell(display, report)
    if (record.state !== state) tell(display, { type: 'run', run: run.id, state: record.state, at: now })
    known = rows
    state = record.state
    if (until(record, rows)) return true
    adopted = (await engine.adopt(run.id)) === 'adopted'
    return adopted
  })
  return adopted
}

/** What became of the tasks since the last look, as their engine would have told it. */
function* changes(
  pipeline: Pipeline,
  { id }: RunRecord,
  { rows, known, now }: { rows: readonly TaskRecord[]; known: readonly TaskRecord[]; now: number },
): Generator<Report> {
  const names = new TaskNames(pipeline, rows)
  for (const row of rows) {
    const before = known[row.node]
    const { key, state, attempt, failure } = row
    if (before?.state === state && before.attempt === attempt) continue
    const event = eventInto[state] ?? state
    const about = { run: id, task: names.id(row), key, name: names.name(row) }
    yield { type: 'task', ...about, event, state, attempt, at: row.endedAt ?? now, failure }
  }
}

/** The event that a state seen from outside stands for. */
const eventInto: { readonly [state: string]: string } = {
  running: 'claim',
  succeeded: 'succeed',
  failed: 'fail',
  retrying: 'retry',
  sleeping: 'sleep',
  skipped: 'skip',
  upstream_failed: 'block',
  cancelled: 'cancel',
}
