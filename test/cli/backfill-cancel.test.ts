import t from 'tap'
import { cancelBackfill } from '../../cli/backfill-cancel.ts'
import { noConfig } from '../../cli/settings.ts'
import { processTerminal } from '../../cli/terminal.ts'
import { DagctlError } from '../../engine/errors.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { pipelineOf } from '../support/pipelines.ts'
import { storeBetween } from '../support/store-between.ts'
import { backfillRecord } from '../support/stored-records.ts'
import { testEngine } from '../support/test-engine.ts'

t.test(
  'a store that fails while runs are cancelled ends the command with its error, told once',
  async (t) => {
    const clock = new VirtualClock()
    const real = openSqlite({ path: ':memory:' })
    t.teardown(() => real.close())
    const full = new DagctlError('E501', 'the disk is full', { kind: 'infrastructure' })
    const store = storeBetween(real, clock, {
      before(method) {
        if (method === 'commit') throw full
      },
    })
    const pipeline = pipelineOf({ a: {} })
    const backfill = backfillRecord({ pipeline: pipeline.name, version: pipeline.version })
    await real.createBackfill(backfill, pipeline)
    const run = { id: 'r', pipeline, folder: '/', params: {}, trigger: 'backfill', omit: [] } as const
    await real.createRun({ ...run, backfill: 'b', interval: { start: 0, end: 1 } }, 'gone', 0)

    const { engine } = await testEngine({ store, clock })
    const untold: unknown[] = []
    const note = (error: unknown) => untold.push(error)
    process.on('unhandledRejection', note)
    t.teardown(() => process.off('unhandledRejection', note))
    const stage = {
      store,
      settings: { ...noConfig, data: '/nowhere', store: '/nowhere/db', json: false, format: 'text' },
      terminal: { ...processTerminal(), clock: clock.face() },
      means: { engine: () => engine, bell: { ring() {}, listen: () => () => {} } },
    }
    let over = false
    const cancelling = cancelBackfill(stage, backfill).finally(() => {
      over = true
    })
    cancelling.catch(() => {})
    for (let steps = 0; !over && steps < 100; steps++) await clock.step()
    await t.rejects(cancelling, full)
    await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(untold, [])
  },
)
