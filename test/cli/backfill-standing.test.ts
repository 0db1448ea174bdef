import t from 'tap'
import { type Standing, standingOf } from '../../cli/backfill.ts'
import type { Store } from '../../engine/store/store.ts'
import { runRecord } from '../support/stored-records.ts'

const interval = { start: 0, end: 1 }
const before: Standing = {
  id: 'b',
  rows: [{ interval, action: 'run', reason: 'its run failed', run: 'earlier', state: 'failed' }],
  tasks: 1,
  state: 'running',
  own: new Set(),
}
const storeWith = (...runs: ReturnType<typeof runRecord>[]) =>
  ({ runs: async () => runs }) as unknown as Store

t.test(
  'a backfill of what failed has not ended while its own run of an interval is to be made',
  async (t) => {
    t.equal((await standingOf(storeWith(), before)).state, 'running')
    for (const state of ['running', 'succeeded', 'failed'] as const) {
      const own = runRecord({ id: 'own', interval, state })
      const standing = await standingOf(storeWith(own), before)
      t.match(standing, { state, rows: [{ run: 'own', state }] })
      t.strictSame(standing.own, new Set(['own']))
    }
  },
)
