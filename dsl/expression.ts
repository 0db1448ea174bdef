/**
 * CEL: parsed and checked by cel-js, its references resolved by us. Each path (`tasks.x.outputs.n`), `has(path)` and
 * comparison with null is replaced by a variable of the same length, so that places stay true, types come from JSON
 * Schemas, and a path into a task that did not succeed is null instead of an error. Knows nothing of tasks.
 */
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js'
import type { Code } from './codes.ts'
import type { Span } from './problems.ts'

/** A path that an expression mentions. */
export interface Chain {
  readonly variable: string
  readonly parts: readonly string[]
  readonly span: Span
  /** The path's value, whether it is there, or how it compares with null. */
  readonly kind: 'value' | 'has' | 'isNull' | 'notNull'
  /** What is known not to be null where the path stands: `tasks.x`, `baseline`. */
  readonly guards: ReadonlySet<string>
}

/** A comparison of a path with a literal string. */
export interface Comparison {
  readonly parts: readonly string[]
  readonly literal: string
  readonly span: Span
}

/** An expression, ready for types and values. */
export interface Expression {
  readonly source: string
  /** The source with variables in the place of paths. */
  readonly replaced: string
  readonly chains: readonly Chain[]
  readonly comparisons: readonly Comparison[]
}

/** An expression that cannot be used; the span counts in its text. */
export class ExpressionError extends Error {
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

const dynamic = new Environment({ unlistedVariablesAreDyn: true })
const typed = new Environment()

/** Parses CEL. Throws an ExpressionError (E133). */
export function parseExpression(source: string): Expression {
  let ast: ASTNode
  try {
    ast = dynamic.parse(source).ast
  } catch (error) {
    throw asExpressionError(error, source, 'E133')
  }
  const reading = new Reading(source)
  reading.visit(ast, new Set(), new Set())
  return reading.expression()
}

/** Checks the types; the result must be a boolean. Throws an ExpressionError (E134). */
export function checkTypes({ source, replaced, chains }: Expression, typeOf: (chain: Chain) => string): void {
  const environment = typed.clone()
  const declared = new Set<string>()
  for (const chain of chains) {
    if (declared.has(chain.variable)) continue
    declared.add(chain.variable)
    environment.registerVariable(chain.variable, chain.kind === 'value' ? typeOf(chain) : 'bool')
  }
  const { valid, type, error } = environment.check(replaced)
  if (!valid) throw asExpressionError(error, source, 'E134')
  if (type !== 'bool' && type !== 'dyn') {
    const span = { start: 0, end: source.length }
    throw new ExpressionError('E134', `the expression gives ${type}, not true or false`, span)
  }
}

/** The expression as a function of a lookup of variables. It throws what the lookup throws, and cel-js' errors. */
export function compileExpression({
  replaced,
  chains,
}: Expression): (value: (chain: Chain) => unknown) => unknown {
  const program: ParseResult = dynamic.parse(replaced)
  return (value) => {
    // Getters: a path is looked up only where evaluation comes to it, so that what a guard excludes is never an error.
    const context: { [name: string]: unknown } = {}
    for (const chain of chains)
      Object.defineProperty(context, chain.variable, { enumerable: true, get: () => value(chain) })
    return program(context)
  }
}

const macros = new Set(['all', 'exists', 'exists_one', 'existsOne', 'map', 'filter'])
const none: ReadonlySet<string> = new Set()

class Reading {
  readonly #source: string
  readonly #prefix: string
  readonly #chains: Chain[] = []
  readonly #comparisons: Comparison[] = []

  constructor(source: string) {
    this.#source = source
    this.#prefix =
      ['v', 'w', 'x', 'y', 'z', 'q', 'k', 'j'].find(
        (letter) => !new RegExp(`\\b${letter}\\d`).test(source),
      ) ?? '_'
  }

  expression(): Expression {
    let replaced = ''
    let at = 0
    for (const { variable, span } of [...this.#chains].sort((a, b) => a.span.start - b.span.start)) {
      replaced += this.#source.slice(at, span.start) + variable
      at = span.end
    }
    replaced += this.#source.slice(at)
    return { source: this.#source, replaced, chains: this.#chains, comparisons: this.#comparisons }
  }

  /** Walks the tree. `bound`: variables of macros; `guards`: what is not null here. */
  visit(node: ASTNode, bound: ReadonlySet<string>, guards: ReadonlySet<string>): void {
    if (this.#nullTest(node, bound, guards) || this.#chain(node, bound, guards)) return
    switch (node.op) {
      case '&&':
      case '||': {
        const [left, right] = node.args
        this.visit(left, bound, guards)
        this.visit(right, bound, both(guards, facts(left, bound, node.op === '&&')))
        return
      }
      case '?:': {
        const [condition, yes, no] = node.args
        this.visit(condition, bound, guards)
        this.visit(yes, bound, both(guards, facts(condition, bound, true)))
        this.visit(no, bound, both(guards, facts(condition, bound, false)))
        return
      }
      case 'rcall':
        this.#receiverCall(node, bound, guards)
        return
      case '==':
      case '!=':
        this.#compare(node, bound)
        break
      default:
    }
    for (const child of childrenOf(node)) this.visit(child, bound, guards)
  }

  #receiverCall(
    node: Extract<ASTNode, { op: 'rcall' }>,
    bound: ReadonlySet<string>,
    guards: ReadonlySet<string>,
  ): void {
    const [name, receiver, args] = node.args
    const bind = name === 'bind' && receiver.op === 'id' && receiver.args === 'cel'
    if (!bind) this.visit(receiver, bound, guards)
    const [first, ...rest] = args
    const binds = first?.op === 'id' && (bind || macros.has(name))
    const inner = binds ? new Set([...bound, String(first.args)]) : bound
    for (const arg of binds ? rest : args) this.visit(arg, inner, guards)
  }

  /** `has(path)`, `path == null` and `path != null` are answered by us. */
  #nullTest(node: ASTNode, bound: ReadonlySet<string>, guards: ReadonlySet<string>): boolean {
    const test = nullTestOf(node, bound)
    if (test) this.#add(test.parts, node, test.kind, guards)
    return test !== null
  }

  #chain(node: ASTNode, bound: ReadonlySet<string>, guards: ReadonlySet<string>): boolean {
    const parts = partsOf(node, bound)
    if (parts) this.#add(parts, node, 'value', guards)
    return parts !== null
  }

  #compare(node: ASTNode, bound: ReadonlySet<string>): void {
    const [left, right] = node.args as [ASTNode, ASTNode]
    for (const [path, other] of [
      [left, right],
      [right, left],
    ] as const) {
      const parts = partsOf(path, bound)
      if (parts && other.op === 'value' && typeof other.args === 'string')
        this.#comparisons.push({ parts, literal: other.args, span: { start: other.start, end: other.end } })
    }
  }

  #add(
    parts: readonly string[],
    { start, end }: ASTNode,
    kind: Chain['kind'],
    guards: ReadonlySet<string>,
  ): void {
    const name = `${this.#prefix}${this.#chains.length.toString(36)}`
    if (name.length > end - start)
      throw new ExpressionError('E133', 'the expression mentions too many names', { start, end })
    this.#chains.push({ variable: name.padEnd(end - start, '_'), parts, span: { start, end }, kind, guards })
  }
}

function nullTestOf(
  node: ASTNode,
  bound: ReadonlySet<string>,
): { parts: readonly string[]; kind: 'has' | 'isNull' | 'notNull' } | null {
  if (node.op === 'call' && node.args[0] === 'has' && node.args[1].length === 1) {
    const parts = partsOf(node.args[1][0] as ASTNode, bound)
    return parts && parts.length > 1 ? { parts, kind: 'has' } : null
  }
  if (node.op !== '==' && node.op !== '!=') return null
  const [left, right] = node.args
  const path = isNull(right) ? left : isNull(left) ? right : null
  const parts = path && partsOf(path, bound)
  return parts ? { parts, kind: node.op === '==' ? 'isNull' : 'notNull' } : null
}

function isNull(node: ASTNode): boolean {
  return node.op === 'value' && node.args === null
}

/** The keys of a path that starts with a free name and goes on by names and literal keys; null for anything else. */
function partsOf(node: ASTNode, bound: ReadonlySet<string>): readonly string[] | null {
  const keys: string[] = []
  let at = node
  for (;;) {
    if (at.op === 'id') return bound.has(at.args) ? null : [at.args, ...keys.reverse()]
    if (at.op === '.') keys.push(at.args[1])
    else if (
      at.op === '[]' &&
      at.args[1].op === 'value' &&
      ['string', 'bigint'].includes(typeof at.args[1].args)
    )
      keys.push(String(at.args[1].args))
    else return null
    at = at.args[0]
  }
}

/**
 * What may be null as a whole and a path belongs to: `baseline`, a task, and an instance of a mapped task
 * (`tasks.mask.outputs.0`, `tasks.mask.byKey.de`). None where the path is never null for that reason.
 */
export function nullableRoots(parts: readonly string[]): readonly string[] {
  const [root, id, what, which] = parts
  if (root === 'baseline') return ['baseline']
  if (root !== 'tasks' || id === undefined) return []
  const ofInstance = which !== undefined && (what === 'byKey' || (what === 'outputs' && /^\d+$/.test(which)))
  return ofInstance ? [`tasks.${id}`, `tasks.${id}.${what}.${which}`] : [`tasks.${id}`]
}

/** What is certainly not null if `node` is `outcome`. */
function facts(node: ASTNode, bound: ReadonlySet<string>, outcome: boolean): ReadonlySet<string> {
  if (node.op === '!_') return facts(node.args, bound, !outcome)
  if (node.op === (outcome ? '&&' : '||')) {
    const [left, right] = node.args as [ASTNode, ASTNode]
    return both(facts(left, bound, outcome), facts(right, bound, outcome))
  }
  const test = nullTestOf(node, bound)
  if (test) {
    return (test.kind === 'isNull') !== outcome && !(test.parts[0] === 'tasks' && test.parts[2] === 'state')
      ? new Set(nullableRoots(test.parts))
      : none
  }
  return node.op === (outcome ? '==' : '!=') ? succeededFact(node.args as [ASTNode, ASTNode], bound) : none
}

/** `tasks.x.state == "succeeded"` says that its outputs are there. */
function succeededFact(
  [left, right]: readonly [ASTNode, ASTNode],
  bound: ReadonlySet<string>,
): ReadonlySet<string> {
  for (const [path, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const parts = partsOf(path, bound)
    if (
      parts?.length === 3 &&
      parts[0] === 'tasks' &&
      parts[2] === 'state' &&
      other.op === 'value' &&
      other.args === 'succeeded'
    )
      return new Set([`tasks.${parts[1]}`])
  }
  return none
}

function both(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return b.size === 0 ? a : a.size === 0 ? b : new Set([...a, ...b])
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  return [node.args]
    .flat(3)
    .filter((child): child is ASTNode => typeof child === 'object' && child !== null && 'op' in child)
}

/** What cel-js calls a missing overload, as people say it; null for anything else that it says. */
export function overloadInWords(
  summary: string,
): { readonly message: string; readonly hint: string | null } | null {
  const overload = /^no such overload: (.+?) (==|!=|<=?|>=?|[-+*/%]|in) (.+)$/.exec(summary)
  if (!overload) return null
  const [, left = '', operator, right = ''] = overload
  const mixed = [left, right].every((type) => /^(?:dyn<)?(?:int|double)>?$/.test(type))
  const hint = mixed ? 'write numbers with a point (1.0), or convert with double() or int()' : null
  return { message: `\`${operator}\` does not work between ${plain(left)} and ${plain(right)}`, hint }
}

function plain(type: string): string {
  return type.replace(/^dyn<(.+)>$/, '$1')
}

function asExpressionError(error: unknown, source: string, code: Code): Error {
  const { summary, range } = error as { summary?: string; range?: Span }
  if (summary === undefined) return error as Error
  const start = Math.min(range?.start ?? 0, Math.max(0, source.length - 1))
  const span = { start, end: Math.max(start + 1, Math.min(range?.end ?? source.length, source.length)) }
  const overload = overloadInWords(summary)
  if (overload) return new ExpressionError(code, overload.message, span, overload.hint)
  const keyword = /^expected IDENTIFIER, got (IN|TRUE|FALSE|NULL)$/i.exec(summary)?.[1]?.toLowerCase()
  const hint = source.includes('{{')
    ? 'expressions have no braces: write `params.x`, not `{{ params.x }}`'
    : keyword === undefined
      ? null
      : `\`${keyword}\` is a word of CEL: a name like that stands in brackets, \`tasks["${keyword}"]\``
  return new ExpressionError(code, summary.charAt(0).toLowerCase() + summary.slice(1), span, hint)
}
