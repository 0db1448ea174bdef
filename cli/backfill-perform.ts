/** Performs a backfill on an engine of this process: takes its runs over, makes those that are missing. */

import type { PlannedInterval } from '../engine/backfill-plan.ts'
import type { Engine } from '../engine/engine.ts'
import { newId } from '../engine/run-id.ts'
import { isEnded } from '../engine/state.ts'
import { type BackfillOrder, planOf, type Standing, standingOf } from './backfill.ts'
import { backfillDisplay } from './backfill-live.ts'
import { type Conducted, conduct } from './conduct.ts'
import { follow } from './follow.ts'
import type { Display } from './picture.ts'
import { type Stage, withEngine } from './stage.ts'

/** Runs that are made before there is room for them, so that none is waited for. */
const ahead = 8

/** Runs what the order asks for, or goes on with it, and gives how it stands then. */
export async function performBackfill(
  stage: Stage,
  order: BackfillOrder,
): Promise<{ readonly standing: Standing; readonly how: Conducted }> {
  const { store, terminal } = stage
  const { plan, begun } = await begin(stage, order)
  const { id } = plan
  if (id === null) return { standing: plan, how: 'ended' }
  return withEngine(stage, async (engine, listen) => {
    const display = await backfillDisplay(terminal, plan)
    let stopped = false
    const parts = { engine, display, id, plan, stopped: () => stopped }
    try {
      listen((report) => display.report(report))
      display.note(begun ? `backfill ${id} of ${order.pipeline.name}` : `backfill ${id} goes on`)
      const how = await conduct({
        engine,
        display,
        terminal,
        done: performAll(stage, order, parts),
        onInterrupt: 'drain',
        onStop: () => {
          stopped = true
        },
        goOn: 'the same command',
      })
      const standing = await standingOf(store, plan)
      if (standing.state !== 'running' && standing.state !== null)
        await store.moveBackfill(id, ['running', 'paused'], standing.state)
      return { standing, how: standing.state === 'running' ? 'left' : how }
    } finally {
      display.close()
    }
  })
}

/** The plan of the unfinished backfill, or of a new one; without an id where there is nothing to run. */
async function begin(
  { store, terminal }: Stage,
  order: BackfillOrder,
): Promise<{ readonly plan: Standing; readonly begun: boolean }> {
  const { clock, random } = terminal
  const { pipeline, folder, from, to, mode, maxActive, reverse, params } = order
  const { name, version } = pipeline
  const plan = await planOf(store, order, clock.now())
  if (plan.id !== null || plan.state === null) return { plan, begun: false }
  const [id, createdAt] = [newId(clock, random), clock.now()]
  const made = {
    id,
    pipeline: name,
    version,
    from,
    to,
    mode,
    maxActive,
    reverse,
    params,
    createdAt,
    folder,
    includeDeploy: false,
  }
  const entered = await store.createBackfill({ ...made, state: 'running' })
  if (entered.id === id) return { plan: { ...plan, id }, begun: true }
  // The same command, given elsewhere at the same moment, was first.
  return { plan: await planOf(store, order, clock.now()), begun: false }
}

interface Performing {
  readonly engine: Engine
  readonly display: Display
  readonly id: string
  readonly plan: Standing
  /** Whether no further run is to be made. */
  stopped(): boolean
}

/**
 * Resolves when every run of the backfill has ended. Runs that were begun are taken up first, since they count among the
 * active ones; the others are made a few at a time, so that memory does not grow with the range.
 */
async function performAll(stage: Stage, order: BackfillOrder, parts: Performing): Promise<void> {
  const { engine, id, plan, stopped } = parts
  const { pipeline, folder, params, omit, maxActive } = order
  const begun: string[] = []
  const missing: PlannedInterval[] = []
  for (const row of plan.rows) {
    if (row.action === 'skip') continue
    if (row.run === null || !plan.own.has(row.run)) missing.push(row)
    else if (row.state !== null && !isEnded(row.state)) begun.push(row.run)
  }
  const rows = missing.values()
  const makeOnes = async () => {
    for (const { interval } of rows) {
      if (stopped()) return
      const wanted = { pipeline, folder, params, trigger: 'backfill', interval, backfill: id, omit } as const
      await seeToEnd(stage, parts, (await engine.create(wanted, maxActive)).id, maxActive)
    }
  }
  await Promise.all([
    ...begun.map((run) => seeToEnd(stage, parts, run, maxActive)),
    ...Array.from({ length: maxActive + ahead }, makeOnes),
  ])
}

/** Sees to the end of a run: in this engine, or in the living one that has it. */
async function seeToEnd(
  stage: Stage,
  { engine, stopped }: Performing,
  run: string,
  limit: number,
): Promise<void> {
  while (!stopped()) {
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
