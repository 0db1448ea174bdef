/** 200 pipelines that are due every day in twelve zones, for a year on virtual time. */
import { openSqlite } from '../../engine/store/sqlite.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { scheduled, scheduleWorld } from './schedule-world.ts'

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
const hour = 3_600_000

/** Days of the year. */
export const days = 365
/** When it begins and ends, epoch milliseconds. */
export const began = Date.UTC(2026, 0, 1, 0, 0, 30)
export const until = began + days * 24 * hour

/** A pipeline, and its time of day as hours and minutes. */
export interface Daily {
  readonly name: string
  readonly zone: string
  readonly time: readonly [number, number]
}

/** The pipelines, at times of day that meet the changes of the clock often. */
export const dailies: readonly Daily[] = Array.from({ length: pipelines }, (_, index) => ({
  name: `daily-${index}`,
  zone: zones[index % zones.length] as string,
  time: [index % 4, [0, 15, 30, 45][Math.floor(index / 4) % 4] ?? 0],
}))

/** Lets the year pass, over an empty store in memory; gives the world as it is then. */
export async function passYear() {
  const clock = new VirtualClock(began)
  const store = openSqlite({ path: ':memory:' })
  const world = await scheduleWorld({ clock, store, heartbeat: hour })
  for (const { name, zone, time } of dailies) {
    const [hours, minutes] = time
    await world.enter(scheduled(name, { cron: [`${minutes} ${hours} * * *`], timezone: zone }))
  }
  await world.passUntil(until)
  return world
}
