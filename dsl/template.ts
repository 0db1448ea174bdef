/** `{{ }}` in strings: parsed by Handlebars' parser into a small tree of our own. Knows nothing of what paths mean. */
import handlebars from 'handlebars/dist/cjs/handlebars/compiler/base.js'
import type { Code } from './codes.ts'
import type { Span } from './problems.ts'
import { type ShellPlace, shellPlaces } from './shell.ts'
import { didYouMean, either, quote } from './words.ts'

/** A part of a template that has a value. Spans count in the template's string. */
export type Expression =
  | { readonly type: 'path'; readonly parts: readonly string[]; readonly span: Span }
  | { readonly type: 'literal'; readonly value: string | number | boolean | null; readonly span: Span }
  | {
      readonly type: 'call'
      readonly helper: Helper
      readonly args: readonly Expression[]
      readonly span: Span
    }

/** A string cut into text and expressions. */
export interface Template {
  readonly parts: readonly (string | Expression)[]
  /** The string is one whole `{{ }}`: it keeps the value's type. */
  readonly whole: boolean
}

/** Each helper's least and greatest number of arguments, and how it is written. */
export const helpers = {
  date: { min: 2, max: 2, usage: "{{ date run.interval.start 'yyyy-MM-dd' }}" },
  addDays: { min: 2, max: 2, usage: '{{ addDays run.interval.start -1 }}' },
  half: { min: 1, max: 1, usage: '{{ half with.batchSize }}' },
  double: { min: 1, max: 1, usage: '{{ double with.accumulation }}' },
  default: { min: 2, max: 2, usage: "{{ default tasks.evaluate.outputs.accuracy 'none' }}" },
  json: { min: 1, max: 1, usage: '{{ json params.options }}' },
  join: { min: 1, max: 2, usage: "{{ join params.models ', ' }}" },
  lower: { min: 1, max: 1, usage: '{{ lower params.model }}' },
  upper: { min: 1, max: 1, usage: '{{ upper params.model }}' },
  basename: { min: 1, max: 1, usage: '{{ basename params.uri }}' },
  hash: { min: 1, max: 1, usage: '{{ hash params.model }}' },
} as const

/** The name of a helper. */
export type Helper = keyof typeof helpers

/** A template that cannot be used; the span counts in the template's string. */
export class TemplateError extends Error {
  readonly code: Code
  readonly span: Span
  readonly hint: string | null

  constructor(code: Code, message: string, span: Span, hint: string | null = null) {
    super(message)
    this.code = code
    this.span = span
    this.hint = hint
  }
}

/** Whether a string holds anything to parse; all others are themselves. */
export function isTemplate(text: string): boolean {
  return text.includes('{{')
}

interface Node {
  readonly type: string
  readonly loc: { readonly start: Place; readonly end: Place }
}
interface Place {
  readonly line: number
  readonly column: number
}
interface Mustache extends Node {
  readonly path: PathNode
  readonly params: readonly Node[]
  readonly hash?: { readonly pairs: readonly Node[] }
  readonly strip?: { readonly open: boolean; readonly close: boolean }
}
interface PathNode extends Node {
  readonly data?: boolean
  readonly depth?: number
  readonly parts: readonly unknown[]
  readonly original: string
}

const depthLimit = 20

/** Parses the string. Throws a TemplateError (E130 grammar, E131 helper) with the place of what is wrong. */
export function parseTemplate(text: string): Template {
  return new Reading(text).template()
}

const openings = /(?<!(?<!\\)\\)\{{2,}/g
const nextBraces = /'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|(?<braces>\{\{|\}\}|$)/g

/** The first `{{` that nothing closes, as far as the next one or the end. As in Handlebars, `}}` in a literal closes nothing, and `\{{` is text. */
function unclosedIn(text: string): Span | null {
  let from = 0
  for (const { 0: opening, index: start } of text.matchAll(openings)) {
    if (start < from) continue
    nextBraces.lastIndex = start + opening.length
    let found: RegExpExecArray
    do found = nextBraces.exec(text) as RegExpExecArray
    while (found.groups?.braces === undefined)
    if (found[0] !== '}}') return { start, end: found.index }
    from = nextBraces.lastIndex
  }
  return null
}

class Reading {
  readonly #text: string
  readonly #lines: number[] = [0]

  constructor(text: string) {
    this.#text = text
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lines.push(at + 1)
  }

  template(): Template {
    const parts = this.#body().map((node) => this.#statement(node))
    const [only] = parts
    return { parts, whole: parts.length === 1 && typeof only === 'object' }
  }

  #body(): readonly Node[] {
    try {
      return handlebars.parseWithoutProcessing(this.#text).body as readonly Node[]
    } catch (error) {
      throw this.#syntaxError(
        error as { message: string; hash?: { loc?: { first_line: number; first_column: number } } },
      )
    }
  }

  #syntaxError(error: {
    message: string
    hash?: { loc?: { first_line: number; first_column: number } }
  }): TemplateError {
    const unclosed = unclosedIn(this.#text)
    if (unclosed !== null)
      return new TemplateError('E130', 'a `{{` is not closed', unclosed, 'write `}}` after it')
    const loc = error.hash?.loc
    const line = loc?.first_line ?? Number(/(?:on line|-) (\d+)/.exec(error.message)?.[1] ?? 1)
    const at = this.#offset({ line, column: loc?.first_column ?? 0 })
    const open = this.#text.lastIndexOf('{{', at)
    const start = open === -1 ? 0 : open
    const close = this.#text.indexOf('}}', start)
    const span = { start, end: close === -1 ? this.#text.length : close + 2 }
    const words = this.#text.slice(span.start, span.end)
    // Handlebars takes a number at the end of a path for a literal.
    const index = /\.(\d+)(?=[\s)}])/.exec(words)?.[1]
    const hint =
      index === undefined
        ? 'inside `{{ }}` stands a path or a helper with its arguments'
        : `write \`.[${index}]\``
    return new TemplateError('E130', `the template ${quote(words)} cannot be read`, span, hint)
  }

  #statement(node: Node): string | Expression {
    if (node.type === 'ContentStatement') return (node as Node & { value: string }).value
    if (node.type === 'MustacheStatement') return this.#mustache(node as Mustache)
    const what =
      {
        BlockStatement: 'blocks',
        PartialStatement: 'partials',
        PartialBlockStatement: 'partials',
        CommentStatement: 'comments',
      }[node.type] ?? 'decorators'
    throw this.#refused(node, `templates have no ${what}: only paths, literals and helpers`)
  }

  #mustache(node: Mustache): Expression {
    const span = this.#span(node)
    if (this.#text.startsWith('{{{', span.start))
      throw this.#refused(node, 'write `{{ … }}`: nothing is ever escaped, so that `{{{` has no meaning')
    if (this.#text.startsWith('{{&', span.start))
      throw this.#refused(node, 'write `{{ … }}`: nothing is ever escaped, so that `{{&` has no meaning')
    if (node.strip?.open || node.strip?.close)
      throw this.#refused(node, 'templates have no `~`: text stays as it is written')
    return this.#callOrPath(node, 0)
  }

  #callOrPath(node: Mustache, depth: number): Expression {
    if (depth > depthLimit) throw this.#refused(node, `templates are nested at most ${depthLimit} deep`)
    if (node.hash && node.hash.pairs.length > 0)
      throw this.#refused(node.hash.pairs[0] as Node, 'helpers have no named arguments')
    if (node.params.length === 0 && node.type === 'MustacheStatement' && !this.#isHelper(node.path))
      return this.#expression(node.path, depth)
    return this.#call(node, depth)
  }

  #isHelper(path: PathNode): boolean {
    return (
      path.type === 'PathExpression' &&
      path.parts.length === 1 &&
      Object.hasOwn(helpers, String(path.parts[0]))
    )
  }

  #call(node: Mustache, depth: number): Expression {
    const name = node.path.type === 'PathExpression' ? node.path.original : this.#slice(node.path)
    const span = this.#span(node.path)
    if (!Object.hasOwn(helpers, name)) {
      const known = Object.keys(helpers)
      throw new TemplateError(
        'E131',
        `unknown helper ${quote(name)}`,
        span,
        didYouMean(name, known, `there are ${either(known.map(quote), 'and')}`),
      )
    }
    const helper = name as Helper
    const { min, max, usage } = helpers[helper]
    if (node.params.length < min || node.params.length > max) {
      const count = min === max ? `${min} argument${min === 1 ? '' : 's'}` : `${min} or ${max} arguments`
      throw new TemplateError(
        'E131',
        `the helper ${quote(name)} takes ${count}, not ${node.params.length}`,
        span,
        `such as ${quote(usage)}`,
      )
    }
    return {
      type: 'call',
      helper,
      args: node.params.map((param) => this.#expression(param, depth + 1)),
      span: this.#span(node),
    }
  }

  #expression(node: Node, depth: number): Expression {
    const span = this.#span(node)
    switch (node.type) {
      case 'PathExpression':
        return { type: 'path', parts: this.#parts(node as PathNode), span }
      case 'SubExpression':
        return this.#callOrPath(node as Mustache, depth)
      case 'StringLiteral':
      case 'NumberLiteral':
      case 'BooleanLiteral':
        return { type: 'literal', value: (node as Node & { value: string | number | boolean }).value, span }
      case 'NullLiteral':
        return { type: 'literal', value: null, span }
      default:
        throw this.#refused(node, `${quote(this.#slice(node))} is neither a path nor a literal`)
    }
  }

  #parts(node: PathNode): readonly string[] {
    const { original } = node
    const plain = node.parts.every((part): part is string => typeof part === 'string')
    if (node.data || node.depth || !plain || node.parts.length === 0 || /^(?:this\b|\.)/.test(original))
      throw this.#refused(
        node,
        `${quote(original)} is no path: paths start with a name such as \`params\`, \`run\` or \`tasks\``,
      )
    if (original.includes('/'))
      throw this.#refused(
        node,
        `write ${quote(original.replaceAll('/', '.'))}: the parts of a path are joined by \`.\``,
      )
    return node.parts as readonly string[]
  }

  #refused(node: Node, message: string): TemplateError {
    return new TemplateError('E130', message, this.#span(node))
  }

  #span({ loc }: Node): Span {
    return { start: this.#offset(loc.start), end: this.#offset(loc.end) }
  }

  #slice(node: Node): string {
    const { start, end } = this.#span(node)
    return this.#text.slice(start, end)
  }

  #offset({ line, column }: Place): number {
    return (this.#lines[line - 1] ?? 0) + column
  }
}

/** Where each expression of a command's template stands for the shell, in the order of `parts`. */
export function shellPlacesOf({ parts }: Template): readonly ShellPlace[] {
  const texts = ['']
  for (const part of parts) {
    if (typeof part === 'string') texts[texts.length - 1] += part
    else texts.push('')
  }
  return shellPlaces(texts)
}

/** The expressions of a command's template that stand where no quoting keeps their value a value. */
export function unsafeExpressions(template: Template): readonly Span[] {
  const expressions = template.parts.filter((part): part is Expression => typeof part === 'object')
  return shellPlacesOf(template).flatMap((place, index) =>
    place === 'unsafe' ? [(expressions[index] as Expression).span] : [],
  )
}
