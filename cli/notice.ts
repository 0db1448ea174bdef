/** What whoever looks on is to know besides: messages that Notify sends to the console, and that a run is paused. */
import type { Report } from '../engine/report.ts'
import { harmless, shownName } from './print.ts'

/** A message with its task's name, a line for each of its lines; null where the report says nothing of the kind. */
export function noticeOf(report: Report): string | null {
  if (report.type === 'run') {
    if (report.message !== undefined) return `run ${report.run}: ${report.message}`
    return report.state === 'paused'
      ? `run ${report.run} is paused; it goes on with: dagctl runs resume ${report.run}`
      : null
  }
  if (report.type !== 'attempt' || report.event.type !== 'log') return null
  if (report.event.fields?.channel !== 'console') return null
  const lines = report.event.message.split('\n')
  return lines.map((line) => `${shownName(report.name)}: ${harmless(line)}`).join('\n')
}
