/** The types of templates: of each path and helper, and of what a whole `{{ }}` gives. Knows no positions in files. */
import type { JsonSchema } from '../engine/json.ts'
import { formatFault } from './date-format.ts'
import type { Span } from './problems.ts'
import { unsafeInArithmetic } from './shell.ts'
import { type Expression, type Helper, shellPlacesOf, type Template, TemplateError } from './template.ts'
import { fits, type Type, typeInWords, typeNames, typeOfValue } from './types.ts'
import { quote } from './words.ts'

/** A type, and the schema that its own references count in. */
export interface Typed {
  readonly type: Type
  readonly root: Type
}

/** Gives a path its type; reports by itself what it cannot resolve, and gives null then. */
export type PathTypes = (parts: readonly string[], span: Span, optional: boolean) => Typed | null

const text: JsonSchema = { type: 'string' }
const instant: JsonSchema = { type: 'string', format: 'date-time' }
const countable: JsonSchema = { type: ['number', 'boolean', 'null'] }
const anyScalar: JsonSchema = { type: ['string', 'number', 'boolean', 'null'] }

/** What each helper takes (null: anything) and gives; `default`, `half` and `double` depend on their arguments. */
const signatures: { readonly [name in Helper]: { readonly takes: readonly Type[]; readonly gives: Type } } = {
  date: { takes: [text, text], gives: text },
  addDays: { takes: [text, { type: 'integer' }], gives: instant },
  half: { takes: [{ type: 'number' }], gives: { type: 'number' } },
  double: { takes: [{ type: 'number' }], gives: { type: 'number' } },
  default: { takes: [null, null], gives: null },
  json: { takes: [null], gives: text },
  join: { takes: [{ type: 'array' }, text], gives: text },
  lower: { takes: [text], gives: text },
  upper: { takes: [text], gives: text },
  basename: { takes: [text], gives: text },
  hash: { takes: [null], gives: text },
}

const unknown: Typed = { type: null, root: null }

/**
 * The type that the template gives. Throws a TemplateError: E131 for wrong arguments of a helper, E132 for a list or
 * an object inside a longer string, E130 for a string where a shell counts.
 * @param asText whether even one whole `{{ }}` becomes text, as in a command
 */
export function typeOfTemplate(template: Template, paths: PathTypes, asText = false): Typed {
  const types = template.parts.map((part) =>
    typeof part === 'string' ? null : typeOfExpression(part, paths, false),
  )
  if (template.whole && !asText) return types[0] ?? unknown
  if (asText) checkArithmetic(template, types)
  template.parts.forEach((part, index) => {
    const typed = types[index]
    if (
      typeof part === 'string' ||
      !typed ||
      fits(typed.type, anyScalar, { from: typed.root, to: anyScalar })
    )
      return
    const what = typeNames(typed.type, typed.root)?.has('array') ? 'a list' : 'an object'
    throw new TemplateError(
      'E132',
      `${what} cannot stand inside a longer string`,
      part.span,
      'use the helper `json`, or `join` for a list',
    )
  })
  return { type: text, root: text }
}

/** No string stands where a shell counts. Throws a TemplateError (E130). */
function checkArithmetic(template: Template, types: readonly (Typed | null)[]): void {
  const places = [...shellPlacesOf(template)]
  template.parts.forEach((part, index) => {
    if (typeof part === 'string') return
    const typed = types[index]
    if (places.shift() !== 'arithmetic' || !typed) return
    if (fits(typed.type, countable, { from: typed.root, to: countable })) return
    throw new TemplateError('E130', unsafeInArithmetic, part.span, 'give it as an integer')
  })
}

function typeOfExpression(expression: Expression, paths: PathTypes, optional: boolean): Typed {
  if (expression.type === 'literal') return { type: typeOfValue(expression.value), root: null }
  if (expression.type === 'path') return paths(expression.parts, expression.span, optional) ?? unknown
  const { helper, args } = expression
  const types = args.map((arg, index) =>
    typeOfExpression(arg, paths, optional || (helper === 'default' && index === 0)),
  )
  checkArguments(expression, types)
  if (helper === 'default') return eitherOf(types)
  if (helper === 'half' || helper === 'double') {
    const names = typeNames(types[0]?.type ?? null, types[0]?.root)
    if (names?.has('integer')) return { type: { type: 'integer' }, root: null }
    // What is not known to be an integer may be one.
    if (names === null) return { type: { type: ['integer', 'number'] }, root: null }
  }
  const { gives } = signatures[helper]
  return { type: gives, root: gives }
}

function checkArguments(
  { helper, args }: Extract<Expression, { type: 'call' }>,
  types: readonly Typed[],
): void {
  const { takes } = signatures[helper]
  types.forEach(({ type, root }, index) => {
    const wanted = takes[index] ?? null
    const arg = args[index] as Expression
    if (fits(type, wanted, { from: root, to: wanted })) return
    const [got, want] = [typeInWords(type, root), typeInWords(wanted)]
    throw new TemplateError('E131', `the helper ${quote(helper)} takes ${want} here, not ${got}`, arg.span)
  })
  const format = args[1]
  if (helper !== 'date' || format?.type !== 'literal') return
  const fault = formatFault(String(format.value))
  if (fault !== null) throw new TemplateError('E131', fault.message, format.span, fault.hint)
}

function eitherOf(types: readonly Typed[]): Typed {
  const known = types.flatMap(({ type, root }) => {
    const names = typeNames(type, root)
    return names === null ? [] : [...names]
  })
  // The first may be null, for which the second stands in; what it may be otherwise is open if either is.
  if (types.some(({ type, root }) => typeNames(type, root) === null)) return unknown
  const type = { type: [...new Set(known)] }
  return { type, root: type }
}
