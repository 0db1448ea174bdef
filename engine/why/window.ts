/** The hours in which tasks of scheduled runs start. Pure. */
import type { Schedule } from '../pipeline.ts'
import { findZone, wallToInstant } from '../zone.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** When the window opens next, epoch milliseconds; null where there is none, or it is open at `at`. */
export function windowOpening(schedule: Schedule | null, at: number): number | null {
  const window = schedule?.window
  if (schedule === null || window === undefined) return null
  const zone = findZone(schedule.timezone)
  const wall = at + zone.offsetAt(at)
  const midnight = Math.floor(wall / day) * day
  const now = (wall - midnight) / minute
  const { from, to } = window
  if (from < to ? from <= now && now < to : now >= from || now < to) return null
  const today = wallToInstant(zone, midnight + from * minute)
  return today > at ? today : wallToInstant(zone, midnight + day + from * minute)
}
