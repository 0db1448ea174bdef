/** Cancels a backfill, wherever its runs are: here where their engine is dead, else by asking it. */
import type { Engine } from '../engine/engine.ts'
import type { BackfillRecord } from '../engine/store/store.ts'
import { noteOf } from './noted.ts'
import { personOf } from './person.ts'
import { bellAt, type Stage, withEngine } from './stage.ts'
import type { Terminal } from './terminal.ts'

/** Milliseconds between looks at runs that other engines are ending. */
const looksApart = 200

/**
 * Ends the backfill, so that no run of it is made any more, cancels those that are active, and waits for their end.
 * False where a person left before.
 */
export async function cancelBackfill(stage: Stage, { id, pipeline }: BackfillRecord): Promise<boolean> {
  const { store, terminal } = stage
  const note = noteOf(terminal, 'backfill.cancel', { backfill: id, pipeline })
  await store.moveBackfill(id, ['running', 'paused'], 'cancelled', note)
  const bell = await bellAt(stage)
  bell.ring()
  if ((await store.runs({ backfill: id, active: true })).length === 0) return true
  let left = false
  const silence = terminal.onSignal(() => {
    left = true
  })
  try {
    return await withEngine(stage, async (engine) => {
      const asked = new Set<string>()
      const ending: Promise<unknown>[] = []
      for (;;) {
        const active = await store.runs({ backfill: id, active: true })
        if (active.length === 0) break
        if (left) return false
        for (const run of active) {
          if (!(await isCancelledHere(stage, { engine, run: run.id, asked }))) continue
          const end = engine.finished(run.id)
          // Where the engine fails while this still looks for runs, `failing` tells.
          end.catch(() => {})
          ending.push(end)
        }
        bell.ring()
        await Promise.race([pause(terminal), engine.failing])
      }
      // A run is cancelled at once; its processes have their time to leave.
      await Promise.all(ending)
      return true
    })
  } finally {
    silence()
  }
}

/** Cancels a run of a dead engine, which then is this engine's; asks a living engine, once. */
async function isCancelledHere(
  { store, terminal }: Stage,
  { engine, run, asked }: { readonly engine: Engine; readonly run: string; readonly asked: Set<string> },
): Promise<boolean> {
  const adoption = await engine.adopt(run)
  if (adoption === 'adopted') engine.cancel(run)
  if (adoption === 'alive' && !asked.has(run)) {
    asked.add(run)
    await store.request(run, { kind: 'cancel' }, personOf(terminal), terminal.clock.now())
  }
  return adoption === 'adopted'
}

function pause({ clock }: Terminal): Promise<void> {
  return new Promise((resolve) => {
    clock.at(clock.now() + looksApart, resolve)
  })
}
