/** What is wrong with a file, where, and how it is printed. Knows nothing of how problems are found. */
import type { Code } from './codes.ts'
import { masked, printable } from './words.ts'

/** A part of a source: offsets in UTF-16 units, `end` exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** One thing that is wrong. Lines and columns count from 1; columns and lengths in UTF-16 units. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly code: Code
  readonly message: string
  readonly file: string
  readonly line: number
  readonly column: number
  /** How much of the line is underlined, at least 1. */
  readonly length: number
  readonly hint: string | null
}

/** A problem as the checks report it: with a span instead of a line. */
export interface Finding {
  readonly severity?: 'error' | 'warning'
  readonly code: Code
  readonly message: string
  readonly hint?: string | null
  readonly span: Span
}

/** Problems in file order, without repeats of the same sentence at the same place. */
export function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
  const seen = new Set<string>()
  return sorted.filter(({ line, column, code, message }) => {
    const key = `${line}:${column}:${code}:${message}`
    return seen.size < seen.add(key).size
  })
}

const widest = 160

/**
 * The problem for people: `file:line:column error E120 message`, the source line, and `^^^` with the hint under it.
 * @param source the text that the problem was found in; without it only the sentence and the hint are printed
 */
export function format(problem: Problem, source: string | null): string {
  const { file, line, column, severity, code, message, hint } = problem
  const head = `${printable(file)}:${line}:${column} ${severity} ${code} ${message}`
  const text = source === null ? undefined : lineAt(source, line)
  if (text === undefined || text.trim() === '') return hint === null ? head : `${head}\n      = ${hint}`
  const { shown, from } = cropped(text, column)
  const gutter = ' '.repeat(Math.max(5, String(line).length))
  const before = shown.slice(0, from).replace(/[^\t]/g, ' ')
  const marks = '^'.repeat(Math.max(1, Math.min(problem.length, shown.length - from)))
  return [
    head,
    `${String(line).padStart(5)} | ${masked(shown)}`,
    `${gutter} | ${before}${marks}${hint === null ? '' : ` ${hint}`}`,
  ].join('\n')
}

/** The part of a long line around the column, and where the column is in it (from 0). */
function cropped(text: string, column: number): { shown: string; from: number } {
  const at = Math.min(column - 1, text.length)
  if (text.length <= widest) return { shown: text, from: at }
  const start = Math.max(0, Math.min(at - widest / 4, text.length - widest))
  const end = Math.min(text.length, start + widest)
  const lead = start > 0 ? '…' : ''
  return {
    shown: lead + text.slice(start, end) + (end < text.length ? '…' : ''),
    from: at - start + lead.length,
  }
}

/** Where the lines of the text that was printed from last start: its problems come one after the other. */
let last: { readonly source: string; readonly starts: readonly number[] } = { source: '', starts: [0] }

function startsOf(source: string): readonly number[] {
  if (last.source === source) return last.starts
  const starts = [source.charCodeAt(0) === 0xfeff ? 1 : 0]
  for (let end = source.indexOf('\n'); end !== -1; end = source.indexOf('\n', end + 1)) starts.push(end + 1)
  last = { source, starts }
  return starts
}

function lineAt(source: string, line: number): string | undefined {
  const starts = startsOf(source)
  const start = starts[line - 1]
  if (start === undefined) return undefined
  const next = starts[line]
  return source.slice(start, next === undefined ? undefined : next - 1).replace(/\r$/, '')
}
