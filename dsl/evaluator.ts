/** The two small languages at run time: templates to values, expressions to true or false. Knows no schemas and no files. */
import { bug, DagctlError } from '../engine/errors.ts'
import type { Evaluator, Scope } from '../engine/evaluator.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import { keysOf } from '../engine/pointer.ts'
import {
  type Chain,
  compileExpression,
  ExpressionError,
  overloadInWords,
  parseExpression,
} from './expression.ts'
import { callHelper, HelperError } from './helpers.ts'
import { withIntegers } from './integers.ts'
import { lookUp, Unresolved } from './scope.ts'
import { shellQuote, unsafeInArithmetic, unsafePlace } from './shell.ts'
import {
  type Expression,
  isTemplate,
  parseTemplate,
  shellPlacesOf,
  type Template,
  TemplateError,
} from './template.ts'
import { quote, typeName } from './words.ts'

/** Parsed texts that are kept; a pipeline's own are far fewer. */
const cacheLimit = 10_000

type Program = (value: (chain: Chain) => unknown) => unknown

/** An evaluator for any number of pipelines; it keeps what it parsed. */
export function createEvaluator(): Evaluator {
  const templates = new Map<string, Template>()
  const programs = new Map<string, Program>()
  return {
    render: (value, scope, shell = []) => render(value, { scope, shell: shell.map(keysOf), templates }, []),
    test: (expression, scope) => test(expression, kept(programs, expression, compileText), scope),
  }
}

function kept<Value>(cache: Map<string, Value>, text: string, make: (text: string) => Value): Value {
  const known = cache.get(text)
  if (known !== undefined) return known
  if (cache.size >= cacheLimit) cache.clear()
  const made = make(text)
  cache.set(text, made)
  return made
}

function compileText(text: string): Program {
  return rethrown(text, () => compileExpression(parseExpression(text)))
}

interface Rendering {
  readonly scope: Scope
  readonly shell: readonly (readonly string[])[]
  readonly templates: Map<string, Template>
}

function render(value: Json, rendering: Rendering, path: readonly string[]): Json {
  if (typeof value === 'string') return isTemplate(value) ? renderText(value, rendering, path) : value
  if (Array.isArray(value))
    return (value as readonly Json[]).map((item, index) => render(item, rendering, [...path, String(index)]))
  if (typeof value !== 'object' || value === null) return value
  const result: { [key: string]: Json } = {}
  for (const [key, item] of Object.entries(value as JsonObject)) {
    Object.defineProperty(result, key, {
      value: render(item, rendering, [...path, key]),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return result
}

function renderText(text: string, { scope, shell, templates }: Rendering, path: readonly string[]): Json {
  return rethrown(text, () => {
    const { parts, whole } = kept(templates, text, parseTemplate)
    const quoted = shell.some((pointer) => matches(pointer, path))
    if (quoted) return renderCommand({ parts, whole }, scope)
    const [only] = parts
    if (whole) return evaluate(only as Expression, scope)
    return parts.map((part) => (typeof part === 'string' ? part : String(inserted(part, scope)))).join('')
  })
}

function renderCommand(template: Template, scope: Scope): string {
  const places = [...shellPlacesOf(template)]
  const words = template.parts.map((part) => {
    if (typeof part === 'string') return part
    const place = places.shift() ?? 'unsafe'
    if (place === 'unsafe') throw new TemplateError('E130', unsafePlace, part.span)
    const value = inserted(part, scope)
    if (String(value).includes('\0'))
      throw new HelperError('the value holds a NUL character, which no command can')
    if (typeof value !== 'string') return String(value)
    if (place === 'arithmetic') throw new TemplateError('E130', unsafeInArithmetic, part.span)
    return shellQuote(value, place)
  })
  return words.join('')
}

function inserted(part: Expression, scope: Scope): string | number | boolean {
  const value = evaluate(part, scope)
  if (value === null) throw new HelperError('the value is null; use `default` to say what stands for it')
  if (typeof value === 'object')
    throw new HelperError(`${typeName(value)} cannot stand inside a longer string; use \`json\` or \`join\``)
  return value as string | number | boolean
}

function evaluate(expression: Expression, scope: Scope): Json {
  if (expression.type === 'literal') return expression.value
  if (expression.type === 'path') return lookUp(expression.parts, scope)
  const { helper, args } = expression
  if (helper !== 'default')
    return callHelper(
      helper,
      args.map((arg) => evaluate(arg, scope)),
      scope.timezone,
    )
  const [first, second] = args as [Expression, Expression]
  try {
    return evaluate(first, scope) ?? evaluate(second, scope)
  } catch (error) {
    if (error instanceof Unresolved) return evaluate(second, scope)
    throw error
  }
}

function matches(pointer: readonly string[], path: readonly string[]): boolean {
  return pointer.length === path.length && pointer.every((key, index) => key === '*' || key === path[index])
}

function test(expression: string, program: Program, scope: Scope): boolean {
  const result = rethrown(expression, () => program((chain) => chainValue(chain, scope)))
  if (typeof result === 'boolean') return result
  const what = typeof result === 'bigint' ? 'an integer' : typeName(result)
  throw failure('E161', `the expression ${quote(expression)} gave ${what}, not true or false`)
}

function chainValue({ parts, kind }: Chain, scope: Scope): unknown {
  if (kind === 'value') return withIntegers(lookUp(parts, scope, true), parts, scope.integers ?? [])
  const absent = isAbsent(parts, scope)
  return kind === 'isNull' ? absent : !absent
}

function isAbsent(parts: readonly string[], scope: Scope): boolean {
  try {
    return lookUp(parts, scope) === null
  } catch (error) {
    if (error instanceof Unresolved) return true
    throw error
  }
}

/** Gives what goes wrong the text that it went wrong in. */
function rethrown<Value>(text: string, run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    if (error instanceof DagctlError) throw error
    if (error instanceof Unresolved) throw failure('E160', `${error.message}, in ${quote(text)}`, error)
    if (error instanceof HelperError) throw failure('E162', `${error.message}, in ${quote(text)}`, error)
    if (error instanceof TemplateError || error instanceof ExpressionError)
      throw failure(error.code, `${error.message}, in ${quote(text)}`, error)
    const { summary } = error as { summary?: string }
    if (summary !== undefined) throw failure('E161', `${said(summary)}, in ${quote(text)}`, error)
    throw bug(`evaluating ${quote(text)}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function said(summary: string): string {
  const { message, hint } = overloadInWords(summary) ?? { message: summary, hint: null }
  return hint === null ? message : `${message} (${hint})`
}

function failure(code: string, message: string, cause?: unknown): DagctlError {
  return new DagctlError(code, message, { kind: 'failed', ...(cause === undefined ? {} : { cause }) })
}
