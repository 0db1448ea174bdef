import t from 'tap'
import { isEnded } from '../../engine/state.ts'
import { began, dailies, days, passYear, until } from '../support/daily-year.ts'
import { dailyInstants } from '../support/wall-days.ts'

t.test('a year of 200 daily pipelines in twelve zones: each run at its instant, none twice', async (t) => {
  const world = await passYear()
  let runs = 0
  const wrong: string[] = []
  for (const { name, zone, time } of dailies) {
    const due = dailyInstants(zone, time, began + 1, days).filter((at) => at <= until)
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
})
