/**
 * The FineWeb rules: ends of lines, short lines, repeated lines, lists. Knows nothing of records.
 *
 * Penedo et al. 2024, "The FineWeb Datasets" (arXiv:2406.17557), section 3.6; the share of line ends is that of its published code.
 */
import { tokensOf } from '../text/words.ts'
import { duplicatesIn } from './duplicates.ts'

/** Thresholds; shares between 0 and 1. */
export interface FineWeb {
  /** At least this share of lines ends with terminal punctuation. */
  readonly linePunctThr: number
  /** At most this share of lines is short. */
  readonly shortLineThr: number
  /** Characters up to which a line is short. */
  readonly shortLineLength: number
  /** At most this share of characters stands in lines that came before. */
  readonly charDuplicatesRatio: number
  /** At most so many line ends for each word or mark. */
  readonly newLineRatio: number
}

/** The paper's thresholds. */
export const fineWebDefaults: FineWeb = {
  linePunctThr: 0.12,
  shortLineThr: 0.67,
  shortLineLength: 30,
  charDuplicatesRatio: 0.01,
  newLineRatio: 0.3,
}

/** Unicode's property Sentence_Terminal covers the full stops of all scripts; a closing quote or bracket may follow. */
const terminal = /[\p{Sentence_Terminal}…]["'”’»)\]」』]*$/u

/** The first rule that the text breaks, or null. */
export function fineWeb(text: string, limits: FineWeb): string | null {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) return 'empty'
  const ended = lines.filter((line) => terminal.test(line.slice(-8).trimEnd())).length
  if (ended < lines.length * limits.linePunctThr) return 'line_punct_ratio'
  const short = lines.filter((line) => line.length <= limits.shortLineLength).length
  if (short > lines.length * limits.shortLineThr) return 'short_line_ratio'
  const newLines = text.split('\n').length - 1
  if (duplicatesIn(lines).characters > (text.length - newLines) * limits.charDuplicatesRatio)
    return 'char_dup_ratio'
  return newLines > tokensOf(text).length * limits.newLineRatio ? 'list_ratio' : null
}
