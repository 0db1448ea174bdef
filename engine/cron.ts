/** Cron expressions: text to sets of allowed values. Pure; knows nothing of zones, clocks or schedules. */
import { DagctlError } from './errors.ts'

/** A parsed expression. Lists are ascending and without repeats; Sunday is 0. */
export interface Cron {
  readonly expression: string
  readonly seconds: readonly number[]
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  /** The hour field is `*`, alone or with a step: in a repeated hour it fires at both passes. */
  readonly everyHour: boolean
  readonly months: readonly number[]
  /** null: the field is `*` or `?`. If both day fields are given, a day that matches either one matches (POSIX). */
  readonly monthDays: { readonly days: readonly number[]; readonly last: boolean } | null
  readonly weekDays: readonly WeekDay[] | null
}

/** A day of the week: every one, the nth of the month (1 to 5), or the last of the month. */
export interface WeekDay {
  readonly day: number
  readonly which: 'every' | 'last' | number
}

const macros: { readonly [name: string]: string } = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
  '@minutely': '* * * * *',
  '@secondly': '* * * * * *',
  '@weekdays': '0 0 * * 1-5',
  '@weekends': '0 0 * * 0,6',
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names for `min`, `min + 1`, ... */
  readonly words?: readonly string[]
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekDays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields = {
  second: { name: 'second', min: 0, max: 59 },
  minute: { name: 'minute', min: 0, max: 59 },
  hour: { name: 'hour', min: 0, max: 23 },
  monthDay: { name: 'day of month', min: 1, max: 31 },
  month: { name: 'month', min: 1, max: 12, words: months },
  weekDay: { name: 'day of week', min: 0, max: 7, words: weekDays },
} as const satisfies { readonly [name: string]: Field }

/** Longer than any sensible expression; keeps a hostile file from costing time. */
const longestExpression = 1024

/**
 * Reads a cron expression: 5 fields, 6 with seconds first, or a macro such as `@daily`. In each field `*`, values,
 * ranges, steps and lists; names of months and days; `L` (last day of the month), `5L` (last Friday), `1#2` (second
 * Monday). Throws E150, which names the field, the value and what is allowed.
 */
export function parseExpression(expression: string): Cron {
  const text = expression.trim()
  if (text.length > longestExpression)
    throw invalid(`${text.slice(0, 40)}…`, `longer than ${longestExpression} characters`)
  const parts = split(text)
  const [second, minute, hour, monthDay, month, weekDay] = parts as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  return {
    expression,
    seconds: numbers(text, fields.second, second),
    minutes: numbers(text, fields.minute, minute),
    hours: numbers(text, fields.hour, hour),
    everyHour: /^[*?](\/\d+)?$/.test(hour),
    months: numbers(text, fields.month, month),
    monthDays: readMonthDays(text, monthDay),
    weekDays: readWeekDays(text, weekDay),
  }
}

function split(text: string): string[] {
  if (text === '')
    throw invalid(text, 'it is empty', 'give 5 fields: minute hour day-of-month month day-of-week')
  if (text.startsWith('@')) {
    const macro = macros[text.toLowerCase()]
    if (macro === undefined) throw invalid(text, `unknown macro; known are ${Object.keys(macros).join(' ')}`)
    return split(macro)
  }
  const parts = text.split(/\s+/)
  if (parts.length === 5) return ['0', ...parts]
  if (parts.length === 6) return parts
  throw invalid(
    text,
    `${parts.length} field${parts.length === 1 ? '' : 's'}; expected 5 (minute hour day-of-month month day-of-week), or 6 with seconds first`,
  )
}

function readMonthDays(text: string, part: string): Cron['monthDays'] {
  if (isAny(part)) return null
  const items = part.split(',')
  const rest = items.filter((item) => item.toUpperCase() !== 'L')
  const days = rest.length === 0 ? [] : numbers(text, fields.monthDay, rest.join(','))
  return { days, last: rest.length < items.length }
}

function readWeekDays(text: string, part: string): Cron['weekDays'] {
  if (isAny(part)) return null
  return part.split(',').flatMap((item): WeekDay[] => {
    const nth = /^([^#]*)#(.*)$/.exec(item)
    if (nth) {
      const which = Number(nth[2])
      if (!/^[1-5]$/.test(nth[2] ?? ''))
        throw inField(text, fields.weekDay, item, 'after # comes 1 to 5: `1#2` is the second Monday')
      return [{ day: value(text, fields.weekDay, nth[1] ?? '', item) % 7, which }]
    }
    const last = /^(.*)L$/i.exec(item)
    if (last) {
      if (last[1] === '')
        throw inField(text, fields.weekDay, item, 'L needs a day before it: `5L` is the last Friday')
      return [{ day: value(text, fields.weekDay, last[1] ?? '', item) % 7, which: 'last' }]
    }
    const days = new Set(numbers(text, fields.weekDay, item).map((day) => day % 7))
    return [...days].map((day) => ({ day, which: 'every' }))
  })
}

function isAny(part: string): boolean {
  return part === '*' || part === '?'
}

/** The values of a field, ascending. */
function numbers(text: string, field: Field, part: string): number[] {
  const found = new Set<number>()
  for (const item of part.split(',')) {
    if (item === '') throw inField(text, field, part, 'a value is missing in the list')
    const { from, to, step } = readItem(text, field, item)
    for (let at = from; at <= to; at += step) found.add(at)
  }
  return [...found].sort((a, b) => a - b)
}

function readItem(text: string, field: Field, item: string): { from: number; to: number; step: number } {
  const [range = '', steps, ...more] = item.split('/')
  if (more.length > 0) throw inField(text, field, item, 'more than one /')
  if (steps !== undefined && !/^0*[1-9]\d*$/.test(steps))
    throw inField(text, field, item, 'after / comes a whole number from 1')
  const step = steps === undefined ? 1 : Number(steps)
  if (isAny(range)) return { from: field.min, to: field.max, step }
  const ends = range.split('-')
  if (ends.length > 2) throw inField(text, field, item, 'not a range')
  const from = value(text, field, ends[0] ?? '', item)
  if (ends.length === 1) return { from, to: steps === undefined ? from : field.max, step }
  const to = value(text, field, ends[1] ?? '', item)
  if (from > to) {
    const [first, last] = [ends[0] ?? '', ends[1] ?? '']
    throw inField(
      text,
      field,
      item,
      `the range runs backwards; write \`${first}-${field.max},${field.min}-${last}\``,
    )
  }
  return { from, to, step }
}

function value(text: string, field: Field, word: string, item: string): number {
  const named = field.words?.indexOf(word.toLowerCase()) ?? -1
  if (named >= 0) return field.min + named
  const number = /^\d+$/.test(word) ? Number(word) : Number.NaN
  if (number >= field.min && number <= field.max) return number
  const words = field.words ? ` or ${field.words[0]}-${field.words.at(-1)}` : ''
  throw inField(text, field, item, `allowed is ${field.min}-${field.max}${words}`)
}

function inField(text: string, field: Field, item: string, why: string): DagctlError {
  return invalid(text, `${field.name} \`${item}\`: ${why}`)
}

function invalid(text: string, why: string, hint?: string): DagctlError {
  return new DagctlError('E150', `invalid cron expression \`${text}\`: ${why}`, {
    kind: 'invalid',
    ...(hint && { hint }),
  })
}
