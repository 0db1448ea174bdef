import t from 'tap'
import type { Pipeline } from '../../engine/pipeline.ts'
import { isEnded } from '../../engine/state.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { scheduled, scheduleWorld } from '../support/schedule-world.ts'
import { dailyInstants } from '../support/wall-days.ts'

/** Both hemispheres, half hours, and zones without daylight saving. */
const zones = [
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'America/Santiago',
  'Africa/Cairo',
  'America/St_Johns',
  'UTC',
] as const
const pipelines = 200
const days = 365
const began = Date.UTC(2026, 0, 1, 0, 0, 30)
const hour = 3_600_000

/** Times of day that meet the changes of the clock often. */
const timeOf = (index: number) => [index % 4, [0, 15, 30, 45][Math.floor(index / 4) % 4] ?? 0] as const

t.test('a year of 200 daily pipelines in twelve zones: each run at its instant, none twice', async (t) => {
  const clock = new VirtualClock(began)
  const store = openSqlite({ path: ':memory:' })
  const world = await scheduleWorld({ clock, store, heartbeat: hour })
  const wanted = new Map<string, number[]>()
  const made: Pipeline[] = []
  for (let index = 0; index < pipelines; index++) {
    const zone = zones[index % zones.length] as string
    const [hours, minutes] = timeOf(index)
    const name = `daily-${index}`
    made.push(scheduled(name, { cron: [`${minutes} ${hours} * * *`], timezone: zone }))
    wanted.set(name, dailyInstants(zone, [hours, minutes], began + 1, days))
  }
  const until = began + days * 24 * hour
  const [started, used] = [performance.now(), process.cpuUsage()]
  for (const pipeline of made) await world.enter(pipeline)
  await world.passUntil(until)
  const wall = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(used)
  const seconds = (user + system) / 1e6

  let runs = 0
  const wrong: string[] = []
  for (const [name, instants] of wanted) {
    const due = instants.filter((at) => at <= until)
    const found = await world.runs(name)
    runs += found.length
    const ends = found.map(({ interval }) => interval.end)
    if (JSON.stringify(ends) !== JSON.stringify(due)) wrong.push(`${name}: ${ends.length} for ${due.length}`)
    found.forEach((run, place) => {
      const before = found[place - 1]?.interval.end ?? run.interval.start
      if (run.interval.start !== before || run.createdAt !== run.interval.end || !isEnded(run.state))
        wrong.push(`${name}: ${JSON.stringify(run)}`)
    })
  }
  t.strictSame(wrong.slice(0, 5), [])
  t.ok(runs > 72_900, `${runs} runs`)
  t.comment(`${runs} runs in ${wall.toFixed(1)} s, ${seconds.toFixed(1)} s of a processor`)
  // Of the processor: what else the machine does at the time is not what is measured.
  t.ok(seconds < 30, `it took ${seconds.toFixed(1)} s`)
})
