/** What a tokenizer is to those who use one, and how all of them find special tokens in a text. Knows no vocabulary. */

/** Text to token ids. */
export interface Tokenizer {
  /** All ids are below this. */
  readonly vocabulary: number
  /** The tokens that begin and end a document and fill a row, where the tokenizer itself says which these are. */
  readonly bos: number | null
  readonly eos: number | null
  readonly pad: number | null
  /** The names of its special tokens: those that structure, as `<|eot_id|>` does, and are no text. */
  readonly specials: readonly string[]
  /** The id of a token by its name in the vocabulary. */
  id(name: string): number | undefined
  /**
   * The ids of a text, without bos and eos. With `special`, the names of special tokens in it are these tokens, else text.
   * `marker` is a character that is left out: a name that holds it is text.
   */
  encode(text: string, special?: boolean, marker?: string): number[]
}

/** Splits a text at the names of special tokens: every second piece is one. No names: one piece. */
export function splitterAt(names: readonly string[]): (text: string) => readonly string[] {
  if (names.length === 0) return (text) => [text]
  // The longest name that fits counts.
  const sorted = names.toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(`(${sorted.map((name) => escaped(name)).join('|')})`)
  return (text) => text.split(pattern)
}

function escaped(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
