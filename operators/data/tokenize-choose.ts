/**
 * What the options of Tokenize mean: which tokenizer, which special tokens, how a record becomes tokens. Knows nothing of
 * packing or files of rows.
 */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { type JsonObject, OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import { openDecoded } from './records-decode.ts'
import { noText, textReader, valueReader } from './text/field.ts'
import { type ChatFormat, llama3Chat, messagesOf } from './tokenize-chat.ts'
import { tokenizerOf } from './tokenize-json.ts'
import { loadLlama3 } from './tokenize-llama3.ts'
import { type Encode, learnedFlag } from './tokenize-sink.ts'
import { templateOf } from './tokenize-template.ts'
import type { Tokenizer } from './tokenize-tokenizer.ts'

/** The options that say how a record becomes tokens. */
export interface TokensInput {
  readonly field: string
  readonly messages?: string
  readonly chatTemplate: string
  readonly loss: 'all' | 'assistant'
  readonly tokenizer: string
  readonly bos: boolean | string
  readonly eos: boolean | string
  readonly pad?: string
  readonly specialTokens: 'text' | 'parse'
}

/** What was chosen. */
export interface Chosen {
  readonly encode: Encode
  /** What fills a row. */
  readonly pad: number
  /** For the manifest, and what decides the result beside the options. */
  readonly about: JsonObject
}

/** Bytes of a tokenizer.json or a template at most. */
const largestFile = 2 ** 28

/** Loads what the options name. Throws `invalid_input` where they do not go together, or a file cannot be used. */
export async function chooseTokens(task: TaskContext, input: TokensInput): Promise<Chosen> {
  if (input.loss === 'assistant' && (input.messages === undefined || input.chatTemplate !== 'llama3')) {
    throw wrong(
      '`loss: assistant` needs `messages` and `chatTemplate: llama3`: no other says where the assistant speaks',
    )
  }
  const { tokenizer, about } = await loadTokenizer(task, input.tokenizer)
  const plain = input.messages === undefined
  const [bos, eos] = [idOf(tokenizer, input, 'bos', plain), idOf(tokenizer, input, 'eos', plain)]
  const pad = input.pad === undefined ? (tokenizer.pad ?? eos ?? 0) : named(tokenizer, 'pad', input.pad)
  const chat = plain ? null : await loadChat(task, tokenizer, input)
  const encode = chat?.encode ?? encodeText(tokenizer, input, { bos, eos })
  return { encode: withLimits(encode), pad, about: { ...about, bos, eos, pad, ...chat?.about } }
}

/** A document of no tokens, or one that is too long for the library's recursion (Unigram, from some 100,000 tokens on), is rejected. */
function withLimits(encode: Encode): Encode {
  return (record) => {
    try {
      const tokens = encode(record)
      return 'reason' in tokens || tokens.length > 0 ? tokens : { reason: 'empty_text' }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return { reason: 'too_long', detail: 'the tokenizer cannot take a text of this length; split it' }
    }
  }
}

const wrong = (what: string, cause?: unknown) => new OperatorFailure('invalid_input', what, { cause })

async function loadTokenizer(
  task: TaskContext,
  name: string,
): Promise<{ tokenizer: Tokenizer; about: JsonObject }> {
  if (name === 'llama3') {
    const tokenizer = await loadLlama3()
    return { tokenizer, about: { tokenizer: name, vocabulary: tokenizer.vocabulary } }
  }
  const { text, sha256 } = await readText(task, 'tokenizer', name)
  const tokenizer = await tokenizerOf(text, name)
  const about = { tokenizer: basename(name), tokenizerSha256: sha256, vocabulary: tokenizer.vocabulary }
  return { tokenizer, about }
}

async function readText(
  task: TaskContext,
  option: string,
  uri: string,
): Promise<{ text: string; sha256: string }> {
  if (!(await task.objects.stat(uri)))
    throw wrong(`\`${option}\` is \`llama3\` or the path of a file; there is no file ${uri}`)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of openDecoded(task, uri)) {
    length += chunk.length
    if (length > largestFile) throw wrong(`${uri} is over ${largestFile} bytes; is it the right file?`)
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  return { text: bytes.toString(), sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** The id of a token that the options name, or that the tokenizer has; null where there is to be none. */
function idOf(
  tokenizer: Tokenizer,
  input: TokensInput,
  which: 'bos' | 'eos',
  needed: boolean,
): number | null {
  const value = input[which]
  if (typeof value === 'string') return named(tokenizer, which, value)
  if (!value || !needed) return tokenizer[which]
  return (
    tokenizer[which] ??
    raise(
      `a tokenizer.json does not say what its \`${which}\` is; name it (${specialsOf(tokenizer)}), or set it to false`,
    )
  )
}

function named(tokenizer: Tokenizer, option: string, name: string): number {
  return (
    tokenizer.id(name) ??
    raise(
      `\`${option}\` names ${JSON.stringify(name)}, which the tokenizer does not have (${specialsOf(tokenizer)})`,
    )
  )
}

function raise(what: string): never {
  throw wrong(what)
}

function specialsOf({ specials }: Tokenizer): string {
  const some = specials.slice(0, 10).join(', ')
  return specials.length === 0
    ? 'it has no special tokens'
    : `special tokens: ${some}${specials.length > 10 ? ', …' : ''}`
}

function encodeText(
  tokenizer: Tokenizer,
  { field, specialTokens, ...input }: TokensInput,
  { bos, eos }: { readonly bos: number | null; readonly eos: number | null },
): Encode {
  const read = textReader(field)
  return (record) => {
    const text = read(record)
    if (!text) return { reason: text === null ? noText : 'empty_text' }
    const tokens = tokenizer.encode(text, specialTokens === 'parse')
    if (input.bos !== false && bos !== null) tokens.unshift(bos)
    if (input.eos !== false && eos !== null) tokens.push(eos)
    return tokens
  }
}

/** How conversations become tokens, and what the manifest says of it. */
async function loadChat(
  task: TaskContext,
  tokenizer: Tokenizer,
  input: TokensInput,
): Promise<{ encode: Encode; about: JsonObject }> {
  const parse = input.specialTokens === 'parse'
  if (input.chatTemplate === 'llama3') {
    const format = llama3Chat(tokenizer)
    if (!format)
      throw wrong(
        'the tokenizer has not the tokens of `chatTemplate: llama3`; name a Jinja template in a file',
      )
    return { encode: encodeChat(format, input, parse), about: { chatTemplate: 'llama3', loss: input.loss } }
  }
  const { text, sha256 } = await readText(task, 'chatTemplate', input.chatTemplate)
  const { source, ...config } = sourceOf(text, input.chatTemplate)
  const variable = (which: 'bos' | 'eos') => variableOf(input, which, config[which], tokenizer, source)
  const options = {
    bos: variable('bos'),
    eos: variable('eos'),
    specials: parse ? undefined : tokenizer.specials,
  }
  const render = await templateOf(source, options).catch((error: Error) => {
    throw wrong(`cannot use the template ${input.chatTemplate}: ${error.message}`, error)
  })
  const format: ChatFormat = (messages) => {
    const rendered = render(messages)
    if (typeof rendered === 'string') return rendered
    const ids = tokenizer.encode(rendered.text, true, rendered.marker)
    return { ids, learned: [] }
  }
  const about = { chatTemplate: basename(input.chatTemplate), chatTemplateSha256: sha256, loss: input.loss }
  return { encode: encodeChat(format, input, parse), about }
}

/** The template in a file: the file itself, or `chat_template` of a tokenizer_config.json. */
function sourceOf(text: string, uri: string): { source: string; bos?: string; eos?: string } {
  if (!/\.json$/i.test(uri)) return { source: text }
  let config: { [key: string]: unknown } | null
  try {
    config = JSON.parse(text)
  } catch (error) {
    throw wrong(`cannot use the template ${uri}: it is not valid JSON (${(error as Error).message})`, error)
  }
  const source = config?.chat_template
  if (typeof source !== 'string')
    throw wrong(
      `cannot use the template ${uri}: it has no text \`chat_template\`; name the file of one template`,
    )
  const name = (key: string) => {
    const token = config?.[key] as { content?: unknown } | string | null | undefined
    return typeof token === 'string' ? token : token?.content
  }
  const [bos, eos] = [name('bos_token'), name('eos_token')]
  return {
    source,
    ...(typeof bos === 'string' ? { bos } : {}),
    ...(typeof eos === 'string' ? { eos } : {}),
  }
}

/** What `bos_token` or `eos_token` is in a template. */
function variableOf(
  input: TokensInput,
  which: 'bos' | 'eos',
  configured: string | undefined,
  tokenizer: Tokenizer,
  source: string,
): string {
  const value = input[which]
  if (typeof value === 'string') return value
  if (!value) return ''
  const own = tokenizer.specials.find((name) => tokenizer.id(name) === tokenizer[which])
  if (configured === undefined && own === undefined && source.includes(`${which}_token`))
    throw wrong(
      `the template uses \`${which}_token\`, which nothing names; name it with \`${which}\`, or set it to false`,
    )
  return configured ?? own ?? ''
}

function encodeChat(format: ChatFormat, { messages: field = '', loss }: TokensInput, parse: boolean): Encode {
  const read = valueReader(field)
  return (record) => {
    const messages = messagesOf(read(record))
    if (typeof messages === 'string') return { reason: 'bad_messages', detail: messages }
    const turns = format(messages, parse)
    if (typeof turns === 'string') return { reason: 'bad_messages', detail: turns }
    if (loss === 'all') return turns.ids
    return turns.ids.map((id, i) => (turns.learned[i] ? id + learnedFlag : id))
  }
}
