/** Two command lines on one store: limits hold over both. */
import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { EventRecord } from '../../engine/store/store.ts'
import { start } from '../support/command-line.ts'

const tasks = Array.from({ length: 6 }, (_, i) => `  t${i}: { run: "sleep 0.1" }`).join('\n')
const file = (limits: string) => `dagctl: 1
pipeline: shared
concurrency: ${limits}
defaults: { timeout: 1m }
tasks:
${tasks}
`

/** What happened in all runs of the store, in order. */
async function eventsOf(folder: string): Promise<readonly EventRecord[]> {
  const store = openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
  try {
    const runs = await store.runs({})
    const events = await Promise.all(runs.map(({ id }) => store.events(id)))
    return events.flat().sort((a, b) => a.seq - b.seq)
  } finally {
    await store.close()
  }
}

/** The most that were between one of `from` and one of `to` at once. */
function mostAtOnce(events: readonly EventRecord[], from: string, to: string): number {
  let now = 0
  let most = 0
  for (const { event } of events) {
    if (event === from) now++
    else if (event === to) now--
    most = Math.max(most, now)
  }
  return most
}

t.test('two command lines at once run no more tasks of a pipeline than its limit', async (t) => {
  const folder = t.testdir({ 'shared.yaml': file('{ tasks: 2 }') })
  const both = await Promise.all([0, 1].map(() => start(folder, ['run', 'shared.yaml']).ended))
  t.strictSame(
    both.map(({ exit }) => exit),
    [0, 0],
  )
  const events = (await eventsOf(folder)).filter(({ node }) => node !== null)
  t.equal(mostAtOnce(events, 'claim', 'succeed'), 2)
  t.equal(events.filter(({ event }) => event === 'succeed').length, 12)
})

t.test('two command lines at once run no more runs of a pipeline than its limit', async (t) => {
  const folder = t.testdir({ 'shared.yaml': file('{ runs: 1 }') })
  const both = await Promise.all([0, 1].map(() => start(folder, ['run', 'shared.yaml']).ended))
  t.strictSame(
    both.map(({ exit }) => exit),
    [0, 0],
  )
  const events = (await eventsOf(folder)).filter(({ node }) => node === null)
  t.equal(mostAtOnce(events, 'start', 'succeed'), 1)
  t.equal(events.filter(({ event }) => event === 'succeed').length, 2)
})
