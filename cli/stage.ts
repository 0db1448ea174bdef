/** Where commands work: a store, settings, a terminal, and an engine where one is needed. Knows no command. */
import type { Engine } from '../engine/engine.ts'
import type { Report } from '../engine/report.ts'
import type { Store } from '../engine/store/store.ts'
import type { Wake } from '../engine/wake.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { bellOf, makeEngine } from './wiring.ts'

/** Where a command works. */
export interface Stage {
  readonly store: Store
  readonly settings: Settings
  readonly terminal: Terminal
  /** What it works with instead of this machine's own: in simulations. */
  readonly means?: Means
}

/** The engine and the bell of a stage. */
export interface Means {
  /** A fresh engine over the stage's store, not started yet. */
  engine(report: (report: Report) => void): Engine
  readonly bell: Wake
}

/** Lends a started engine, whose reports go where `listen` says, and lets go of it in the end. */
export async function withEngine<Result>(
  { store, settings, terminal, means }: Stage,
  work: (engine: Engine, listen: (heard: (report: Report) => void) => void) => Promise<Result>,
): Promise<Result> {
  let heard: (report: Report) => void = () => {}
  const tell = (report: Report) => heard(report)
  const engine = means?.engine(tell) ?? (await makeEngine(settings, store, terminal, tell))
  await engine.start()
  try {
    return await work(engine, (listener) => {
      heard = listener
    })
  } finally {
    await engine.stop()
  }
}

/** The bell by which processes at the same data folder call each other. */
export async function bellAt({ settings, means }: Stage): Promise<Wake> {
  return means?.bell ?? bellOf(settings)
}
