/** Runs pipelines of the benchmarks' own operators in one engine, in the engine's process or in warm workers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../engine/clock.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { InlineRuntime } from '../engine/runtime/inline.ts'
import { ProcessRuntime } from '../engine/runtime/process.ts'
import type { TaskRecord } from '../engine/store/records.ts'
import { openSqlite } from '../engine/store/sqlite.ts'
import { Host, operatorsOf } from '../plugins/host.ts'
import { engineOn } from './engine.ts'
import { builtin } from './operators.ts'

/** An engine that stays, so that its workers are warm. */
export interface Standing {
  /** Runs it once: milliseconds from the making of the run to its end, and its tasks. Throws where it does not succeed. */
  run(pipeline: Pipeline): Promise<{ readonly ms: number; readonly tasks: readonly TaskRecord[] }>
  close(): Promise<void>
}

/** Starts an engine on a fresh folder. */
export async function standing(): Promise<Standing> {
  const data = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const store = openSqlite({ path: join(data, 'dagctl.db') })
  const host = new Host(operatorsOf(builtin))
  const worker = {
    module: join(import.meta.dirname, '../plugins/worker.ts'),
    args: ['--catalogue', new URL('operators.ts', import.meta.url).href],
  }
  const process = new ProcessRuntime({ host, clock: systemClock, worker })
  const engine = engineOn(data, store, () => {}, { inline: new InlineRuntime(host, systemClock), process })
  await engine.start()
  return {
    run: async (pipeline) => {
      const began = performance.now()
      const { id } = await engine.create({
        pipeline,
        folder: data,
        params: {},
        trigger: 'manual',
        interval: { start: 0, end: 0 },
        backfill: null,
        omit: [],
      })
      const { state } = await engine.finished(id)
      const ms = performance.now() - began
      if (state !== 'succeeded') throw new Error(`the run ${state}`)
      return { ms, tasks: await store.tasks(id) }
    },
    close: async () => {
      await engine.stop()
      await process.close()
      await store.close()
      rmSync(data, { recursive: true })
    },
  }
}
