/** B8 once: a backfill of daily intervals beside a live run every second, in one engine or in two processes on one store. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setInterval } from 'node:timers'
import type { Engine } from '../engine/engine.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { Report } from '../engine/report.ts'
import { openSqlite } from '../engine/store/sqlite.ts'
import { engineOn, noops } from './engine.ts'

/** Where the live runs are made. */
export const places = ['one process', 'two processes'] as const
/** One of the places where live runs are made. */
export type Place = (typeof places)[number]

/** What one backfill took, and how long live runs waited beside it. */
export interface Measured {
  /** From the first claim to the last outcome. */
  readonly tasksPerSecond: number
  /** Milliseconds from the making of each live run to the claim of its task. */
  readonly delays: readonly number[]
}

/** Runs at once, and runs that are made ahead of them, as `dagctl backfill` has them. */
const lanes = { active: 16, ahead: 8 } as const
const day = 86_400_000

/** A live run every second; `stop` gives how long each waited for its start. */
function liveRuns(engine: Engine, folder: string) {
  const made = new Map<string, number>()
  const delays: number[] = []
  const pipeline: Pipeline = { ...noops('wide', 1), name: 'live', version: 'live' }
  const begin = async () => {
    const began = performance.now()
    const interval = { start: 0, end: 0 }
    const wanted = { pipeline, folder, params: {}, interval, backfill: null, omit: [] }
    const { id } = await engine.create({ ...wanted, trigger: 'manual' })
    made.set(id, began)
  }
  const timer = setInterval(() => void begin(), 1000)
  return {
    hear(report: Report): void {
      if (report.type !== 'task' || report.event !== 'claim') return
      const began = made.get(report.run)
      if (began !== undefined) delays.push(performance.now() - began)
    },
    stop(): readonly number[] {
      clearInterval(timer)
      return delays
    },
  }
}

/** One run per interval of ten tasks, a few at a time. */
async function backfill(engine: Engine, folder: string, intervals: number): Promise<void> {
  const pipeline = noops('layered', 10)
  const days = Array.from({ length: intervals }, (_, index) => index).values()
  const lane = async () => {
    for (const index of days) {
      const interval = { start: index * day, end: (index + 1) * day }
      const wanted = { pipeline, folder, params: {}, interval, backfill: 'b8', omit: [] }
      const { id } = await engine.create({ ...wanted, trigger: 'backfill' }, lanes.active)
      const { state } = await engine.finished(id)
      if (state !== 'succeeded') throw new Error(`a run ${state}`)
    }
  }
  await Promise.all(Array.from({ length: lanes.active + lanes.ahead }, lane))
}

/** Runs the backfill once, in a fresh folder. */
async function runBackfill(place: Place, intervals: number): Promise<Measured> {
  const data = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const store = openSqlite({ path: join(data, 'dagctl.db') })
  const other = place === 'two processes' ? await otherProcess(data) : null
  let [first, last] = [Number.POSITIVE_INFINITY, 0]
  let hear: (report: Report) => void = () => {}
  const engine = engineOn(data, store, (report) => {
    hear(report)
    if (report.type !== 'task') return
    if (report.event === 'claim') first = Math.min(first, performance.now())
    else last = performance.now()
  })
  await engine.start()
  const live = other === null ? liveRuns(engine, data) : null
  if (live !== null) hear = (report) => live.hear(report)
  await backfill(engine, data, intervals)
  const delays = live?.stop() ?? (await other?.stop()) ?? []
  await engine.stop()
  await store.close()
  rmSync(data, { recursive: true })
  return { tasksPerSecond: (intervals * 10) / ((last - first) / 1000), delays }
}

/** Another process that makes live runs on the same store. */
async function otherProcess(data: string): Promise<{ stop(): Promise<readonly number[]> }> {
  const child: ChildProcess = fork(import.meta.filename, ['live', data])
  const heard = () => new Promise<unknown>((resolve) => child.once('message', resolve))
  await heard()
  return {
    async stop() {
      const answer = heard()
      child.send('stop')
      return (await answer) as readonly number[]
    },
  }
}

async function beLive(data: string): Promise<void> {
  const store = openSqlite({ path: join(data, 'dagctl.db') })
  let hear: (report: Report) => void = () => {}
  const engine = engineOn(data, store, (report) => hear(report))
  await engine.start()
  const live = liveRuns(engine, data)
  hear = (report) => live.hear(report)
  process.once('message', async () => {
    process.send?.(live.stop())
    await engine.stop()
    await store.close()
    process.disconnect()
  })
  process.send?.('ready')
}

if (import.meta.main) {
  const [place = 'one process', more = '3650'] = process.argv.slice(2)
  if (place === 'live') await beLive(more)
  else console.log(JSON.stringify(await runBackfill(place as Place, Number(more))))
}
