/** Performs a backfill on an engine of this process: takes its runs over, makes those that are missing. */

import type { Engine } from '../engine/engine.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Interval } from '../engine/pipeline.ts'
import { newId } from '../engine/run-id.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { BackfillRecord } from '../engine/store/store.ts'
import {
  type BackfillOrder,
  isUnfinished,
  planOf,
  type Standing,
  standingOf,
  unfinishedOf,
} from './backfill.ts'
import { BackfillGate } from './backfill-gate.ts'
import { backfillDisplay } from './backfill-live.ts'
import { deployTasks } from './backfill-omitted.ts'
import { type Conducted, conduct } from './conduct.ts'
import { follow } from './follow.ts'
import { noteOf } from './noted.ts'
import type { Display } from './picture.ts'
import { bellAt, type Stage, withEngine } from './stage.ts'

/** Runs that are made before there is room for them, so that none is waited for. */
const ahead = 8

/** What came of performing a backfill. */
export interface Performed {
  readonly standing: Standing
  readonly how: Conducted
}

/** Runs what the order asks for, or goes on with it, and gives how it stands then. */
export async function performBackfill(stage: Stage, order: BackfillOrder): Promise<Performed> {
  const { plan, begun } = await begin(stage, order)
  const { id } = plan
  if (id === null) return { standing: plan, how: 'ended' }
  return withEngine(stage, async (engine, listen) => {
    const display = await backfillDisplay(stage.terminal, plan)
    try {
      listen((report) => display.report(report))
      display.note(begun ? `backfill ${id} of ${order.pipeline.name}` : `backfill ${id} goes on`)
      const how = await conductBackfill(stage, order, { engine, display, id, plan })
      return await settle(stage, { id, plan, how })
    } finally {
      display.close()
    }
  })
}

/** Conducts it to its end, its pauses included, or to where a person leaves it. */
async function conductBackfill(
  stage: Stage,
  order: BackfillOrder,
  parts: Omit<Performing, 'gate'>,
): Promise<Conducted> {
  const { engine, display, id } = parts
  const { terminal } = stage
  const gate = await BackfillGate.of(stage, id, (state) => {
    if (state === 'paused')
      display.note(`backfill ${id} is paused: what runs ends, nothing new starts until it is resumed`)
    if (state === 'running') display.note(`backfill ${id} is resumed`)
    if (state !== 'cancelled') return
    display.note(`backfill ${id} was cancelled`)
    engine.cancelAll()
  })
  try {
    return await conduct({
      engine,
      display,
      terminal,
      done: performAll(stage, order, { ...parts, gate }),
      onInterrupt: 'drain',
      onStop: () => gate.close(),
      goOn: `the same command, or dagctl backfills resume ${id}`,
    })
  } finally {
    gate.close()
  }
}

/** Ends the backfill where its last run has ended, and gives how it stands. */
async function settle(
  { store }: Stage,
  { id, plan, how }: { readonly id: string; readonly plan: Standing; readonly how: Conducted },
): Promise<Performed> {
  const standing = await standingOf(store, plan)
  if (standing.state !== 'running' && standing.state !== null)
    await store.moveBackfill(id, ['running', 'paused'], standing.state)
  // Somebody may have cancelled it, or paused it before this process left.
  const [record] = await store.backfills({ id })
  const { state } = record as BackfillRecord
  return { standing: { ...standing, state }, how: isUnfinished({ state }) ? 'left' : how }
}

/** The plan of the unfinished backfill, or of a new one; without an id where there is nothing to run. */
async function begin(
  stage: Stage,
  order: BackfillOrder,
): Promise<{ readonly plan: Standing; readonly begun: boolean }> {
  const { store, terminal } = stage
  const { clock, random } = terminal
  const { pipeline, schedule: _, ...asked } = order
  const plan = await planOf(store, order, clock.now())
  if (plan.id !== null) {
    await goOn(stage, order)
    return { plan, begun: false }
  }
  if (plan.state === null) return { plan, begun: false }
  const id = newId(clock, random)
  const { name, version } = pipeline
  const made = { ...asked, id, pipeline: name, version, state: 'running', createdAt: clock.now() } as const
  const note = noteOf(
    terminal,
    'backfill.created',
    { backfill: id, pipeline: name },
    { version, mode: made.mode },
  )
  const entered = await store.createBackfill(made, pipeline, note)
  if (entered.id === id) return { plan: { ...plan, id }, begun: true }
  // The same command, given elsewhere at the same moment, was first.
  return { plan: await planOf(store, order, clock.now()), begun: false }
}

/** The unfinished backfill runs again, also where it was paused, with as many runs at once as are asked for now. */
async function goOn(stage: Stage, order: BackfillOrder): Promise<void> {
  const { store, terminal } = stage
  const unfinished = await unfinishedOf(store, order)
  if (unfinished === null) return
  const { id, maxActive } = unfinished
  if (maxActive !== order.maxActive) await store.limitBackfill(id, order.maxActive)
  const note = noteOf(terminal, 'backfill.resume', { backfill: id, pipeline: order.pipeline.name })
  if (!(await store.moveBackfill(id, ['paused'], 'running', note))) return
  const bell = await bellAt(stage)
  bell.ring()
}

interface Performing {
  readonly engine: Engine
  readonly display: Display
  readonly id: string
  readonly plan: Standing
  /** Whether a further run may be made. */
  readonly gate: BackfillGate
}

/**
 * Resolves when every run of the backfill has ended. Runs are seen to a few at a time, so that memory does not grow with
 * the range, nor the queue with each restart. Those that have started come first: only their ends make room.
 */
async function performAll(stage: Stage, order: BackfillOrder, parts: Performing): Promise<void> {
  const { engine, plan, gate } = parts
  const { maxActive } = order
  const rows = inTurn(plan).values()
  const seeToOnes = async () => {
    for (const { interval, run: own } of rows) {
      if (own === null && !(await gate.pass())) return
      const run = own ?? (await make(engine, order, { id: parts.id, interval }))?.id
      if (run === undefined) return
      await seeToEnd(stage, parts, run, maxActive)
    }
  }
  await Promise.all(Array.from({ length: maxActive + ahead }, seeToOnes))
}

/** An interval that is not done, and its run where there is one. */
interface Open {
  readonly interval: Interval
  readonly run: string | null
  /** Runs that have started, then those that are queued, then those that are still to be made. */
  readonly place: number
}

function inTurn({ rows, own }: Standing): readonly Open[] {
  const open = rows.flatMap(({ interval, action, run, state }): Open[] => {
    if (action === 'skip') return []
    if (run === null || state === null || !own.has(run)) return [{ interval, run: null, place: 2 }]
    return isEnded(state) ? [] : [{ interval, run, place: state === 'queued' ? 1 : 0 }]
  })
  return open.sort((a, b) => a.place - b.place)
}

/** Makes the run of an interval, or finds it made; null where the backfill was cancelled meanwhile. */
async function make(
  engine: Engine,
  { pipeline, folder, params, includeDeploy, maxActive }: BackfillOrder,
  { id, interval }: { readonly id: string; readonly interval: Interval },
): Promise<RunRecord | null> {
  const omit = includeDeploy ? [] : deployTasks(pipeline)
  const wanted = { pipeline, folder, params, trigger: 'backfill', interval, backfill: id, omit } as const
  try {
    return await engine.create(wanted, maxActive)
  } catch (error) {
    if (error instanceof DagctlError && error.code === 'E232') return null
    throw error
  }
}

/** Sees to the end of a run: in this engine, or in the living one that has it. */
async function seeToEnd(
  stage: Stage,
  { engine, gate }: Performing,
  run: string,
  limit: number,
): Promise<void> {
  while (!gate.closed) {
    let adoption = await engine.adopt(run, limit)
    if (adoption === 'alive') {
      await follow({ ...stage, run }, async () => {
        adoption = await engine.adopt(run, limit)
        return adoption === 'adopted'
      })
    }
    if (adoption === 'ended' || isEnded((await engine.finished(run)).state)) return
  }
}
