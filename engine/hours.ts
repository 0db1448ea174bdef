/** The hours in which tasks of scheduled runs may start (`schedule.window`). Pure. */
import type { Schedule } from './pipeline.ts'
import { findZone, wallToInstant } from './zone.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** When the window opens next, epoch milliseconds; null where it is open at `at`, or where there is none. */
export function opensAt({ window, timezone }: Schedule, at: number): number | null {
  if (window === undefined) return null
  const zone = findZone(timezone)
  const wall = at + zone.offsetAt(at)
  const midnight = Math.floor(wall / day) * day
  const now = (wall - midnight) / minute
  const { from, to } = window
  const open = from < to ? from <= now && now < to : from <= now || now < to
  if (open) return null
  const today = midnight + from * minute
  const opening = today > wall ? today : today + day
  const instant = wallToInstant(zone, opening)
  // In the second pass of a repeated hour the first time that the clock showed it is over.
  return instant > at ? instant : at + opening - wall
}
