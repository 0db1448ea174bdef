/** Messages of tasks that are meant for whoever looks on: those that Notify sends to the console. */
import type { Report } from '../engine/report.ts'
import { harmless } from './print.ts'

/** The message with its task's name, a line for each of its lines; null where the report is none. */
export function noticeOf(report: Report): string | null {
  if (report.type !== 'attempt' || report.event.type !== 'log') return null
  if (report.event.fields?.channel !== 'console') return null
  const lines = report.event.message.split('\n')
  return lines.map((line) => `${report.task}: ${harmless(line)}`).join('\n')
}
