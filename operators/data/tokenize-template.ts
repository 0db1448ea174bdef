/**
 * Jinja chat templates, as models publish them: a conversation becomes one text, in which the template writes the special
 * tokens. Knows nothing of tokenizers but the names of these tokens.
 */
import type { Json, JsonObject } from '../../plugins/api.ts'
import type { Message } from './tokenize-chat.ts'

/** A conversation as text, with the marker that makes names of special tokens in the messages text; or why there is none. */
export type ChatTemplate = (
  messages: readonly Message[],
) => { readonly text: string; readonly marker: string } | string

/** What a template refuses by `raise_exception`, and no mistake in the template. */
class Refused extends Error {}

/** What a template is given beside the messages. */
export interface TemplateOptions {
  /** Names that `bos_token` and `eos_token` mean. */
  readonly bos: string
  readonly eos: string
  /** Names that only the template may write; undefined: messages may hold them too. */
  readonly specials: readonly string[] | undefined
}

/**
 * Compiles a template. The same messages always give the same text: `strftime_now` is not defined, so that templates take
 * the date that they have for this case. Throws an Error where the template cannot be parsed.
 */
export async function templateOf(
  source: string,
  { bos, eos, specials }: TemplateOptions,
): Promise<ChatTemplate> {
  const { Environment, Interpreter, parse, tokenize } = await import('@huggingface/jinja')
  // As transformers sets Jinja up (utils/chat_template_utils.py).
  const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }))
  const marking = specials && new Marking(specials)
  return (messages) => {
    const marker = marking ? markerFor(messages) : ''
    if (marker === undefined) return 'the messages hold every character that could mark their text'
    const environment = new Environment()
    const globals = { ...constants, bos_token: bos, eos_token: eos, add_generation_prompt: false }
    for (const [name, value] of Object.entries(globals)) environment.set(name, value)
    environment.set(
      'messages',
      marking ? messages.map((message) => marking.message(message, marker)) : messages,
    )
    try {
      const { value } = new Interpreter(environment).run(program)
      return { text: String(value), marker }
    } catch (error) {
      const why = error instanceof Refused ? 'refuses the messages' : 'does not fit the messages'
      return `the template ${why}: ${(error as Error).message}`
    }
  }
}

/** The names that every template knows (jinja.palletsprojects.com, transformers' chat templates). */
const constants = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown) => {
    throw new Refused(String(message))
  },
  range: (start: number, stop?: number, by = 1) => {
    const [from, to] = stop === undefined ? [0, start] : [start, stop]
    return Array.from({ length: Math.max(0, Math.ceil((to - from) / by)) }, (_, i) => from + i * by)
  },
} as const

/** A noncharacter (Unicode, section 23.7) that no message holds. */
function markerFor(messages: readonly Message[]): string | undefined {
  const all = JSON.stringify(messages)
  return Array.from({ length: 32 }, (_, i) => String.fromCharCode(0xfdd0 + i)).find(
    (char) => !all.includes(char),
  )
}

/**
 * Makes texts in which no special token is, and which become none together with what the template writes beside them.
 * Only a template that cuts a text and joins its parts again could still make one.
 */
class Marking {
  readonly #names: readonly string[]
  readonly #starts = new Set<string>()
  readonly #ends = new Set<string>()
  readonly #longest: number

  constructor(names: readonly string[]) {
    this.#names = names
    this.#longest = Math.max(0, ...names.map((name) => name.length))
    for (const name of names) {
      if (name.length < 2)
        throw new Error(`the special token ${JSON.stringify(name)} cannot be told from text`)
      for (let at = 1; at < name.length; at += 1) {
        this.#starts.add(name.slice(0, at))
        this.#ends.add(name.slice(at))
      }
    }
  }

  /** A message with every text in it marked but for the role. */
  message({ role, ...others }: Message, marker: string): Message {
    return { role, ...(this.#value(others as JsonObject, marker) as JsonObject) }
  }

  #value(value: Json, marker: string): Json {
    if (typeof value === 'string') return this.#text(value.toWellFormed(), marker)
    if (Array.isArray(value)) return value.map((item: Json) => this.#value(item, marker))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value as JsonObject)
    return Object.fromEntries(entries.map(([key, item]) => [key, this.#value(item, marker)]))
  }

  #text(text: string, marker: string): string {
    let safe = text
    for (const name of this.#names)
      while (safe.includes(name)) safe = safe.replaceAll(name, name.slice(0, 1) + marker + name.slice(1))
    // White space at the ends may be stripped by the template.
    const inner = safe.trim()
    const from = safe.indexOf(inner)
    const within = inner !== '' && this.#names.some((name) => name.includes(inner))
    const opens = within || this.#edge((length) => this.#ends.has(inner.slice(0, length)))
    const closes = this.#edge((length) => this.#starts.has(inner.slice(-length)))
    const [before, after] = [safe.slice(0, from), safe.slice(from + inner.length)]
    return `${before}${opens ? marker : ''}${inner}${closes ? marker : ''}${after}`
  }

  #edge(found: (length: number) => boolean): boolean {
    for (let length = 1; length < this.#longest; length += 1) if (found(length)) return true
    return false
  }
}
