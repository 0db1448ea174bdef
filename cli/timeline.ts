/** What happened in a simulated run, line by line, as people read it. Pure. */
import type { EventRecord } from '../engine/store/store.ts'
import { lengthText } from '../simulation/expectations.ts'
import type { Played } from '../simulation/played.ts'
import { oneLine } from './print.ts'

/** Lines that are shown of a long run: its beginning and its end. */
const shown = { first: 40, last: 20 } as const

/** A table of offset, task and what became of it. */
export function timelineOf({ events, tasks, at, befell }: Played): readonly string[] {
  const names = new Map(tasks.map(({ name, record }) => [record.node, name]))
  const told = events.flatMap((event) => {
    const words = wordsOf(event)
    const name = event.node === null ? 'the run' : (names.get(event.node) ?? '')
    return words === null ? [] : [{ at: event.at, name, words }]
  })
  const rows = [...befell.map(({ at, what }) => ({ at, name: 'the run', words: what })), ...told]
    .sort((a, b) => a.at - b.at)
    .map((row) => ({ ...row, offset: `+${lengthText(row.at - at)}` }))
  const offset = Math.max(...rows.map((row) => row.offset.length))
  const name = Math.max(...rows.map((row) => row.name.length))
  const lines = rows.map((row) => `${row.offset.padEnd(offset)}  ${row.name.padEnd(name)}  ${row.words}`)
  const left = lines.length - shown.first - shown.last
  if (left <= 0) return lines
  return [...lines.slice(0, shown.first), `… ${left} more …`, ...lines.slice(-shown.last)]
}

/** Steps on the way to another one, which tells enough. */
const silent: ReadonlySet<string> = new Set(['create', 'unblock', 'grow', 'retry_due', 'wake'])

function wordsOf({ event, attempt, node, detail }: EventRecord): string | null {
  if (silent.has(event)) return null
  const { kind, message, reason } = (detail ?? {}) as { readonly [key: string]: unknown }
  const why = [kind, message ?? reason].filter((part) => typeof part === 'string').join(': ')
  const because = why === '' ? '' : ` (${oneLine(why)})`
  if (node === null) return `${runWords[event] ?? event}${because}`
  if (event === 'claim') return `starts${attempt !== null && attempt > 1 ? `, attempt ${attempt}` : ''}`
  return `${taskWords[event] ?? event.replaceAll('_', ' ')}${because}`
}

const taskWords: { readonly [event: string]: string } = {
  succeed: 'succeeded',
  fail: 'failed',
  retry: 'failed, and is tried again',
  recover: 'failed, and is tried again with a change',
  release: 'lost its machine, and starts again',
  sleep: 'sleeps',
  skip: 'skipped',
  block: 'upstream failed',
  cancel: 'cancelled',
  expand: 'becomes its instances',
  hold: 'waits for a person',
}
const runWords: { readonly [event: string]: string } = {
  start: 'starts',
  succeed: 'succeeded',
  fail: 'failed',
  cancel: 'cancelled',
  pause: 'is paused',
  resume: 'goes on',
  overdue: 'is over its deadline',
  over_budget: 'is over its budget',
}
