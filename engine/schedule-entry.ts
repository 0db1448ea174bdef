/** A pipeline whose schedule is looked after: what is needed to know when it is due, not what it does. */
import type { Timer } from './clock.ts'
import type { Pipeline, Schedule } from './pipeline.ts'
import type { ScheduledPipeline } from './store/store.ts'
import { type Timetable, timetableOf } from './timetable.ts'
import type { Course } from './triggers.ts'

/** One scheduled pipeline in memory. */
export interface Entry {
  readonly name: string
  version: string
  /** Absolute. */
  folder: string
  schedule: Schedule
  timetable: Timetable
  /** Scheduled runs that may run at once. */
  together: number
  course: Course
  /** Runs whose end it waits for before the next is made. */
  waitsFor: ReadonlySet<string>
  /** Rings when the next interval is due. */
  timer: Timer | null
  gone: boolean
  /** What is done for it, one after the other. */
  work: Promise<void>
}

/** A pipeline as the store has it. @param since from when on its schedule is looked after */
export function newEntry(
  pipeline: Pipeline,
  schedule: Schedule,
  stored: ScheduledPipeline,
  since: number,
): Entry {
  const { firstSeenAt, cursor, folder } = stored
  return {
    name: pipeline.name,
    version: pipeline.version,
    folder,
    schedule,
    timetable: timetableOf(schedule),
    together: pipeline.concurrency.runs ?? 1,
    course: { firstSeenAt, cursor, since },
    waitsFor: new Set(),
    timer: null,
    gone: false,
    work: Promise.resolve(),
  }
}

/** Takes the new version of a pipeline in; whether its schedule is another. */
export function changed(
  entry: Entry,
  { version, concurrency }: Pipeline,
  schedule: Schedule,
  { folder }: ScheduledPipeline,
): boolean {
  Object.assign(entry, { version, folder, together: concurrency.runs ?? 1 })
  if (JSON.stringify(entry.schedule) === JSON.stringify(schedule)) return false
  Object.assign(entry, { schedule, timetable: timetableOf(schedule) })
  return true
}
