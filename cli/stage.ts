/** Where commands work: a store, settings, a terminal, and an engine where one is needed. Knows no command. */
import type { Engine } from '../engine/engine.ts'
import type { Report } from '../engine/report.ts'
import type { Store } from '../engine/store/store.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { makeEngine } from './wiring.ts'

/** Where a command works. */
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
