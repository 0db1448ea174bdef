/** `schedule` of a file to the engine's schedule. Cron and zones are the engine's; here are their places. */

import { parseDuration } from '../engine/duration.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Catchup, Overlap, Schedule } from '../engine/pipeline.ts'
import { parseTime } from '../engine/time-text.ts'
import { parseCron, timetableOf } from '../engine/timetable.ts'
import type { Code } from './codes.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import { quote } from './words.ts'

/** What the schema leaves of `schedule`; keys that do not match it are absent. */
export interface ScheduleFile {
  readonly cron?: string | readonly string[]
  readonly every?: string
  readonly timezone?: string
  readonly start?: string
  readonly end?: string
  readonly datasets?: { readonly all?: readonly string[]; readonly any?: readonly string[] }
  readonly catchup?: Catchup
  readonly overlap?: Overlap
  readonly window?: { readonly from: string; readonly to: string }
}

/** The schedule, or null after what is wrong was reported. */
export function compileSchedule(file: ScheduleFile, report: Report): Schedule | null {
  const timezone = zoneOf(file, report)
  const cron = [file.cron ?? []].flat()
  const places = Array.isArray(file.cron)
    ? cron.map((_, index) => ['schedule', 'cron', index])
    : [['schedule', 'cron']]
  const readable = cron.map(
    (expression, index) => tried(() => parseCron(expression, 'UTC'), places[index] ?? [], report) !== null,
  )
  const every = file.every === undefined ? null : everyOf(file.every, report)
  const start = instantOf('start', file, timezone ?? 'UTC', report)
  const end = instantOf('end', file, timezone ?? 'UTC', report)
  const when = { ...datasetsOf(file, report), ...missedOf(file), ...windowOf(file, report) }
  if (
    timezone === null ||
    readable.includes(false) ||
    start === undefined ||
    end === undefined ||
    every === undefined
  )
    return null
  if (start !== null && end !== null && end <= start) {
    report.atValue(['schedule', 'end'], {
      code: 'E140',
      message: '`schedule.end` is not after `schedule.start`',
    })
    return null
  }
  const schedule = { cron, every, timezone, start, end, ...when }
  lintNeverFires(schedule, report)
  return schedule
}

/** What is due when datasets were updated, and has no hours: nothing of it is ever missed. */
function datasetsOf(file: ScheduleFile, report: Report): Pick<Schedule, 'datasets'> {
  const { datasets } = file
  if (!datasets) return {}
  for (const key of ['catchup', 'window'] as const)
    if (file[key] !== undefined)
      report.atKey(['schedule', key], {
        code: 'E140',
        message: `${quote(key)} cannot stand beside \`datasets\``,
        hint: 'it is for schedules with `cron` or `every`',
      })
  const mode = datasets.all ? 'all' : 'any'
  const uris = datasets[mode] ?? []
  uris.forEach((uri, index) => {
    if (uri.includes('{{'))
      report.atValue(['schedule', 'datasets', mode, index], {
        code: 'E130',
        message: 'a dataset of a schedule cannot hold a template',
        hint: 'there is no run yet that could give it a value',
      })
  })
  return { datasets: { mode, uris } }
}

function missedOf({ catchup, overlap }: ScheduleFile): Pick<Schedule, 'catchup' | 'overlap'> {
  return { ...(catchup && { catchup }), ...(overlap && { overlap }) }
}

function windowOf({ window }: ScheduleFile, report: Report): Pick<Schedule, 'window'> {
  if (!window) return {}
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)]
  if (from === to)
    report.atValue(['schedule', 'window', 'to'], {
      code: 'E140',
      message: 'the window is empty: it ends when it begins',
      hint: 'remove `window`, so that tasks start at any time',
    })
  return { window: { from, to } }
}

/** Minutes of the day: `22:00` is 1320. */
function minutesOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return hours * 60 + minutes
}

function zoneOf({ timezone = 'UTC' }: ScheduleFile, report: Report): string | null {
  return tried(() => parseCron('0 0 * * *', timezone), ['schedule', 'timezone'], report) === null
    ? null
    : timezone
}

function everyOf(text: string, report: Report): number | undefined {
  const every = parseDuration(text)
  if (every !== null && every >= 1000) return every
  report.atValue(['schedule', 'every'], { code: 'E140', message: '`schedule.every` must be at least 1s' })
  return undefined
}

function instantOf(
  key: 'start' | 'end',
  file: ScheduleFile,
  timezone: string,
  report: Report,
): number | null | undefined {
  const text = file[key]
  if (text === undefined) return null
  return tried(() => parseTime(text, timezone), ['schedule', key], report) ?? undefined
}

function tried<T>(read: () => T, path: Path, report: Report): T | null {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof DagctlError)) throw error
    report.atValue(path, { code: error.code as Code, message: error.message, hint: error.hint ?? null })
    return null
  }
}

function lintNeverFires(schedule: Schedule, report: Report): void {
  schedule.cron.forEach((expression, index) => {
    const from = schedule.start ?? 0
    if (timetableOf({ ...schedule, cron: [expression] }).next(from - 1) !== null) return
    const path = schedule.cron.length === 1 ? ['schedule', 'cron'] : ['schedule', 'cron', index]
    report.atValue(path, {
      code: 'W105',
      severity: 'warning',
      message: `the cron expression \`${expression}\` never fires`,
    })
  })
}
