/** YAML text to a plain value with positions. Refuses what YAML allows but our files must not hold. Knows no keys. */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParsedNode,
  Parser,
  type YAMLMap,
} from 'yaml'
import { Positions } from './positions.ts'
import type { Finding, Problem } from './problems.ts'
import { decode, type FileKind, maxBytes, pipelineFile, type Source } from './source.ts'
import { quote } from './words.ts'

/** How deep a file may be nested. Enough for any schema that a person writes; far from the end of the stack. */
export const maxDepth = 100

/** What one node costs when aliases repeat it, bytes: about what the shortest `- a` on a line of its own has. */
const nodeCost = 16

/** A parsed file. `value` is undefined where the file could not be read as one mapping. */
export interface Parsed {
  readonly value: { readonly [key: string]: unknown } | undefined
  readonly positions: Positions
  readonly problems: readonly Problem[]
  /** Gives a finding its line and column. */
  locate(finding: Finding): Problem
}

/** Parses the file. Throws nothing: whatever the bytes are, problems say what is wrong. */
export function parse({ text: source, file }: Source, kind: FileKind = pipelineFile): Parsed {
  const { text, finding } = decode(source, kind)
  const lines = new LineCounter()
  const locate = (found: Finding): Problem => located(found, file, text, lines)
  const without = (findings: readonly Finding[], value?: Parsed['value']): Parsed => {
    if (lines.lineStarts.length === 0 || finding) addLines(lines, text)
    const positions = new Positions(text, null, new Map())
    return { value, positions, problems: findings.map(locate), locate }
  }
  if (finding) return without([finding])
  const { documents, findings } = read(text, lines, kind)
  if (findings.length > 0) return without(findings)
  const [document, second] = documents
  const root = document?.contents ?? null
  if (second) return without([severalDocuments(second, kind)])
  if (!document || !root || (isScalar(root) && root.value === null))
    return kind.least === null ? without([], {}) : without([emptyFile(text, kind.content, kind.least)])
  if (!isMap(root)) return without([notAMapping(root, kind)])
  const reader = new Reader(text)
  const value = reader.value(root) as { [key: string]: unknown }
  return {
    value: reader.fatal ? undefined : value,
    positions: new Positions(text, root, reader.anchors),
    problems: reader.findings.map(locate),
    locate,
  }
}

function located(
  { severity = 'error', code, message, hint = null, span }: Finding,
  file: string,
  text: string,
  lines: LineCounter,
): Problem {
  // What is missing at the end of the file is shown where its text ends, not on the empty line after it.
  const start = span.start < text.length ? span.start : Math.max(0, text.trimEnd().length - 1)
  const { line, col } = lines.linePos(start)
  const lineEnd = text.indexOf('\n', start)
  const end = Math.min(span.end, lineEnd === -1 ? text.length : lineEnd)
  const place = { file, line: Math.max(1, line), column: Math.max(1, col) }
  return { severity, code, message, ...place, length: Math.max(1, end - start), hint }
}

function addLines(lines: LineCounter, text: string): void {
  lines.lineStarts.length = 0
  lines.addNewLine(0)
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1)
}

/** Runs yaml's lexer, parser and composer; the composer recurses, so depth is checked before it sees a document. */
function read(
  text: string,
  lines: LineCounter,
  kind: FileKind,
): { documents: Document.Parsed[]; findings: Finding[] } {
  const parser = new Parser(lines.addNewLine)
  const tokens = []
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > maxDepth) return { documents: [], findings: [tooDeep(parser.offset)] }
  }
  for (const token of parser.end()) tokens.push(token)
  // Unique keys are checked by the Reader: yaml compares each key with every other, which is quadratic in tasks.
  const options = {
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: 'silent',
  } as const
  const composer = new Composer<ParsedNode>(options)
  const documents = [...composer.compose(tokens, true, text.length)] as Document.Parsed[]
  const findings = documents.flatMap(({ errors, warnings }) => [
    ...errors.map((error) => syntaxError(error, text, kind)),
    ...warnings.map((warning) => syntaxError(warning, text, kind)),
  ])
  return { documents, findings }
}

function syntaxError(
  { code, message, pos }: { code: string; message: string; pos: [number, number] },
  text: string,
  kind: FileKind,
): Finding {
  const span = { start: Math.min(pos[0], text.length), end: pos[1] }
  if (code === 'TAG_RESOLVE_FAILED')
    return { code: 'E109', message: 'YAML tags are not part of the format', hint: 'remove the tag', span }
  if (code === 'MULTIPLE_DOCS')
    return {
      code: 'E108',
      message: 'the file holds more than one YAML document',
      hint: kind.single,
      span,
    }
  if (message.startsWith('Missing closing'))
    return { code: 'E104', message: 'not valid YAML: a quote is not closed', span }
  const sentence = message.replace(/\s+/g, ' ').trim()
  return {
    code: 'E104',
    message: `not valid YAML: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`,
    span,
  }
}

function tooDeep(offset: number): Finding {
  const span = { start: offset, end: offset + 1 }
  return { code: 'E106', message: `nested more than ${maxDepth} levels deep`, span }
}

function emptyFile(text: string, content: string, hint: string): Finding {
  const message = text.trim() === '' ? 'the file is empty' : `the file holds no ${content}`
  return { code: 'E102', message, hint, span: { start: 0, end: 0 } }
}

function severalDocuments({ range }: Document.Parsed, { single }: FileKind): Finding {
  const span = { start: range[0], end: range[0] + 3 }
  return {
    code: 'E108',
    message: 'the file holds more than one YAML document',
    hint: single,
    span,
  }
}

function notAMapping(root: Node, { name }: FileKind): Finding {
  const kind = isSeq(root) ? 'a list' : 'a plain value'
  const [start, end] = root.range ?? [0, 0]
  return {
    code: 'E102',
    message: `${name} is a mapping, not ${kind}`,
    hint: 'start with `dagctl: 1`',
    span: { start, end },
  }
}

/** Turns YAML's tree into plain values: no `__proto__`, no key twice, no alias that blows the file up. */
class Reader {
  readonly findings: Finding[] = []
  readonly anchors = new Map<string, Node>()
  /** Set when the value must not be used further. */
  fatal = false
  readonly #values = new Map<string, { value: unknown; cost: number }>()
  #budget: number

  constructor(text: string) {
    this.#budget = maxBytes - text.length
  }

  value(node: unknown): unknown {
    return this.#read(node as Node | null).value
  }

  #read(node: Node | null): { value: unknown; cost: number } {
    if (node === null || node === undefined) return { value: null, cost: nodeCost }
    if (isAlias(node)) return this.#alias(node.source, node.range ?? [0, 0, 0])
    const anchor = (node as { anchor?: string }).anchor
    const result = isMap(node)
      ? this.#map(node)
      : isSeq(node)
        ? this.#list(node.items as Node[])
        : this.#scalar(node)
    if (anchor !== undefined) {
      this.anchors.set(anchor, node)
      this.#values.set(anchor, result)
    }
    return result
  }

  #list(items: readonly Node[]): { value: unknown; cost: number } {
    let cost = nodeCost
    const value = items.map((item) => {
      const part = this.#read(item)
      cost += part.cost
      return part.value
    })
    return { value, cost }
  }

  #map(map: YAMLMap): { value: unknown; cost: number } {
    const value: { [key: string]: unknown } = {}
    let cost = nodeCost
    for (const { key, value: node } of map.items) {
      const name = isScalar(key) ? String(key.value ?? '') : ''
      const part = this.#read(node as Node | null)
      cost += part.cost + name.length
      if (name === '__proto__') this.#refuse(key as Node, 'E109', 'a key must not be called `__proto__`')
      else if (Object.hasOwn(value, name))
        this.#refuse(key as Node, 'E105', `the key ${quote(name)} stands twice here`)
      else value[name] = part.value
    }
    return { value, cost }
  }

  #alias(name: string, [start, end]: readonly [number, number, number]): { value: unknown; cost: number } {
    const target = this.#values.get(name)
    if (!target) {
      this.fatal = true
      this.findings.push({
        code: 'E104',
        message: `not valid YAML: no anchor ${quote(name)} before this alias`,
        span: { start, end },
      })
      return { value: null, cost: nodeCost }
    }
    this.#budget -= target.cost
    if (this.#budget < 0 && !this.fatal) {
      this.fatal = true
      this.findings.push({
        code: 'E107',
        message: `the alias ${quote(`*${name}`)} makes the file larger than 32 MiB`,
        hint: 'write less by alias',
        span: { start, end },
      })
    }
    return target
  }

  #refuse(key: Node, code: 'E105' | 'E109' | 'E113', message: string): void {
    const [start, end] = key.range ?? [0, 0]
    this.findings.push({ code, message, span: { start, end } })
  }

  #scalar(node: Node): { value: unknown; cost: number } {
    const { value, source } = node as { value?: unknown; source?: string }
    if (typeof value === 'number' && !Number.isFinite(value))
      this.#refuse(node, 'E113', 'a number must be finite; .nan and .inf are not part of the format')
    const text = typeof value === 'string' ? value : source
    return { value: value === undefined ? null : value, cost: nodeCost + (text?.length ?? 0) }
  }
}
