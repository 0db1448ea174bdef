/**
 * The C4 rules, as a judgement of the whole text. Knows nothing of records.
 *
 * Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer" (JMLR 21:140),
 * section 2.2. There the lines that break a rule are cut out of the page. A filter changes no record: here such lines only do
 * not count, and the text is dropped when too few sentences are left.
 */
import { countSentences } from '../text/sentences.ts'
import { linesOf } from '../text/words.ts'

/** Thresholds and switches. */
export interface C4 {
  /** In lines that count. */
  readonly minNumSentences: number
  readonly minWordsPerLine: number
  /** Characters; a line with a longer word does not count. */
  readonly maxWordLength: number
  readonly endPunctuation: readonly string[]
  /** Lines must end with one of `endPunctuation`, and not with an ellipsis. */
  readonly filterNoTerminalPunct: boolean
  readonly filterLoremIpsum: boolean
  readonly filterJavascript: boolean
  readonly filterCurlyBracket: boolean
  readonly filterPolicy: boolean
}

/** The paper's rules; the apostrophe, the longest word and the policy phrases are those of its published code. */
export const c4Defaults: C4 = {
  minNumSentences: 5,
  minWordsPerLine: 3,
  maxWordLength: 1000,
  endPunctuation: ['.', '?', '!', '"', "'"],
  filterNoTerminalPunct: true,
  filterLoremIpsum: true,
  filterJavascript: true,
  filterCurlyBracket: true,
  filterPolicy: true,
}

const policy = [
  'terms of use',
  'privacy policy',
  'cookie policy',
  'uses cookies',
  'use of cookies',
  'use cookies',
]
/** Wikipedia's marks at the end of a sentence, which hide its full stop. */
const citations = /\[\d*\]|\[edit\]|\[citation needed\]/g

/** The rule that the text breaks, or null. */
export function c4(text: string, limits: C4): string | null {
  let sentences = 0
  for (const raw of linesOf(text)) {
    const words = raw.trim().split(/\s+/)
    const line = raw.trim().replace(citations, '')
    if (!isSentenceLine(line, words, limits)) continue
    const lower = line.toLowerCase()
    if (limits.filterLoremIpsum && lower.includes('lorem ipsum')) return 'lorem_ipsum'
    if (limits.filterJavascript && lower.includes('javascript')) continue
    if (limits.filterCurlyBracket && line.includes('{')) return 'curly_bracket'
    if (limits.filterPolicy && policy.some((phrase) => lower.includes(phrase))) continue
    sentences += countSentences(line)
  }
  return sentences < limits.minNumSentences ? 'too_few_sentences' : null
}

function isSentenceLine(line: string, words: readonly string[], limits: C4): boolean {
  if (words.length < limits.minWordsPerLine || words.some((word) => word.length > limits.maxWordLength))
    return false
  if (!limits.filterNoTerminalPunct) return true
  return !line.endsWith('...') && limits.endPunctuation.some((mark) => line.endsWith(mark))
}
