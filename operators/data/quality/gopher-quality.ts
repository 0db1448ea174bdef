/**
 * The Gopher quality rules: length, word length, symbols, bullets, letters, stop words. Knows nothing of records.
 *
 * Rae et al. 2021, "Scaling Language Models: Methods, Analysis & Insights from Training Gopher" (arXiv:2112.11446), A.1.1.
 */
import { hasLetter, isWord, linesOf, tokensOf } from '../text/words.ts'

/** Thresholds; a ratio is a share between 0 and 1. */
export interface GopherQuality {
  readonly minDocWords: number
  readonly maxDocWords: number
  readonly minAvgWordLength: number
  readonly maxAvgWordLength: number
  readonly maxSymbolWordRatio: number
  readonly maxBulletLinesRatio: number
  readonly maxEllipsisLinesRatio: number
  readonly minAlphaWordsRatio: number
  readonly minStopWords: number
  readonly stopWords: readonly string[]
}

/** The paper's thresholds and its eight stop words, which are for English: give others for another language. */
export const gopherQualityDefaults: GopherQuality = {
  minDocWords: 50,
  maxDocWords: 100_000,
  minAvgWordLength: 3,
  maxAvgWordLength: 10,
  maxSymbolWordRatio: 0.1,
  maxBulletLinesRatio: 0.9,
  maxEllipsisLinesRatio: 0.3,
  minAlphaWordsRatio: 0.8,
  minStopWords: 2,
  stopWords: ['the', 'be', 'to', 'of', 'and', 'that', 'have', 'with'],
}

/** The first rule that the text breaks, or null. */
export function gopherQuality(text: string, limits: GopherQuality): string | null {
  const tokens = tokensOf(text)
  return (
    wordRules(tokens, limits) ??
    symbolRules(text, tokens, limits) ??
    lineRules(text, limits) ??
    contentRules(tokens, limits)
  )
}

function wordRules(tokens: readonly string[], limits: GopherQuality): string | null {
  let words = 0
  let characters = 0
  for (const token of tokens) {
    if (!isWord(token)) continue
    words++
    characters += token.length
  }
  if (words < limits.minDocWords) return 'gopher_short_doc'
  if (words > limits.maxDocWords) return 'gopher_long_doc'
  if (words === 0) return null
  if (characters / words < limits.minAvgWordLength) return 'gopher_below_avg_threshold'
  return characters / words > limits.maxAvgWordLength ? 'gopher_above_avg_threshold' : null
}

function symbolRules(text: string, tokens: readonly string[], limits: GopherQuality): string | null {
  const most = tokens.length * limits.maxSymbolWordRatio
  if (occurrences(text, '#') > most) return 'gopher_too_many_hashes'
  return occurrences(text, '...') + occurrences(text, '…') > most ? 'gopher_too_many_ellipsis' : null
}

function lineRules(text: string, limits: GopherQuality): string | null {
  const lines = linesOf(text)
  const bullets = lines.filter((line) => /^\s*[•-]/.test(line)).length
  if (bullets > lines.length * limits.maxBulletLinesRatio) return 'gopher_too_many_bullets'
  const cutOff = lines.filter((line) => /(?:\.\.\.|…)$/.test(line.trimEnd())).length
  return cutOff > lines.length * limits.maxEllipsisLinesRatio ? 'gopher_too_many_end_ellipsis' : null
}

function contentRules(tokens: readonly string[], limits: GopherQuality): string | null {
  const lettered = tokens.reduce((count, token) => (hasLetter(token) ? count + 1 : count), 0)
  if (lettered < tokens.length * limits.minAlphaWordsRatio) return 'gopher_below_alpha_threshold'
  const wanted = new Set(limits.stopWords)
  for (const token of tokens) {
    if (limits.stopWords.length - wanted.size >= limits.minStopWords) return null
    wanted.delete(token)
  }
  return limits.stopWords.length - wanted.size < limits.minStopWords ? 'gopher_enough_stop_words' : null
}

function occurrences(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++
  return count
}
