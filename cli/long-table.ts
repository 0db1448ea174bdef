/** Rows under a head, as `table` shows them, in time proportional to them. For tables that cli-table3 would take minutes for. */
import { stripVTControlCharacters } from 'node:util'

/** A table: its columns' names, cells of one line each, and the columns that are aligned to the right. */
export interface LongTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly right: readonly string[]
}

/** The table as text. A cell may have colours. */
export function longTable({ head, rows, right }: LongTable): string {
  const widths = head.map(columnsOf)
  for (const row of rows)
    for (const [column, cell] of row.entries()) {
      const width = columnsOf(cell)
      if (width > (widths[column] ?? 0)) widths[column] = width
    }
  const isRight = head.map((name) => right.includes(name))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const room = ' '.repeat((widths[column] ?? 0) - columnsOf(cell))
        return isRight[column] ? room + cell : cell + room
      })
      .join('  ')
      .trimEnd()
  const lines = [line(head)]
  for (const row of rows) lines.push(line(row))
  return lines.join('\n')
}

/** Signs that take two columns: of the East Asian scripts, full-width forms, emoji. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u
/** Signs that take none. */
const bare = /[\p{Mark}\p{Format}]/u

/** Columns that a text takes on a terminal, about as cli-table3 counts them. */
function columnsOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length
  let columns = 0
  for (const sign of stripVTControlCharacters(text)) columns += bare.test(sign) ? 0 : wide.test(sign) ? 2 : 1
  return columns
}
