/** What the names in a CEL expression stand for, for people who wonder why it is false. */
import type { Scope } from '../engine/evaluator.ts'
import { parseExpression } from './expression.ts'
import { lookUp, Unresolved } from './scope.ts'

/** Longest value that is shown, characters. */
const longest = 80

/** `tasks.a.outputs.b is 1, params.c is "d"`; null where the expression mentions nothing. */
export function explain(text: string, scope: Scope): string | null {
  const paths = new Map(parseExpression(text).chains.map(({ parts }) => [parts.join('.'), parts]))
  const values = [...paths].map(([name, parts]) => `${name} ${standsFor(parts, scope)}`)
  return values.length === 0 ? null : values.join(', ')
}

function standsFor(parts: readonly string[], scope: Scope): string {
  try {
    const value = JSON.stringify(lookUp(parts, scope))
    return `is ${value.length > longest ? `${value.slice(0, longest - 1)}…` : value}`
  } catch (error) {
    if (error instanceof Unresolved) return 'is not there'
    throw error
  }
}
