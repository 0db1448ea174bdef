/** What schedules and the engine report, as lines of `serve`'s log. */
import type { ScheduleReport } from '../../engine/firing.ts'
import type { Report } from '../../engine/report.ts'
import { isEnded } from '../../engine/state.ts'
import { noticeOf } from '../notice.ts'
import { instantOf, intervalOf, oneLine, shortInterval, shortTime } from '../print.ts'
import type { Log } from './log.ts'

/** Tells of runs; it knows which pipeline each belongs to. */
export class Tellings {
  readonly #log: Log
  readonly #pipelines = new Map<string, string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** A run of a pipeline is this engine's from now on. */
  knows(run: string, pipeline: string): void {
    this.#pipelines.set(run, pipeline)
  }

  schedule(report: ScheduleReport): void {
    const { pipeline } = report
    switch (report.type) {
      case 'fired': {
        const { run, missed, dataset } = report
        const why = dataset !== null ? `, dataset ${dataset} was updated` : missed ? ', missed before' : ''
        const interval = intervalOf(report.interval)
        this.knows(run, pipeline)
        this.#log.say(
          { event: 'fired', pipeline, run, interval, missed, dataset },
          `${pipeline} run ${run} for ${shortInterval(report.interval)}${why}`,
        )
        return
      }
      case 'skipped':
        this.#log.say(
          { event: 'skipped', pipeline, interval: intervalOf(report.interval), active: report.active },
          `${pipeline} has no run for ${shortInterval(report.interval)}: run ${report.active} is still active (overlap: skip)`,
        )
        return
      case 'cancelled':
        this.#log.say(
          { event: 'overlap', pipeline, interval: intervalOf(report.interval), cancels: report.run },
          `${pipeline} run ${report.run} is cancelled for the one of ${shortInterval(report.interval)} (overlap: cancel)`,
        )
        return
      case 'dropped':
        this.#log.say(
          { event: 'dropped', pipeline, from: instantOf(report.from), through: instantOf(report.through) },
          `${pipeline} has no runs for what was missed after ${shortTime(report.from)} up to ${shortTime(report.through)} (catchup)`,
        )
    }
  }

  engine(report: Report): void {
    const pipeline = this.#pipelines.get(report.run) ?? ''
    const { run } = report
    const notice = noticeOf(report)
    if (notice !== null) this.#log.say({ event: 'notice', pipeline, run, text: notice }, notice)
    if (report.type === 'run' && isEnded(report.state)) {
      this.#log.say({ event: report.state, pipeline, run }, `${pipeline} run ${run}`)
      this.#pipelines.delete(run)
    }
    if (report.type !== 'task' || report.event !== 'fail' || report.failure === null) return
    const { task, key, attempt, failure } = report
    const { kind, message } = failure
    const name = key === null ? task : `${task}[${key}]`
    this.#log.say(
      { event: 'task_failed', pipeline, run, task, key, attempt, failure: { kind, message } },
      `${pipeline} run ${run} ${name} (${kind}): ${oneLine(message)}`,
    )
  }
}
