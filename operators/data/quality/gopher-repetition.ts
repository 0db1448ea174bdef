/**
 * The Gopher repetition rules: lines, paragraphs and n-grams that come again. Knows nothing of records.
 *
 * Rae et al. 2021 (arXiv:2112.11446), A.1.1 and table A1.
 */
import { Grams } from '../text/grams.ts'
import { paragraphsOf, tokensOf } from '../text/words.ts'
import { duplicatesIn } from './duplicates.ts'

/** n, and the share of the text's characters that n-grams of n words may cover. */
export type GramLimit = readonly [n: number, share: number]

/** Thresholds: shares between 0 and 1. */
export interface GopherRepetition {
  readonly dupLineFrac: number
  readonly dupParaFrac: number
  readonly dupLineCharFrac: number
  readonly dupParaCharFrac: number
  /** For the most frequent n-gram. */
  readonly topNGrams: readonly GramLimit[]
  /** For all n-grams that came before. */
  readonly dupNGrams: readonly GramLimit[]
}

/** Table A1. */
export const gopherRepetitionDefaults: GopherRepetition = {
  dupLineFrac: 0.3,
  dupParaFrac: 0.3,
  dupLineCharFrac: 0.2,
  dupParaCharFrac: 0.2,
  topNGrams: [
    [2, 0.2],
    [3, 0.18],
    [4, 0.16],
  ],
  dupNGrams: [
    [5, 0.15],
    [6, 0.14],
    [7, 0.13],
    [8, 0.12],
    [9, 0.11],
    [10, 0.1],
  ],
}

/** The first rule that the text breaks, or null. */
export function gopherRepetition(text: string, limits: GopherRepetition): string | null {
  if (text === '') return null
  return blockRules(text, limits) ?? gramRules(text, limits)
}

function blockRules(text: string, limits: GopherRepetition): string | null {
  const paragraphs = paragraphsOf(text)
  const again = duplicatesIn(paragraphs)
  if (again.count > paragraphs.length * limits.dupParaFrac) return 'dup_para_frac'
  if (again.characters > text.length * limits.dupParaCharFrac) return 'dup_para_char_frac'
  const lines = text.split(/[\r\n]+/).filter((line) => line !== '')
  const lineAgain = duplicatesIn(lines)
  if (lineAgain.count > lines.length * limits.dupLineFrac) return 'dup_line_frac'
  return lineAgain.characters > text.length * limits.dupLineCharFrac ? 'dup_line_char_frac' : null
}

function gramRules(text: string, limits: GopherRepetition): string | null {
  const tokens = tokensOf(text)
  const ascending = ([a]: GramLimit, [b]: GramLimit) => a - b
  const grams = new Grams(tokens)
  for (const [n, share] of [...limits.topNGrams].sort(ascending)) {
    grams.grow(n)
    if (grams.topCharacters() > text.length * share) return `top_${n}_gram`
  }
  const longer = limits.dupNGrams.some(([n]) => limits.topNGrams.some(([top]) => top > n))
    ? new Grams(tokens)
    : grams
  for (const [n, share] of [...limits.dupNGrams].sort(ascending)) {
    longer.grow(n)
    if (longer.repeatedCharacters() > text.length * share) return `duplicated_${n}_n_grams`
  }
  return null
}
