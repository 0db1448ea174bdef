/** Runs that some engine has already: taken over where it is dead, else asked, and followed to the end. */
import { userInfo } from 'node:os'
import type { Engine } from '../engine/engine.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord } from '../engine/store/store.ts'
import { type Conducted, conduct } from './conduct.ts'
import { follow } from './follow.ts'
import { displayOf } from './live.ts'
import type { Display } from './picture.ts'
import { RunProgress } from './progress.ts'
import { type Stage, withEngine } from './stage.ts'
import { bellOf, noSuchRun } from './wiring.ts'

/** Goes on with a run to its end, here where its engine is dead, else by looking on. */
export function resumeRun(stage: Stage, id: string): Promise<Conducted> {
  return attend(stage, id, { owned: () => {}, asked: async () => {} })
}

/** Cancels a run, here where its engine is dead, else by asking its engine, and waits for its end. */
export function cancelRun(stage: Stage, id: string): Promise<Conducted> {
  const { store, settings, terminal } = stage
  return attend(stage, id, {
    owned: (engine) => engine.cancel(id),
    asked: async () => {
      await store.request(id, { kind: 'cancel' }, userInfo().username, terminal.clock.now())
      const bell = await bellOf(settings)
      bell.ring()
    },
  })
}

/** What is done once the run is ours, or once it is known to be a living engine's. */
interface Wish {
  owned(engine: Engine): void
  asked(): Promise<void>
}

async function attend(stage: Stage, id: string, wish: Wish): Promise<Conducted> {
  const { store, terminal } = stage
  const record = await store.run(id)
  if (record === null) throw noSuchRun(id)
  const pipeline = (await store.pipeline(record.version)) as Pipeline
  return withEngine(stage, async (engine, listen) => {
    const display = await displayOf(terminal, new RunProgress(pipeline, await store.tasks(id)))
    try {
      listen((report) => {
        if (report.run === id) display.report(report)
      })
      const adoption = await engine.adopt(id)
      if (adoption === 'ended') return 'ended'
      if (adoption === 'alive') {
        await wish.asked()
        if (!(await lookOn(stage, { engine, display, record, pipeline }))) return 'ended'
      }
      wish.owned(engine)
      return await conductRun(stage, { engine, display, record, pipeline })
    } finally {
      display.close()
    }
  })
}

/** A run that this process' engine has, or has its eye on. */
interface Attended {
  readonly engine: Engine
  readonly display: Display
  readonly record: RunRecord
  readonly pipeline: Pipeline
}

/** Conducts a run that the engine has to its end, also where another engine takes it over meanwhile. */
export async function conductRun(stage: Stage, attended: Attended): Promise<Conducted> {
  const { engine, display, record } = attended
  const goOn = `dagctl runs resume ${record.id}`
  let left = false
  const toTheEnd = async () => {
    let { state } = await engine.finished(record.id)
    while (!isEnded(state) && !left && (await lookOn(stage, attended)))
      state = (await engine.finished(record.id)).state
  }
  try {
    const { terminal } = stage
    return await conduct({ engine, display, terminal, done: toTheEnd(), onInterrupt: 'cancel', goOn })
  } catch (error) {
    display.note(`run ${record.id} did not end; once the cause is mended go on with: ${goOn}`)
    throw error
  } finally {
    left = true
  }
}

/** Follows a run of a living engine. True when that engine died and the run is this engine's by now. */
async function lookOn(stage: Stage, { engine, display, record: run, pipeline }: Attended): Promise<boolean> {
  const { store } = stage
  display.note(`run ${run.id} belongs to a living engine and is followed`)
  let adopted = false
  let known = await store.tasks(run.id)
  await follow({ ...stage, run: run.id }, async () => {
    const rows = await store.tasks(run.id)
    for (const row of rows) {
      const before = known[row.node]
      if (before?.state === row.state && before.attempt === row.attempt) continue
      const { key, state, attempt, failure } = row
      const task = pipeline.tasks[row.task]?.id ?? ''
      const event = eventInto[state] ?? state
      const at = row.endedAt ?? stage.terminal.clock.now()
      display.report({
        type: 'task',
        run: run.id,
        task,
        key,
        label: task,
        event,
        state,
        attempt,
        at,
        failure,
      })
    }
    known = rows
    adopted = (await engine.adopt(run.id)) === 'adopted'
    return adopted
  })
  return adopted
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
