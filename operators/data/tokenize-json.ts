/**
 * Tokenizers described by a Hugging Face `tokenizer.json`: BPE, WordPiece and Unigram. Knows nothing of where the file
 * comes from or what is tokenized. What the library would tokenize otherwise than the file's author did is refused.
 */
import { OperatorFailure } from '../../plugins/api.ts'
import { splitterAt, type Tokenizer } from './tokenize-tokenizer.ts'

/** Part of the file, of which little is known. */
type Part = { readonly [key: string]: unknown } & { readonly type?: string }

/** What is used of the file, which the library checks no further. */
interface TokenizerJSON {
  readonly model: Part & {
    /** Names to ids; in Unigram names with their scores, by id. */
    readonly vocab: { readonly [name: string]: number } | readonly (readonly [string, number])[]
    readonly merges?: readonly (string | readonly string[])[]
  }
  readonly added_tokens: readonly {
    readonly id: number
    readonly content: string
    readonly special?: boolean
    readonly single_word?: boolean
  }[]
  readonly normalizer: unknown
  readonly pre_tokenizer: unknown
}

/**
 * Makes a tokenizer of the text of a tokenizer.json; `at` names it in messages. Throws `invalid_input` where the text is
 * no tokenizer.json, or one with parts that are not supported.
 */
export async function tokenizerOf(text: string, at: string): Promise<Tokenizer> {
  const wrong = (what: string, cause?: unknown) =>
    new OperatorFailure('invalid_input', `cannot use the tokenizer ${at}: ${what}`, { cause })
  let file: TokenizerJSON
  try {
    file = completed(JSON.parse(text))
  } catch (error) {
    throw wrong(`it is no tokenizer.json (${(error as Error).message})`, error)
  }
  const problem = unsupported(file)
  if (problem) throw wrong(`${problem} is not supported; convert it, or tokenize with its own library`)
  const { Tokenizer: Library } = await import('@huggingface/tokenizers')
  try {
    return new JsonTokenizer(file, (json) => new Library(json, {}))
  } catch (error) {
    throw wrong((error as Error).message, error)
  }
}

/** What is used of the library. */
interface Engine {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] }
}

class JsonTokenizer implements Tokenizer {
  readonly vocabulary: number
  // The file does not say which tokens these are.
  readonly bos = null
  readonly eos = null
  readonly pad = null
  readonly specials: readonly string[]
  readonly #ids: ReadonlyMap<string, number>
  readonly #engine: Engine
  readonly #split: (text: string) => readonly string[]

  constructor(file: TokenizerJSON, make: (json: object) => Engine) {
    this.#ids = idsOf(file)
    this.vocabulary = this.#ids.values().reduce((most, id) => Math.max(most, id), -1) + 1
    this.specials = file.added_tokens.filter(({ special }) => special).map(({ content }) => content)
    this.#split = splitterAt(this.specials)
    this.#engine = make(withAliases(file))
  }

  id(name: string): number | undefined {
    return this.#ids.get(name)
  }

  encode(text: string, special = false, marker = ''): number[] {
    // An alias is no well-formed text, so none can be forged.
    const plain = text.toWellFormed()
    const named = special
      ? this.#split(plain)
          .map((piece, i) => (i % 2 === 1 ? aliasOf(piece) : without(piece, marker)))
          .join('')
      : plain
    const { ids } = this.#engine.encode(named, { add_special_tokens: false })
    if (ids.every((id) => id !== undefined)) return ids
    throw new OperatorFailure(
      'invalid_input',
      'the tokenizer has no token for a part of a text, and none for what is unknown; add an unknown token to its file',
    )
  }
}

const without = (text: string, marker: string) => (marker ? text.replaceAll(marker, '') : text)

function idsOf({ model: { vocab }, added_tokens: added }: TokenizerJSON): Map<string, number> {
  const ids = isList(vocab) ? new Map(vocab.map(([name], id) => [name, id])) : new Map(Object.entries(vocab))
  for (const { content, id } of added) ids.set(content, id)
  return ids
}

/** What stands for a special token's name inside the library. It holds half a character, which text never does. */
function aliasOf(name: string): string {
  return `\ud800${name}`
}

/** The file, in which a special token is found in a text only under its alias: its name in a text is text. */
function withAliases(file: TokenizerJSON): TokenizerJSON {
  const { model, added_tokens: added } = file
  const { vocab } = model
  const unknown = isList(vocab) ? vocab[Number(model.unk_id ?? -1)]?.[0] : model.unk_token
  const hidden = new Set(added.filter(({ special }) => special).map(({ content }) => content))
  const named = (name: string) => (hidden.has(name) && name !== unknown ? aliasOf(name) : name)
  const aliases = added.map((token) =>
    token.special ? { ...token, content: aliasOf(token.content), normalized: false } : token,
  )
  const renamed = isList(vocab)
    ? vocab.map(([name, score]) => [named(name), score] as const)
    : Object.fromEntries(Object.entries(vocab).map(([name, id]) => [named(name), id]))
  const merges = model.merges?.filter(
    (pair) => !hidden.has(typeof pair === 'string' ? pair.replace(' ', '') : pair.join('')),
  )
  return {
    ...file,
    added_tokens: aliases,
    model: { ...model, vocab: renamed, ...(merges ? { merges } : {}) },
  }
}

function isList<T>(value: object | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}

/** The file with the parts that may be left out. Throws an Error where it cannot be one. */
function completed(value: unknown): TokenizerJSON {
  const file = value as Part | null
  const model = file?.model as Part | undefined
  if (typeof model !== 'object' || model === null || typeof model.vocab !== 'object' || model.vocab === null)
    throw new Error('it has no `model` with a `vocab`')
  const type = model.type ?? (model.merges ? 'BPE' : Array.isArray(model.vocab) ? 'Unigram' : 'WordPiece')
  const empty = {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
  }
  return { ...empty, ...file, model: { ...model, type } } as unknown as TokenizerJSON
}

/** The first part that the library knows but tokenizes otherwise (its README, and tried), or null. */
function unsupported(file: TokenizerJSON): string | null {
  const model = file.model as Part
  if (!['BPE', 'WordPiece', 'Unigram'].includes(model.type ?? '')) return `a model of the type ${model.type}`
  if (model.dropout) return '`dropout`'
  if (model.type === 'BPE' && model.continuing_subword_prefix) return '`continuing_subword_prefix` in BPE'
  if (model.type === 'Unigram' && model.byte_fallback) return '`byte_fallback` in Unigram'
  const word = file.added_tokens.find(({ single_word: single, special }) => single && !special)
  if (word) return `the token ${JSON.stringify(word.content)} with \`single_word\``
  const replaced = partsOf(file.normalizer).flatMap(({ type, pattern }) =>
    type === 'Replace' ? stringIn(pattern) : [],
  )
  for (const part of partsOf(file.pre_tokenizer)) {
    const { type, behavior, invert, pattern } = part
    if (type === 'Punctuation' && behavior !== 'Contiguous')
      return `Punctuation with \`${behavior ?? 'Isolated'}\``
    if (type !== 'Split' || behavior === 'Removed' || (behavior === 'Isolated' && !invert)) continue
    // What the normalizer has replaced is split nowhere, so that it does not matter how.
    if (!stringIn(pattern).some((string) => replaced.includes(string)))
      return `Split with \`${behavior}\`${invert ? ', inverted' : ''}`
  }
  return null
}

function stringIn(pattern: unknown): string[] {
  const { String: string } = (pattern ?? {}) as { String?: unknown }
  return typeof string === 'string' ? [string] : []
}

/** A part and the parts of a sequence, in order. */
function partsOf(part: unknown): readonly Part[] {
  if (typeof part !== 'object' || part === null) return []
  const { normalizers, pretokenizers } = part as Part
  return [
    part as Part,
    ...[normalizers, pretokenizers].flatMap((list) => (Array.isArray(list) ? list.flatMap(partsOf) : [])),
  ]
}
