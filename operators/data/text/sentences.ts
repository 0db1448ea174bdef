/** Counts sentences. Knows nothing of filters. */

/** Abbreviations that a full stop follows within a sentence. */
const abbreviations = new Set(
  'mr mrs ms dr prof sr jr st rev hon gen col capt lt sgt gov sen rep messrs mt ft vs etc no vol fig al inc ltd co corp dept approx e.g i.e cf jan feb mar apr jun jul aug sep sept oct nov dec'.split(
    ' ',
  ),
)

/** The end of a sentence: terminal marks, closing quotes or brackets, then space or the end. Ideographic marks need no space. */
const ending = /(?:[。！？｡]+["'”’」』）)\]]*)|(?:[\p{Sentence_Terminal}…]+["'”’»)\]]*(?=\s|$))/gu

/** How many sentences a text holds; words behind the last mark are one more. */
export function countSentences(text: string): number {
  let count = 0
  let start = 0
  for (const match of text.matchAll(ending)) {
    const end = match.index + match[0].length
    if (!endsSentence(text, match[0], end)) continue
    if (/[\p{L}\p{N}]/u.test(text.slice(start, match.index))) count++
    start = end
  }
  return /[\p{L}\p{N}]/u.test(text.slice(start)) ? count + 1 : count
}

/** False before a word in lower case, and for a full stop behind an abbreviation or an initial. */
function endsSentence(text: string, mark: string, end: number): boolean {
  if (end >= text.length) return true
  const next = /\S/u.exec(text.slice(end, end + 20))?.[0] ?? ''
  if (/\p{Ll}/u.test(next)) return false
  if (mark !== '.') return true
  const before = /[\p{L}.]+$/u.exec(text.slice(Math.max(0, end - 21), end - 1))?.[0] ?? ''
  if (before === 'I') return true
  return !/^(?:\p{Lu}\.)*\p{Lu}$/u.test(before) && !abbreviations.has(before.toLowerCase())
}
