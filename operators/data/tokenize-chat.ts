/**
 * Conversations as tokens, in the format that Llama 3 was published with (meta-llama/llama3, llama/tokenizer.py,
 * `ChatFormat`; llama.com, "Model Cards & Prompt formats, Llama 3"). Knows nothing of records or packing.
 */
import type { Json } from '../../plugins/api.ts'
import type { Tokenizer } from './tokenize-tokenizer.ts'

/** One turn of a conversation. */
export interface Message {
  readonly role: string
  readonly content?: Json
  readonly [key: string]: Json | undefined
}

/** Who may speak. A role stands in the header of a message, in some templates in the name of a token, and is not free text. */
const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function', 'ipython']

/** A list of messages, or what is wrong with it. */
export function messagesOf(value: unknown): readonly Message[] | string {
  if (!Array.isArray(value) || value.length === 0) return 'there is no list of messages'
  for (const [i, message] of value.entries()) {
    if (typeof message !== 'object' || message === null || !('role' in message))
      return `message ${i + 1} has no \`role\``
    if (!roles.includes(message.role)) return `the role of message ${i + 1} is none of ${roles.join(', ')}`
  }
  return value
}

/** Token ids, and whether each is to be learned. */
export interface Turns {
  readonly ids: readonly number[]
  readonly learned: readonly boolean[]
}

/** The tokens that the format is made of. */
const names = ['<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'] as const

/** Encodes conversations; `special` says whether names of special tokens in a content are these tokens. */
export type ChatFormat = (messages: readonly Message[], special: boolean) => Turns | string

/**
 * The format of Llama 3 for a tokenizer: a header with the role, an empty line, the content without white space around
 * it, `<|eot_id|>`. What the assistant says and its `<|eot_id|>` are to be learned. Null where the tokenizer lacks a token.
 */
export function llama3Chat(tokenizer: Tokenizer): ChatFormat | null {
  const ids = names.map((name) => tokenizer.id(name))
  if (!ids.every((id) => id !== undefined)) return null
  const [begin, header, headerEnd, turnEnd] = ids as [number, number, number, number]
  return (messages, special) => {
    const turns = { ids: [begin], learned: [false] }
    const add = (more: readonly number[], learned: boolean) => {
      for (const id of more) {
        turns.ids.push(id)
        turns.learned.push(learned)
      }
    }
    for (const [i, { role, content }] of messages.entries()) {
      if (typeof content !== 'string') return `the content of message ${i + 1} is not a string`
      const learned = role === 'assistant'
      add([header, ...tokenizer.encode(role), headerEnd, ...tokenizer.encode('\n\n')], false)
      add(tokenizer.encode(content.replace(around, ''), special), learned)
      add([turnEnd], learned)
    }
    return turns
  }
}

/** White space as Python's `str.strip` has it: JavaScript's without U+FEFF, and U+001C to U+001F and U+0085 besides. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python takes these for white space.
const around = /^(?:(?!\ufeff)[\s\x1c-\x1f\x85])+|(?:(?!\ufeff)[\s\x1c-\x1f\x85])+$/g
