/** Ids of runs, engines and backfills: sortable by time, short enough to type. */
import { type Clock, toInstant } from './clock.ts'
import type { Random } from './random.ts'

const letters = '0123456789abcdefghjkmnpqrstvwxyz'

/** `20261123-154017-x7qk3m`: UTC to the second, and 30 random bits in Crockford's base 32. */
export function newId(clock: Clock, random: Random): string {
  const [day, time] = toInstant(clock.now()).split('T') as [string, string]
  let tail = ''
  for (let i = 0; i < 6; i++) tail += letters[Math.floor(random.next() * 32)]
  return `${day.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${tail}`
}
