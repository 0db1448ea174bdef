/** Splits text into words and punctuation, and into lines and paragraphs. Knows nothing of filters. */

/** Scripts written without spaces between words: there each character stands as a word. */
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`

/**
 * A token is one of
 * - a word: letters, marks and digits, with single apostrophes, hyphens, dots or commas inside it (`don't`, `U.S`, `3,000.50`);
 * - one character (with its marks) of a script that is written without spaces;
 * - a run of one and the same other character (`...`, `#`, `--`).
 * So a comma is a token, as in the tokenizers by which the published thresholds were set.
 */
const token = new RegExp(
  String.raw`[${unspaced}]\p{M}*|(?:(?![${unspaced}])[\p{L}\p{M}\p{N}_])+(?:['’.,-](?:(?![${unspaced}])[\p{L}\p{N}])+)*|([^\s\p{L}\p{M}\p{N}_])\1*`,
  'gu',
)
/** The same for text without any character of those scripts or beyond Latin, which is most text: several times faster. */
const latinToken =
  /[0-9A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+(?:['’.,-][0-9A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]+)*|([^\s0-9A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f])\1*/g
/** Letters, marks or digits that `latinToken` does not know, and surrogates, which it would cut apart. */
const beyondLatin =
  /[\u00b2\u00b3\u00b9\u00bc-\u00be\u0250-\u1fff\u2070-\u209c\u2150-\u2189\u2c00-\u2dff\u3000-\uffff]/

/** Words and punctuation in order, as they stand in the text. */
export function tokensOf(text: string): string[] {
  return text.match(beyondLatin.test(text) ? token : latinToken) ?? []
}

/** True where a token holds a letter or a digit, so that it is a word and not punctuation. */
export function isWord(tokenText: string): boolean {
  const first = tokenText.charCodeAt(0)
  if (first < 128)
    return (first >= 97 && first <= 122) || (first >= 65 && first <= 90) || (first >= 48 && first <= 57)
  return /[\p{L}\p{N}]/u.test(tokenText)
}

/** True where a token holds a letter. */
export function hasLetter(tokenText: string): boolean {
  const first = tokenText.charCodeAt(0)
  if ((first >= 97 && first <= 122) || (first >= 65 && first <= 90)) return true
  return /\p{L}/u.test(tokenText)
}

/** Lines without their ends. The end of the last line begins no new one; `\r\n` is one end. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|[\n\r\u0085\u2028\u2029]/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** What stands between empty lines. */
export function paragraphsOf(text: string): string[] {
  return text
    .trim()
    .split(/(?:\r?\n[^\S\n]*){2,}/)
    .filter((paragraph) => paragraph !== '')
}
