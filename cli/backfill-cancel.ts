/** Cancels a backfill, wherever its runs are: here where their engine is dead, else by asking it. */
import { userInfo } from 'node:os'
import type { Engine } from '../engine/engine.ts'
import type { BackfillRecord } from '../engine/store/store.ts'
import { type Stage, withEngine } from './stage.ts'
import type { Terminal } from './terminal.ts'
import { bellOf } from './wiring.ts'

/** Milliseconds between looks at runs that other engines are ending. */
const looksApart = 200

/**
 * Ends the backfill, so that no run of it is made any more, cancels those that are active, and waits for their end.
 * False where a person left before.
 */
export async function cancelBackfill(stage: Stage, { id }: BackfillRecord): Promise<boolean> {
  const { store, settings, terminal } = stage
  await store.moveBackfill(id, ['running', 'paused'], 'cancelled')
  const bell = await bellOf(settings)
  bell.ring()
  if ((await store.runs({ backfill: id, active: true })).length === 0) return true
  let left = false
  const silence = terminal.onSignal(() => {
    left = true
  })
  try {
    return await withEngine(stage, async (engine) => {
      const asked = new Set<string>()
      for (;;) {
        const active = await store.runs({ backfill: id, active: true })
        if (active.length === 0) return true
        if (left) return false
        for (const run of active) await cancelOne(stage, { engine, run: run.id, asked })
        bell.ring()
        await Promise.race([pause(terminal), engine.failing])
      }
    })
  } finally {
    silence()
  }
}

/** Cancels a run of a dead engine here; asks a living engine, once. */
async function cancelOne(
  { store, terminal }: Stage,
  { engine, run, asked }: { readonly engine: Engine; readonly run: string; readonly asked: Set<string> },
): Promise<void> {
  const adoption = await engine.adopt(run)
  if (adoption === 'adopted') engine.cancel(run)
  if (adoption !== 'alive' || asked.has(run)) return
  asked.add(run)
  await store.request(run, { kind: 'cancel' }, userInfo().username, terminal.clock.now())
}

function pause({ clock }: Terminal): Promise<void> {
  return new Promise((resolve) => {
    clock.at(clock.now() + looksApart, resolve)
  })
}
