/**
 * The Llama 3 tokenizer: text to token ids. The vocabulary and the merges are those of the package llama3-tokenizer-js,
 * which this file alone loads; words are split, merged and remembered here, which gives the package's ids ten times as
 * fast. Knows nothing of records or packing.
 */
import { type Merges, mergeTokens } from './tokenize-bpe.ts'
import { splitterAt, type Tokenizer } from './tokenize-tokenizer.ts'

/** Llama 3's pattern for words (meta-llama/llama3, llama/tokenizer.py). The case-insensitive part is written out: ASCII only. */
const words =
  /'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu
/** The same for text that is all ASCII: without Unicode classes it is several times faster. */
const asciiWords =
  /'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]{1,3}| ?[^\sA-Za-z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII begins with control characters.
const beyondAscii = /[^\x00-\x7f]/

/** Llama's reference tokenizer cuts runs without a change between space and text here, since merging long ones takes for ever (ibid.). */
const longestRun = 25_000
const longRun = new RegExp(String.raw`\S{${longestRun + 1}}|\s{${longestRun + 1}}`, 'u')
const runs = new RegExp(String.raw`\S{1,${longestRun}}|\s{1,${longestRun}}`, 'gu')

/** Words whose ids are remembered; then the memory is emptied. */
const remembered = 2 ** 16
/** Characters; longer words come once and are not remembered. */
const longestRemembered = 64

/** Ids of the special tokens begin here; below are those that text can become. */
const firstSpecial = 128_000

let loaded: Promise<Llama3> | undefined

/** Loads the vocabulary, once per process (about 0.4 s and 100 MB). */
export function loadLlama3(): Promise<Llama3> {
  loaded ??= import('llama3-tokenizer-js').then(({ default: data }) => new Llama3(data))
  return loaded
}

/** What is used of the package: token strings (bytes as GPT-2 writes them) by id and back, and merges `left right` to rank. */
interface Data {
  readonly vocabById: readonly string[]
  readonly vocabByString: ReadonlyMap<string, number>
  readonly merges: ReadonlyMap<string, number>
}

/** The tokenizer; made by {@link loadLlama3} alone. */
class Llama3 implements Tokenizer, Merges {
  readonly vocabulary: number
  readonly bos: number
  readonly eos: number
  readonly pad: number
  readonly specials: readonly string[]
  readonly #data: Data
  readonly #split: (text: string) => readonly string[]
  readonly #memory = new Map<string, number | readonly number[]>()

  constructor(data: Data) {
    this.#data = data
    this.vocabulary = data.vocabById.length
    this.bos = this.#id('<|begin_of_text|>')
    this.eos = this.#id('<|end_of_text|>')
    this.pad = this.#id('<|finetune_right_pad_id|>')
    this.specials = data.vocabById.slice(firstSpecial)
    this.#split = splitterAt(this.specials)
  }

  id(name: string): number | undefined {
    return this.#data.vocabByString.get(name)
  }

  encode(text: string, special = false, marker = ''): number[] {
    const ids: number[] = []
    if (!special) this.#encodeText(text, ids)
    else {
      for (const [i, piece] of this.#split(text).entries()) {
        if (i % 2 === 1) ids.push(this.#id(piece))
        else this.#encodeText(marker ? piece.replaceAll(marker, '') : piece, ids)
      }
    }
    return ids
  }

  rank(left: number, right: number): number | undefined {
    const { vocabById, merges } = this.#data
    return merges.get(`${vocabById[left]} ${vocabById[right]}`)
  }

  merged(left: number, right: number): number {
    const { vocabById } = this.#data
    return this.#id(`${vocabById[left]}${vocabById[right]}`)
  }

  #encodeText(text: string, ids: number[]): void {
    if (text.length > longestRun && longRun.test(text)) {
      for (const run of cut(text)) this.#encodeWords(run, ids)
    } else this.#encodeWords(text, ids)
  }

  #encodeWords(text: string, ids: number[]): void {
    for (const word of text.match(beyondAscii.test(text) ? words : asciiWords) ?? []) {
      const known = this.#memory.get(word) ?? this.#learn(word)
      if (typeof known === 'number') ids.push(known)
      else for (const id of known) ids.push(id)
    }
  }

  /** The ids of a word. A word that is a token is that token, even where merging would end elsewhere (`ignore_merges`). */
  #learn(word: string): number | readonly number[] {
    const symbols = Array.from(Buffer.from(word), (byte) => byteSymbols[byte] as string)
    const whole = this.#data.vocabByString.get(symbols.join(''))
    const ids =
      whole ??
      mergeTokens(
        symbols.map((symbol) => this.#id(symbol)),
        this,
      )
    if (word.length <= longestRemembered) {
      if (this.#memory.size === remembered) this.#memory.clear()
      this.#memory.set(word, ids)
    }
    return ids
  }

  #id(name: string): number {
    const id = this.#data.vocabByString.get(name)
    if (id === undefined) throw new Error(`the Llama 3 vocabulary has no token ${JSON.stringify(name)}`)
    return id
  }
}

/** Cuts runs of text or of space that are too long; what is shorter stays in one piece with its neighbours. */
function* cut(text: string): Generator<string> {
  let from = 0
  for (const { index } of text.matchAll(runs)) {
    // Two runs of the same kind in a row are one that was cut.
    if (index === 0 || !sameKind(text, index)) continue
    yield text.slice(from, index)
    from = index
  }
  yield text.slice(from)
}

function sameKind(text: string, at: number): boolean {
  return /\s/u.test(text[at - 1] as string) === /\s/u.test(text[at] as string)
}

/** The character that stands for each byte in the vocabulary: itself where it is printable, else one from U+0100 on (GPT-2, encoder.py). */
const byteSymbols: readonly string[] = (() => {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
})()
