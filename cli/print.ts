/** Numbers, times, states and tables as people read them. Pure but for the table's library. */
import pico from 'picocolors'
import { printable } from '../dsl/words.ts'
import { toInstant } from '../engine/clock.ts'
import type { Interval } from '../engine/pipeline.ts'
import { longTable } from './long-table.ts'
import { isColourful, type Sink, type Terminal } from './terminal.ts'

/** Colours for a sink; plain text where it has none. */
export function paintFor(sink: Sink, env: Terminal['env']): ReturnType<typeof pico.createColors> {
  return pico.createColors(isColourful(sink, env))
}

/** Colours for one stream; without colour they change nothing. */
export type Paint = ReturnType<typeof paintFor>

/** An instant, or null, for JSON. */
export function instantOf(at: number | null): string | null {
  return at === null ? null : toInstant(at)
}

/** `{start, end}` for JSON. */
export function intervalOf({ start, end }: Interval): { start: string; end: string } {
  return { start: toInstant(start), end: toInstant(end) }
}

/** An instant to the second: `2026-01-31 02:00Z`. Marked as UTC, so that it means the same when it is pasted back. */
export function shortTime(at: number): string {
  return toInstant(at)
    .replace('T', ' ')
    .replace(/(:00)?\.\d+Z$/, 'Z')
}

/** An interval; one without length as its instant. */
export function shortInterval({ start, end }: Interval): string {
  return start === end ? shortTime(start) : `${shortTime(start)} to ${shortTime(end)}`
}

/** A length of time in milliseconds: `0.3 s`, `12.0 s`, `3m 05s`, `2h 10m`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const two = (value: number) => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`
  return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`
}

/** A whole number with its thousands apart. Without Intl, whose first use costs 10 ms. */
export function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 task`, `2 tasks`. */
export function counted(value: number, thing: string): string {
  return `${grouped(value)} ${thing}${value === 1 ? '' : 's'}`
}

const stateColours: { readonly [state: string]: 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'magenta' } = {
  succeeded: 'green',
  cached: 'green',
  failed: 'red',
  upstream_failed: 'red',
  cancelled: 'magenta',
  retrying: 'yellow',
  sleeping: 'yellow',
  running: 'cyan',
}

/** A state, or `text` for it, in the state's colour. */
export function painted(state: string, paint: Paint, text = state): string {
  return paint[stateColours[state] ?? 'dim'](text)
}

/** Characters of a task's name beside other columns, and how many of them are its end. */
const named = { most: 48, end: 16 } as const

/** A task's name for people: on one line whatever its keys hold, its middle left out where it is long. */
export function shownName(name: string): string {
  const signs = [...printable(name)]
  if (signs.length <= named.most) return signs.join('')
  const start = signs.slice(0, named.most - named.end - 1)
  return `${start.join('')}…${signs.slice(-named.end).join('')}`
}

/** Text from outside on one line, without what a terminal would obey. */
export function oneLine(text: string): string {
  return harmless(text)
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim()
}

/** Text from outside without what a terminal would obey; lines stay. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '·')
}

/** Rows of a table that are set out with care; for more the library, whose time grows with their square, takes too long. */
const mostWithCare = 200

/** Rows under a head, without lines. Columns named in `right` are aligned there. */
export async function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly string[] = [],
): Promise<string> {
  if (rows.length > mostWithCare) return longTable({ head, rows, right })
  const { default: Table } = await import('cli-table3')
  const none = ''
  const made = new Table({
    head: [...head],
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: '  ',
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: head.map((name) => (right.includes(name) ? 'right' : 'left')),
  })
  for (const row of rows) made.push([...row])
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
