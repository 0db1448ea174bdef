/** What the helpers of templates do with values. Pure but for nothing: the zone comes from the caller. */
import { createHash } from 'node:crypto'
import type { Json } from '../engine/json.ts'
import { parseTime } from '../engine/time-text.ts'
import { findZone, wallToInstant } from '../engine/zone.ts'
import { formatDate, formatFault } from './date-format.ts'
import type { Helper } from './template.ts'
import { quote, typeName } from './words.ts'

/** A helper was given what it cannot use; the message is a whole sentence. */
export class HelperError extends Error {}

const dayLength = 86_400_000

/** Calls a helper other than `default`, whose first argument is not evaluated like others. Throws a HelperError. */
export function callHelper(name: Exclude<Helper, 'default'>, args: readonly Json[], timezone: string): Json {
  const [first = null, second] = args
  switch (name) {
    case 'date':
      return date(text(name, first), text(name, second ?? null), timezone)
    case 'addDays':
      return addDays(text(name, first), number(name, second ?? null), timezone)
    case 'half':
      return half(number(name, first))
    case 'double':
      return 2 * number(name, first)
    case 'json':
      return JSON.stringify(first)
    case 'join':
      return join(first, second === undefined ? ',' : text(name, second))
    case 'lower':
      return text(name, first).toLowerCase()
    case 'upper':
      return text(name, first).toUpperCase()
    case 'basename':
      return basename(text(name, first))
    case 'hash':
      return createHash('sha256')
        .update(typeof first === 'string' ? first : JSON.stringify(first))
        .digest('hex')
  }
}

function text(helper: Helper, value: Json): string {
  if (typeof value === 'string') return value
  throw new HelperError(`the helper ${quote(helper)} takes a string here, not ${typeName(value)}`)
}

function number(helper: Helper, value: Json): number {
  if (typeof value === 'number') return value
  throw new HelperError(`the helper ${quote(helper)} takes a number here, not ${typeName(value)}`)
}

function instant(helper: Helper, value: string, timezone: string): number {
  try {
    return parseTime(value, timezone)
  } catch (error) {
    throw new HelperError(`the helper ${quote(helper)} cannot read ${quote(value)} as a time`, {
      cause: error,
    })
  }
}

/** The instant in the pattern, as the clocks of the pipeline's zone show it. */
function date(value: string, pattern: string, timezone: string): string {
  const fault = formatFault(pattern)
  if (fault !== null) throw new HelperError(fault.message)
  const at = instant('date', value, timezone)
  const offset = findZone(timezone).offsetAt(at)
  return formatDate({ wall: at + offset, offset, timezone }, pattern)
}

/** The same wall time in the pipeline's zone, whole days later or (negative) earlier; a date stays a date. */
function addDays(value: string, days: number, timezone: string): string {
  if (!Number.isInteger(days)) throw new HelperError('the helper `addDays` takes whole days')
  const zone = findZone(timezone)
  const at = instant('addDays', value, timezone)
  const wall = at + zone.offsetAt(at) + days * dayLength
  const moved = new Date(wall)
  if (Number.isNaN(moved.getTime()))
    throw new HelperError(`${days} days from ${quote(value)} is beyond the calendar`)
  return /^\d{4}-\d{2}-\d{2}$/.test(value.trim())
    ? moved.toISOString().slice(0, 10)
    : new Date(wallToInstant(zone, wall)).toISOString()
}

/** Integers stay integers, rounded down, but not below 1: half a batch of 1 is 1. */
function half(value: number): number {
  return Number.isInteger(value) ? Math.max(Math.min(value, 1), Math.floor(value / 2)) : value / 2
}

function join(list: Json, separator: string): string {
  if (!Array.isArray(list)) throw new HelperError(`the helper \`join\` takes a list, not ${typeName(list)}`)
  const items = list as readonly Json[]
  return items
    .map((item) => {
      if (typeof item === 'object')
        throw new HelperError(
          `the helper \`join\` takes a list of strings and numbers, not of ${typeName(item)}`,
        )
      return String(item)
    })
    .join(separator)
}

/** What stands behind the last `/`, a slash at the end not counted. */
function basename(value: string): string {
  const trimmed = value.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1)
}
