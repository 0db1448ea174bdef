/** Bytes of a file to text that YAML may hold. Knows nothing of YAML's grammar. */
import { Buffer } from 'node:buffer'
import type { Finding } from './problems.ts'

/** The largest pipeline file, bytes. */
export const maxBytes = 32 * 1024 * 1024

/** A file as it was given. */
export interface Source {
  readonly text: string | Uint8Array
  readonly file: string
  /** Tells the file from others, whatever it is called; `file` when absent. */
  readonly id?: string
}

/** Whether a word that names a pipeline names its file: it has a `/` or ends in .yaml. */
export function isFile(word: string): boolean {
  return word.includes('/') || word.endsWith('.yaml')
}

/** What a file is to hold, in the words of sentences about it. */
export interface FileKind {
  /** With its article. */
  readonly name: string
  /** What is missing where it holds nothing. */
  readonly content: string
  /** What it needs at least; null where it may hold nothing. */
  readonly least: string | null
  /** Why there is only one document in it. */
  readonly single: string
}

/** How a pipeline file is spoken of. */
export const pipelineFile: FileKind = {
  name: 'a pipeline file',
  content: 'pipeline',
  least: 'a pipeline needs at least `dagctl: 1`, `pipeline: NAME` and `tasks:`',
  single: 'one file, one pipeline',
}

/** The text, and the finding that makes it useless. */
export interface Decoded {
  readonly text: string
  readonly finding: Finding | null
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: YAML 1.2, 5.1: all but these are printable
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Decodes UTF-8 strictly, without a byte order mark, and refuses files that are too large or hold control characters. */
export function decode(source: string | Uint8Array, { name }: FileKind = pipelineFile): Decoded {
  const size = typeof source === 'string' ? Buffer.byteLength(source) : source.byteLength
  if (size > maxBytes) {
    const message = `the file has ${(size / 1024 / 1024).toFixed(1)} MiB; ${name} has at most 32 MiB`
    return { text: '', finding: { code: 'E101', message, span: { start: 0, end: 0 } } }
  }
  if (typeof source === 'string') return checked(source.charCodeAt(0) === 0xfeff ? source.slice(1) : source)
  try {
    return checked(new TextDecoder('utf-8', { fatal: true }).decode(source))
  } catch {
    return invalid(source)
  }
}

function checked(text: string): Decoded {
  const match = forbidden.exec(text)
  if (match === null) return { text, finding: null }
  const code = match[0].charCodeAt(0)
  const name =
    code === 0 ? 'a NUL byte' : `the control character U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  const span = { start: match.index, end: match.index + 1 }
  return {
    text,
    finding: { code: 'E103', message: `the file holds ${name}, which YAML forbids`, span, hint: 'remove it' },
  }
}

/** Says where the bytes stop being UTF-8: after the longest part that decodes. */
function invalid(bytes: Uint8Array): Decoded {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })
  let good = 0
  let bad = bytes.byteLength
  while (good < bad) {
    const middle = Math.floor((good + bad + 1) / 2)
    if (decodes(bytes.subarray(0, middle))) good = middle
    else bad = middle - 1
  }
  const start = endOfLastCharacter(bytes, good)
  const before = decoder.decode(bytes.subarray(0, start))
  const byte = (bytes[start] ?? 0).toString(16).toUpperCase().padStart(2, '0')
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  return {
    text: new TextDecoder('utf-8').decode(bytes),
    finding: {
      code: 'E100',
      message: `the file is not UTF-8: byte 0x${byte} at offset ${start}`,
      hint: utf16 ? 'it seems to be UTF-16; save it as UTF-8' : 'save it as UTF-8',
      span: { start: before.length, end: before.length + 1 },
    },
  }
}

/** Whether the bytes are UTF-8, but for a character cut off at their end. Holds for every shorter part if it holds for one. */
function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** Where the last whole character at or before `end` ends. */
function endOfLastCharacter(bytes: Uint8Array, end: number): number {
  for (let cut = end; cut > Math.max(0, end - 4); cut -= 1) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(Math.max(0, boundary(bytes, cut)), cut))
      return cut
    } catch {
      // Cut inside a character: look one byte before.
    }
  }
  return Math.max(0, end - 4)
}

/** The start of the character that ends at `cut`. */
function boundary(bytes: Uint8Array, cut: number): number {
  let start = cut - 1
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1
  return start
}
