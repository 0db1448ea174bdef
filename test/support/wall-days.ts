/** When a daily wall time comes, by asking Intl what clocks show, day by day. Independent of the engine's timetables. */

const minute = 60_000
const day = 24 * 60 * minute
const formats = new Map<string, Intl.DateTimeFormat>()

/** What the clock of a zone shows, as if it were UTC. */
function shown(zone: string, at: number): number {
  let format = formats.get(zone)
  if (format === undefined) {
    const digits = {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    } as const
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      hourCycle: 'h23',
      ...digits,
      second: '2-digit',
    })
    formats.set(zone, format)
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const { year = 0, month = 1, day: date, hour, minute: minutes, second } = parts
  return Date.UTC(year, month - 1, date, hour, minutes, second)
}

/** The instant of a wall time: the first that shows it; where none does, as long after the jump as it lies in it. */
function instantOf(zone: string, wall: number): number {
  const [before, after] = [wall - day, wall + day].map((near) => shown(zone, near) - near) as [number, number]
  const showing = [wall - before, wall - after].filter((at) => shown(zone, at) === wall)
  return showing.length > 0 ? Math.min(...showing) : wall - before
}

/** The instants at which a zone's clock comes to `hour:minute`, from `from` on, of so many days. */
export function dailyInstants(
  zone: string,
  [hour, minutes]: readonly [number, number],
  from: number,
  count: number,
): number[] {
  const firstDay = Math.floor(shown(zone, from) / day) * day
  const found: number[] = []
  for (let date = firstDay - day; found.length < count; date += day) {
    const at = instantOf(zone, date + (hour * 60 + minutes) * minute)
    if (at >= from) found.push(at)
  }
  return found
}
